// Routes about an organization's domains and the join rules on them.

import { z } from 'zod'
import { checkDomain, claimDomain, listDomainPage, releaseDomain } from '../../organization/domains.ts'
import { createJoinRule, listJoinRulePage, removeJoinRule } from '../../organization/join-rules.ts'
import { type Route, tenantRoute } from './route.ts'
import { id, idPage, instant, key, maybeInstant, page, pageRequest } from './schemas.ts'

const domain = z
  .strictObject({
    id,
    name: z.string(),
    status: z.enum(['pending', 'verified', 'grace', 'lapsed', 'failed']),
    record: z
      .strictObject({ type: z.literal('TXT'), name: z.string(), value: z.string() })
      .meta({ description: 'What has to stand in DNS.' }),
    createdAt: instant,
    expiresAt: instant.meta({ type: 'string', format: 'date-time', description: 'When an unverified claim lapses.' }),
    checkRequestedAt: maybeInstant,
    checkedAt: maybeInstant,
    verifiedAt: maybeInstant,
    lastError: z.string().nullable(),
  })
  .meta({ id: 'Domain' })

const joinRule = z
  .strictObject({
    id,
    domain: z.strictObject({ id, name: z.string(), status: z.string() }),
    role: z.string().nullable(),
    unit: z.strictObject({ id, name: z.string() }).nullable(),
    createdAt: instant,
  })
  .meta({ id: 'JoinRule' })

export const domainRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/domains',
      operationId: 'claimDomain',
      summary: 'Claim a domain; the answer says what has to stand in DNS',
      body: z.strictObject({ name: z.string().min(1).max(255) }),
      example: { name: 'acme.example' },
      status: 201,
      answer: domain,
    },
    (context, { caller, params, body }) => claimDomain(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/domains',
      operationId: 'listDomains',
      summary: 'The domains of an organization',
      query: idPage,
      status: 200,
      answer: page(domain),
    },
    (context, { caller, params, query }) => listDomainPage(context, caller, params.organizationId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/domains/{domainId}/verify',
      operationId: 'checkDomain',
      summary: 'Look for the record now; the status tells the outcome a little later',
      status: 202,
      answer: domain,
    },
    (context, { caller, params }) => checkDomain(context, caller, params.organizationId, params.domainId),
  ),
  tenantRoute(
    {
      method: 'delete',
      path: '/organizations/{organizationId}/domains/{domainId}',
      operationId: 'releaseDomain',
      summary: 'Let a domain go; who came in by it stays, and then the claim stays as lapsed',
      status: 204,
    },
    (context, { caller, params }) => releaseDomain(context, caller, params.organizationId, params.domainId),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/join-rules',
      operationId: 'createJoinRule',
      summary: 'Let people in who prove an address in a domain of the organization',
      body: z.strictObject({ domain: id, role: key.optional(), unit: id.optional() }),
      example: {
        domain: '01900000-0000-7000-8000-000000000001',
        role: 'developer',
        unit: '01900000-0000-7000-8000-000000000002',
      },
      status: 201,
      answer: joinRule,
    },
    (context, { caller, params, body }) => createJoinRule(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/join-rules',
      operationId: 'listJoinRules',
      summary: 'The join rules that hold',
      query: idPage,
      status: 200,
      answer: page(joinRule),
    },
    (context, { caller, params, query }) =>
      listJoinRulePage(context, caller, params.organizationId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'delete',
      path: '/organizations/{organizationId}/join-rules/{joinRuleId}',
      operationId: 'deleteJoinRule',
      summary: 'End a join rule; who came in by it stays, without what it gave',
      status: 204,
    },
    (context, { caller, params }) => removeJoinRule(context, caller, params.organizationId, params.joinRuleId),
  ),
]
