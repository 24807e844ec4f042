// Routes about held plans and conflicts: what waits for an admin.

import { z } from 'zod'
import { decidePlan, listWaitingPlans, readPlan } from '../../organization/held-plans.ts'
import { listConflictPage } from '../../organization/observe-organization.ts'
import { type Route, tenantRoute } from './route.ts'
import { id, idPage, instant, list, maybeInstant, page, pageRequest } from './schemas.ts'

const removalKind = z.enum(['deactivate', 'remove', 'demote'])
const count = z.number().int().optional()

const heldPlan = z
  .strictObject({
    id,
    state: z.enum(['held', 'approved', 'rejected', 'expired']),
    hash: z.string().meta({ description: 'Of what it holds; it changes when more is held.' }),
    reason: z.string().nullable(),
    counts: z.strictObject({ deactivate: count, remove: count, demote: count }),
    createdAt: instant,
    expiresAt: maybeInstant,
    decidedAt: maybeInstant,
    decidedBy: z.string().nullable(),
  })
  .meta({ id: 'HeldPlan' })

const heldChange = z
  .strictObject({
    id,
    memberId: id,
    memberPublicId: z.string(),
    displayName: z.string().nullable(),
    email: z.string().nullable(),
    directoryId: id,
    kind: removalKind,
    why: z.string(),
    state: z.enum(['held', 'approved', 'rejected', 'expired', 'superseded']),
  })
  .meta({ id: 'HeldChange' })

const person = { email: z.string().nullable(), displayName: z.string().nullable() }

const conflict = z
  .strictObject({
    id,
    subjectKind: z.enum(['directory_user', 'entry']),
    subjectId: id,
    subject: z.strictObject(person).nullable(),
    candidate: z.strictObject({ userId: id, ...person }),
    reason: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'Conflict', description: 'Somebody who looks like a known person and was not linked.' })

const decision = z.strictObject({
  hash: z.string().min(1).max(200).optional().meta({ description: 'Decide only upon what was shown with this hash.' }),
})

export const planRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/held-plans',
      operationId: 'listHeldPlans',
      summary: 'Plans that the brake holds and that wait for a decision, newest first',
      status: 200,
      answer: list(heldPlan),
    },
    async (context, { caller, params }) => ({
      items: await listWaitingPlans(context, caller, params.organizationId),
    }),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/held-plans/{planId}',
      operationId: 'readHeldPlan',
      summary: 'A held plan: who, and why',
      query: idPage,
      status: 200,
      answer: z.strictObject({ plan: heldPlan, changes: page(heldChange) }),
    },
    (context, { caller, params, query }) =>
      readPlan(context, caller, params.organizationId, params.planId, pageRequest(query)),
  ),
  ...(['approve', 'reject'] as const).map((verb) =>
    tenantRoute(
      {
        method: 'post',
        path: `/organizations/{organizationId}/held-plans/{planId}/${verb}`,
        operationId: `${verb}HeldPlan`,
        summary: verb === 'approve' ? 'Let the removals happen' : 'Keep the members',
        body: decision,
        example: {},
        status: 200,
        answer: heldPlan,
      },
      (context, { caller, params, body }) =>
        decidePlan(context, caller, params.organizationId, params.planId, {
          ...body,
          state: verb === 'approve' ? 'approved' : 'rejected',
        }),
    ),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/conflicts',
      operationId: 'listConflicts',
      summary: 'People who look like somebody known and were not linked',
      query: idPage,
      status: 200,
      answer: page(conflict),
    },
    (context, { caller, params, query }) =>
      listConflictPage(context, caller, params.organizationId, pageRequest(query)),
  ),
]
