// Errors as RFC 9457 problem details, for every door whose clients read JSON; SCIM has a shape of its own
// (http/scim). Which errors there are is model/errors.ts. Unknown ones are reported and answered as a bare 500.

import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { RollcallError } from '../model/errors.ts'
import { InvalidInput, type InvalidMember } from './invalid-input.ts'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The code of model/errors.ts; `internal` for what is none of them. */
  readonly code: string
  /** What is wrong with the input, member by member. */
  readonly errors?: readonly InvalidMember[]
}

/** Where an error goes that nobody foresaw. Never shown to the caller. */
export type ReportError = (error: unknown, request: Request) => void

const internal: Problem = {
  type: 'urn:rollcall:problem:internal',
  title: 'Something went wrong here',
  status: 500,
  detail: 'The request was not carried out. It may be sent again.',
  code: 'internal',
}

/** What the caller is told of an error; null where it is none of ours. */
export function toProblem(error: unknown): Problem | null {
  // The router's own answer to a path that cannot be decoded.
  if (error instanceof URIError) return toProblem(new RollcallError('invalid_request', 'The path cannot be decoded.'))
  if (!(error instanceof RollcallError)) return null
  const { status, title } = error.kind
  return {
    type: `urn:rollcall:problem:${error.code}`,
    title,
    status,
    detail: error.detail,
    code: error.code,
    ...(error instanceof InvalidInput ? { errors: error.members } : {}),
  }
}

/** The last handler of a door. A request that was answered in part is cut off, so that nobody takes it for whole. */
export function problemHandler(report: ReportError): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = toProblem(error)
    if (known === null) report(error, request)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const retryAfterSeconds = error instanceof RollcallError ? error.retryAfterSeconds : undefined
    if (retryAfterSeconds !== undefined) response.set('Retry-After', String(Math.ceil(retryAfterSeconds)))
    if (known?.status === 401) response.set('WWW-Authenticate', 'Bearer realm="rollcall"')
    sendProblem(response, known ?? internal)
  }
}

/** Stands behind a door's routes: whatever reaches it has no route. */
export const noSuchRoute: RequestHandler = () => {
  throw new RollcallError('not_found', 'There is nothing at this address.')
}

function sendProblem(response: Response, problem: Problem): void {
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
