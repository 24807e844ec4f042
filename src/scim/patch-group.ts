// PATCH of a group as an ordered list of deltas, so that the store can write them set-wise and never loads the members:
// adding one costs the same in a group of ten and of 100,000. The message is read in patch.ts.

import { RollcallError } from '../model/errors.ts'
import { isWritable, noteReadOnly, readAssignments, readTargetValue } from './assignment.ts'
import { groupType } from './core-schemas.ts'
import type { Reading } from './dialects.ts'
import type { Filter } from './filter.ts'
import { type AttributeValue, isObject, type UntypedObject } from './json.ts'
import { type MemberRef, readMembers } from './member.ts'
import type { PatchOperation } from './patch.ts'
import { isTarget, parsePath, type Target } from './path.ts'

/**
 * One step; they apply in order. `remove` names members' values. `set` has only what is to change; an externalId of
 * null unassigns it. Members of an add or replace are there once each.
 */
export type GroupDelta =
  | { readonly kind: 'add'; readonly members: readonly MemberRef[] }
  | { readonly kind: 'remove'; readonly values: readonly string[] }
  | { readonly kind: 'replace'; readonly members: readonly MemberRef[] }
  | { readonly kind: 'remove-all' }
  | { readonly kind: 'set'; readonly displayName?: string; readonly externalId?: string | null }

/**
 * Compiles operations on a group. Neighbours of one kind become one delta; what changes nothing is left out.
 * @throws RollcallError invalid_path (also for members selected by anything but their value), invalid_filter,
 * invalid_value, mutability
 */
export function parseGroupPatch(operations: readonly PatchOperation[], reading: Reading): readonly GroupDelta[] {
  return joinNeighbours(operations.flatMap((operation) => compileOperation(operation, reading)))
}

function compileOperation(operation: PatchOperation, reading: Reading): readonly GroupDelta[] {
  const { op, path, value } = operation
  if (path === undefined) return op === 'remove' ? [] : compileObject(op, value, reading)
  const target = parsePath(path, groupType, reading)
  if (!isTarget(target)) {
    if (op === 'remove') throw new RollcallError('mutability', `${target.schema.id} cannot be removed`)
    return compileObject(op, value, reading)
  }
  if (target.attribute.name === 'schemas') return []
  if (target.attribute.name === 'members') return compileMembers(operation, target, reading)
  if (!isWritable(target)) throw new RollcallError('mutability', `${target.key} is read-only`)
  return setAttribute(op, target, op === 'remove' ? undefined : readTargetValue(target, value, reading))
}

function compileObject(op: 'add' | 'replace', value: unknown, reading: Reading): readonly GroupDelta[] {
  if (!isObject(value)) {
    throw new RollcallError('invalid_value', 'The value of an operation without a path must be an object')
  }
  noteReadOnly(value, reading)
  const rest: Record<string, unknown> = {}
  const deltas: GroupDelta[] = []
  for (const [key, member] of Object.entries(value)) {
    // defineProperty semantics: a key called __proto__ stays a key.
    if (isMembersKey(key, reading)) deltas.push(...changeMembers(op, readMembers(member, reading)))
    else Object.defineProperty(rest, key, { value: member, enumerable: true })
  }
  return [...readRest(op, rest, reading), ...deltas]
}

function isMembersKey(key: string, reading: Reading): boolean {
  if (key.toLowerCase() === 'members') return true
  if (!key.includes(':') || key.includes('[') || !key.toLowerCase().endsWith(':members')) return false
  return reading.allows('qualified-key')
}

function readRest(op: 'add' | 'replace', rest: UntypedObject, reading: Reading): readonly GroupDelta[] {
  return readAssignments(groupType, rest, reading).flatMap(({ target, value }) => setAttribute(op, target, value))
}

