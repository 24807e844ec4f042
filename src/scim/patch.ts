// The PATCH message itself (RFC 7644 3.5.2): which operations were asked for, before anybody knows of what resource.
// What they do to a user is in patch-user.ts, to a group in patch-group.ts.

import { RollcallError } from '../model/errors.ts'
import type { Reading } from './dialects.ts'
import { isObject, readBody, type UntypedObject } from './json.ts'

export type OperationKind = 'add' | 'remove' | 'replace'

/** One operation as it was sent; `value` is undefined when the operation has no such member. */
export interface PatchOperation {
  readonly op: OperationKind
  readonly path: string | undefined
  readonly value: unknown
}

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:patchop'
const maxOperations = 1000

/**
 * Reads a PATCH body. Paths and values are looked at by whoever applies the operations.
 * @throws RollcallError invalid_syntax, too_large above 1,000 operations, no_target for a remove without a path,
 * invalid_path for a path that is no string, invalid_value for an add or replace without a value
 */
export function parsePatch(body: unknown, reading: Reading): readonly PatchOperation[] {
  const message = foldKeys(readBody(body))
  checkSchemas(message.get('schemas'), reading)
  const operations = message.get('operations')
  if (!Array.isArray(operations)) throw new RollcallError('invalid_syntax', 'Operations must be an array')
  if (operations.length === 0 && !reading.allows('empty-operations')) {
    throw new RollcallError('invalid_syntax', 'Operations must not be empty')
  }
  if (operations.length > maxOperations) {
    throw new RollcallError('too_large', `A request may have at most ${maxOperations} operations`)
  }
  return operations.map((operation) => readOperation(operation, reading))
}

/** An envelope's members by lower-case name: attribute names are case-insensitive (RFC 7643 2.1). */
function foldKeys(message: UntypedObject): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(message).map(([key, value]) => [key.toLowerCase(), value]))
}

function checkSchemas(schemas: unknown, reading: Reading): void {
  const urns: readonly unknown[] = Array.isArray(schemas) ? schemas : [schemas]
  if (urns.some((urn) => typeof urn === 'string' && urn.toLowerCase() === patchUrn)) return
  if (!reading.allows('missing-schemas')) {
    throw new RollcallError('invalid_syntax', 'schemas must name urn:ietf:params:scim:api:messages:2.0:PatchOp')
  }
}

function readOperation(operation: unknown, reading: Reading): PatchOperation {
  if (!isObject(operation)) throw new RollcallError('invalid_syntax', 'An operation must be an object')
  const members = foldKeys(operation)
  const op = readOperationKind(members.get('op'), reading)
  const path = readPathText(members.get('path'))
  const value = members.get('value')
  if (op === 'remove' && path === undefined) {
    throw new RollcallError('no_target', 'A remove operation must have a path')
  }
  if (op !== 'remove' && value === undefined) {
    throw new RollcallError('invalid_value', `The ${op} operation has no value`)
  }
  return { op, path, value }
}

function readOperationKind(op: unknown, reading: Reading): OperationKind {
  const lower = typeof op === 'string' ? op.toLowerCase() : ''
  const known = (['add', 'remove', 'replace'] as const).find((kind) => kind === lower)
  if (known === undefined || (op !== known && !reading.allows('capitalised-op'))) {
    throw new RollcallError('invalid_syntax', 'op must be add, remove or replace')
  }
  return known
}

function readPathText(path: unknown): string | undefined {
  if (path === undefined || path === null) return undefined
  if (typeof path !== 'string') throw new RollcallError('invalid_path', 'path must be a string')
  return path.trim() === '' ? undefined : path
}
