// References to a group's members, as they are said in bodies and PATCH values. They are only references: whether such
// a user exists is the store's to resolve, now or when the user arrives.

import { RollcallError } from '../model/errors.ts'
import { readElement } from './attribute-value.ts'
import { groupSchema } from './core-schemas.ts'
import { type Reading, wrapSingle } from './dialects.ts'
import { isAttributes } from './json.ts'
import type { Attribute } from './schema.ts'

/** A member as the identity provider named it. */
export interface MemberRef {
  readonly value: string
  readonly display?: string
  readonly type?: string
  readonly $ref?: string
}

const membersAttribute = findMembers()

function findMembers(): Attribute {
  const attribute = groupSchema.attributes.find(({ name }) => name === 'members')
  if (attribute === undefined) throw new Error('The group schema has no members')
  return attribute
}

/**
 * Reads members, each value once (the last said wins). null and [] are no members; a string is a member's value.
 * @throws RollcallError invalid_value for anything else, and for a member without a value
 */
export function readMembers(value: unknown, reading: Reading): readonly MemberRef[] {
  if (value === null || value === undefined) return []
  const elements = wrapSingle(value, reading)
  if (elements === undefined) throw new RollcallError('invalid_value', 'members must be an array')
  const members = new Map<string, MemberRef>()
  for (const element of elements) {
    const member = readMember(element, reading)
    if (member !== undefined) members.set(member.value, member)
  }
  return [...members.values()]
}

function readMember(element: unknown, reading: Reading): MemberRef | undefined {
  const read = readElement(membersAttribute, element, 'members', reading)
  if (read === undefined) return undefined
  if (!isAttributes(read) || typeof read['value'] !== 'string' || read['value'] === '') {
    throw new RollcallError('invalid_value', 'members.value is required')
  }
  const { value, display, type, $ref } = read
  return {
    value,
    ...(typeof display === 'string' && { display }),
    ...(typeof type === 'string' && { type }),
    ...(typeof $ref === 'string' && { $ref }),
  }
}
