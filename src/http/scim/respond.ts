// How the SCIM door answers: the media type exactly as RFC 7644 3.1 has it, and every refusal as a SCIM
// error. Bodies are written directly: Express would add a charset and an ETag that is not offered.

import type { Response } from 'express'
import { RollcallError } from '../../model/errors.ts'
import { renderScimError } from '../../scim/error.ts'

/** What an endpoint answers; without a body it is 204. */
export interface ScimAnswer {
  readonly status: 200 | 201 | 204
  readonly body?: object
  readonly location?: string
}

export const noContent: ScimAnswer = { status: 204 }

/** Writes an answer. */
export function send(res: Response, { status, body, location }: ScimAnswer): void {
  if (location !== undefined) res.setHeader('Location', location)
  write(res, status, body)
}

/**
 * Writes the SCIM error for whatever was thrown. An unknown error is a 500 that says nothing; `report` gets it.
 */
export function sendError(res: Response, thrown: unknown, report: (error: unknown) => void): void {
  const error = asRollcallError(thrown)
  if (error === undefined) report(thrown)
  if (res.headersSent) {
    res.end()
    return
  }
  if (error === undefined) {
    write(res, 500, internalError)
    return
  }
  const { status } = error.kind
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="scim"')
  if (error.retryAfterSeconds !== undefined) res.setHeader('Retry-After', String(error.retryAfterSeconds))
  write(res, status, renderScimError(error))
}

function write(res: Response, status: number, body: object | undefined): void {
  if (body === undefined) {
    res.writeHead(status).end()
    return
  }
  const text = JSON.stringify(body)
  res
    .writeHead(status, { 'Content-Type': 'application/scim+json', 'Content-Length': Buffer.byteLength(text) })
    .end(text)
}

const internalError = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: '500',
  detail: 'Something went wrong here; the same request can be sent again later',
}

/** Ours, or one of the body parser's and the router's, which carry a status. */
function asRollcallError(thrown: unknown): RollcallError | undefined {
  if (thrown instanceof RollcallError) return thrown
  if (thrown instanceof URIError) {
    return new RollcallError('invalid_request', { detail: 'The URL is not properly encoded', cause: thrown })
  }
  if (!(thrown instanceof Error) || !('status' in thrown)) return undefined
  switch (thrown.status) {
    case 413:
      return new RollcallError('too_large', { detail: 'The body is larger than 1 MB', cause: thrown })
    case 415:
      return new RollcallError('unsupported_media_type', {
        detail: 'Send JSON in UTF-8, plain or compressed with gzip',
        cause: thrown,
      })
    case 400:
      return new RollcallError('invalid_syntax', { detail: 'The body is not valid JSON', cause: thrown })
    default:
      return undefined
  }
}
