// SCIM filters (RFC 7644 3.4.2.2) as typed data, every name resolved against the schema and every value against its
// attribute's type. The store compiles this to SQL, filter-match.ts evaluates it in memory, filter-print.ts writes it.
// A multi-valued attribute is always a `some`: emails eq "x", emails.value eq "x" and emails[value eq "x"] are one form.

import { type Filter as Parsed, parse } from 'scim2-parse-filter'
import { RollcallError } from '../model/errors.ts'
import { readInstant } from './attribute-value.ts'
import { type Reading, readBooleanText } from './dialects.ts'
import { type Comparison, comparisons, invalidFilter, type Lexed, type Literal, lexFilter } from './filter-lexer.ts'
import { isStorableText } from './json.ts'
import { type Attribute, type AttributeType, findSubAttribute, type ResourceType, resolvePath } from './schema.ts'

/** Where a compared value is: from the resource, or inside a `some` from its element. */
export interface FilterPath {
  /** Canonical spelling: `userName`, `name.givenName`, `urn:…:User:department`; in an element `type`. */
  readonly key: string
  /** The members to walk in the resource's JSON (or in the element's; a plain element counts as its `value`). */
  readonly steps: readonly string[]
  readonly type: AttributeType
  /** Strings that are not caseExact compare without regard to case. */
  readonly caseExact: boolean
}

/**
 * A compare's value has the path's type: an ISO 8601 UTC string for dateTime. `ne` is the opposite of `eq`, also when
 * there is no value; inside a `some` it therefore asks for one element that differs. `null` is never compared:
 * `eq null` becomes not present. A `some` never contains another one.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'present'; readonly path: FilterPath }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly path: FilterPath
      readonly value: string | number | boolean
    }
  | { readonly kind: 'some'; readonly path: FilterPath; readonly filter: Filter }

export type { Comparison }

type Scope = { readonly type: ResourceType } | { readonly element: Attribute }

/**
 * Parses the `filter` of a query on resources of one type.
 * @throws RollcallError invalid_filter
 */
export function parseFilter(text: string, type: ResourceType, reading: Reading): Filter {
  return parseIn(text, { type }, reading)
}

/** Parses what stands between the brackets of `attribute[…]` in a PATCH path: names are its sub-attributes. */
export function parseElementFilter(text: string, attribute: Attribute, reading: Reading): Filter {
  return parseIn(text, { element: attribute }, reading)
}

function parseIn(text: string, scope: Scope, reading: Reading): Filter {
  const lexed = lexFilter(text)
  return convert(parseStructure(lexed.source), scope, { lexed, reading })
}

function parseStructure(source: string): Parsed {
  try {
    return parse(source)
  } catch (cause) {
    throw new RollcallError('invalid_filter', { detail: 'The brackets of the filter do not match', cause })
  }
}

interface Source {
  readonly lexed: Lexed
  readonly reading: Reading
}

function convert(node: Parsed, scope: Scope, source: Source): Filter {
  switch (node.op) {
    case 'and':
    case 'or': {
      const [first, second] = node.filters
      // The parser writes attribute[F].sub eq x as `attribute[F] and attribute.sub eq x`, which would let two
      // different elements answer; both have to hold for the same one.
      if (first?.op === '[]' && second !== undefined && 'attrPath' in second && second.attrPath.includes('.')) {
        return convertElement(first.attrPath, [first.valFilter, withoutPrefix(second)], scope, source)
      }
      return join(
        node.op,
        node.filters.map((filter) => convert(filter, scope, source)),
      )
    }
    case 'not':
      return { kind: 'not', filter: convert(node.filter, scope, source) }
    case '[]':
      return convertElement(node.attrPath, [node.valFilter], scope, source)
    case 'pr':
      return convertPresent(nameOf(node.attrPath, source), scope, source.reading)
    default:
      return convertCompare(node.op, nameOf(node.attrPath, source), literalOf(node.compValue, source), scope, source)
  }
}

