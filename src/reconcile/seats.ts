// Seats. Every way in comes through here, under the organization's lock: who is active needs a
// seat, who holds one keeps it, and the free ones go to those who wait, first come, first served.
// Without a free seat a person is waitlisted; what a door told them before is the policy's affair.

import { isActive, type Outcome } from './outcome.ts'
import type { OrganizationFacts } from './snapshot.ts'

/** Gives out the free seats; seats that this plan frees are free already. */
export function allotSeats(outcomes: readonly Outcome[], organization: OrganizationFacts): readonly Outcome[] {
  const freed = outcomes.filter((outcome) => outcome.person.member?.seated === true && !isActive(outcome)).length
  let free =
    organization.seatLimit === null ? Number.POSITIVE_INFINITY : organization.seatLimit - organization.seatsUsed + freed
  const allotted = new Map<Outcome, Outcome>()
  for (const outcome of outcomes.filter(needsSeat).sort(byTurn)) {
    allotted.set(outcome, free > 0 ? seated(outcome) : waitlisted(outcome))
    free -= 1
  }
  return outcomes.map((outcome) => allotted.get(outcome) ?? outcome)
}

function needsSeat(outcome: Outcome): boolean {
  return outcome.state?.status === 'active' && !outcome.state.seated
}

function seated(outcome: Outcome): Outcome {
  return outcome.state === null ? outcome : { ...outcome, state: { ...outcome.state, seated: true } }
}

function waitlisted(outcome: Outcome): Outcome {
  if (outcome.state === null) return outcome
  return { ...outcome, state: { ...outcome.state, status: 'waitlisted', statusReason: 'no_seat', seated: false } }
}

/** Those on the waitlist in their order, then newcomers; sorting keeps these in theirs, which is that of being heard of. */
function byTurn(one: Outcome, other: Outcome): number {
  return waitingSince(one) - waitingSince(other)
}

function waitingSince(outcome: Outcome): number {
  return outcome.person.member?.waitlistedAt?.getTime() ?? Number.MAX_SAFE_INTEGER
}
