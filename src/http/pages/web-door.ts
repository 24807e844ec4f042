// What the doors for browsers share: what they are given, the headers of every answer, limits on how often
// somebody may ask, forms within bounds, and where a refused request ends up.

import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import type { IdentityContext } from '../../identity/context.ts'
import { refusalOf } from '../../identity/login-refusal.ts'
import { RollcallError } from '../../model/errors.ts'
import { type Problem, type ReportError, toProblem } from '../problem.ts'
import { type Cookies, createCookies } from './cookies.ts'
import { html } from './html.ts'
import { browserHeaders, sendPage } from './layout.ts'

/** A refusal, for the log: no name, no address, no token. */
export interface Refused {
  readonly event: 'request.refused'
  /** Also on the page, so that somebody who asks about it can be helped. */
  readonly correlationId: string
  readonly path: string
  readonly code: string
  /** Which gate of the login protocol refused, and why. */
  readonly gate: string | null
  readonly reason: string | null
}

export interface RateLimits {
  /** Logins begun and answered, by one address in a minute. */
  readonly loginsPerMinute: number
  /** Codes asked for by one address in an hour. */
  readonly codesPerHour: number
  /** Codes tried by one address in an hour. */
  readonly answersPerHour: number
}

export const defaultRateLimits: RateLimits = { loginsPerMinute: 120, codesPerHour: 30, answersPerHour: 120 }

export interface WebDoor {
  readonly context: IdentityContext
  readonly cookies: Cookies
  readonly https: boolean
  readonly limits: RateLimits
  readonly report: ReportError
  readonly logRefusal: (refused: Refused) => void
}

export function createWebDoor(options: {
  readonly context: IdentityContext
  readonly report: ReportError
  readonly logRefusal: (refused: Refused) => void
  readonly limits?: RateLimits
}): WebDoor {
  const { context, report, logRefusal, limits = defaultRateLimits } = options
  const https = context.publicUrl.startsWith('https:')
  return { context, report, logRefusal, limits, https, cookies: createCookies(https) }
}

export function withBrowserHeaders(door: WebDoor): RequestHandler {
  const headers = browserHeaders(door.https)
  return (_request, response, next) => {
    response.set(headers)
    next()
  }
}

/** Counts by address within this process; what must hold across processes is counted in the database. */
export function limitRequests(limit: number, windowMs: number): RequestHandler {
  return rateLimit({
    limit,
    windowMs,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Which proxies are believed is the application's setting; the package would complain on the console.
    validate: { xForwardedForHeader: false },
    handler: (_request, _response, next) => {
      const detail = 'Too many requests from your address. Wait a little and try again.'
      next(new RollcallError('rate_limited', { detail, retryAfterSeconds: Math.ceil(windowMs / 1_000) }))
    },
  })
}

/** A form of at most so many bytes, in `request.body`. */
export function readForm(limitBytes: number): RequestHandler {
  const read = express.urlencoded({ extended: false, limit: limitBytes, parameterLimit: 20, inflate: false })
  return (request, response, next) => {
    read(request, response, (error?: unknown) => next(error === undefined ? undefined : toRollcallError(error)))
  }
}

function toRollcallError(error: unknown): unknown {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 413) return new RollcallError('too_large', { detail: 'The form is too large.', cause: error })
  return typeof status === 'number' && status < 500
    ? new RollcallError('invalid_request', { detail: 'The form cannot be read.', cause: error })
    : error
}

/** A field of a form or a query; '' where it is missing or sent several times. */
export function readField(source: unknown, name: string): string {
  if (typeof source !== 'object' || source === null || !Object.hasOwn(source, name)) return ''
  const value: unknown = Reflect.get(source, name)
  return typeof value === 'string' ? value : ''
}

/**
 * Refuses a form that was not posted from a page of ours. Browsers say where it came from in Sec-Fetch-Site, older
 * ones in Origin; what says neither is no browser of today, and carries nobody's cookies by accident.
 */
export function onlyOwnForms(door: WebDoor): RequestHandler {
  const { origin } = new URL(door.context.publicUrl)
  return (request, _response, next) => {
    const site = request.get('sec-fetch-site')
    const from = request.get('origin')
    const own = site === undefined ? from === undefined || from === origin : site === 'same-origin'
    next(own ? undefined : new RollcallError('forbidden', 'This form was not sent from a page of this service.'))
  }
}

/** The last handler: a page with a sentence, and a number by which the log tells more. */
export function errorPage(door: WebDoor): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const correlationId = randomUUID()
    const problem = toProblem(error)
    if (problem === null) door.report(error, request)
    door.logRefusal({ event: 'request.refused', correlationId, path: routeOf(request), ...reasonOf(error, problem) })
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (error instanceof RollcallError && error.retryAfterSeconds !== undefined) {
      response.set('Retry-After', String(Math.ceil(error.retryAfterSeconds)))
    }
    sendPage(response, problem?.status ?? 500, {
      title: problem?.title ?? 'Something went wrong here',
      body: html`<h1>${problem?.title ?? 'Something went wrong here'}</h1>
<p>${problem?.detail ?? 'It was not your fault. Try again in a while.'}</p>
<p class="soft small">If you ask somebody for help, give them this number: ${correlationId}</p>`,
    })
  }
}

/** The pattern, not the address: an address may hold a hint at who somebody is. */
function routeOf(request: Request): string {
  const route: unknown = request.route
  const pattern = typeof route === 'object' && route !== null && 'path' in route ? route.path : ''
  return `${request.method} ${request.baseUrl}${typeof pattern === 'string' ? pattern : ''}`
}

function reasonOf(error: unknown, problem: Problem | null): Pick<Refused, 'code' | 'gate' | 'reason'> {
  const refusal = refusalOf(error)
  return { code: problem?.code ?? 'internal', gate: refusal?.gate ?? null, reason: refusal?.reason ?? null }
}
