// Routes about the members of an organization: reading and explaining them, adding people and grants by hand.

import { z } from 'zod'
import { addMember, grantToMember, withdrawGrant } from '../../organization/add-members.ts'
import { explainMember } from '../../organization/explain-member.ts'
import { listMemberPage, readMember } from '../../organization/read-members.ts'
import { explanation, member, memberDetail, memberStatus } from './member-schemas.ts'
import { type Route, tenantRoute } from './route.ts'
import { email, id, key, name, numberPage, page, pageRequest } from './schemas.ts'

const accepted = z
  .strictObject({ entryId: id })
  .meta({ id: 'AcceptedEntry', description: 'Written down; the member follows once it is reconciled.' })

const base = '/organizations/{organizationId}/members'
const one = '/organizations/{organizationId}/members/{memberId}'

export const memberRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'get',
      path: base,
      operationId: 'listMembers',
      summary: 'The members of an organization, in the order in which they came',
      query: numberPage.extend({ status: memberStatus.optional(), role: key.optional(), email: email.optional() }),
      status: 200,
      answer: page(member),
    },
    (context, { caller, params, query }) => {
      const { status, role, email: address } = query
      return listMemberPage(
        context,
        caller,
        params.organizationId,
        { status, role, email: address },
        pageRequest(query),
      )
    },
  ),
  tenantRoute(
    {
      method: 'post',
      path: base,
      operationId: 'addMember',
      summary: 'Add somebody by hand',
      body: z.strictObject({ email, displayName: name.optional(), role: key.optional(), unit: id.optional() }),
      example: { email: 'grace@acme.example', role: 'developer', unit: '01900000-0000-7000-8000-000000000001' },
      status: 202,
      answer: accepted,
    },
    (context, { caller, params, body }) => addMember(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: one,
      operationId: 'readMember',
      summary: 'A member and what it holds',
      status: 200,
      answer: memberDetail,
    },
    (context, { caller, params }) => readMember(context, caller, params.organizationId, params.memberId),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/members/{memberId}/explain',
      operationId: 'explainMember',
      summary: 'Why a member has its state, its seat and each of its grants',
      status: 200,
      answer: explanation,
    },
    (context, { caller, params }) => explainMember(context, caller, params.organizationId, params.memberId),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/members/{memberId}/grants',
      operationId: 'grantToMember',
      summary: 'Give a member a role or a unit by hand; it survives every sync',
      body: z.union([z.strictObject({ role: key }), z.strictObject({ unit: id })]),
      example: { unit: '01900000-0000-7000-8000-000000000001' },
      status: 202,
      answer: accepted,
    },
    (context, { caller, params, body }) => grantToMember(context, caller, params.organizationId, params.memberId, body),
  ),
  tenantRoute(
    {
      method: 'delete',
      path: '/organizations/{organizationId}/members/{memberId}/grants/{grantId}',
      operationId: 'withdrawGrant',
      summary: 'Take back what was given by hand',
      status: 204,
    },
    (context, { caller, params }) =>
      withdrawGrant(context, caller, params.organizationId, params.memberId, params.grantId),
  ),
]
