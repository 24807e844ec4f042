// Held plans: removals that the brake kept back. An admin looks at who and why, and approves or rejects; the members
// are then reconciled again and the planner finds the decision.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { memberPublicId } from '../model/words.ts'
import { writeAudit } from '../store/audit.ts'
import {
  decideHeldPlan,
  type HeldChange,
  type HeldPlan,
  listHeldChanges,
  listHeldPlans,
  readHeldPlan,
} from '../store/held-plans.ts'
import { requestReconcile } from '../store/outbox.ts'
import type { Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, read, write } from './context.ts'
import { readOrganizationView, requireLockedOrganization, requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export type HeldPlanView = Omit<HeldPlan, 'organizationId'>

export interface HeldChangeView extends Omit<HeldChange, 'memberNumber'> {
  readonly memberPublicId: string
}

/** Those that wait for a decision, newest first; there are few. */
export async function listWaitingPlans(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
): Promise<readonly HeldPlanView[]> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    return (await listHeldPlans(scope, organizationId)).map(toView)
  })
}

/** The plan with one page of what it holds. */
export async function readPlan(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
  page: PageRequest<Uuid>,
): Promise<{ readonly plan: HeldPlanView; readonly changes: Page<HeldChangeView> }> {
  return read(context, caller, async (scope) => {
    const { number } = await readOrganizationView(scope, organizationId)
    const plan = await requirePlan(scope, organizationId, id)
    const changes = await listHeldChanges(scope, organizationId, id, {
      after: page.after ?? null,
      limit: page.limit + 1,
    })
    const views = changes.map(({ memberNumber, ...change }) => ({
      ...change,
      memberPublicId: memberPublicId(number, memberNumber),
    }))
    return { plan: toView(plan), changes: pageOf(page, views, (change) => change.id) }
  })
}

/**
 * Approves or rejects what a plan still holds. With `hash` only what was shown: `precondition_failed` when more has
 * been held since. `conflict` for a plan that no longer waits.
 */
export async function decidePlan(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
  decision: { readonly state: 'approved' | 'rejected'; readonly hash?: string | undefined },
): Promise<HeldPlanView> {
  return write(context, caller, async (scope) => {
    await requireLockedOrganization(scope, organizationId)
    const before = await requirePlan(scope, organizationId, id)
    const { state, hash } = decision
    const decided = await decideHeldPlan(scope, organizationId, id, { state, ...(hash === undefined ? {} : { hash }) })
    if (decided === null) throw undecidable(before, scope, hash)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: `plan.${state}`,
      subjectKind: 'plan',
      subjectId: id,
      before: { state: before.state },
      after: { state, members: decided.memberIds.length },
    })
    const subjects = decided.memberIds.map((memberId) => ({ kind: 'member', id: memberId }) as const)
    await requestReconcile(scope, organizationId, subjects, { causeId })
    return toView(await requirePlan(scope, organizationId, id))
  })
}

function undecidable(plan: HeldPlan, scope: Scope, hash: string | undefined): RollcallError {
  if (plan.state !== 'held') return new RollcallError('conflict', `The plan is ${plan.state} already.`)
  if (plan.expiresAt !== null && plan.expiresAt <= scope.now) {
    return new RollcallError('conflict', 'The plan has expired. If its reason stands, it is held anew.')
  }
  return hash === undefined
    ? new RollcallError('conflict', 'The plan no longer waits.')
    : new RollcallError('precondition_failed', 'The plan holds something else than what was shown. Look at it again.')
}

async function requirePlan(scope: Scope, organizationId: Uuid, id: Uuid): Promise<HeldPlan> {
  const plan = await readHeldPlan(scope, organizationId, id)
  if (plan === null) throw new Missing('plan', id, organizationId)
  return plan
}

function toView({ organizationId: _, ...plan }: HeldPlan): HeldPlanView {
  return plan
}
