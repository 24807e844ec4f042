// The SCIM door: mounted at /scim/v2/:directoryId, one route a line. How a request is authenticated
// and answered is in request.ts and respond.ts.

import { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { type ErrorCode, RollcallError } from '../../model/errors.ts'
import { listResourceTypes, listSchemas, readResourceType, readSchema, readServiceProviderConfig } from './discovery.ts'
import { createGroup, deleteGroup, listGroups, patchGroup, readGroup, replaceGroup } from './groups.ts'
import { type Endpoint, handle, type ScimDeps } from './request.ts'
import { sendError } from './respond.ts'
import { createUser, deleteUser, listUsers, patchUser, readUser, replaceUser } from './users.ts'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

const routes: Readonly<Record<string, Partial<Record<Method, Endpoint>>>> = {
  '/Users': { get: listUsers, post: createUser },
  '/Users/:id': { get: readUser, put: replaceUser, patch: patchUser, delete: deleteUser },
  '/Groups': { get: listGroups, post: createGroup },
  '/Groups/:id': { get: readGroup, put: replaceGroup, patch: patchGroup, delete: deleteGroup },
  '/ServiceProviderConfig': { get: readServiceProviderConfig },
  '/ResourceTypes': { get: listResourceTypes },
  '/ResourceTypes/:id': { get: readResourceType },
  '/Schemas': { get: listSchemas },
  '/Schemas/:id': { get: readSchema },
}

const methods: readonly Method[] = ['get', 'post', 'put', 'patch', 'delete']

/** The routes of one SCIM service per directory. Every answer, also a refusal, is SCIM's. */
export function scimRouter(deps: ScimDeps): Router {
  const router = Router({ mergeParams: true, caseSensitive: false })
  for (const [path, endpoints] of Object.entries(routes)) {
    const route = router.route(path)
    for (const method of methods) {
      const endpoint = endpoints[method]
      if (endpoint !== undefined) route[method](handle(deps, path, endpoint))
    }
    const offered = methods.filter((method) => endpoints[method] !== undefined)
    route.all(refuseMethod(deps, path, offered.join(', ').toUpperCase()))
  }
  const refuse = (path: string, code: 'not_found' | 'not_implemented', detail: string) =>
    handle(deps, path, throwing(code, detail), { readsBody: false })
  router.all('/Me', refuse('/Me', 'not_implemented', 'There is no /Me: a token speaks for a directory'))
  router.use(refuse('*', 'not_found', 'There is no such endpoint'))
  const onError: ErrorRequestHandler = (error, req, res, _next) =>
    sendError(res, error, (unknown) => deps.reportError(unknown, { method: req.method, route: '*' }))
  router.use(onError)
  return router
}

function throwing(code: ErrorCode, detail: string): Endpoint {
  return async () => {
    throw new RollcallError(code, detail)
  }
}

function refuseMethod(deps: ScimDeps, path: string, allow: string): RequestHandler {
  const refuse = handle(deps, path, throwing('method_not_allowed', `Only ${allow} are offered here`), {
    readsBody: false,
  })
  return (req, res, next) => {
    res.setHeader('Allow', allow)
    return refuse(req, res, next)
  }
}
