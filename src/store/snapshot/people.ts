// Everybody whom a slice may concern: from its subjects along whatever may make two of them one
// person (a user, an identity, an address, a conflict) until nothing new turns up. Who is who then
// depends on what was said and not on which request was taken first.

import type { Uuid } from '../../model/ids.ts'
import type { Address, ConflictFacts, DirectoryUserFacts, EntryFacts, UserFacts } from '../../reconcile/snapshot.ts'
import type { LockedOrganization } from '../claim.ts'
import type { Scope } from '../scope.ts'
import { addressOf } from './addresses.ts'
import { loadConflicts } from './conflicts.ts'
import { findDirectoryUsers, loadDirectoryUsers } from './directory-users.ts'
import { findEntries, loadEntries } from './entries.ts'
import { headOfWaitlist, loadUsers, type Seeds, usersOfSeeds } from './users.ts'

export interface People {
  readonly directoryUsers: readonly DirectoryUserFacts[]
  readonly entries: readonly EntryFacts[]
  readonly users: readonly UserFacts[]
  readonly conflicts: readonly ConflictFacts[]
}

interface Start {
  readonly seeds: Seeds
  readonly directoryIds: readonly Uuid[]
  /** Mapped groups that were not deleted. */
  readonly groupIds: readonly Uuid[]
}

/** Loads the people of a slice, then those at the head of the waitlist whom it may give a seat, in the same way. */
export async function loadPeople(scope: Scope, organization: LockedOrganization, start: Start): Promise<People> {
  const { directoryUserIds, entryIds } = start.seeds
  const search = openSearch(scope, organization.id, start)
  await search.add({ directoryUserIds, entryIds, userIds: await usersOfSeeds(scope, organization.id, start.seeds) })
  const waiting = await headOfWaitlist(scope, organization, search.userIds())
  await search.add({ directoryUserIds: [], entryIds: [], userIds: waiting })
  return search.found()
}

interface Frontier {
  readonly directoryUserIds: readonly Uuid[]
  readonly entryIds: readonly Uuid[]
  readonly userIds: readonly Uuid[]
}

/** What was met that others may be tied to, besides users. */
interface Leads {
  readonly addresses: readonly Address[]
  /** Of these, the ones that were met at a user: others may have them too. */
  readonly atUsers: readonly Address[]
  readonly identityIds: readonly Uuid[]
}

interface Search {
  add(frontier: Frontier): Promise<void>
  userIds(): Uuid[]
  found(): People
}

/**
 * Addresses and conflicts are followed this often; who is further apart are people who take over one
 * another's addresses all at once. After that comes a last look at the rest of what belongs to the users
 * that are here, because nobody may be known by half.
 */
const roundsMax = 8

function openSearch(scope: Scope, organizationId: Uuid, { directoryIds, groupIds }: Start): Search {
  const directoryUsers = new Map<Uuid, DirectoryUserFacts>()
  const entries = new Map<Uuid, EntryFacts>()
  const users = new Map<Uuid, UserFacts>()
  const conflicts = new Map<Uuid, ConflictFacts>()
  const followed = new Set<Uuid | string>() // users' ids and addresses' keys

  /**
   * Loads what is not there yet, with the users behind it and those at the addresses met so far; in the
   * last look nobody but what was named. Answers what may lead further.
   */
  async function load(named: Frontier, met: readonly Address[], isLast: boolean): Promise<Leads> {
    const accountIds = missing(named.directoryUserIds, directoryUsers)
    const accounts = await loadDirectoryUsers(scope, organizationId, accountIds, groupIds)
    const ways = await loadEntries(scope, organizationId, missing(named.entryIds, entries))
    for (const one of accounts) directoryUsers.set(one.id, one)
    for (const one of ways) entries.set(one.id, one)
    const disputes = await loadConflicts(scope, organizationId, accounts, ways)
    for (const one of disputes) conflicts.set(one.id, one)
    if (isLast) return { addresses: [], atUsers: [], identityIds: [] }
    const said = newAddresses([...accounts.flatMap(addressesOf), ...ways.flatMap(addressesOfEntry)])
    const behind = [...accounts.flatMap(userOf), ...ways.flatMap(userOfEntry), ...disputes.flatMap(suspect)]
    const ids = missing([...named.userIds, ...behind], users)
    const emailKeys = [...said, ...met].map((address) => address.key)
    const known = await loadUsers(scope, organizationId, { ids, emailKeys })
    for (const one of known) users.set(one.id, one)
    const atUsers = newAddresses(known.flatMap((user) => user.profile.email ?? []))
    return { addresses: [...said, ...atUsers], atUsers, identityIds: ways.flatMap((entry) => entry.identity?.id ?? []) }
  }

  function newAddresses(addresses: readonly Address[]): Address[] {
    return addresses.filter(({ key }) => !followed.has(key) && followed.add(key))
  }

  /** Finds what is tied to the users that are new since the last time, and to these; in the last look only what is those users' own. */
  async function find({ addresses, identityIds }: Leads, isLast: boolean): Promise<Frontier> {
    const userIds = [...users.keys()].filter((id) => !followed.has(id))
    for (const id of userIds) followed.add(id)
    const ties = { userIds, addresses: isLast ? [] : addresses, conflicts: !isLast }
    const directoryUserIds = await findDirectoryUsers(scope, organizationId, directoryIds, ties)
    const entryIds = await findEntries(scope, organizationId, { ...ties, identityIds })
    return { directoryUserIds, entryIds, userIds: [] }
  }

  return {
    async add(frontier) {
      if (frontier.directoryUserIds.length + frontier.entryIds.length + frontier.userIds.length === 0) return
      const size = () => directoryUsers.size + entries.size + users.size
      let leads = await load(frontier, [], false)
      for (let round = 1; ; round += 1) {
        const before = size()
        const isLast = round > roundsMax
        leads = await load(await find(leads, isLast), leads.atUsers, isLast)
        if (isLast || size() === before) return
      }
    },
    userIds: () => [...users.keys()],
    found: () => ({
      directoryUsers: [...directoryUsers.values()],
      entries: [...entries.values()],
      users: [...users.values()],
      conflicts: [...conflicts.values()],
    }),
  }
}

function missing(ids: readonly Uuid[], known: ReadonlyMap<Uuid, unknown>): Uuid[] {
  return [...new Set(ids)].filter((id) => !known.has(id))
}

function addressesOf({ profile, userName }: DirectoryUserFacts): Address[] {
  return [profile.email ?? [], addressOf(userName) ?? []].flat()
}

function addressesOfEntry({ profile, identity }: EntryFacts): Address[] {
  return [profile.email ?? [], identity?.profile.email ?? []].flat()
}

function userOf({ link }: DirectoryUserFacts): Uuid[] {
  return link?.userId == null ? [] : [link.userId]
}

function userOfEntry({ identity, userId }: EntryFacts): Uuid[] {
  const known = identity === null ? userId : identity.userId
  return known === null ? [] : [known]
}

/** Who a subject is said to be by an admin, or was asked about. */
function suspect({ state, candidateUserId }: ConflictFacts): Uuid[] {
  return state === 'open' || state === 'linked' ? [candidateUserId] : []
}