function withoutPrefix<Node extends { attrPath: string }>(node: Node): Node {
  return { ...node, attrPath: node.attrPath.slice(node.attrPath.indexOf('.') + 1) }
}

function nameOf(placeholder: string, { lexed }: Source): string {
  const name = lexed.names[Number(placeholder.slice(1))]
  if (name === undefined) throw invalidFilter('The filter is not valid')
  return name
}

function literalOf(placeholder: unknown, { lexed }: Source): Literal {
  const literal = lexed.literals[Number(placeholder)]
  if (literal === undefined) throw invalidFilter('The filter is not valid')
  return literal
}

/** Nested `and`s (or `or`s) become one, so that a filter has one form. */
function join(kind: 'and' | 'or', filters: readonly Filter[]): Filter {
  const joined: Filter[] = []
  for (const filter of filters) {
    if (filter.kind === kind) joined.push(...filter.filters)
    else joined.push(filter)
  }
  return { kind, filters: joined }
}

function convertElement(attrPath: string, inner: readonly Parsed[], scope: Scope, source: Source): Filter {
  const name = nameOf(attrPath, source)
  if ('element' in scope) throw invalidFilter(`${name}[…] cannot stand inside another one`)
  const target = resolve(name, scope, source.reading)
  if (!target.attribute.multiValued || target.sub !== undefined) {
    throw invalidFilter(`${target.key} is not multi-valued and takes no [ ]`)
  }
  const filters = inner.map((filter) => convert(filter, { element: target.attribute }, source))
  const [only] = filters
  return {
    kind: 'some',
    path: pathOf(target, target.attribute),
    filter: filters.length === 1 && only !== undefined ? only : join('and', filters),
  }
}

interface FilterTarget {
  readonly key: string
  readonly steps: readonly string[]
  readonly attribute: Attribute
  readonly sub: Attribute | undefined
}

function resolve(name: string, scope: Scope, reading: Reading): FilterTarget {
  const target = 'element' in scope ? resolveInElement(name, scope.element) : resolveInType(name, scope.type, reading)
  // A password is never compared either: answers would give it away one character at a time.
  if (target === undefined || target.attribute.returned === 'never') {
    throw invalidFilter(`There is no attribute ${JSON.stringify(name.slice(0, 100))} to filter by`)
  }
  return target
}

function resolveInType(name: string, type: ResourceType, reading: Reading): FilterTarget | undefined {
  const found = resolvePath(type, name, reading)
  if (found === undefined) return undefined
  const { key, extension, attribute, sub } = found
  const steps = [...(extension === undefined ? [] : [extension]), attribute.name, ...(sub ? [sub.name] : [])]
  return { key, steps, attribute, sub }
}

function resolveInElement(name: string, element: Attribute): FilterTarget | undefined {
  const sub =
    element.type === 'complex'
      ? findSubAttribute(element, name)
      : name.toLowerCase() === 'value'
        ? { ...element, name: 'value', multiValued: false }
        : undefined
  return sub && { key: sub.name, steps: [sub.name], attribute: sub, sub: undefined }
}

function pathOf(target: FilterTarget, leaf: Attribute): FilterPath {
  return { key: target.key, steps: target.steps, type: leaf.type, caseExact: leaf.caseExact }
}

function convertPresent(name: string, scope: Scope, reading: Reading): Filter {
  const target = resolve(name, scope, reading)
  return onLeaf(target, target.sub, (path) => ({ kind: 'present', path }))
}

/** Puts a condition on `sub` of the target (or on the target itself), around it a `some` if it is multi-valued. */
function onLeaf(target: FilterTarget, sub: Attribute | undefined, condition: (path: FilterPath) => Filter): Filter {
  const { attribute } = target
  if (sub === undefined) return condition(pathOf(target, attribute))
  const inElement = { key: sub.name, steps: [sub.name], type: sub.type, caseExact: sub.caseExact }
  if (!attribute.multiValued) {
    const named = target.sub === undefined // `manager eq` stands for manager.value
    const key = named ? `${target.key}.${sub.name}` : target.key
    return condition({ ...inElement, key, steps: named ? [...target.steps, sub.name] : target.steps })
  }
  const whole = {
    key: target.sub === undefined ? target.key : target.key.slice(0, -(target.sub.name.length + 1)),
    steps: target.sub === undefined ? target.steps : target.steps.slice(0, -1),
    type: attribute.type,
    caseExact: attribute.caseExact,
  }
  return { kind: 'some', path: whole, filter: condition(inElement) }
}

