// What an object of attributes says, key by key: a whole resource (POST, PUT) or the value of a PATCH without a path.
// Keys are attributes in any case, extension URNs around their attributes, and what some providers send instead:
// dotted, URN-qualified and filtered paths. Reading one attribute's value is in attribute-value.ts.

import { RollcallError } from '../model/errors.ts'
import { readElement, readValue } from './attribute-value.ts'
import { type Reading, unwrapSingle } from './dialects.ts'
import { type AttributeValue, isObject, type UntypedObject } from './json.ts'
import { isTarget, parsePath, type Target, targetOf } from './path.ts'
import { type Attribute, type ResourceType, resolvePath, resolveSchema } from './schema.ts'

/** A place and the value for it; undefined unassigns it. */
export interface Assignment {
  readonly target: Target
  readonly value: AttributeValue | undefined
}

/**
 * The value for a place, by the attribute's rules.
 * @throws RollcallError invalid_value
 */
export function readTargetValue(target: Target, value: unknown, reading: Reading): AttributeValue | undefined {
  if (target.sub !== undefined) {
    const read = readValue(target.sub, value, target.key, reading)
    const isEmptyManager = read === '' && target.attribute.name === 'manager' && target.sub.name === 'value'
    return isEmptyManager && reading.allows('empty-manager') ? undefined : read
  }
  if (target.filter === undefined) return readValue(target.attribute, value, target.key, reading)
  const single = unwrapSingle(value, reading)
  return single === undefined ? undefined : readElement(target.attribute, single, target.key, reading)
}

/**
 * Reads an object of attributes. Unknown attributes are ignored and named in the reading; read-only ones and the
 * password are left out without a word.
 * @throws RollcallError invalid_value, invalid_path and invalid_filter for a filtered key
 */
export function readAssignments(type: ResourceType, body: UntypedObject, reading: Reading): readonly Assignment[] {
  return Object.entries(body).flatMap(([key, raw]) => readEntry(type, key, raw, reading))
}

function readEntry(type: ResourceType, key: string, raw: unknown, reading: Reading): readonly Assignment[] {
  if (key.includes('[')) return readFilteredKey(type, key, raw, reading)
  const schema = key.includes(':') ? resolveSchema(type, key, reading) : undefined
  if (schema !== undefined) return readContainer(type, schema.id, raw, reading)
  const resolved = resolvePath(type, key, reading)
  if (resolved === undefined || !isTolerated(key, reading)) {
    reading.ignore(key)
    return []
  }
  return assign(targetOf(resolved), raw, reading)
}

function isTolerated(key: string, reading: Reading): boolean {
  if (key.includes(':')) return reading.allows('qualified-key')
  return !key.includes('.') || reading.allows('dotted-key')
}

function readFilteredKey(type: ResourceType, key: string, raw: unknown, reading: Reading): readonly Assignment[] {
  if (resolvePath(type, key.slice(0, key.indexOf('[')), reading) === undefined || !reading.allows('filtered-key')) {
    reading.ignore(key)
    return []
  }
  const target = parsePath(key, type, reading)
  return isTarget(target) ? assign(target, raw, reading) : []
}

/** `urn: { … }`: an extension's attributes, or core ones that someone put under the core URN. */
function readContainer(type: ResourceType, urn: string, raw: unknown, reading: Reading): readonly Assignment[] {
  const container = unwrapSingle(raw, reading)
  if (container === undefined || container === null) {
    reading.allows('null-value')
    return clearExtension(type, urn)
  }
  if (!isObject(container)) throw new RollcallError('invalid_value', `${urn} must be an object`)
  return Object.entries(container).flatMap(([name, value]) => {
    const resolved = resolvePath(type, `${urn}:${name}`, reading)
    if (resolved !== undefined) return assign(targetOf(resolved), value, reading)
    reading.ignore(`${urn}:${name}`)
    return []
  })
}

/** What unassigns every attribute of an extension; nothing for the core schema. */
export function clearExtension(type: ResourceType, urn: string): readonly Assignment[] {
  const extension = type.extensions.find(({ schema }) => schema.id === urn)
  return (extension?.schema.attributes ?? []).map((attribute) => ({
    target: {
      key: `${urn}:${attribute.name}`,
      extension: urn,
      attribute,
      sub: undefined,
      filter: undefined,
      conditions: 0,
    },
    value: undefined,
  }))
}

function assign(target: Target, raw: unknown, reading: Reading): readonly Assignment[] {
  if (!isWritable(target)) return []
  return [{ target, value: readTargetValue(target, raw, reading) }]
}

/** Whether what is said about the place is kept at all: not id, meta, groups, schemas; not the password. */
export function isWritable({ attribute, sub }: Target): boolean {
  return isKept(attribute) && (sub === undefined || isKept(sub))
}

function isKept({ mutability }: Attribute): boolean {
  return mutability !== 'readOnly' && mutability !== 'writeOnly'
}

/**
 * Records an id, meta or groups that came along in a PATCH value without a path.
 * @throws RollcallError mutability where that is not tolerated
 */
export function noteReadOnly(value: UntypedObject, reading: Reading): void {
  for (const name of Object.keys(value)) {
    if (!['id', 'meta', 'groups'].includes(name.toLowerCase())) continue
    if (!reading.allows('read-only-echo')) throw new RollcallError('mutability', `${name} is read-only`)
  }
}
