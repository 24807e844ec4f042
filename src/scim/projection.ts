// The `attributes` and `excludedAttributes` of a request (RFC 7644 3.9, RFC 7643 2.4 "returned"): parsed once, applied
// to each resource. What is in a resource is render.ts's.

import type { Reading } from './dialects.ts'
import { type Attributes, type AttributeValue, isAttributes, isValues } from './json.ts'
import { type ResourceType, resolvePath, resolveSchema } from './schema.ts'

/**
 * Keys are canonical: `name`, `name.givenName`, `urn:…:User:manager.value`, and a URN alone for a whole extension.
 * `only` undefined means everything that is returned by default.
 */
export interface Projection {
  readonly only: ReadonlySet<string> | undefined
  readonly except: ReadonlySet<string>
}

export const everything: Projection = { only: undefined, except: new Set() }

/** Attribute names as a query parameter has them (comma-separated) or a search body (a list). */
export type AttributeNames = string | readonly string[] | undefined

const maxNames = 200

/** Reads both parameters. Names that mean nothing are ignored (and named in the reading), as RFC 7644 3.9 leaves open. */
export function parseProjection(
  type: ResourceType,
  wanted: { readonly attributes?: AttributeNames; readonly excludedAttributes?: AttributeNames },
  reading: Reading,
): Projection {
  const only = readNames(type, wanted.attributes, reading)
  return {
    only: only === undefined || only.names === 0 ? undefined : only.keys,
    except: readNames(type, wanted.excludedAttributes, reading)?.keys ?? new Set(),
  }
}

/** Whether a top-level core attribute is to be returned: the store need not load members nobody asked for. */
export function isWanted(projection: Projection, name: string): boolean {
  if (projection.except.has(name)) return false
  const { only } = projection
  return only === undefined || only.has(name) || [...only].some((key) => key.startsWith(`${name}.`))
}

function readNames(type: ResourceType, names: AttributeNames, reading: Reading) {
  if (names === undefined) return undefined
  const list = (typeof names === 'string' ? [names] : names)
    .flatMap((name) => name.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .slice(0, maxNames)
  const keys = list.flatMap((name) => {
    const keys = keysOf(type, name, reading)
    if (keys.length === 0) reading.ignore(name)
    return keys
  })
  return { names: list.length, keys: new Set(keys) }
}

/** A schema's URN alone means its attributes: an extension's are under the URN, the core ones are not. */
function keysOf(type: ResourceType, name: string, reading: Reading): readonly string[] {
  const resolved = resolvePath(type, name, reading)
  if (resolved !== undefined) return [resolved.key]
  const schema = resolveSchema(type, name, reading)
  if (schema === undefined) return []
  return schema === type.schema ? schema.attributes.map((attribute) => attribute.name) : [schema.id]
}

/** The resource with what is wanted of it. `id` and `schemas` are always there. */
export function project(type: ResourceType, resource: Attributes, projection: Projection): Attributes {
  if (projection.only === undefined && projection.except.size === 0) return resource
  const extensions = new Set(type.extensions.map(({ schema }) => schema.id))
  const entries = Object.entries(resource).flatMap(([name, value]): [string, AttributeValue][] => {
    if (name === 'id' || name === 'schemas') return [[name, value]]
    const separator = extensions.has(name) ? ':' : '.'
    const kept = projectMember(name, value, separator, projection)
    return kept === undefined ? [] : [[name, kept]]
  })
  return Object.fromEntries(entries)
}

function projectMember(
  key: string,
  value: AttributeValue,
  separator: ':' | '.',
  projection: Projection,
): AttributeValue | undefined {
  const { only, except } = projection
  if (except.has(key)) return undefined
  // Once a whole is asked for, all its parts are.
  const rest = only === undefined || only.has(key) ? { only: undefined, except } : projection
  if (isValues(value)) {
    const elements = value.flatMap((element) => projectParts(key, element, separator, rest) ?? [])
    return elements.length === 0 && value.length > 0 ? undefined : elements
  }
  return projectParts(key, value, separator, rest)
}

function projectParts(
  key: string,
  value: AttributeValue,
  separator: ':' | '.',
  projection: Projection,
): AttributeValue | undefined {
  if (!isAttributes(value)) return projection.only === undefined ? value : undefined
  const parts = Object.entries(value).flatMap(([name, part]): [string, AttributeValue][] => {
    const kept = projectMember(key + separator + name, part, '.', projection)
    return kept === undefined ? [] : [[name, kept]]
  })
  return parts.length === 0 ? undefined : Object.fromEntries(parts)
}
