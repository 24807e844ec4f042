// The admin door: authenticates, reads the body within bounds, and hands each request to its route. What the routes
// are is in the files beside this one; what they do, in the use cases of organization/.

import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { RollcallError } from '../../model/errors.ts'
import { type AdminIdentity, authenticateAdmin } from '../../organization/authenticate.ts'
import type { AdminContext } from '../../organization/context.ts'
import { jsonBody } from '../json-body.ts'
import { noSuchRoute, problemHandler, type ReportError } from '../problem.ts'
import { connectionRoutes } from './connections.ts'
import { directoryRoutes } from './directories.ts'
import { domainRoutes } from './domains.ts'
import { mappingRoutes } from './mappings.ts'
import { memberRoutes } from './members.ts'
import { observeRoutes } from './observe.ts'
import { describeRoutes } from './openapi.ts'
import { organizationRoutes } from './organizations.ts'
import { placeRoutes } from './places.ts'
import { planRoutes } from './plans.ts'
import type { Route } from './route.ts'
import { tenantRoutes } from './tenants.ts'

export interface AdminDoor {
  readonly context: AdminContext
  /** Whether identity providers on loopback may be addressed by plain http: for the demonstration and tests. */
  readonly allowInsecureLoopback: boolean
  readonly report: ReportError
}

export const adminPath = '/admin/v1'

/** To be mounted at `adminPath`. */
export function adminRouter(door: AdminDoor): Router {
  const routes = allRoutes(door)
  const router = express.Router({ caseSensitive: true, strict: true })
  router.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    next()
  })
  const document = JSON.stringify(describeRoutes(routes, `${door.context.publicUrl}${adminPath}`))
  router.get('/openapi.json', (_request, response) => {
    response.type('application/json').send(document)
  })
  router.use(async (request, response, next) => {
    response.locals['admin'] = await authenticate(door.context, request)
    next()
  })
  const readBody = jsonBody({ types: ['application/json'], limitBytes: 256 * 1024, maxDepth: 20 })
  for (const route of routes) router[route.method](expressPath(route.path), readBody, carryOut(door.context, route))
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase())
    router.all(expressPath(path), (_request, response) => {
      response.set('Allow', allowed.join(', '))
      throw new RollcallError('method_not_allowed', `This address takes ${allowed.join(', ')}.`)
    })
  }
  router.use(noSuchRoute)
  router.use(problemHandler(door.report))
  return router
}

function allRoutes(door: AdminDoor): readonly Route[] {
  return [
    ...tenantRoutes,
    ...organizationRoutes,
    ...placeRoutes,
    ...directoryRoutes,
    ...mappingRoutes,
    ...connectionRoutes(door.allowInsecureLoopback),
    ...domainRoutes,
    ...memberRoutes,
    ...planRoutes,
    ...observeRoutes,
  ]
}

function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}

/** One answer for every way in which a key can be wrong. */
async function authenticate(context: AdminContext, request: Request): Promise<AdminIdentity> {
  const presented = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
  const identity = presented === undefined ? null : await authenticateAdmin(context, presented)
  if (identity === null) throw new RollcallError('unauthenticated', 'Send an API key as a bearer token.')
  return identity
}

function carryOut(context: AdminContext, route: Route) {
  return async (request: Request, response: Response<unknown, { admin?: AdminIdentity }>, _next: NextFunction) => {
    const { admin } = response.locals
    if (admin === undefined) throw new Error('a route before authentication')
    const answer = await route.handle(context, {
      caller: admin.kind === 'tenant' ? admin.caller : null,
      params: request.params,
      query: request.query,
      body: request.body,
    })
    if (route.status === 204) response.status(204).end()
    else response.status(route.status).json(answer)
  }
}
