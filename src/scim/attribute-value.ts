// Untyped JSON in, a value of one attribute out: types, sub-attributes, multi-valued rules, with the dialects applied.
// Which attribute a key or path means is decided in assignment.ts and path.ts before this is called.

import { RollcallError } from '../model/errors.ts'
import { noteJsonInRole, type Reading, readBoolean, unfoldBareElement, unwrapSingle, wrapSingle } from './dialects.ts'
import { type Attributes, type AttributeValue, isAttributes, isObject, isStorableText } from './json.ts'
import { type Attribute, findSubAttribute } from './schema.ts'

/** Values of one multi-valued attribute of a user; a group's members are not limited by this. */
export const maxValues = 1000

/**
 * Reads the whole value of an attribute. Strings stay verbatim. Undefined means unassigned: null, [] and {} all do.
 * `at` is the attribute's name for the error. Unknown and read-only sub-attributes are left out.
 * @throws RollcallError invalid_value
 */
export function readValue(
  attribute: Attribute,
  value: unknown,
  at: string,
  reading: Reading,
): AttributeValue | undefined {
  if (value === null) {
    reading.allows('null-value')
    return undefined
  }
  if (value === undefined) return undefined
  return attribute.multiValued ? readMany(attribute, value, at, reading) : readSingle(attribute, value, at, reading)
}

/** Reads one element of a multi-valued attribute, or the value of a single-valued one. */
export function readElement(
  attribute: Attribute,
  value: unknown,
  at: string,
  reading: Reading,
): AttributeValue | undefined {
  if (value === null) {
    reading.allows('null-value')
    return undefined
  }
  return attribute.type === 'complex'
    ? readComplex(attribute, value, at, reading)
    : readScalar(attribute, value, at, reading)
}

function readSingle(attribute: Attribute, value: unknown, at: string, reading: Reading): AttributeValue | undefined {
  const single = unwrapSingle(value, reading)
  return single === undefined ? undefined : readElement(attribute, single, at, reading)
}

function readMany(
  attribute: Attribute,
  value: unknown,
  at: string,
  reading: Reading,
): readonly AttributeValue[] | undefined {
  const elements = wrapSingle(value, reading)
  if (elements === undefined) throw wrongType(at, 'an array')
  if (elements.length > maxValues) throw new RollcallError('invalid_value', `${at} has more than ${maxValues} values`)
  const values: AttributeValue[] = []
  for (const element of elements) {
    const read = readElement(attribute, element, at, reading)
    if (read !== undefined) values.push(read)
  }
  refuseSecondPrimary(values, at)
  return values.length === 0 ? undefined : values
}

/** RFC 7643 2.4: at most one value is the primary one. */
export function refuseSecondPrimary(values: readonly AttributeValue[], at: string): void {
  const primaries = values.filter((value) => isAttributes(value) && value['primary'] === true)
  if (primaries.length > 1) throw new RollcallError('invalid_value', `${at} has more than one primary value`)
}

function readComplex(attribute: Attribute, value: unknown, at: string, reading: Reading): Attributes | undefined {
  const hasValue = findSubAttribute(attribute, 'value') !== undefined
  const unfolded = hasValue ? unfoldBareElement(value, reading) : value
  if (!isObject(unfolded)) throw wrongType(at, 'an object')
  const read: Record<string, AttributeValue> = {}
  for (const [name, raw] of Object.entries(unfolded)) {
    const sub = findSubAttribute(attribute, name)
    if (sub === undefined) {
      reading.ignore(`${at}.${name}`)
      continue
    }
    if (sub.mutability === 'readOnly') continue
    const subValue = readValue(sub, raw, `${at}.${sub.name}`, reading)
    if (subValue !== undefined) read[sub.name] = subValue
  }
  noteJsonInRole(attribute.name, read['value'], reading)
  if (isEmptyManager(attribute, read) && reading.allows('empty-manager')) return undefined
  return Object.keys(read).length === 0 ? undefined : read
}

function isEmptyManager(attribute: Attribute, value: Attributes): boolean {
  return attribute.name === 'manager' && value['value'] === ''
}

function readScalar(attribute: Attribute, value: unknown, at: string, reading: Reading): AttributeValue {
  switch (attribute.type) {
    case 'boolean': {
      const boolean = readBoolean(value, reading)
      if (boolean === undefined) throw wrongType(at, 'true or false')
      return boolean
    }
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType(at, 'a whole number')
      return value
    case 'decimal':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(at, 'a number')
      return value
    case 'dateTime':
      if (typeof value !== 'string' || readInstant(value) === undefined) throw wrongType(at, 'a date and time')
      return value
    default:
      return readText(attribute, value, at)
  }
}

function readText(attribute: Attribute, value: unknown, at: string): string {
  if (typeof value !== 'string') throw wrongType(at, 'a string')
  if (!isStorableText(value)) throw new RollcallError('invalid_value', `${at} holds a character that is not text`)
  if (attribute.maxLength !== undefined && value.length > attribute.maxLength) {
    throw new RollcallError('invalid_value', `${at} is longer than ${attribute.maxLength} characters`)
  }
  if (attribute.required && value.trim() === '') throw new RollcallError('invalid_value', `${at} must not be empty`)
  return value
}

function wrongType(at: string, expected: string): RollcallError {
  return new RollcallError('invalid_value', `${at} must be ${expected}`)
}

/**
 * The instant of an xsd:dateTime (RFC 7643 2.3.5) as ISO 8601 in UTC with milliseconds; undefined if it is none.
 * Without a zone it is taken for UTC, so that the answer does not depend on where the server stands.
 */
export function readInstant(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-(\d\d))[Tt](\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+-]\d\d:\d\d)?$/.exec(text)
  if (match === null) return undefined
  const [, date = '', day = '', time = '', zone = 'Z'] = match
  // V8 rolls 30 February over into March; such a date is not one.
  const midnight = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined
  const instant = new Date(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(instant.getTime())) return undefined
  // Years that ISO 8601 writes with a sign, and year 0, are none that PostgreSQL reads.
  return /^(?!0000)\d{4}-/.test(instant.toISOString()) ? instant.toISOString() : undefined
}
