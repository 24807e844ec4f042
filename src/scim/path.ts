// PATCH paths (RFC 7644 3.5.2, figure 7): an attribute, a filtered attribute, a sub-attribute of either, or a schema
// URN alone. What an operation then does at that place is in edit.ts; filters are parsed in filter.ts.

import { RollcallError } from '../model/errors.ts'
import type { Reading } from './dialects.ts'
import { type Filter, parseElementFilter } from './filter.ts'
import { countConditions } from './filter-match.ts'
import {
  type Attribute,
  findSubAttribute,
  type ResolvedPath,
  type ResourceType,
  resolvePath,
  resolveSchema,
  type Schema,
} from './schema.ts'

/** The place an operation works on. */
export interface Target extends ResolvedPath {
  /** Selects elements of a multi-valued attribute; undefined means all of it. */
  readonly filter: Filter | undefined
  /** How many conditions the filter has. */
  readonly conditions: number
}

/** A whole schema: its URN was the path. */
export interface SchemaTarget {
  readonly schema: Schema
}

const maxLength = 4096

/**
 * Parses a path against a resource type.
 * @throws RollcallError invalid_path when malformed or naming no attribute, invalid_filter for what is in brackets
 */
export function parsePath(path: string, type: ResourceType, reading: Reading): Target | SchemaTarget {
  if (path.length > maxLength) throw invalidPath(`The path is longer than ${maxLength} characters`)
  const text = path.trim()
  const open = text.indexOf('[')
  if (open >= 0) return parseFiltered(text, open, type, reading)
  const resolved = resolvePath(type, text, reading)
  if (resolved !== undefined) return targetOf(resolved)
  const schema = resolveSchema(type, text, reading)
  if (schema !== undefined) return { schema }
  throw unknownPath(text)
}

/** All of what a path without a filter names. */
export function targetOf({ key, extension, attribute, sub }: ResolvedPath): Target {
  return { key, extension, attribute, sub, filter: undefined, conditions: 0 }
}

/** Whether the path is one attribute's (and not a whole schema's). */
export function isTarget(target: Target | SchemaTarget): target is Target {
  return 'attribute' in target
}

function parseFiltered(text: string, open: number, type: ResourceType, reading: Reading): Target {
  const close = findClose(text, open)
  const resolved = resolvePath(type, text.slice(0, open), reading)
  if (resolved === undefined) throw unknownPath(text.slice(0, open))
  if (!resolved.attribute.multiValued || resolved.sub !== undefined) {
    throw invalidPath(`${resolved.key} is not multi-valued and takes no filter`)
  }
  const rest = text.slice(close + 1)
  const sub = rest === '' ? undefined : readSubAttribute(resolved.attribute, rest)
  const filter = parseElementFilter(text.slice(open + 1, close), resolved.attribute, reading)
  const key = sub === undefined ? resolved.key : `${resolved.key}.${sub.name}`
  const { extension, attribute } = resolved
  return { key, extension, attribute, sub, filter, conditions: countConditions(filter) }
}

function readSubAttribute(attribute: Attribute, rest: string): Attribute {
  const sub = rest.startsWith('.') ? findSubAttribute(attribute, rest.slice(1)) : undefined
  if (sub === undefined) throw unknownPath(`${attribute.name}[…]${rest}`)
  return sub
}

/** The bracket that ends the filter; one inside a string does not. */
function findClose(text: string, open: number): number {
  let quoted = false
  for (let index = open + 1; index < text.length; index += 1) {
    const character = text[index]
    if (quoted && character === '\\') index += 1
    else if (character === '"') quoted = !quoted
    else if (!quoted && character === ']') return index
  }
  throw invalidPath('The path has a [ without its ]')
}

function unknownPath(text: string): RollcallError {
  return invalidPath(`There is no attribute ${JSON.stringify(text.slice(0, 100))}`)
}

function invalidPath(detail: string): RollcallError {
  return new RollcallError('invalid_path', detail)
}
