// Routes that look at an organization as a whole: summary, sync status, audit trail and events.

import { z } from 'zod'
import {
  listAuditPage,
  listEventPage,
  readSync,
  resyncOrganization,
  summarizeOrganization,
} from '../../organization/observe-organization.ts'
import { auditEntry, member } from './member-schemas.ts'
import { organization } from './organizations.ts'
import { type Route, tenantRoute } from './route.ts'
import { action, id, idPage, instant, longPage, maybeInstant, page, pageRequest } from './schemas.ts'

const count = z.number().int()

const sync = z
  .strictObject({
    inSync: z.boolean(),
    pending: count.meta({ description: 'Subjects that wait to be reconciled; urgent and failing are part of them.' }),
    urgent: count,
    failing: count,
    setAside: count.meta({ description: 'Failed too often; they wait for an admin.' }),
    oldestRequestedAt: maybeInstant,
  })
  .meta({ id: 'SyncStatus' })

const tally = z.strictObject({ name: z.string(), members: count })

const summary = z
  .strictObject({
    organization,
    roles: z.array(tally).readonly().meta({ description: 'Active members by effective role, the strongest first.' }),
    units: z.array(tally.extend({ kind: z.string() })).readonly(),
    sources: z.array(tally).readonly().meta({ description: 'Members by the way in that made them.' }),
    sync,
    members: z.array(member).readonly().meta({ description: 'The first hundred.' }),
  })
  .meta({ id: 'OrganizationSummary' })

const event = z
  .strictObject({
    id: count,
    type: z.string(),
    subjectId: id,
    payload: z.record(z.string(), z.unknown()),
    at: instant,
  })
  .meta({ id: 'Event' })

const auditQuery = idPage.extend({ subject: id.optional(), action: action.optional() })

export const observeRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/summary',
      operationId: 'summarizeOrganization',
      summary: 'An organization at a glance',
      status: 200,
      answer: summary,
    },
    (context, { caller, params }) => summarizeOrganization(context, caller, params.organizationId),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/sync',
      operationId: 'readSync',
      summary: 'How far an organization is reconciled',
      status: 200,
      answer: sync,
    },
    (context, { caller, params }) => readSync(context, caller, params.organizationId),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/resync',
      operationId: 'resyncOrganization',
      summary: 'Reconcile everything that was said about an organization again; harmless by design',
      status: 202,
      answer: z.strictObject({ requested: count }),
    },
    (context, { caller, params }) => resyncOrganization(context, caller, params.organizationId),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/audit',
      operationId: 'listAudit',
      summary: 'Who did what, newest first',
      query: auditQuery,
      status: 200,
      answer: page(auditEntry),
    },
    (context, { caller, params, query }) => {
      const filter = { subject: query.subject, action: query.action }
      return listAuditPage(context, caller, params.organizationId, filter, pageRequest(query))
    },
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/audit',
      operationId: 'listTenantAudit',
      summary: 'Who did what in the tenant that belongs to none of its organizations, newest first',
      query: auditQuery,
      status: 200,
      answer: page(auditEntry),
    },
    (context, { caller, query }) => {
      const filter = { subject: query.subject, action: query.action }
      return listAuditPage(context, caller, null, filter, pageRequest(query))
    },
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/events',
      operationId: 'listEvents',
      summary: 'What happened, oldest first; go on behind the last id that was read',
      query: longPage,
      status: 200,
      answer: page(event),
    },
    (context, { caller, params, query }) => listEventPage(context, caller, params.organizationId, pageRequest(query)),
  ),
]
