// The JSON shapes of the SCIM library and the few things it does with them: narrowing untyped input, bounding its
// depth, comparing by value, copying with one member changed. No SCIM rules here; attribute-value.ts has those.

import { RollcallError } from '../model/errors.ts'

/** A value as it is kept: never null, because null, [] and absent are one state (RFC 7643 2.5). */
export type AttributeValue = string | number | boolean | readonly AttributeValue[] | Attributes

/** A resource's (or a complex value's) attributes in schema spelling; extensions sit under their URN. */
export interface Attributes {
  readonly [name: string]: AttributeValue
}

export type UntypedObject = Readonly<Record<string, unknown>>

const maxDepth = 50
const maxMembers = 1000

export function isObject(value: unknown): value is UntypedObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isAttributes(value: AttributeValue | undefined): value is Attributes {
  return typeof value === 'object' && !Array.isArray(value)
}

export function isValues(value: AttributeValue | undefined): value is readonly AttributeValue[] {
  return Array.isArray(value)
}

/**
 * A request body that must be a JSON object nested at most 50 deep, no object in it with more than 1,000 members.
 * @throws RollcallError invalid_syntax
 */
export function readBody(body: unknown): UntypedObject {
  if (!isObject(body)) throw new RollcallError('invalid_syntax', 'The body must be a JSON object')
  checkShape(body, maxDepth)
  return body
}

// The recursion stops at the limit, so hostile nesting cannot exhaust the stack.
function checkShape(value: unknown, levelsLeft: number): void {
  if (typeof value !== 'object' || value === null) return
  if (levelsLeft === 0) throw new RollcallError('invalid_syntax', `The body is nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) {
    for (const element of value) checkShape(element, levelsLeft - 1)
    return
  }
  const members = Object.values(value)
  if (members.length > maxMembers) {
    throw new RollcallError('invalid_syntax', `The body has an object with more than ${maxMembers} members`)
  }
  for (const member of members) checkShape(member, levelsLeft - 1)
}

/** Equality by value: member order does not matter, element order does. */
export function isDeepEqual(left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  if (left === right) return true
  if (isValues(left)) {
    if (!isValues(right) || left.length !== right.length) return false
    return left.every((element, index) => isDeepEqual(element, right[index]))
  }
  if (!isAttributes(left) || !isAttributes(right)) return false
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every((name) => Object.hasOwn(right, name) && isDeepEqual(left[name], right[name]))
}

/** A copy with one member set, or left out when `value` is undefined. `name` must be a schema's spelling. */
export function withMember(attributes: Attributes, name: string, value: AttributeValue | undefined): Attributes {
  if (value !== undefined) return { ...attributes, [name]: value }
  if (!Object.hasOwn(attributes, name)) return attributes
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => key !== name))
}

/** A member the object has itself; never one it inherits. */
export function ownMember(attributes: Attributes | undefined, name: string): AttributeValue | undefined {
  return attributes !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined
}

/** A string that a database can keep: no NUL and no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  // The first look is cheap and nearly always enough.
  return !/[\0\ud800-\udfff]/.test(text) || (!text.includes('\0') && !/\p{Cs}/u.test(text))
}
