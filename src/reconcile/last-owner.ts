// The last Owner stays. When a plan would leave an organization that has an active Owner without
// any, one of them is kept with a `system` grant; it goes by itself as soon as there is another.

import type { DesiredGrant } from './desired.ts'
import { isActive, type Outcome, roleOf } from './outcome.ts'
import type { RoleOrder } from './roles.ts'
import type { MemberFacts, OrganizationFacts } from './snapshot.ts'

/** Whether somebody is an active Owner after this plan. */
export function hasOwner(outcomes: readonly Outcome[], organization: OrganizationFacts, roles: RoleOrder): boolean {
  return organization.otherOwners > 0 || outcomes.some((one) => isActive(one) && roleOf(one) === roles.ownerRoleId)
}

/** The same outcomes, with one of those who are active Owners today kept as one. */
export function keepLastOwner(outcomes: readonly Outcome[], roles: RoleOrder): readonly Outcome[] {
  const { ownerRoleId } = roles
  if (ownerRoleId === null) return outcomes
  const [kept] = outcomes
    .flatMap(({ person }) =>
      person.member?.status === 'active' && person.member.roleId === ownerRoleId ? [person.member] : [],
    )
    .sort(byAge)
  if (kept === undefined) return outcomes
  return outcomes.map((outcome) => (outcome.person.member === kept ? keep(outcome, kept, ownerRoleId) : outcome))
}

function keep(outcome: Outcome, member: MemberFacts, ownerRoleId: string): Outcome {
  const grant: DesiredGrant = {
    target: { kind: 'role', id: ownerRoleId },
    source: { kind: 'system', id: null },
    reason: 'the last Owner stays until there is another one',
  }
  const has = member.grants.some(isSystem)
  return {
    ...outcome,
    state: { status: 'active', statusReason: 'last_owner', roleId: ownerRoleId, seated: member.seated },
    add: has ? outcome.add : [...outcome.add, grant],
    remove: outcome.remove.filter((one) => !isSystem(one)),
  }
}

/** Who has been here longest. */
function byAge(one: MemberFacts, other: MemberFacts): number {
  return one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1)
}

function isSystem(grant: { readonly source: { readonly kind: string } }): boolean {
  return grant.source.kind === 'system'
}
