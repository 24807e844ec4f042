// Carries a plan out, in the slice's transaction: one statement for each kind of change, whatever
// their number, in an order that every reference allows. Making the plan is reconcile/plan.ts.

import type { Scope } from '../scope.ts'
import { applyConflicts } from './conflicts.ts'
import { applyGrants } from './grants.ts'
import { recordHappenings } from './happenings.ts'
import { applyInvitations } from './invitations.ts'
import { applyLinks } from './links.ts'
import { applyMembers } from './members.ts'
import { applyHeld, recordPlan } from './plans.ts'
import { type Happening, identify, type Slice } from './slice.ts'
import { applyUsers } from './users.ts'
import { requestWaitlist } from './waitlist.ts'

/** Applies the plan of a slice whose organization is locked. A plan without changes only records what it has looked at. */
export async function applyPlan(scope: Scope, slice: Slice): Promise<void> {
  const people = identify(scope, slice)
  const planId = scope.newId()
  const happened: Happening[] = [
    ...(await applyUsers(scope, slice, people)),
    ...(await applyLinks(scope, slice, people)),
    ...(await applyMembers(scope, slice, people, planId)),
    ...(await applyGrants(scope, slice, people)),
    ...(await applyInvitations(scope, slice, people)),
    ...(await applyConflicts(scope, slice, people)),
    ...(await applyHeld(scope, slice)),
  ]
  if (slice.plan.changes.length > 0) await recordPlan(scope, slice, planId)
  await recordHappenings(scope, slice, happened)
  await requestWaitlist(scope, slice)
}