function convertCompare(operator: string, name: string, literal: Literal, scope: Scope, source: Source): Filter {
  const known = comparisons.find((comparison) => comparison === operator)
  if (known === undefined) throw invalidFilter('The filter is not valid')
  const target = resolve(name, scope, source.reading)
  if (literal.value === null) return convertNull(known, target)
  const leaf = target.sub ?? implicitValue(target.attribute)
  if (leaf.type === 'complex') throw invalidFilter(`${target.key} has parts; name the one to compare`)
  const value = readOperand(leaf, target.key, known, literal, source.reading)
  const sub = leaf === target.attribute ? undefined : leaf
  return onLeaf(target, sub, (path) => ({ kind: 'compare', operator: known, path, value }))
}

/** RFC 7644 3.4.2.2: comparing a complex attribute compares its `value`, as in emails co "example.com". */
function implicitValue(attribute: Attribute): Attribute {
  if (attribute.type === 'complex') return findSubAttribute(attribute, 'value') ?? attribute
  return attribute.multiValued ? { ...attribute, name: 'value', multiValued: false } : attribute
}

function convertNull(operator: Comparison, target: FilterTarget): Filter {
  if (operator !== 'eq' && operator !== 'ne') throw invalidFilter(`null cannot be compared with ${operator}`)
  const present = onLeaf(target, target.sub, (path) => ({ kind: 'present', path }))
  return operator === 'ne' ? present : { kind: 'not', filter: present }
}

const ordering: ReadonlySet<Comparison> = new Set(['gt', 'ge', 'lt', 'le'])
const containing: ReadonlySet<Comparison> = new Set(['co', 'sw', 'ew'])

function readOperand(
  leaf: Attribute,
  key: string,
  operator: Comparison,
  literal: Literal,
  reading: Reading,
): string | number | boolean {
  const refuse = (what: string) => invalidFilter(`${key} is ${what}`)
  switch (leaf.type) {
    case 'boolean': {
      if (operator !== 'eq' && operator !== 'ne') throw refuse(`true or false and cannot be compared with ${operator}`)
      if (typeof literal.value === 'boolean') return literal.value
      const spelt = readBooleanText(literal.raw)
      const tolerated = literal.quoted ? ('quoted-boolean' as const) : ('unquoted-filter-value' as const)
      if (spelt === undefined || !reading.allows(tolerated)) throw refuse('true or false')
      return spelt
    }
    case 'integer':
    case 'decimal':
      if (containing.has(operator)) throw refuse(`a number and cannot be compared with ${operator}`)
      if (typeof literal.value !== 'number' || !Number.isFinite(literal.value)) throw refuse('a number')
      return literal.value
    case 'dateTime': {
      if (containing.has(operator)) throw refuse(`a date and time and cannot be compared with ${operator}`)
      const instant = readInstant(readTextOperand(key, literal, reading))
      if (instant === undefined) throw refuse('a date and time such as 2024-05-01T12:00:00Z')
      return instant
    }
    case 'binary':
      if (ordering.has(operator) || containing.has(operator)) throw refuse('binary and compares only with eq and ne')
      return readTextOperand(key, literal, reading)
    default:
      return readTextOperand(key, literal, reading)
  }
}

function readTextOperand(key: string, literal: Literal, reading: Reading): string {
  if (!literal.quoted && !reading.allows('unquoted-filter-value')) {
    throw invalidFilter(`The value for ${key} must be in quotes`)
  }
  if (!isStorableText(literal.raw)) throw invalidFilter('The filter holds a character that is not text')
  return literal.raw
}
