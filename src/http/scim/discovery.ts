// The documents that say what is offered (RFC 7644 4). They are made by scim/discovery.ts from what is
// really accepted.

import { RollcallError } from '../../model/errors.ts'
import {
  findResourceType,
  findSchema,
  renderResourceType,
  renderResourceTypes,
  renderSchema,
  renderSchemas,
  renderServiceProviderConfig,
} from '../../scim/discovery.ts'
import type { ScimRequest } from './request.ts'
import type { ScimAnswer } from './respond.ts'

export async function readServiceProviderConfig(request: ScimRequest): Promise<ScimAnswer> {
  return document(request, renderServiceProviderConfig(request.baseUrl))
}

export async function listResourceTypes(request: ScimRequest): Promise<ScimAnswer> {
  return document(request, renderResourceTypes(request.baseUrl))
}

export async function readResourceType(request: ScimRequest): Promise<ScimAnswer> {
  const type = findResourceType(request.id)
  if (type === undefined) throw new RollcallError('not_found', 'There is no such resource type')
  return document(request, renderResourceType(type, request.baseUrl))
}

export async function listSchemas(request: ScimRequest): Promise<ScimAnswer> {
  return document(request, renderSchemas(request.baseUrl))
}

export async function readSchema(request: ScimRequest): Promise<ScimAnswer> {
  const schema = findSchema(request.id)
  if (schema === undefined) throw new RollcallError('not_found', 'There is no such schema')
  return document(request, renderSchema(schema, request.baseUrl))
}

/** RFC 7644 4: a filter here is refused with 403; any other parameter is ignored. */
function document({ query }: ScimRequest, body: object): ScimAnswer {
  if (query['filter'] !== undefined) throw new RollcallError('forbidden', 'Discovery documents take no filter')
  return { status: 200, body }
}
