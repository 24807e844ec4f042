// PATCH of a user: every operation is resolved and its value read first, then all are applied to a copy, so a request
// either holds as a whole or changes nothing (RFC 7644 3.5.2). The message is read in patch.ts, edits are in edit.ts.

import { RollcallError } from '../model/errors.ts'
import { clearExtension, isWritable, noteReadOnly, readAssignments, readTargetValue } from './assignment.ts'
import { readElement } from './attribute-value.ts'
import { userType } from './core-schemas.ts'
import type { Reading } from './dialects.ts'
import { wrapSingle } from './dialects.ts'
import { applyEdit } from './edit.ts'
import type { Edit } from './edit-kind.ts'
import { type Attributes, type AttributeValue, isDeepEqual, isObject } from './json.ts'
import type { PatchOperation } from './patch.ts'
import { isTarget, parsePath, type SchemaTarget, type Target } from './path.ts'
import type { ResourceType } from './schema.ts'

export interface PatchedUser {
  readonly attributes: Attributes
  /** False when the user is as before: then lastModified stays as well. */
  readonly changed: boolean
}

// As large as a body may be: many small requests must not build what one request could not.
const maxSize = 1_000_000

/**
 * Applies operations to a user's attributes (as parseUser returned them). The attributes given are left as they are;
 * unchanged, they are what comes back.
 * @throws RollcallError invalid_path, invalid_filter, invalid_value, mutability, no_target, too_large
 */
export function applyUserPatch(
  attributes: Attributes,
  operations: readonly PatchOperation[],
  reading: Reading,
): PatchedUser {
  const edits = operations.flatMap((operation) => compileOperation(userType, operation, reading))
  const context = { reading, work: { done: 0 } }
  const patched = edits.reduce((current, edit) => applyEdit(current, edit, context), attributes)
  if (isDeepEqual(patched, attributes)) return { attributes, changed: false }
  if (JSON.stringify(patched).length > maxSize) {
    throw new RollcallError('too_large', `The user would be larger than ${maxSize} characters`)
  }
  return { attributes: patched, changed: true }
}

function compileOperation(type: ResourceType, operation: PatchOperation, reading: Reading): readonly Edit[] {
  const { op, path, value } = operation
  if (path === undefined) return op === 'remove' ? [] : compileObject(type, op, value, reading)
  const target = parsePath(path, type, reading)
  if (!isTarget(target)) return compileSchema(type, op, target, value, reading)
  if (target.attribute.name === 'schemas') return [] // follows from the data
  if (!isWritable(target)) {
    if (target.attribute.mutability === 'writeOnly') return [] // a password is taken and thrown away
    throw new RollcallError('mutability', `${target.key} is read-only`)
  }
  if (op === 'remove') return [{ kind: 'remove', target, only: readOnlyThese(target, value, reading) }]
  return [{ kind: op, target, value: readTargetValue(target, value, reading) }]
}

/** Without a path the value is an object of attributes. Okta sends the id along; that is no attempt to change it. */
function compileObject(type: ResourceType, op: 'add' | 'replace', value: unknown, reading: Reading): readonly Edit[] {
  if (!isObject(value)) {
    throw new RollcallError('invalid_value', 'The value of an operation without a path must be an object')
  }
  noteReadOnly(value, reading)
  return readAssignments(type, value, reading).map(({ target, value }) => ({ kind: op, target, value }))
}

/** The path is a schema's URN: its attributes are what the value says, or all of them. */
function compileSchema(
  type: ResourceType,
  op: PatchOperation['op'],
  { schema }: SchemaTarget,
  value: unknown,
  reading: Reading,
): readonly Edit[] {
  if (op === 'remove') {
    if (schema === type.schema) throw new RollcallError('mutability', `${schema.id} cannot be removed`)
    return clearExtension(type, schema.id).map(({ target }) => ({ kind: 'remove', target, only: undefined }))
  }
  return readAssignments(type, { [schema.id]: value }, reading).map(({ target, value }) => ({
    kind: op,
    target,
    value,
  }))
}

/** The values a remove names beside its path; undefined when it names none and means all. */
function readOnlyThese(target: Target, value: unknown, reading: Reading): readonly AttributeValue[] | undefined {
  const { attribute, filter, sub } = target
  if (value === undefined || value === null || filter !== undefined || sub !== undefined) return undefined
  if (!attribute.multiValued) return undefined
  if (!reading.allows('remove-with-values')) {
    throw new RollcallError('invalid_value', 'A remove operation has no value; name what to remove in the path')
  }
  const elements = wrapSingle(value, reading)
  if (elements === undefined) throw new RollcallError('invalid_value', `${target.key} must be an array`)
  return elements.flatMap((element) => readElement(attribute, element, target.key, reading) ?? [])
}
