// Loads what one slice's plan is made from: the subjects that its requests name, whoever may be the
// same people (people.ts), what is recorded of them, and what the organization allows. Always the
// same statements, each over the whole slice, whatever its size. What a snapshot means is
// reconcile/snapshot.ts.

import type { Address, Snapshot } from '../../reconcile/snapshot.ts'
import type { ClaimedRequest, LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import { loadByAddress } from './addresses.ts'
import { loadDirectories, loadMappings, loadOrganization } from './organization.ts'
import { loadPeople, type People } from './people.ts'
import { loadRemovalWaves } from './removal-wave.ts'
import { loadHeldChanges, loadMembers, type Seeds } from './users.ts'

/** Runs in the slice's transaction, after the organization was locked and the requests were claimed. */
export async function loadSnapshot(
  scope: Scope,
  organization: LockedOrganization,
  requests: readonly ClaimedRequest[],
): Promise<Snapshot> {
  const { id } = organization
  const directories = await loadDirectories(scope, id)
  const { mappings, groupIds } = await loadMappings(scope, id)
  const directoryIds = directories.map((directory) => directory.id)
  const people = await loadPeople(scope, organization, { seeds: seedsOf(requests), directoryIds, groupIds })
  const { directoryUsers, entries, users, conflicts } = people
  const userIds = users.map((user) => user.id)
  const members = await loadMembers(scope, id, userIds)
  const memberIds = members.map((member) => member.id)
  const slice = { directoryUsers, members, mappings }
  return {
    now: scope.now,
    organization: await loadOrganization(scope, organization, members),
    directories: await loadRemovalWaves(scope, organization, directories, slice),
    ...{ mappings, directoryUsers, entries, users, conflicts, members },
    heldChanges: await loadHeldChanges(scope, id, memberIds),
    ...(await loadByAddress(scope, id, addressesIn(people))),
  }
}

function seedsOf(requests: readonly ClaimedRequest[]): Seeds {
  const idsOf = (kind: ClaimedRequest['kind']) => [
    ...new Set(requests.filter((request) => request.kind === kind).map((request) => request.subjectId)),
  ]
  return { directoryUserIds: idsOf('directory_user'), entryIds: idsOf('entry'), memberIds: idsOf('member') }
}

function addressesIn({ directoryUsers, entries, users }: People): Address[] {
  const profiles = [...directoryUsers, ...entries, ...users].map((one) => one.profile)
  const proved = entries.flatMap((entry) => entry.identity?.profile ?? [])
  return [...profiles, ...proved].flatMap((profile) => profile.email ?? [])
}
