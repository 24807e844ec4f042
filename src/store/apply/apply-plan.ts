// Carries a plan out, in the slice's transaction: one statement for each kind of change, whatever
// their number, in an order that every reference allows. Making the plan is reconcile/plan.ts.

import type { Scope } from '../scope.ts'
import { applyConflicts } from './conflicts.ts'
import { grantWork } from './grants.ts'
import { type CauseOf, findCauses, happeningSteps } from './happenings.ts'
import { applyInvitations } from './invitations.ts'
import { linkWork } from './links.ts'
import { memberWork } from './members.ts'
import { applyHeld, planWork } from './plans.ts'
import { type Applying, identify, type Slice, type Step } from './slice.ts'
import { runSteps } from './steps.ts'
import { userWork } from './users.ts'
import { requestWaitlist } from './waitlist.ts'

/** Applies the plan of a slice whose organization is locked. A plan without changes only records what it has looked at. */
export async function applyPlan(scope: Scope, slice: Slice): Promise<void> {
  const applying: Applying = { ...slice, scope, people: identify(scope, slice), planId: scope.newId() }
  const causeOf = findCauses(slice)
  await runSteps(scope, stepsOf(applying, causeOf))
  const rare = [
    ...(await applyInvitations(applying)),
    ...(await applyConflicts(applying)),
    ...(await applyHeld(applying)),
  ]
  await runSteps(scope, happeningSteps(applying, causeOf, rare))
  await requestWaitlist(applying)
}

/** The statements for people: users before what points at them, and what happened told group by group, so that no group's telling is waited for. */
function* stepsOf(applying: Applying, causeOf: CauseOf): Generator<Step> {
  for (const workOf of [userWork, linkWork, memberWork, grantWork, planWork]) {
    const work = workOf(applying)
    yield* work.steps
    yield* happeningSteps(applying, causeOf, work.happened())
  }
}
