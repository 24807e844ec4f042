// A person of the slice: one user with everything that was said about them in this organization,
// and what is looked up again and again while planning. Who is the same person is decided in
// link.ts; which of their ways in count, in ways-in.ts.

import type { Uuid } from '../model/ids.ts'
import type { UserKey } from './change.ts'
import { groupBy } from './group-by.ts'
import type { DirectoryUserFacts, EntryFacts, InvitationFacts, MemberFacts, Snapshot, UserFacts } from './snapshot.ts'

/** What was said about one person. */
export interface Ways {
  /** In the order in which they were made. */
  readonly directoryUsers: readonly DirectoryUserFacts[]
  readonly entries: readonly EntryFacts[]
}

/** Of what was said, what counts (ways-in.ts). */
export interface CountingWays {
  /** By directories that still speak, tombstones too. */
  readonly spoken: readonly DirectoryUserFacts[]
  readonly live: readonly DirectoryUserFacts[]
  /** When the last directory deleted this person; null where one knows them, or none ever did. */
  readonly deletedAt: Date | null
  readonly entries: readonly EntryFacts[]
}

export interface Person extends Ways {
  readonly key: UserKey
  /** Null: this plan creates the user. */
  readonly user: UserFacts | null
  readonly member: MemberFacts | null
  readonly counting: CountingWays
  /** Pending invitations that this person's proved address answers. */
  readonly invitations: readonly InvitationFacts[]
}

/** Built once from the snapshot. */
export interface Lookup {
  readonly snapshot: Snapshot
  /** Whether this organization has verified the domain. */
  ownsDomain(domain: string | undefined): boolean
  /** Whether another organization of the tenant has verified the domain. */
  isForeignDomain(domain: string | undefined): boolean
  /** When a directory began to decide who belongs here; null: none does. */
  readonly governedSince: Date | null
  /** Whether the directory still speaks: it is known and not decommissioned. */
  speaks(directoryId: Uuid): boolean
  /** Users with this address, by its key. */
  usersAt(addressKey: string): readonly UserFacts[]
}

export function buildLookup(snapshot: Snapshot): Lookup {
  const domains = new Map(snapshot.domains.map((domain) => [domain.name, domain.own]))
  const speaking = new Set(snapshot.directories.filter((one) => one.state !== 'decommissioned').map((one) => one.id))
  const since = snapshot.directories.flatMap((one) => (one.governsSince === null ? [] : [one.governsSince.getTime()]))
  const users = groupBy(snapshot.users, (user) => user.profile.email?.key)
  return {
    snapshot,
    ownsDomain: (domain) => domain !== undefined && domains.get(domain) === true,
    isForeignDomain: (domain) => domain !== undefined && domains.get(domain) === false,
    governedSince: since.length === 0 ? null : new Date(Math.min(...since)),
    speaks: (directoryId) => speaking.has(directoryId),
    usersAt: (addressKey) => users.get(addressKey) ?? [],
  }
}
