// Requests made out of the OpenAPI document: every route with its ids put in, and every body that names one foreign id.
// What is not known here fails, so that a new kind of id cannot be passed over.

import type { Document, Operation } from './admin-door.ts'

/** Ids by what they are; the names are those of the path parameters. */
export type Ids = Readonly<Record<string, string>>

/** What a member of a body that takes an id is called in `Ids`. */
const bodyIds: Readonly<Record<string, string>> = {
  organization: 'organizationId',
  defaultOrganizationId: 'organizationId',
  parent: 'unitId',
  unit: 'unitId',
  workspace: 'workspaceId',
  group: 'groupId',
  connection: 'connectionId',
  domain: 'domainId',
}

export interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly params: readonly string[]
}

/** Every route that a tenant's key opens. */
export function tenantRoutes(document: Document): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.security.some((one) => 'tenantKey' in one))
      .map(([method, operation]) => ({
        method,
        path,
        operation,
        params: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''),
      })),
  )
}

/** A path with its ids put in. */
export function fill(path: string, ids: Ids): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name]
    if (id === undefined) throw new Error(`a new kind of id: add ${name} to this test`)
    return id
  })
}

type Json = Readonly<Record<string, unknown>>
type Schema = Readonly<Record<string, unknown>>

/** The example of a route with its ids put in. */
export function bodyOf(operation: Operation, ids: Ids): Json | undefined {
  const content = operation.requestBody?.content['application/json']
  if (content === undefined) return undefined
  return substitute(content.example as Json, ids)
}

function substitute(body: Json, ids: Ids): Json {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        return [name, substitute(value as Json, ids)]
      const kind = bodyIds[name]
      return typeof value === 'string' && kind !== undefined ? [name, ids[kind]] : [name, value]
    }),
  )
}

/** Every body that holds one foreign id: the example of each form that the schema has, with that id in it. */
export function bodiesWithForeignId(
  document: Document,
  operation: Operation,
  ids: Ids,
  foreign: Ids,
): { member: string; body: Json }[] {
  const content = operation.requestBody?.content['application/json']
  if (content === undefined) return []
  return idMembers(document, content.schema as Schema, []).map((path) => {
    const member = path.at(-1) ?? ''
    const kind = bodyIds[member]
    if (kind === undefined) throw new Error(`a new kind of id in a body: add ${member} to this test`)
    return { member: path.join('.'), body: place(bodyOf(operation, ids) ?? {}, path, foreign[kind] ?? '', ids) }
  })
}

/** Paths to members that hold a UUID, through objects and alternatives. */
function idMembers(document: Document, schema: Schema, at: readonly string[]): string[][] {
  const resolved = resolve(document, schema)
  if (resolved['format'] === 'uuid') return [[...at]]
  const alternatives = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (resolved[key] as Schema[] | undefined) ?? [])
  const members = Object.entries((resolved['properties'] as Record<string, Schema> | undefined) ?? {})
  const found = [
    ...alternatives.flatMap((one) => idMembers(document, one, at)),
    ...members.flatMap(([name, one]) => idMembers(document, one, [...at, name])),
  ]
  return [...new Map(found.map((path) => [path.join('.'), path])).values()]
}

function resolve(document: Document, schema: Schema): Schema {
  const ref = schema['$ref']
  if (typeof ref !== 'string') return schema
  const found = document.components.schemas[ref.split('/').at(-1) ?? '']
  if (found === undefined) throw new Error(`no schema ${ref}`)
  return found as Schema
}

/** Puts the id in; where it belongs to an alternative, that alternative takes the place of the example's. */
function place(body: Json, path: readonly string[], id: string, ids: Ids): Json {
  const [name = '', ...rest] = path
  if (rest.length > 0) {
    const inner = typeof body[name] === 'object' && body[name] !== null ? (body[name] as Json) : {}
    return { ...body, [name]: name in alternatives ? place({}, rest, id, ids) : place(inner, rest, id, ids) }
  }
  return { ...body, ...(companions[name] ?? {}), [name]: id }
}

/** Members of which a body has one form or another, and what a form needs beside its id. */
const alternatives: Readonly<Record<string, true>> = { source: true, target: true }
const companions: Readonly<Record<string, Json>> = { connection: { claimValue: 'admins' } }
