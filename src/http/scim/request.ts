// What every SCIM request goes through, in this order: who asks, what was sent, the endpoint, the
// answer. Endpoints are in users.ts, groups.ts and discovery.ts and see only a ScimRequest.

import express, { type Request, type RequestHandler, type Response } from 'express'
import type { DirectoryAuthenticator } from '../../directory/authenticate-directory.ts'
import type { DirectoryCall } from '../../directory/directory-call.ts'
import { RollcallError } from '../../model/errors.ts'
import { type Reading, startReading } from '../../scim/dialects.ts'
import { type Projection, parseProjection } from '../../scim/projection.ts'
import type { ResourceType } from '../../scim/schema.ts'
import { type ScimAnswer, send, sendError } from './respond.ts'

export interface ScimDeps {
  readonly authenticator: DirectoryAuthenticator
  /** Where clients reach this service, without a slash at its end: https://rollcall.example. */
  readonly publicUrl: string
  /** Gets what became a 500. */
  readonly reportError: (error: unknown, about: { readonly method: string; readonly route: string }) => void
}

/** An authenticated request, with its body read as JSON. */
export interface ScimRequest {
  readonly call: DirectoryCall
  /** The URL's id, as it came; empty where the route has none. */
  readonly id: string
  readonly query: Query
  readonly body: unknown
  readonly reading: Reading
  /** The directory's SCIM base: https://rollcall.example/scim/v2/{directory}. */
  readonly baseUrl: string
}

/** Query parameters; each at most once. */
export type Query = Readonly<Record<string, string | undefined>>

export type Endpoint = (request: ScimRequest) => Promise<ScimAnswer>

const parseJson = express.json({ type: ['application/scim+json', 'application/json'], limit: '1mb' })

/**
 * Turns an endpoint into an Express handler. `route` names it in the log, where no ids and names of people belong.
 * Without `readsBody` a body is left alone, whatever its type: for refusals.
 */
export function handle(
  deps: ScimDeps,
  route: string,
  endpoint: Endpoint,
  { readsBody = true }: { readonly readsBody?: boolean } = {},
): RequestHandler {
  return async (req, res) => {
    try {
      const directoryId = parameter(req, 'directoryId')
      const call = await deps.authenticator.authenticate(req.headers.authorization, directoryId)
      send(
        res,
        await endpoint({
          call,
          id: parameter(req, 'id'),
          query: readQuery(req),
          body: readsBody ? await readJson(req, res) : undefined,
          reading: startReading(),
          baseUrl: `${deps.publicUrl}/scim/v2/${call.directory.id}`,
        }),
      )
    } catch (error) {
      sendError(res, error, (unknown) => deps.reportError(unknown, { method: req.method, route }))
    }
  }
}

function parameter(req: Request, name: string): string {
  const value = req.params[name]
  return typeof value === 'string' ? value : ''
}

function readQuery(req: Request): Query {
  if (!req.url.includes('?')) return {}
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.query)) {
    if (typeof value !== 'string') {
      const code = name === 'filter' ? 'invalid_filter' : 'invalid_value'
      throw new RollcallError(code, `The parameter ${name.slice(0, 40)} may be there only once`)
    }
    query[name] = value
  }
  return query
}

const withBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** Only an authenticated client gets this far, so strangers cannot make the process parse anything. */
async function readJson(req: Request, res: Response): Promise<unknown> {
  if (!withBody.has(req.method)) return undefined
  await new Promise<void>((resolve, reject) => {
    parseJson(req, res, (error: unknown) => (error === undefined ? resolve() : reject(asError(error))))
  })
  const body: unknown = req.body
  if (body === undefined) {
    throw new RollcallError('unsupported_media_type', 'Send the body as application/scim+json or application/json')
  }
  return body
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the body could not be read', { cause: error })
}

/** The request's `attributes` and `excludedAttributes`. */
export function readProjection({ query, reading }: ScimRequest, type: ResourceType): Projection {
  const { attributes, excludedAttributes } = query
  return parseProjection(
    type,
    {
      ...(attributes !== undefined && { attributes }),
      ...(excludedAttributes !== undefined && { excludedAttributes }),
    },
    reading,
  )
}
