// Every tolerance for what identity providers really send, by name: the table says who needs it and what it does,
// and the small rules below it are what the readers call. A Reading belongs to one request: it says which tolerances
// are allowed, and collects which were needed and which unknown attributes were left out, for the request log.

import { isObject } from './json.ts'

interface DialectNote {
  readonly seenFrom: string
  readonly rule: string
}

export const dialects = {
  'string-boolean': { seenFrom: 'Entra ID', rule: '"True" and "False" as strings are booleans, in any case' },
  'capitalised-op': { seenFrom: 'Entra ID', rule: 'Add, Replace and Remove are add, replace and remove' },
  'empty-operations': { seenFrom: 'Entra ID', rule: 'a PATCH with no operations succeeds and does nothing' },
  'dotted-key': { seenFrom: 'Entra ID', rule: 'a key such as "name.givenName" means that sub-attribute' },
  'qualified-key': { seenFrom: 'Entra ID', rule: 'a key such as "urn:…:User:department" means that attribute' },
  'filtered-key': { seenFrom: 'Entra ID', rule: 'a key such as emails[type eq "work"].value means that path' },
  'filtered-path-creates': {
    seenFrom: 'Entra ID',
    rule: 'setting through a filtered path that matches nothing creates the element the filter describes',
  },
  'empty-manager': { seenFrom: 'Entra ID', rule: 'manager set to "" (or to a value of "") is no manager' },
  'unqualified-manager': {
    seenFrom: 'Entra ID',
    rule: 'manager without the URN of its schema is the enterprise extension’s',
  },
  'remove-with-values': {
    seenFrom: 'Entra ID, JumpCloud',
    rule: 'remove with a path to a multi-valued attribute and a value removes exactly those values',
  },
  'quoted-boolean': { seenFrom: 'Entra ID', rule: 'a filter may compare a boolean with "True" or "False"' },
  'unquoted-filter-value': { seenFrom: 'Entra ID', rule: 'a filter may leave the quotes off a string value' },
  'misspelt-enterprise-urn': { seenFrom: 'Entra ID', rule: '…enterprise:2.0User is the enterprise extension' },
  'adscim-group-schema': { seenFrom: 'Entra ID', rule: "Microsoft's ADSCIM group schema is the core group" },
  'json-in-role-value': { seenFrom: 'Entra ID', rule: 'JSON inside roles[].value is text and is kept as it came' },
  'single-element-array': { seenFrom: 'Entra ID', rule: 'an array of one around a single value is that value' },
  'bare-element': {
    seenFrom: 'Entra ID, JumpCloud',
    rule: 'a string where an object with a "value" belongs (a manager, a member, an e-mail) is that value',
  },
  'bare-object': { seenFrom: 'several', rule: 'one object where an array belongs is an array of one' },
  'null-value': { seenFrom: 'Entra ID', rule: 'null is the same as absent (RFC 7643 2.5); recorded, never refused' },
  'read-only-echo': {
    seenFrom: 'Okta',
    rule: 'id, meta and groups inside a pathless PATCH value are ignored instead of refused',
  },
  'scim1-urn': { seenFrom: 'OneLogin', rule: 'the SCIM 1.x core and enterprise URNs mean their 2.0 successors' },
  'missing-schemas': { seenFrom: 'several', rule: 'a body without a usable "schemas" is taken for its endpoint' },
} as const satisfies Record<string, DialectNote>

export type Dialect = keyof typeof dialects

/** What reading one request tolerated and left out. Make one per request and pass it to every reader. */
export interface Reading {
  /** The dialects that were needed so far. */
  readonly dialects: ReadonlySet<Dialect>
  /** Unknown attributes that were ignored, as the client wrote them; at most 50 names of at most 100 characters. */
  readonly ignored: ReadonlySet<string>
  /** Whether the tolerance may be used here; records it when it may. */
  allows(dialect: Dialect): boolean
  ignore(name: string): void
}

const maxIgnored = 50
const maxIgnoredLength = 100

/** Starts a reading; `refuse` names the dialects that a directory does not want, each is then read strictly. */
export function startReading(options: { readonly refuse?: Iterable<Dialect> } = {}): Reading {
  const refused = new Set<Dialect>(options.refuse)
  const used = new Set<Dialect>()
  const ignored = new Set<string>()
  return {
    dialects: used,
    ignored,
    allows(dialect) {
      if (refused.has(dialect)) return false
      used.add(dialect)
      return true
    },
    ignore(name) {
      if (ignored.size < maxIgnored) ignored.add(name.slice(0, maxIgnoredLength))
    },
  }
}

/** A boolean, or undefined when it is none. */
export function readBoolean(value: unknown, reading: Reading): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = readBooleanText(value)
  return text !== undefined && reading.allows('string-boolean') ? text : undefined
}

/** The boolean that a string spells, in any case. */
export function readBooleanText(value: unknown): boolean | undefined {
  if (typeof value !== 'string') return undefined
  const lower = value.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

/** Takes the one element out of an array that stands where a single value belongs; [] is no value. */
export function unwrapSingle(value: unknown, reading: Reading): unknown {
  if (!Array.isArray(value)) return value
  if (value.length === 0) return undefined
  return value.length === 1 && reading.allows('single-element-array') ? value[0] : value
}

/** Puts a single value where an array belongs into one. */
export function wrapSingle(value: unknown, reading: Reading): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (isObject(value)) return reading.allows('bare-object') ? [value] : undefined
  return typeof value === 'string' ? [value] : undefined
}

/** Turns a bare string into the object whose `value` it is. */
export function unfoldBareElement(value: unknown, reading: Reading): unknown {
  return typeof value === 'string' && reading.allows('bare-element') ? { value } : value
}

/** Records Entra's app roles, whose value is JSON in a string; the text itself stays untouched. */
export function noteJsonInRole(attributeName: string, value: unknown, reading: Reading): void {
  if (attributeName === 'roles' && typeof value === 'string' && value.startsWith('{')) {
    reading.allows('json-in-role-value')
  }
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:user'

/** Lower-case spellings of schema URNs that mean another one; 'core' is the endpoint's own core schema. */
const urnAliases: ReadonlyMap<string, { readonly means: string; readonly dialect: Dialect }> = new Map([
  [
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0user',
    { means: enterprise, dialect: 'misspelt-enterprise-urn' },
  ],
  ['urn:scim:schemas:core:1.0', { means: 'core', dialect: 'scim1-urn' }],
  ['urn:scim:schemas:core:1.0:user', { means: 'core', dialect: 'scim1-urn' }],
  ['urn:scim:schemas:core:1.0:group', { means: 'core', dialect: 'scim1-urn' }],
  ['urn:scim:schemas:extension:enterprise:1.0', { means: enterprise, dialect: 'scim1-urn' }],
  ['urn:scim:schemas:extension:enterprise:1.0:user', { means: enterprise, dialect: 'scim1-urn' }],
  [
    'http://schemas.microsoft.com/2006/11/resourcemanagement/adscim/2.0/group',
    { means: 'core', dialect: 'adscim-group-schema' },
  ],
])

/** The lower-case URN that a (lower-case) URN stands for, with 'core' resolved to `core`; itself if it is no alias. */
export function resolveUrnAlias(urn: string, core: string, reading: Reading): string {
  const alias = urnAliases.get(urn)
  if (alias === undefined || !reading.allows(alias.dialect)) return urn
  return alias.means === 'core' ? core.toLowerCase() : alias.means
}