function setAttribute(
  op: PatchOperation['op'],
  { attribute, key }: Target,
  value: AttributeValue | undefined,
): readonly GroupDelta[] {
  if (op === 'add' && value === undefined) return []
  if (attribute.name === 'externalId') return [{ kind: 'set', externalId: typeof value === 'string' ? value : null }]
  if (attribute.name !== 'displayName') throw new RollcallError('invalid_path', `${key} cannot be changed here`)
  if (typeof value !== 'string') throw new RollcallError('mutability', `${key} is required and cannot be removed`)
  return [{ kind: 'set', displayName: value }]
}

function compileMembers(operation: PatchOperation, target: Target, reading: Reading): readonly GroupDelta[] {
  const { op, value } = operation
  if (target.sub !== undefined) {
    throw new RollcallError('mutability', `${target.key} cannot be changed; remove the member and add another`)
  }
  if (target.filter !== undefined) return compileSelected(operation, target.filter, reading)
  if (op !== 'remove') return changeMembers(op, readMembers(value, reading))
  if (value === undefined || value === null) return [{ kind: 'remove-all' }]
  if (!reading.allows('remove-with-values')) {
    throw new RollcallError('invalid_value', 'A remove operation has no value; name the members in the path')
  }
  return removeValues(readMembers(value, reading).map((member) => member.value))
}

function changeMembers(op: 'add' | 'replace', members: readonly MemberRef[]): readonly GroupDelta[] {
  if (op === 'replace') return members.length === 0 ? [{ kind: 'remove-all' }] : [{ kind: 'replace', members }]
  return members.length === 0 ? [] : [{ kind: 'add', members }]
}

function removeValues(values: readonly string[]): readonly GroupDelta[] {
  return values.length === 0 ? [] : [{ kind: 'remove', values }]
}

/** `members[value eq "x"]`: removed, or added when an add or replace names that very member. */
function compileSelected({ op, value }: PatchOperation, filter: Filter, reading: Reading): readonly GroupDelta[] {
  const values = selectedValues(filter)
  if (values === undefined) {
    throw new RollcallError('invalid_path', 'Members are selected by value, as in members[value eq "…"]')
  }
  if (op === 'remove') return removeValues([...new Set(values)])
  const members = readMembers(value, reading)
  if (members.some((member) => !values.includes(member.value))) {
    throw new RollcallError('mutability', 'A member cannot become another; remove it and add the other')
  }
  return changeMembers('add', members)
}

/** The values in a filter of nothing but `value eq` and `or`. */
function selectedValues(filter: Filter): readonly string[] | undefined {
  if (filter.kind === 'compare') {
    const { operator, path, value } = filter
    return operator === 'eq' && path.key === 'value' && typeof value === 'string' ? [value] : undefined
  }
  if (filter.kind !== 'or') return undefined
  const values = filter.filters.map(selectedValues)
  return values.every((part) => part !== undefined) ? values.flat() : undefined
}

/** 1,000 operations that add one member each become one set. */
function joinNeighbours(deltas: readonly GroupDelta[]): readonly GroupDelta[] {
  const joined: GroupDelta[] = []
  let index = 0
  while (index < deltas.length) {
    const first = deltas[index]
    if (first === undefined) break
    let end = index + 1
    while (deltas[end]?.kind === first.kind) end += 1
    joined.push(...joinSame(first, deltas.slice(index, end)))
    index = end
  }
  return joined
}

function joinSame(first: GroupDelta, run: readonly GroupDelta[]): readonly GroupDelta[] {
  switch (first.kind) {
    case 'add':
      return [
        { kind: 'add', members: uniqueMembers(run.flatMap((delta) => (delta.kind === 'add' ? delta.members : []))) },
      ]
    case 'remove':
      return [
        { kind: 'remove', values: [...new Set(run.flatMap((delta) => (delta.kind === 'remove' ? delta.values : [])))] },
      ]
    case 'set':
      return [Object.assign({}, first, ...run)]
    default:
      return run.slice(-1)
  }
}

function uniqueMembers(members: readonly MemberRef[]): readonly MemberRef[] {
  return [...new Map(members.map((member) => [member.value, member])).values()]
}
