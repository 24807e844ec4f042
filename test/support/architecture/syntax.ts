// Reads from a file's syntax tree what an import graph does not show. A tree and not a text search,
// because the words also stand in comments and strings.

import { parseSync } from '@swc/core'

export interface Syntax {
  readonly readsEnvironment: boolean
  /** async, await or any mention of Promise. */
  readonly isAsynchronous: boolean
  /** Calls that answer differently each time, as they are written. */
  readonly impurities: readonly string[]
  /** Relative paths imported or re-exported for more than types. */
  readonly valueImports: readonly string[]
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

const impure = new Set(['Date', 'Date.now', 'Math.random', 'performance.now', 'randomUUID', 'crypto.randomUUID'])

/** `file` only serves messages. Throws where the text is not TypeScript. */
export function readSyntax(text: string, file: string): Syntax {
  const impurities: string[] = []
  const valueImports: string[] = []
  let readsEnvironment = false
  let isAsynchronous = false
  const visit = (node: Node): void => {
    const name = nameOf(node)
    readsEnvironment ||= name === 'process.env'
    isAsynchronous ||= node['async'] === true || node.type === 'AwaitExpression' || name === 'Promise'
    if (node.type === 'CallExpression') {
      const callee = isNode(node['callee']) ? nameOf(node['callee']) : undefined
      if (callee !== undefined && impure.has(callee)) impurities.push(callee)
    }
    if (node.type === 'NewExpression' && isNode(node['callee']) && nameOf(node['callee']) === 'Date') {
      if (!Array.isArray(node['arguments']) || node['arguments'].length === 0) impurities.push('new Date()')
    }
    const path = valueImportOf(node)
    if (path?.startsWith('.')) valueImports.push(path)
    for (const child of Object.values(node).flat()) {
      if (isNode(child)) visit(child)
      // Arguments and list elements are wrapped in objects without a type of their own.
      else if (typeof child === 'object' && child !== null && 'expression' in child && isNode(child.expression))
        visit(child.expression)
    }
  }
  visit(parse(text, file))
  return { readsEnvironment, isAsynchronous, impurities, valueImports }
}

function parse(text: string, file: string): Node {
  try {
    const module: unknown = parseSync(text, { syntax: 'typescript', target: 'es2022' })
    if (isNode(module)) return module
    throw new Error('no module')
  } catch (cause) {
    throw new Error(`${file} is not TypeScript`, { cause })
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** `a` or `a.b`, also where it is written a['b']. */
function nameOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return typeof node['value'] === 'string' ? node['value'] : undefined
  if (node.type !== 'MemberExpression' || !isNode(node['object']) || !isNode(node['property'])) return undefined
  const property = node['property'].type === 'Computed' ? node['property']['expression'] : node['property']
  if (!isNode(property) || typeof property['value'] !== 'string') return undefined
  const object = nameOf(node['object'])
  return object === undefined ? undefined : `${object}.${property['value']}`
}

function valueImportOf(node: Node): string | undefined {
  const source = node['source']
  if (!/^(?:Import|Export\w*)Declaration$/.test(node.type) || !isNode(source)) return undefined
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'] : []
  const allTypes = specifiers.length > 0 && specifiers.every((one) => one.isTypeOnly === true)
  if (node['typeOnly'] === true || allTypes) return undefined
  return typeof source['value'] === 'string' ? source['value'] : undefined
}
