// Directory users of a slice, with their link and their groups. Only direct membership counts
// here; groups within groups are resolved in this file when they are supported.

import type { Uuid } from '../../model/ids.ts'
import type { Address, DirectoryUserFacts } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'
import { directoryAddress, spellingsOf } from './addresses.ts'

/** What may lead from one subject to another that is the same person. */
export interface Ties {
  readonly userIds: readonly Uuid[]
  readonly addresses: readonly Address[]
  /** Whether what waits in a conflict about these users counts too. */
  readonly conflicts: boolean
}

interface DirectoryUserRow {
  readonly id: Uuid
  readonly directoryId: Uuid
  readonly userName: string
  readonly email: string | null
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  readonly active: boolean
  readonly deletedAt: Date | null
  readonly createdAt: Date
  readonly generation: number
  readonly linkedUserId: Uuid | null
  readonly observedGeneration: number | null
}

const directoryUsers = {
  name: 'snapshot_directory_users',
  text: `SELECT fact.id, fact.directory_id AS "directoryId", fact.user_name AS "userName", fact.email,
      fact.display_name AS "displayName", fact.given_name AS "givenName", fact.family_name AS "familyName",
      fact.active, fact.deleted_at AS "deletedAt", fact.created_at AS "createdAt", fact.generation,
      link.user_id AS "linkedUserId", link.observed_generation AS "observedGeneration"
    FROM unnest($3::uuid[]) AS named (id)
    JOIN directory_users AS fact ON fact.tenant_id = $1::uuid AND fact.id = named.id AND fact.organization_id = $2::uuid
    LEFT JOIN directory_links AS link ON link.tenant_id = $1::uuid AND link.directory_user_id = fact.id`,
}

const groupMembers = {
  name: 'snapshot_group_members',
  text: `SELECT directory_user_id AS "directoryUserId", array_agg(group_id::text ORDER BY group_id) AS "groupIds"
    FROM directory_group_members
    WHERE tenant_id = $1::uuid AND directory_user_id = ANY ($2::uuid[]) AND group_id = ANY ($3::uuid[])
    GROUP BY directory_user_id`,
}

/** The directory users with these ids, tombstones too, with their places in mapped groups. */
export async function loadDirectoryUsers(
  scope: Scope,
  organizationId: Uuid,
  ids: readonly Uuid[],
  mappedGroupIds: readonly Uuid[],
): Promise<DirectoryUserFacts[]> {
  if (ids.length === 0) return []
  const rows = await scope.tx.query<DirectoryUserRow>(directoryUsers, [scope.tenant, organizationId, ids])
  const groups = await loadGroups(scope, rows, mappedGroupIds)
  return rows.map((row) => toFacts(row, groups.get(row.id) ?? []))
}

async function loadGroups(
  scope: Scope,
  users: readonly DirectoryUserRow[],
  mappedGroupIds: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, readonly Uuid[]>> {
  if (users.length === 0 || mappedGroupIds.length === 0) return new Map()
  const values = [scope.tenant, users.map((user) => user.id), mappedGroupIds]
  const rows = await scope.tx.query<{ directoryUserId: Uuid; groupIds: Uuid[] }>(groupMembers, values)
  return new Map(rows.map((row) => [row.directoryUserId, row.groupIds]))
}

function toFacts(row: DirectoryUserRow, groupIds: readonly Uuid[]): DirectoryUserFacts {
  const { id, directoryId, userName, active, deletedAt, createdAt, generation } = row
  const { displayName, givenName, familyName } = row
  const email = directoryAddress(row.email, userName)
  const link =
    row.observedGeneration === null ? null : { userId: row.linkedUserId, observedGeneration: row.observedGeneration }
  const profile = { email, displayName, givenName, familyName }
  return { id, directoryId, userName, active, deletedAt, createdAt, generation, profile, groupIds, link }
}

const tiedDirectoryUsers = {
  name: 'snapshot_tied_directory_users',
  text: `SELECT directory_user_id AS id FROM directory_links
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND user_id = ANY ($3::uuid[])
    UNION SELECT subject_id FROM conflicts
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND candidate_user_id = ANY ($3::uuid[])
      AND state IN ('open', 'linked') AND subject_kind = 'directory_user' AND $6::boolean
    UNION SELECT id FROM directory_users
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND directory_id = ANY ($4::uuid[])
      AND deleted_at IS NULL AND email IS NOT NULL AND lower(email) = ANY ($5::text[])
    UNION SELECT id FROM directory_users
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND directory_id = ANY ($4::uuid[])
      AND deleted_at IS NULL AND lower(user_name) = ANY ($5::text[])`,
}

/** Ids of the directory users that are linked to these users, wait in a conflict about them, or are alive and have one of these addresses. */
export async function findDirectoryUsers(
  scope: Scope,
  organizationId: Uuid,
  directoryIds: readonly Uuid[],
  ties: Ties,
): Promise<Uuid[]> {
  const { userIds, addresses, conflicts } = ties
  if (directoryIds.length === 0 || userIds.length + addresses.length === 0) return []
  const values = [scope.tenant, organizationId, userIds, directoryIds, spellingsOf(addresses), conflicts]
  const rows = await scope.tx.query<{ id: Uuid }>(tiedDirectoryUsers, values)
  return rows.map((row) => row.id)
}
