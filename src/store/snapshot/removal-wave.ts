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
  for (const user of directoryUsers) {
    const member = active.get(user.link?.userId ?? '')
    if (member === undefined) continue
    const groups = new Set(user.groupIds)
    const loses = member.grants.some(
      ({ source }) => source.kind === 'directory_group' && !groups.has(groupOf.get(source.id ?? '') ?? ''),
    )
    if (loses || !user.active || user.deletedAt !== null)
      counts.set(user.directoryId, (counts.get(user.directoryId) ?? 0) + 1)
  }
  return counts
}

const before = {
  name: 'snapshot_removals_before',
  text: `SELECT coalesce(sum((removals ->> $3::text)::int), 0)::int AS count FROM plans
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND created_at > $4::timestamptz
      AND removals <> '{}'::jsonb AND state = 'applied'`,
}

/** Waiting requests of people whom the directory no longer wants and who are not in this slice, and removals that are held. */
const elsewhere = {
  name: 'snapshot_removals_elsewhere',
  text: `SELECT (SELECT count(*) FROM (SELECT 1 FROM held_changes
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND directory_id = $3::uuid AND state = 'held'
      LIMIT $5::int) AS held)::int
    + (SELECT count(*) FROM (SELECT DISTINCT fact.id FROM reconcile_requests AS request
      JOIN directory_users AS fact ON fact.tenant_id = $1::uuid AND fact.id = request.subject_id
      JOIN directory_links AS link ON link.tenant_id = $1::uuid AND link.directory_user_id = fact.id
      JOIN members AS member ON member.tenant_id = $1::uuid AND member.organization_id = $2::uuid
        AND member.user_id = link.user_id
      WHERE request.tenant_id = $1::uuid AND request.organization_id = $2::uuid AND request.set_aside_at IS NULL
        AND request.subject_kind = 'directory_user' AND request.subject_id <> ALL ($4::uuid[])
        AND fact.directory_id = $3::uuid AND NOT fact.active AND member.status = 'active'
        AND NOT EXISTS (SELECT 1 FROM held_changes WHERE tenant_id = $1::uuid AND organization_id = $2::uuid
          AND member_id = member.id AND state = 'held')
      LIMIT $5::int) AS waiting)::int AS count`,
}

/** Tombstones too: until their removal is applied these members are active. */
const size = {
  name: 'snapshot_directory_size',
  text: `SELECT count(*)::int AS count FROM (SELECT DISTINCT member.id FROM directory_users AS fact
    JOIN directory_links AS link ON link.tenant_id = $1::uuid AND link.directory_user_id = fact.id
    JOIN members AS member ON member.tenant_id = $1::uuid AND member.organization_id = $2::uuid
      AND member.user_id = link.user_id
    WHERE fact.tenant_id = $1::uuid AND fact.directory_id = $3::uuid AND member.status = 'active'
    LIMIT $4::int) AS active`,
}

/**
 * Counts as far as the decision needs it: the wave up to what would be too much of everybody seated,
 * the directory's size up to where the wave is no longer too much of it.
 */
async function measure(
  scope: Scope,
  organization: LockedOrganization,
  directoryId: Uuid,
  own: number,
  people: SlicePeople,
): Promise<Wave> {
  const { tenant, tx } = scope
  const { brakePercent: percent, brakeMinimum: minimum } = organization
  const hourAgo = new Date(scope.now.getTime() - 3_600_000)
  const count = async (statement: { name: string; text: string }, ...values: unknown[]) =>
    (await tx.query<{ count: number }>(statement, [tenant, organization.id, directoryId, ...values]))[0]?.count ?? 0

  const removedLastHour = await count(before, hourAgo)
  const everybody = organization.seatsUsed + removedLastHour
  const enough = Math.max(minimum, Math.floor((everybody * percent) / 100) + 1)
  const ids = people.directoryUsers.map((user) => user.id)
  const removalsElsewhere = await count(elsewhere, ids, enough)
  const wave = own + removedLastHour + removalsElsewhere
  if (wave < minimum) return { removedLastHour, removalsElsewhere, activeMembers: 0 }
  const sizeLimit = percent === 0 ? 1 : Math.floor((wave * 100) / percent) + 1
  return { removedLastHour, removalsElsewhere, activeMembers: await count(size, sizeLimit) }
}
