// Whole resources in: the untyped body of a POST or PUT becomes a typed user or group, with the dialects applied and
// values verbatim. PATCH bodies are patch.ts's; out again is render.ts's.

import { RollcallError } from '../model/errors.ts'
import { readAssignments } from './assignment.ts'
import { enterpriseUrn, groupType, userType } from './core-schemas.ts'
import type { Reading } from './dialects.ts'
import { applyEdit } from './edit.ts'
import {
  type Attributes,
  type AttributeValue,
  isAttributes,
  isObject,
  isValues,
  ownMember,
  readBody,
  type UntypedObject,
} from './json.ts'
import { type MemberRef, readMembers } from './member.ts'
import { type ResourceType, resolveSchema } from './schema.ts'

/** What the directory keeps beside the verbatim attributes, to find and compare by. */
export interface UserColumns {
  readonly userName: string
  readonly externalId: string | null
  readonly active: boolean
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  /** The primary e-mail, else the first of type work, else the first. Never the userName. */
  readonly email: string | null
  readonly department: string | null
  readonly title: string | null
  readonly managerValue: string | null
}

export interface ParsedUser {
  /** Everything that was said, in schema spelling, without id, meta, groups, schemas and password. */
  readonly attributes: Attributes
  readonly columns: UserColumns
}

export interface ParsedGroup {
  readonly displayName: string
  readonly externalId: string | null
  /** Each member once; undefined when the body does not speak of members, [] when it says there are none. */
  readonly members: readonly MemberRef[] | undefined
  /** What else was said: nothing, until a group has extensions. */
  readonly attributes: Attributes
}

/**
 * Reads the body of a user's POST or PUT.
 * @throws RollcallError invalid_syntax (no object, too deep), invalid_value (naming the attribute)
 */
export function parseUser(body: unknown, reading: Reading): ParsedUser {
  const attributes = readResource(userType, readBody(body), reading)
  return { attributes, columns: userColumns(attributes) }
}

/**
 * Reads the body of a group's POST or PUT.
 * @throws RollcallError invalid_syntax, invalid_value
 */
export function parseGroup(body: unknown, reading: Reading): ParsedGroup {
  const { members, rest } = takeMembers(readBody(body), reading)
  const { displayName, externalId, ...attributes } = readResource(groupType, rest, reading)
  return {
    displayName: typeof displayName === 'string' ? displayName : '',
    externalId: textOrNull(externalId),
    members,
    attributes,
  }
}

/**
 * A user's attributes as they come back from the database. They were written by this library, so only their outermost
 * shape is looked at.
 */
export function storedAttributes(value: unknown): Attributes {
  return isStored(value) ? value : {}
}

function isStored(value: unknown): value is Attributes {
  return isObject(value)
}

/**
 * The columns of a user's attributes.
 * @throws RollcallError invalid_value without a userName
 */
export function userColumns(attributes: Attributes): UserColumns {
  const name = asAttributes(attributes['name'])
  const enterprise = asAttributes(ownMember(attributes, enterpriseUrn))
  const { userName } = attributes
  if (typeof userName !== 'string') throw new RollcallError('invalid_value', 'userName is required')
  return {
    userName,
    externalId: textOrNull(attributes['externalId']),
    active: attributes['active'] !== false,
    displayName: textOrNull(attributes['displayName']),
    givenName: textOrNull(name['givenName']),
    familyName: textOrNull(name['familyName']),
    email: chooseEmail(attributes['emails']),
    department: textOrNull(enterprise['department']),
    title: textOrNull(attributes['title']),
    managerValue: textOrNull(asAttributes(enterprise['manager'])['value']),
  }
}

function readResource(type: ResourceType, body: UntypedObject, reading: Reading): Attributes {
  noteSchemas(type, body, reading)
  const context = { reading, work: { done: 0 } }
  let attributes: Attributes = {}
  for (const { target, value } of readAssignments(type, body, reading)) {
    // Of a body without any previous state, an unassigned attribute says nothing.
    if (value !== undefined) attributes = applyEdit(attributes, { kind: 'replace', target, value }, context)
  }
  for (const { name, required } of type.schema.attributes) {
    if (required && attributes[name] === undefined) throw new RollcallError('invalid_value', `${name} is required`)
  }
  return attributes
}

/** `schemas` is checked for its type only: what is there follows from the data. Unknown URNs go to the log. */
function noteSchemas(type: ResourceType, body: UntypedObject, reading: Reading): void {
  const schemas = memberOf(body, 'schemas')
  const urns = Array.isArray(schemas) ? schemas : [schemas]
  if (schemas === undefined || schemas === null || urns.length === 0) {
    if (!reading.allows('missing-schemas')) throw new RollcallError('invalid_value', 'schemas is required')
    return
  }
  for (const urn of urns) {
    if (typeof urn !== 'string') throw new RollcallError('invalid_value', 'schemas must be an array of URNs')
    if (resolveSchema(type, urn, reading) === undefined) reading.ignore(urn)
  }
}

/** Members are read apart from the other attributes: there may be 100,000. */
function takeMembers(body: UntypedObject, reading: Reading) {
  const rest: Record<string, unknown> = Object.fromEntries(
    Object.entries(body).filter(([key]) => key.toLowerCase() !== 'members'),
  )
  const raw = memberOf(body, 'members')
  return { members: raw === undefined ? undefined : readMembers(raw, reading), rest }
}

/** A member of an untyped body by its name in any case. */
function memberOf(body: UntypedObject, name: string): unknown {
  const lower = name.toLowerCase()
  const key = Object.keys(body).find((candidate) => candidate.toLowerCase() === lower)
  return key === undefined ? undefined : body[key]
}

function chooseEmail(emails: AttributeValue | undefined): string | null {
  const usable = (isValues(emails) ? emails : [])
    .filter(isAttributes)
    .filter(({ value }) => typeof value === 'string' && value !== '')
  const chosen =
    usable.find(({ primary }) => primary === true) ??
    usable.find(({ type }) => typeof type === 'string' && type.toLowerCase() === 'work') ??
    usable[0]
  return textOrNull(chosen?.['value'])
}

function asAttributes(value: AttributeValue | undefined): Attributes {
  return isAttributes(value) ? value : {}
}

function textOrNull(value: AttributeValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}
