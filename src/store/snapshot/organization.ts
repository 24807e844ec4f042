// What an organization allows and how it is arranged: roles, directories, mappings, and whether it
// has Owners beyond the slice. The organization's own row is locked and read by claim.ts.

import type { Uuid } from '../../model/ids.ts'
import type { DirectoryState } from '../../model/words.ts'
import type { MappingFacts, MemberFacts, OrganizationFacts, Role } from '../../reconcile/snapshot.ts'
import type { LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import { targetOf } from './users.ts'

const roles = {
  name: 'snapshot_roles',
  text: `SELECT id, key, rank, is_owner AS "isOwner" FROM roles
    WHERE tenant_id = $1::uuid AND role_set_id = $2::uuid AND scope_kind = 'organization'`,
}

/** The roles that a member of the organization as a whole can have. */
async function loadRoles(scope: Scope, organization: LockedOrganization): Promise<Role[]> {
  return scope.tx.query<Role>(roles, [scope.tenant, organization.roleSetId])
}

const owners = {
  name: 'snapshot_other_owners',
  text: `SELECT count(*)::int AS count FROM (SELECT 1 FROM members
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND role_id = $3::uuid AND status = 'active'
      AND id <> ALL ($4::uuid[]) LIMIT 100) AS other`,
}

/** Puts together what the planner knows of the organization. Owners are counted up to a hundred. */
export async function loadOrganization(
  scope: Scope,
  organization: LockedOrganization,
  members: readonly MemberFacts[],
): Promise<OrganizationFacts> {
  const { id, defaultRoleId, seatLimit, seatPolicy, seatsUsed } = organization
  const known = await loadRoles(scope, organization)
  const owner = known.find((role) => role.isOwner)
  const values = [scope.tenant, id, owner?.id ?? null, members.map((member) => member.id)]
  const [row] = owner === undefined ? [] : await scope.tx.query<{ count: number }>(owners, values)
  const brake = { percent: organization.brakePercent, minimum: organization.brakeMinimum }
  return { id, defaultRoleId, seatLimit, seatPolicy, seatsUsed, roles: known, brake, otherOwners: row?.count ?? 0 }
}

/** A directory before the brake's figures are known (removal-wave.ts). */
export interface KnownDirectory {
  readonly id: Uuid
  readonly name: string
  readonly state: DirectoryState
  readonly governsSince: Date | null
}

const directories = {
  name: 'snapshot_directories',
  text: `SELECT id, name, state,
      CASE WHEN state IN ('active', 'paused') THEN first_contact_at END AS "governsSince"
    FROM directories
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state <> 'decommissioned' ORDER BY created_at, id`,
}

export async function loadDirectories(scope: Scope, organizationId: Uuid): Promise<KnownDirectory[]> {
  return scope.tx.query<KnownDirectory>(directories, [scope.tenant, organizationId])
}

const mappings = {
  name: 'snapshot_mappings',
  text: `SELECT mapping.id, mapping.group_id AS "groupId", directory_group.display_name AS "groupName",
      directory_group.id IS NOT NULL AND directory_group.deleted_at IS NULL AS "liveGroup",
      mapping.connection_id AS "connectionId", mapping.claim_value AS "claimValue", mapping.role_id AS "roleId",
      mapping.unit_id AS "unitId", mapping.workspace_id AS "workspaceId"
    FROM mappings AS mapping LEFT JOIN directory_groups AS directory_group
      ON directory_group.tenant_id = $1::uuid AND directory_group.id = mapping.group_id
    WHERE mapping.tenant_id = $1::uuid AND mapping.organization_id = $2::uuid ORDER BY mapping.id`,
}

interface MappingRow {
  readonly id: Uuid
  readonly groupId: Uuid | null
  readonly groupName: string | null
  readonly liveGroup: boolean
  readonly connectionId: Uuid | null
  readonly claimValue: string | null
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
  readonly workspaceId: Uuid | null
}

export interface KnownMappings {
  readonly mappings: readonly MappingFacts[]
  /** Of the groups that were not deleted: whose members count. */
  readonly groupIds: readonly Uuid[]
}

export async function loadMappings(scope: Scope, organizationId: Uuid): Promise<KnownMappings> {
  const rows = await scope.tx.query<MappingRow>(mappings, [scope.tenant, organizationId])
  const groupIds = new Set(rows.flatMap((row) => (row.groupId !== null && row.liveGroup ? [row.groupId] : [])))
  return {
    mappings: rows.map((row) => ({ id: row.id, source: sourceOf(row), target: targetOf(row) })),
    groupIds: [...groupIds],
  }
}

function sourceOf(row: MappingRow): MappingFacts['source'] {
  const { groupId, groupName, connectionId, claimValue } = row
  if (groupId !== null) return { kind: 'directory_group', groupId, groupName: groupName ?? '' }
  if (connectionId !== null && claimValue !== null) return { kind: 'sso_claim', connectionId, value: claimValue }
  throw new Error('a mapping without a source')
}
