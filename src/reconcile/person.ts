// A person of the slice: one user with everything that was said about them in this organization.
// Who is the same person is decided in link.ts.

import type { UserKey } from './change.ts'
import type { DirectoryUserFacts, EntryFacts, InvitationFacts, MemberFacts, Snapshot, UserFacts } from './snapshot.ts'

export interface Person {
  readonly key: UserKey
  /** Null: this plan creates the user. */
  readonly user: UserFacts | null
  readonly member: MemberFacts | null
  readonly directoryUsers: readonly DirectoryUserFacts[]
  readonly entries: readonly EntryFacts[]
  /** Pending invitations that this person's proved address answers. */
  readonly invitations: readonly InvitationFacts[]
}

/** What is looked up again and again while planning, built once from the snapshot. */
export interface Lookup {
  readonly snapshot: Snapshot
  /** Whether this organization has verified the domain. */
  ownsDomain(domain: string | undefined): boolean
  /** Whether another organization of the tenant has verified the domain. */
  isForeignDomain(domain: string | undefined): boolean
  /** When a directory began to decide who belongs here; null: none does. */
  readonly governedSince: Date | null
  /** Whether the directory still speaks: it is known and not decommissioned. */
  speaks(directoryId: string): boolean
}

export function buildLookup(snapshot: Snapshot): Lookup {
  const domains = new Map(snapshot.domains.map((domain) => [domain.name, domain.own]))
  const speaking = new Set(snapshot.directories.filter((one) => one.state !== 'decommissioned').map((one) => one.id))
  const since = snapshot.directories.flatMap((one) => (one.governsSince === null ? [] : [one.governsSince.getTime()]))
  return {
    snapshot,
    ownsDomain: (domain) => domain !== undefined && domains.get(domain) === true,
    isForeignDomain: (domain) => domain !== undefined && domains.get(domain) === false,
    governedSince: since.length === 0 ? null : new Date(Math.min(...since)),
    speaks: (directoryId) => speaking.has(directoryId),
  }
}
