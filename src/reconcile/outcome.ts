// What a person will be after this plan: desired first, then what brake, last owner and seats
// leave of it. Each step takes outcomes and returns outcomes.

import type { Uuid } from '../model/ids.ts'
import type { MemberState } from './change.ts'
import type { Desired, DesiredGrant } from './desired.ts'
import { grantKey } from './desired.ts'
import type { Person } from './person.ts'
import type { RoleOrder } from './roles.ts'
import type { GrantFacts } from './snapshot.ts'

export interface Outcome {
  readonly person: Person
  readonly desired: Desired
  /** Null: not a member, and never was one. */
  readonly state: MemberState | null
  readonly add: readonly DesiredGrant[]
  readonly remove: readonly GrantFacts[]
}

/** What is desired, as if there were neither brake nor limits. */
export function foresee(person: Person, desired: Desired, roles: RoleOrder): Outcome {
  const held = new Map((person.member?.grants ?? []).map((grant) => [grantKey(grant), grant]))
  const add = [...desired.grants].flatMap(([key, grant]) => (held.has(key) ? [] : grant))
  const remove = [...held].flatMap(([key, grant]) => (desired.grants.has(key) ? [] : grant))
  return { person, desired, state: stateOf(person, desired, roles), add, remove }
}

function stateOf(person: Person, desired: Desired, roles: RoleOrder): MemberState | null {
  const { member } = person
  if (desired.standing === 'absent') {
    return member === null
      ? null
      : { status: 'removed', statusReason: removedReason(person, desired), roleId: null, seated: false }
  }
  const roleId = roles.effective([...desired.grants.values()].map((grant) => grant.target))
  if (desired.standing === 'inactive')
    return { status: 'inactive', statusReason: desired.reason, roleId, seated: false }
  return { status: 'active', statusReason: null, roleId, seated: member?.seated ?? false }
}

/** Why somebody is gone is not told anew every time they are looked at. */
function removedReason(person: Person, desired: Desired): string | null {
  return person.member?.status === 'removed' ? person.member.statusReason : desired.reason
}

/** The outcome with these grants given back and the member's state as it was: additions go on. */
export function keepAsIs(outcome: Outcome, kept: readonly GrantFacts[], roles: RoleOrder): Outcome {
  const { member } = outcome.person
  if (member === null) return outcome
  const remove = outcome.remove.filter((grant) => !kept.includes(grant))
  const stay = member.grants.filter((grant) => !remove.includes(grant))
  const roleId = roles.effective([...stay, ...outcome.add].map((grant) => grant.target))
  const { status, statusReason, seated } = member
  return { ...outcome, remove, state: { status, statusReason, roleId, seated } }
}

export function isActive(outcome: Outcome): boolean {
  return outcome.state?.status === 'active'
}

export function roleOf(outcome: Outcome): Uuid | null {
  return outcome.state?.roleId ?? null
}
