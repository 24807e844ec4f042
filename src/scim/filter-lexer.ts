// Reads the words of a filter: length and depth limits, names, operators, literals with their JSON escapes, and the
// sequence they may come in. It rewrites the filter so that the parser sees only placeholders; filter.ts has the rest.
//
// Why rewritten: scim2-parse-filter 0.2 gets the structure right (precedence, groups, value paths) but reads only one
// escape (\"), refuses $ref, negative numbers before a space and unquoted values, takes `a pr not b pr` and
// `a pr constructor b pr`, and recurses without a limit. It never sees any of that here.

import { RollcallError } from '../model/errors.ts'

const maxLength = 4096
const maxDepth = 20

export const comparisons = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type Comparison = (typeof comparisons)[number]

const comparisonWords: ReadonlySet<string> = new Set(comparisons)
const reserved: ReadonlySet<string> = new Set(['and', 'or', 'not'])

/** What follows a comparison; `raw` is how it was written, without quotes. */
export interface Literal {
  readonly raw: string
  readonly quoted: boolean
  /** The JSON value; undefined for a bare word, which JSON does not know. */
  readonly value: string | number | boolean | null | undefined
}

/** `source` has `n0`, `n1` … for names and 0, 1 … for literals; their texts are in the two lists. */
export interface Lexed {
  readonly source: string
  readonly names: readonly string[]
  readonly literals: readonly Literal[]
}

export function invalidFilter(detail: string): RollcallError {
  return new RollcallError('invalid_filter', detail)
}

type Expected = 'operand' | 'group' | 'operator' | 'value' | 'connective'

const tokens = /\s*([()[\]]|"(?:[^"\\]|\\.)*"|[^\s()[\]"]+)/y

/**
 * @throws RollcallError invalid_filter when longer than 4,096 characters, nested deeper than 20, or out of sequence
 */
export function lexFilter(text: string): Lexed {
  if (text.length > maxLength) throw invalidFilter(`The filter is longer than ${maxLength} characters`)
  const names: string[] = []
  const literals: Literal[] = []
  const out: string[] = []
  let expected: Expected = 'operand'
  let depth = 0
  const open = (bracket: string) => {
    depth += 1
    if (depth > maxDepth) throw invalidFilter(`The filter is nested deeper than ${maxDepth} levels`)
    out.push(bracket)
  }
  const name = (word: string) => `n${names.push(word) - 1}`

  for (const token of tokenize(text)) {
    const word = token.toLowerCase()
    switch (expected) {
      case 'operand':
      case 'group':
        if (token === '(') {
          open(token)
          expected = 'operand'
        } else if (expected === 'operand' && word === 'not') {
          out.push(word)
          expected = 'group'
        } else if (expected === 'operand' && isName(token)) {
          out.push(name(token))
          expected = 'operator'
        } else throw unexpected(token, expected === 'group' ? '( after not' : 'an attribute name')
        break
      case 'operator':
        if (token === '[') {
          open(token)
          expected = 'operand'
        } else if (word === 'pr' || comparisonWords.has(word)) {
          out.push(word)
          expected = word === 'pr' ? 'connective' : 'value'
        } else throw unexpected(token, 'an operator')
        break
      case 'value':
        out.push(String(literals.push(readLiteral(token)) - 1))
        expected = 'connective'
        break
      case 'connective':
        if (token === ')' || token === ']') {
          depth -= 1
          out.push(token)
        } else if (word === 'and' || word === 'or') {
          out.push(word)
          expected = 'operand'
        } else if (out.at(-1) === ']' && token.startsWith('.') && isName(token.slice(1))) {
          // The parser wants "]." in one piece before the sub-attribute.
          out[out.length - 1] = `].${name(token.slice(1))}`
          expected = 'operator'
        } else throw unexpected(token, 'and, or, or the end')
    }
  }
  if (expected !== 'connective') throw invalidFilter('The filter is not complete')
  return { source: out.join(' '), names, literals }
}

function tokenize(text: string): readonly string[] {
  const found: string[] = []
  tokens.lastIndex = 0
  const source = text.trim()
  while (tokens.lastIndex < source.length) {
    const token = tokens.exec(source)?.[1]
    // A string without its end is all that no token matches; the index is then back at 0.
    if (token === undefined) throw invalidFilter('The filter has a string that does not end')
    found.push(token)
  }
  return found
}

function isName(token: string): boolean {
  return /^[A-Za-z$_][-\w$.:/%]*$/.test(token) && !reserved.has(token.toLowerCase())
}

function readLiteral(token: string): Literal {
  if (token.startsWith('"')) {
    const value = parseJson(token)
    if (typeof value !== 'string') throw invalidFilter('A string in the filter is not a JSON string')
    return { raw: value, quoted: true, value }
  }
  if (/^[()[\]]/.test(token) || reserved.has(token.toLowerCase())) throw unexpected(token, 'a value')
  if (token === 'true' || token === 'false' || token === 'null') {
    return { raw: token, quoted: false, value: token === 'null' ? null : token === 'true' }
  }
  const number = parseJson(token)
  return { raw: token, quoted: false, value: typeof number === 'number' ? number : undefined }
}

function parseJson(token: string): unknown {
  try {
    return JSON.parse(token)
  } catch {
    return undefined
  }
}

function unexpected(token: string, wanted: string): RollcallError {
  return invalidFilter(`The filter has ${JSON.stringify(token.slice(0, 40))} where ${wanted} belongs`)
}
