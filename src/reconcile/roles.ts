// Which role counts: the highest rank over a member's live role grants, the key deciding between
// equal ranks; without any, the organization's default role.

import type { Uuid } from '../model/ids.ts'
import type { OrganizationFacts, Role, Target } from './snapshot.ts'

export interface RoleOrder {
  /** The role that counts among these targets. */
  effective(targets: Iterable<Target>): Uuid
  /** Rank of a role, 0 for none. */
  rank(roleId: Uuid | null): number
  readonly ownerRoleId: Uuid | null
}

export function orderRoles(organization: OrganizationFacts): RoleOrder {
  const roles = new Map(organization.roles.map((role) => [role.id, role]))
  const owner = organization.roles.find((role) => role.isOwner)
  return {
    effective(targets) {
      let best: Role | undefined
      for (const target of targets) {
        const role = target.kind === 'role' ? roles.get(target.id) : undefined
        if (role !== undefined && (best === undefined || isStronger(role, best))) best = role
      }
      return best?.id ?? organization.defaultRoleId
    },
    rank: (roleId) => (roleId === null ? 0 : (roles.get(roleId)?.rank ?? 0)),
    ownerRoleId: owner?.id ?? null,
  }
}

function isStronger(one: Role, other: Role): boolean {
  return one.rank === other.rank ? one.key < other.key : one.rank > other.rank
}
