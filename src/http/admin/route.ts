// What one route of the admin API is: its address, who may call it, what goes in and comes out, and the use case.
// One list of these makes the router and the OpenAPI document alike, so the two cannot differ.

import type { z } from 'zod'
import { RollcallError } from '../../model/errors.ts'
import { isUuid, type Uuid } from '../../model/ids.ts'
import type { AdminCaller, AdminContext } from '../../organization/context.ts'
import { parseInput } from '../invalid-input.ts'

/** What a handler is given: everything parsed. */
interface Call<Params extends string, Query, Body, Caller> {
  readonly caller: Caller
  readonly params: Readonly<Record<Params, Uuid>>
  readonly query: Query
  readonly body: Body
}

type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamsOf<Rest>
  : never

interface RouteWords {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  readonly summary: string
  /** Unique; the name of the call in generated clients. */
  readonly operationId: string
  readonly status: 200 | 201 | 202 | 204
}

interface RouteSpec<Path extends string, Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType>
  extends RouteWords {
  /** Below /admin/v1, parameters in braces; every parameter is an id. */
  readonly path: Path
  readonly query?: Query
  readonly body?: Body
  /** A body that works as it stands, but for the ids in it. */
  readonly example?: z.input<Body>
  /** Left out exactly for 204. */
  readonly answer?: Answer
}

type Unsent = z.ZodVoid

/** The shape of every route in the list; the types of its parts have done their work in `tenantRoute`. */
export interface Route extends RouteWords {
  readonly path: string
  readonly access: 'tenant' | 'bootstrap'
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly example: unknown
  readonly answer: z.ZodType | undefined
  /** Throws InvalidInput, or what the use case throws. */
  handle(context: AdminContext, request: RawCall): Promise<unknown>
}

export interface RawCall {
  /** Null: the bootstrap key. */
  readonly caller: AdminCaller | null
  readonly params: Readonly<Record<string, unknown>>
  readonly query: unknown
  readonly body: unknown
}

/** A route for a tenant's key. */
export function tenantRoute<
  const Path extends string,
  Answer extends z.ZodType = Unsent,
  Query extends z.ZodType = Unsent,
  Body extends z.ZodType = Unsent,
>(
  spec: RouteSpec<Path, Query, Body, Answer>,
  run: (
    context: AdminContext,
    call: Call<ParamsOf<Path>, z.output<Query>, z.output<Body>, AdminCaller>,
  ) => Promise<z.output<Answer>>,
): Route {
  return {
    ...words(spec),
    access: 'tenant',
    handle(context, request) {
      if (request.caller === null) throw new RollcallError('forbidden', 'The bootstrap key does not open this.')
      return run(context, { ...parseCall(spec, request), caller: request.caller })
    },
  }
}

/** A route for the bootstrap key. */
export function bootstrapRoute<
  const Path extends string,
  Answer extends z.ZodType = Unsent,
  Query extends z.ZodType = Unsent,
  Body extends z.ZodType = Unsent,
>(
  spec: RouteSpec<Path, Query, Body, Answer>,
  run: (
    context: AdminContext,
    call: Call<ParamsOf<Path>, z.output<Query>, z.output<Body>, null>,
  ) => Promise<z.output<Answer>>,
): Route {
  return {
    ...words(spec),
    access: 'bootstrap',
    handle(context, request) {
      if (request.caller !== null) throw new RollcallError('forbidden', 'Only the bootstrap key opens this.')
      return run(context, { ...parseCall(spec, request), caller: null })
    },
  }
}

type AnySpec = RouteSpec<string, z.ZodType, z.ZodType, z.ZodType>

function words(spec: AnySpec): Omit<Route, 'access' | 'handle'> {
  const { method, path, summary, operationId, status, query, body, example, answer } = spec
  return { method, path, summary, operationId, status, query, body, example, answer }
}

function parseCall<Path extends string, Query extends z.ZodType, Body extends z.ZodType>(
  spec: RouteSpec<Path, Query, Body, z.ZodType>,
  request: RawCall,
): Omit<Call<ParamsOf<Path>, z.output<Query>, z.output<Body>, null>, 'caller'> {
  return {
    params: parseParams(spec.path, request.params),
    query: parseOptional(spec.query, request.query, 'query'),
    body: parseOptional(spec.body, request.body, 'body'),
  }
}

/** Something that is no UUID can name nothing, so it is not found rather than wrong. */
function parseParams<Path extends string>(
  path: Path,
  params: Readonly<Record<string, unknown>>,
): Record<ParamsOf<Path>, Uuid> {
  const found = Object.fromEntries(
    paramNames(path).map((name) => {
      const value = params[name]
      if (!isUuid(value)) throw new RollcallError('not_found', 'There is nothing with this id here.')
      return [name, value.toLowerCase()]
    }),
  )
  // The names come from the very string that the type is made of.
  return found as Record<ParamsOf<Path>, Uuid>
}

export function paramNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].flatMap((match) => match[1] ?? [])
}

function parseOptional<S extends z.ZodType>(
  schema: S | undefined,
  input: unknown,
  where: 'query' | 'body',
): z.output<S> {
  if (schema !== undefined) return parseInput(schema, where === 'body' ? (input ?? {}) : input, where)
  const isEmpty =
    input === undefined || (typeof input === 'object' && input !== null && Object.keys(input).length === 0)
  if (!isEmpty) throw new RollcallError('invalid_value', `This request takes no ${where}.`)
  // Without a schema the type is that of the default, undefined.
  return undefined as z.output<S>
}
