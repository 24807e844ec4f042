// Users and members of a slice: whom it names, who waits for a seat, who is kept by the system,
// what is recorded of them, and which removals of theirs are held.

import type { Uuid } from '../../model/ids.ts'
import type { GrantSource } from '../../model/words.ts'
import type { GrantFacts, HeldChangeFacts, MemberFacts, UserFacts } from '../../reconcile/snapshot.ts'
import type { LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import { recordedAddress } from './addresses.ts'

/** Ids by kind of what a slice's requests name. */
export interface Seeds {
  readonly directoryUserIds: readonly Uuid[]
  readonly entryIds: readonly Uuid[]
  readonly memberIds: readonly Uuid[]
}

const seedUsers = {
  name: 'snapshot_seed_users',
  text: `SELECT user_id AS id FROM directory_links
    WHERE tenant_id = $1::uuid AND directory_user_id = ANY ($3::uuid[]) AND organization_id = $2::uuid
      AND user_id IS NOT NULL
    UNION SELECT coalesce(identity.user_id, entry.user_id) FROM entries AS entry
    LEFT JOIN identities AS identity ON identity.tenant_id = $1::uuid AND identity.id = entry.identity_id
    WHERE entry.tenant_id = $1::uuid AND entry.id = ANY ($4::uuid[]) AND entry.organization_id = $2::uuid
      AND coalesce(identity.user_id, entry.user_id) IS NOT NULL
    UNION SELECT user_id FROM members
    WHERE tenant_id = $1::uuid AND id = ANY ($5::uuid[]) AND organization_id = $2::uuid
    UNION SELECT member.user_id FROM grants
    JOIN members AS member ON member.tenant_id = $1::uuid AND member.id = grants.member_id
    WHERE grants.tenant_id = $1::uuid AND grants.organization_id = $2::uuid AND grants.source_kind = 'system'`,
}

/** Users that the subjects are linked to already, and those of members kept by a system grant. */
export async function usersOfSeeds(scope: Scope, organizationId: Uuid, seeds: Seeds): Promise<Uuid[]> {
  const values = [scope.tenant, organizationId, seeds.directoryUserIds, seeds.entryIds, seeds.memberIds]
  const rows = await scope.tx.query<{ id: Uuid }>(seedUsers, values)
  return rows.map((row) => row.id)
}

/** Nobody needs more of the waitlist than could get a seat: the free ones and those that this slice could free. */
const waitlistHead = {
  name: 'snapshot_waitlist_head',
  text: `SELECT user_id AS id FROM members
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND status = 'waitlisted'
    ORDER BY waitlisted_at, members.id
    LIMIT CASE WHEN $4::int IS NULL THEN $5::int ELSE least($5::int, greatest(0, $4::int + (SELECT count(*)::int
      FROM members WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND user_id = ANY ($3::uuid[])
        AND seated))) END`,
}

const waitlistHeadMax = 1_000

/** The users at the head of the waitlist that this slice may promote; there may be more behind them. */
export async function headOfWaitlist(
  scope: Scope,
  organization: LockedOrganization,
  userIds: readonly Uuid[],
): Promise<Uuid[]> {
  const free = organization.seatLimit === null ? null : organization.seatLimit - organization.seatsUsed
  const values = [scope.tenant, organization.id, userIds, free, waitlistHeadMax]
  const rows = await scope.tx.query<{ id: Uuid }>(waitlistHead, values)
  return rows.map((row) => row.id)
}

interface UserRow {
  readonly id: Uuid
  readonly email: string | null
  readonly emailKey: string | null
  readonly emailVerified: boolean
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  readonly elsewhere: boolean
}

/** A membership elsewhere counts whatever its state: somebody else has had a say about this user. */
const users = {
  name: 'snapshot_users',
  text: `SELECT known.id, email, email_key AS "emailKey", email_verified AS "emailVerified",
      display_name AS "displayName", given_name AS "givenName", family_name AS "familyName",
      EXISTS (SELECT 1 FROM members AS other WHERE other.tenant_id = $1::uuid AND other.user_id = known.id
        AND other.organization_id <> $2::uuid) AS elsewhere
    FROM (SELECT unnest($3::uuid[]) AS id
      UNION SELECT id FROM users WHERE tenant_id = $1::uuid AND email_key = ANY ($4::text[])) AS named
    JOIN users AS known ON known.tenant_id = $1::uuid AND known.id = named.id`,
}

/** The users with these ids, and every user of the tenant with one of these address keys. */
export async function loadUsers(
  scope: Scope,
  organizationId: Uuid,
  named: { readonly ids: Iterable<Uuid>; readonly emailKeys: Iterable<string> },
): Promise<UserFacts[]> {
  const [ids, keys] = [[...named.ids], [...named.emailKeys]]
  if (ids.length + keys.length === 0) return []
  const rows = await scope.tx.query<UserRow>(users, [scope.tenant, organizationId, ids, keys])
  return rows.map(({ id, email, emailKey, emailVerified, elsewhere, displayName, givenName, familyName }) => ({
    id,
    emailVerified,
    elsewhere,
    profile: { email: recordedAddress(email, emailKey), displayName, givenName, familyName },
  }))
}

const members = {
  name: 'snapshot_members',
  text: `SELECT id, user_id AS "userId", status, status_reason AS "statusReason", role_id AS "roleId", seated,
      created_at AS "createdAt", waitlisted_at AS "waitlistedAt"
    FROM members WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND user_id = ANY ($3::uuid[])`,
}

const grants = {
  name: 'snapshot_grants',
  text: `SELECT id, member_id AS "memberId", role_id AS "roleId", unit_id AS "unitId", workspace_id AS "workspaceId",
      source_kind AS "sourceKind", source_id AS "sourceId"
    FROM grants WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND member_id = ANY ($3::uuid[])`,
}

interface GrantRow {
  readonly id: Uuid
  readonly memberId: Uuid
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
  readonly workspaceId: Uuid | null
  readonly sourceKind: GrantSource
  readonly sourceId: Uuid | null
}

/** This organization's members among these users, with all their grants. */
export async function loadMembers(
  scope: Scope,
  organizationId: Uuid,
  userIds: readonly Uuid[],
): Promise<MemberFacts[]> {
  if (userIds.length === 0) return []
  const rows = await scope.tx.query<Omit<MemberFacts, 'grants'>>(members, [scope.tenant, organizationId, userIds])
  if (rows.length === 0) return []
  const values = [scope.tenant, organizationId, rows.map((row) => row.id)]
  const held = new Map<Uuid, GrantFacts[]>(rows.map((row) => [row.id, []]))
  for (const row of await scope.tx.query<GrantRow>(grants, values)) held.get(row.memberId)?.push(toGrant(row))
  return rows.map((row) => ({ ...row, grants: held.get(row.id) ?? [] }))
}

function toGrant(row: GrantRow): GrantFacts {
  return { id: row.id, target: targetOf(row), source: { kind: row.sourceKind, id: row.sourceId } }
}

/** What a row with exactly one of the three columns gives; a CHECK sees to that. */
export function targetOf(row: Pick<GrantRow, 'roleId' | 'unitId' | 'workspaceId'>): GrantFacts['target'] {
  if (row.roleId !== null) return { kind: 'role', id: row.roleId }
  if (row.unitId !== null) return { kind: 'unit', id: row.unitId }
  if (row.workspaceId !== null) return { kind: 'workspace', id: row.workspaceId }
  throw new Error('a grant or mapping that gives nothing')
}

const heldChanges = {
  name: 'snapshot_held_changes',
  text: `SELECT DISTINCT ON (member_id, kind) id, member_id AS "memberId", kind, state, fingerprint FROM held_changes
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND member_id = ANY ($3::uuid[])
      AND state IN ('held', 'approved', 'rejected')
    ORDER BY member_id, kind, state = 'held' DESC, created_at DESC, id DESC`,
}

/** What was decided, or still waits, about removals of these members: the latest of each member and kind. */
export async function loadHeldChanges(
  scope: Scope,
  organizationId: Uuid,
  memberIds: readonly Uuid[],
): Promise<HeldChangeFacts[]> {
  if (memberIds.length === 0) return []
  return scope.tx.query<HeldChangeFacts>(heldChanges, [scope.tenant, organizationId, memberIds])
}
