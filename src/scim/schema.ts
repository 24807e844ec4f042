// Schemas as data, and the lookup of attributes in them: by short name, by URN-qualified name, with a sub-attribute,
// all case-insensitive (RFC 7643 2.1, RFC 7644 3.10). The standard schemas are in core-schemas.ts; a tenant's own
// extension is one more Schema in a ResourceType. What an attribute's value may look like is in attribute-value.ts.

import { type Reading, resolveUrnAlias } from './dialects.ts'

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex'

/** RFC 7643 7. `maxLength` is ours: columns that are indexed cannot hold text of any length. */
export interface Attribute {
  readonly name: string
  readonly type: AttributeType
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
  readonly maxLength?: number
}

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** RFC 7643 6. `common` are the attributes every resource has, which no schema lists (RFC 7643 3.1). */
export interface ResourceType {
  readonly name: string
  readonly endpoint: string
  readonly description: string
  readonly schema: Schema
  readonly extensions: readonly { readonly schema: Schema; readonly required: boolean }[]
  readonly common: readonly Attribute[]
}

/** An attribute, or a sub-attribute, that a path names. */
export interface ResolvedPath {
  /** The canonical spelling: `name.givenName`, `urn:…:enterprise:2.0:User:department`. */
  readonly key: string
  /** The URN of the extension that holds it; undefined for core and common attributes. */
  readonly extension: string | undefined
  readonly attribute: Attribute
  readonly sub: Attribute | undefined
}

interface TypeIndex {
  readonly paths: ReadonlyMap<string, ResolvedPath>
  readonly schemas: ReadonlyMap<string, Schema>
}

const indexes = new WeakMap<ResourceType, TypeIndex>()
const subAttributeIndexes = new WeakMap<Attribute, ReadonlyMap<string, Attribute>>()

function indexOf(type: ResourceType): TypeIndex {
  const known = indexes.get(type)
  if (known !== undefined) return known
  const paths = new Map<string, ResolvedPath>()
  const add = (names: readonly string[], prefix: string, extension: string | undefined, attribute: Attribute) => {
    for (const sub of [undefined, ...(attribute.subAttributes ?? [])]) {
      const suffix = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`
      const resolved = { key: prefix + suffix, extension, attribute, sub }
      for (const name of names) paths.set((name + suffix).toLowerCase(), resolved)
    }
  }
  for (const attribute of [...type.common, ...type.schema.attributes]) {
    add(['', `${type.schema.id}:`], '', undefined, attribute)
  }
  for (const { schema } of type.extensions) {
    for (const attribute of schema.attributes) add([`${schema.id}:`], `${schema.id}:`, schema.id, attribute)
  }
  const schemas = [type.schema, ...type.extensions.map((extension) => extension.schema)]
  const index = { paths, schemas: new Map(schemas.map((schema) => [schema.id.toLowerCase(), schema])) }
  indexes.set(type, index)
  return index
}

/** Finds what `path` names (no filter in it), in any case and under any tolerated URN; undefined if nothing. */
export function resolvePath(type: ResourceType, path: string, reading: Reading): ResolvedPath | undefined {
  const { paths } = indexOf(type)
  const lower = path.toLowerCase()
  const direct = paths.get(lower)
  if (direct !== undefined) return direct
  const colon = lower.lastIndexOf(':')
  if (colon < 0) return resolveManager(type, lower, reading)
  const urn = lower.slice(0, colon)
  const meant = resolveUrnAlias(urn, type.schema.id, reading)
  return meant === urn ? undefined : paths.get(meant + lower.slice(colon))
}

function resolveManager(type: ResourceType, path: string, reading: Reading): ResolvedPath | undefined {
  if (path !== 'manager' && !path.startsWith('manager.')) return undefined
  const { paths, schemas } = indexOf(type)
  const [found] = [...schemas.keys()].flatMap((urn) => paths.get(`${urn}:${path}`) ?? [])
  return found !== undefined && reading.allows('unqualified-manager') ? found : undefined
}

/** The core or extension schema of `type` with this URN, in any case and spelling that is tolerated. */
export function resolveSchema(type: ResourceType, urn: string, reading: Reading): Schema | undefined {
  const { schemas } = indexOf(type)
  const lower = urn.toLowerCase()
  return schemas.get(lower) ?? schemas.get(resolveUrnAlias(lower, type.schema.id, reading))
}

/** The sub-attribute of a complex attribute by its name in any case. */
export function findSubAttribute(attribute: Attribute, name: string): Attribute | undefined {
  let index = subAttributeIndexes.get(attribute)
  if (index === undefined) {
    const names = (attribute.subAttributes ?? []).flatMap((sub) => [
      [sub.name.toLowerCase(), sub] as const,
      [sub.name, sub] as const,
    ])
    index = new Map(names)
    subAttributeIndexes.set(attribute, index)
  }
  return index.get(name) ?? index.get(name.toLowerCase())
}
