// Loads what one slice's plan is made from: the subjects that its requests name, everything else
// that was said about the same people in this organization, and what is recorded of them. Always
// the same statements, each over the whole slice, whatever its size. What a snapshot means is
// reconcile/snapshot.ts.

import type { Uuid } from '../../model/ids.ts'
import type { Address, ConflictFacts, DirectoryUserFacts, EntryFacts, Snapshot } from '../../reconcile/snapshot.ts'
import type { ClaimedRequest, LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import { loadByAddress } from './addresses.ts'
import { directoryUsersWith, loadDirectoryUsers } from './directory-users.ts'
import { loadEntries, lockIdentities } from './entries.ts'
import {
  type KnownDirectory,
  type KnownMappings,
  loadDirectories,
  loadMappings,
  loadOrganization,
} from './organization.ts'
import { loadRemovalWaves } from './removal-wave.ts'
import { headOfWaitlist, loadHeldChanges, loadMembers, loadUsers, type Seeds, usersOfSeeds } from './users.ts'

/** Runs in the slice's transaction, after the organization was locked and the requests were claimed. */
export async function loadSnapshot(
  scope: Scope,
  organization: LockedOrganization,
  requests: readonly ClaimedRequest[],
): Promise<Snapshot> {
  const directories = await loadDirectories(scope, organization.id)
  const known = await loadMappings(scope, organization.id)
  const people = await loadPeople(scope, organization, seedsOf(requests), directories, known)
  const members = await loadMembers(
    scope,
    organization.id,
    people.users.map((user) => user.id),
  )
  const memberIds = members.map((member) => member.id)
  const { directoryUsers } = people
  return {
    now: scope.now,
    organization: await loadOrganization(scope, organization, members),
    directories: await loadRemovalWaves(scope, organization, directories, {
      directoryUsers,
      members,
      mappings: known.mappings,
    }),
    mappings: known.mappings,
    ...people,
    members,
    heldChanges: await loadHeldChanges(scope, organization.id, memberIds),
    ...(await loadByAddress(scope, organization.id, addressesOf(people))),
  }
}

function seedsOf(requests: readonly ClaimedRequest[]): Seeds {
  const idsOf = (kind: ClaimedRequest['kind']) => [
    ...new Set(requests.filter((request) => request.kind === kind).map((request) => request.subjectId)),
  ]
  return { directoryUserIds: idsOf('directory_user'), entryIds: idsOf('entry'), memberIds: idsOf('member') }
}

type People = Pick<Snapshot, 'directoryUsers' | 'entries' | 'users' | 'conflicts'>

/**
 * Everything said about everybody whom the slice may concern. First the users that its subjects are
 * linked to, with all their subjects; then the users that have an address of these, because a subject
 * may turn out to be one of them, with all of theirs. Nobody is planned for from half of what is known.
 */
async function loadPeople(
  scope: Scope,
  organization: LockedOrganization,
  seeds: Seeds,
  directories: readonly KnownDirectory[],
  { groupIds }: KnownMappings,
): Promise<People> {
  const { id } = organization
  await lockIdentities(scope, id, seeds.entryIds)
  const linked = await usersOfSeeds(scope, id, seeds)
  const userIds = new Set([...linked, ...(await headOfWaitlist(scope, organization, linked))])
  const named = await loadDirectoryUsers(scope, id, { ids: seeds.directoryUserIds, userIds }, groupIds)
  const entries = await loadEntries(scope, id, { ids: seeds.entryIds, userIds })
  const directoryUsers = [...named, ...(await loadMeant(scope, id, { named, entries, directories, groupIds }))]
  const conflicts = await loadConflicts(scope, id, directoryUsers, entries)

  const possible = new Set(userIds)
  for (const user of directoryUsers) if (user.link?.userId != null) possible.add(user.link.userId)
  for (const conflict of conflicts) if (conflict.state === 'linked') possible.add(conflict.candidateUserId)
  const emailKeys = new Set(addressesOf({ directoryUsers, entries }).map((address) => address.key))
  const users = await loadUsers(scope, id, { ids: possible, emailKeys })

  const further = users.map((user) => user.id).filter((user) => !userIds.has(user))
  if (further.length === 0) return { directoryUsers, entries, users, conflicts }
  const theirs = await loadDirectoryUsers(scope, id, { ids: [], userIds: further }, groupIds)
  const newUsers = without(theirs, directoryUsers)
  const newEntries = without(await loadEntries(scope, id, { ids: [], userIds: further }), entries)
  return {
    directoryUsers: [...directoryUsers, ...newUsers],
    entries: [...entries, ...newEntries],
    users,
    conflicts: [...conflicts, ...(await loadConflicts(scope, id, newUsers, newEntries))],
  }
}

/** Directory users that a login not linked yet may mean: where a directory governs, it has to be one of them. */
async function loadMeant(
  scope: Scope,
  organizationId: Uuid,
  slice: {
    readonly named: readonly DirectoryUserFacts[]
    readonly entries: readonly EntryFacts[]
    readonly directories: readonly KnownDirectory[]
    readonly groupIds: readonly Uuid[]
  },
): Promise<DirectoryUserFacts[]> {
  const unlinked = slice.entries.filter((entry) => (entry.identity?.userId ?? entry.userId) === null)
  const addresses = addressesOf({ directoryUsers: [], entries: unlinked })
  const directoryIds = slice.directories.map((directory) => directory.id)
  const known = new Set(slice.named.map((user) => user.id))
  const meant = await directoryUsersWith(scope, organizationId, directoryIds, addresses)
  const ids = meant.filter((id) => !known.has(id))
  return loadDirectoryUsers(scope, organizationId, { ids, userIds: [] }, slice.groupIds)
}

const conflictsOf = {
  name: 'snapshot_conflicts',
  text: `SELECT id, subject_kind AS "subjectKind", subject_id AS "subjectId", candidate_user_id AS "candidateUserId",
      state
    FROM conflicts WHERE tenant_id = $1::uuid AND organization_id = $2::uuid
      AND (subject_kind = 'directory_user' AND subject_id = ANY ($3::uuid[])
        OR subject_kind = 'entry' AND subject_id = ANY ($4::uuid[]))`,
}

async function loadConflicts(
  scope: Scope,
  organizationId: Uuid,
  directoryUsers: readonly DirectoryUserFacts[],
  entries: readonly EntryFacts[],
): Promise<ConflictFacts[]> {
  const idLists = [directoryUsers.map((user) => user.id), entries.map((entry) => entry.id)]
  const rows = await scope.tx.query<{
    id: Uuid
    subjectKind: 'directory_user' | 'entry'
    subjectId: Uuid
    candidateUserId: Uuid
    state: ConflictFacts['state']
  }>(conflictsOf, [scope.tenant, organizationId, ...idLists])
  return rows.map(({ id, subjectKind, subjectId, candidateUserId, state }) => {
    return { id, subject: { kind: subjectKind, id: subjectId }, candidateUserId, state }
  })
}

function addressesOf(people: Partial<Pick<People, 'directoryUsers' | 'entries' | 'users'>>): Address[] {
  const { directoryUsers = [], entries = [], users = [] } = people
  const profiles = [...directoryUsers, ...entries, ...users].map((one) => one.profile)
  const proved = entries.flatMap((entry) => entry.identity?.profile ?? [])
  return [...profiles, ...proved].flatMap((profile) => profile.email ?? [])
}

function without<T extends { readonly id: Uuid }>(found: readonly T[], known: readonly T[]): T[] {
  const ids = new Set(known.map((one) => one.id))
  return found.filter((one) => !ids.has(one.id))
}
