// The figures behind the brake on mass removals: how large a directory is, and how much of a wave
// has gone before this slice or waits behind it. Counting a large directory costs more than a slice
// of it, so nothing is counted where the slice takes nothing away, and never further than decides.

import type { Uuid } from '../../model/ids.ts'
import type { DirectoryFacts, DirectoryUserFacts, MappingFacts, MemberFacts } from '../../reconcile/snapshot.ts'
import type { LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import type { KnownDirectory } from './organization.ts'

interface SlicePeople {
  readonly directoryUsers: readonly DirectoryUserFacts[]
  readonly members: readonly MemberFacts[]
  readonly mappings: readonly MappingFacts[]
}

interface Wave {
  readonly removedLastHour: number
  readonly removalsElsewhere: number
  readonly activeMembers: number
}

const calm: Wave = { removedLastHour: 0, removalsElsewhere: 0, activeMembers: 0 }

/** The directories with their figures. All are 0 where this slice cannot come near the brake. */
export async function loadRemovalWaves(
  scope: Scope,
  organization: LockedOrganization,
  directories: readonly KnownDirectory[],
  people: SlicePeople,
): Promise<DirectoryFacts[]> {
  const own = countPossibleRemovals(people)
  const counted: DirectoryFacts[] = []
  for (const directory of directories) {
    const removals = own.get(directory.id) ?? 0
    const wave = removals === 0 ? calm : await measure(scope, organization, directory.id, removals, people)
    counted.push({ ...directory, ...wave })
  }
  return counted
}

/** Per directory: active members whom it calls inactive or deleted, or took out of a group that gave them something. Rather too many. */
function countPossibleRemovals({ directoryUsers, members, mappings }: SlicePeople): Map<Uuid, number> {
  const active = new Map(members.filter((one) => one.status === 'active').map((one) => [one.userId, one]))
  const groupOf = new Map(
    mappings.map(({ id, source }) => [id, source.kind === 'directory_group' ? source.groupId : null]),
  )
  const counts = new Map<Uuid, number>()
  const add = (directoryId: Uuid) => counts.set(directoryId, (counts.get(directoryId) ?? 0) + 1)
  for (const user of directoryUsers) {
    const userId = user.link?.userId ?? null
    const member = active.get(userId ?? '')
    if (member === undefined) {
      // Perhaps about to be linked to one of these members.
      if (userId === null && user.deletedAt === null && !user.active && active.size > 0) add(user.directoryId)
      continue
    }
    const groups = new Set(user.groupIds)
    const loses = member.grants.some(
      ({ source }) => source.kind === 'directory_group' && !groups.has(groupOf.get(source.id ?? '') ?? ''),
    )
    if (loses || !user.active || user.deletedAt !== null) add(user.directoryId)
  }
  return counts
}

const before = {
  name: 'snapshot_removals_before',
  text: `SELECT coalesce(sum((removals ->> $3::text)::int), 0)::int AS count FROM plans
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND created_at > $4::timestamptz
      AND removals <> '{}'::jsonb AND state = 'applied'`,
}

const held = {
  name: 'snapshot_removals_held',
  text: `SELECT count(*)::int AS count FROM (SELECT 1 FROM held_changes
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND directory_id = $3::uuid AND state = 'held'
    LIMIT $4::int) AS held`,
}

/**
 * Waiting requests, outside this slice, of active members whom the directory no longer wants and who
 * are not held. OFFSET 0 keeps the order: from the requests one by one, and no further than the limit.
 */
const waiting = {
  name: 'snapshot_removals_waiting',
  text: `WITH named AS MATERIALIZED (SELECT subject_id AS id FROM reconcile_requests
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND set_aside_at IS NULL
        AND subject_kind = 'directory_user'
      EXCEPT SELECT unnest($5::uuid[]))
    SELECT count(*)::int AS count FROM (SELECT 1 FROM named
      CROSS JOIN LATERAL (SELECT link.user_id FROM directory_users AS fact
        JOIN directory_links AS link ON link.tenant_id = $1::uuid AND link.directory_user_id = fact.id
        WHERE fact.tenant_id = $1::uuid AND fact.id = named.id AND fact.directory_id = $3::uuid AND NOT fact.active
        OFFSET 0) AS gone
      CROSS JOIN LATERAL (SELECT id FROM members WHERE tenant_id = $1::uuid AND organization_id = $2::uuid
        AND user_id = gone.user_id AND status = 'active' OFFSET 0) AS member
      WHERE (SELECT true FROM held_changes
        WHERE tenant_id = $1::uuid AND member_id = member.id AND state = 'held' LIMIT 1) IS NULL
      LIMIT $4::int) AS waiting`,
}

/** Tombstones too: until their removal is applied these members are active. Subqueries, not joins: one member after another. */
const size = {
  name: 'snapshot_directory_size',
  text: `SELECT count(*)::int AS count FROM (SELECT 1 FROM members AS member
    WHERE member.tenant_id = $1::uuid AND member.organization_id = $2::uuid AND member.status = 'active'
      AND (SELECT true FROM directory_links AS link
        WHERE link.tenant_id = $1::uuid AND link.user_id = member.user_id
          AND $3::uuid = (SELECT directory_id FROM directory_users AS fact
            WHERE fact.tenant_id = $1::uuid AND fact.id = link.directory_user_id) LIMIT 1)
    LIMIT $4::int) AS active`,
}

/**
 * Counts only as far as the decision needs it. The members with a seat bound the directory's size from
 * above: a wave that is too much of them is too much of the directory, and its size stays uncounted.
 */
async function measure(
  scope: Scope,
  organization: LockedOrganization,
  directoryId: Uuid,
  own: number,
  people: SlicePeople,
): Promise<Wave> {
  const { brakePercent: percent, brakeMinimum: minimum, seatsUsed } = organization
  const count = async (statement: { name: string; text: string }, ...values: unknown[]) => {
    const all = [scope.tenant, organization.id, directoryId, ...values]
    return (await scope.tx.query<{ count: number }>(statement, all))[0]?.count ?? 0
  }
  const removedLastHour = await count(before, new Date(scope.now.getTime() - 3_600_000))
  const surelyTooMany = Math.max(minimum, Math.floor(((seatsUsed + removedLastHour) * percent) / 100) + 1)
  // Without `own`, which is rather too many: the planner counts fewer, and what is elsewhere has to be enough for it.
  const missing = () => surelyTooMany - removedLastHour - removalsElsewhere
  let removalsElsewhere = 0
  if (missing() > 0) removalsElsewhere = await count(held, missing())
  if (missing() > 0) {
    const ids = people.directoryUsers.map((user) => user.id)
    removalsElsewhere += await count(waiting, missing(), ids)
  }
  const wave = own + removedLastHour + removalsElsewhere
  if (missing() <= 0 || wave < minimum) return { removedLastHour, removalsElsewhere, activeMembers: seatsUsed }
  const enough = percent === 0 ? 1 : Math.floor((wave * 100) / percent) + 1
  return { removedLastHour, removalsElsewhere, activeMembers: await count(size, enough) }
}
