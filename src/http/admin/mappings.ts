// Routes about mappings from directory groups and SSO claim values to roles, units and workspaces.

import { z } from 'zod'
import { createMapping, listMappingPage, removeMapping } from '../../organization/mappings.ts'
import { createdMapping, mapping } from './member-schemas.ts'
import { type Route, tenantRoute } from './route.ts'
import { id, idPage, key, page, pageRequest } from './schemas.ts'

const source = z.union([
  z.strictObject({ group: id }),
  z.strictObject({ connection: id, claimValue: z.string().min(1).max(255) }),
])
const target = z.union([z.strictObject({ role: key }), z.strictObject({ unit: id }), z.strictObject({ workspace: id })])

export const mappingRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/mappings',
      operationId: 'createMapping',
      summary: 'Let a directory group or an SSO claim value give a role, a unit or a workspace',
      body: z.strictObject({
        source,
        target,
        grantsOwner: z.boolean().optional().meta({ description: 'Has to be true for the owner role.' }),
      }),
      example: { source: { group: '01900000-0000-7000-8000-000000000001' }, target: { role: 'admin' } },
      status: 201,
      answer: createdMapping,
    },
    (context, { caller, params, body }) => createMapping(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/mappings',
      operationId: 'listMappings',
      summary: 'The mappings of an organization',
      query: idPage,
      status: 200,
      answer: page(mapping),
    },
    (context, { caller, params, query }) => listMappingPage(context, caller, params.organizationId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'delete',
      path: '/organizations/{organizationId}/mappings/{mappingId}',
      operationId: 'deleteMapping',
      summary: 'End a mapping; what it gave is taken back',
      status: 204,
    },
    (context, { caller, params }) => removeMapping(context, caller, params.organizationId, params.mappingId),
  ),
]
