// Routes about the units and workspaces of an organization.

import { z } from 'zod'
import { createUnit, createWorkspace, listUnitPage, listWorkspacePage } from '../../organization/places.ts'
import { type Route, tenantRoute } from './route.ts'
import { id, idPage, instant, name, page, pageRequest } from './schemas.ts'

const kind = z.enum(['department', 'team', 'location'])

const unit = z
  .strictObject({ id, kind, name: z.string(), parentId: id.nullable(), createdAt: instant })
  .meta({ id: 'Unit' })

const workspace = z
  .strictObject({ id, name: z.string(), isDefault: z.boolean(), createdAt: instant })
  .meta({ id: 'Workspace' })

export const placeRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/units',
      operationId: 'createUnit',
      summary: 'Make a department, team or location',
      body: z.strictObject({ kind, name, parent: id.optional() }),
      example: { kind: 'team', name: 'Platform', parent: '01900000-0000-7000-8000-000000000001' },
      status: 201,
      answer: unit,
    },
    (context, { caller, params, body }) => createUnit(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/units',
      operationId: 'listUnits',
      summary: 'Departments, teams and locations',
      query: idPage,
      status: 200,
      answer: page(unit),
    },
    (context, { caller, params, query }) => listUnitPage(context, caller, params.organizationId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/workspaces',
      operationId: 'createWorkspace',
      summary: 'Make a workspace',
      body: z.strictObject({ name }),
      example: { name: 'Production' },
      status: 201,
      answer: workspace,
    },
    (context, { caller, params, body }) => createWorkspace(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/workspaces',
      operationId: 'listWorkspaces',
      summary: 'Workspaces',
      query: idPage,
      status: 200,
      answer: page(workspace),
    },
    (context, { caller, params, query }) =>
      listWorkspacePage(context, caller, params.organizationId, pageRequest(query)),
  ),
]
