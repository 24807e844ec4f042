// What a plan is made from: everything that was said about the people of one slice, what is
// recorded of them today, and what the organization allows. Flat lists, loaded set-wise by
// store/snapshot; link.ts puts them together. Nothing here is a row: words only.

import type { Uuid } from '../model/ids.ts'
import type { DirectoryState, EntryKind, GrantSource, MemberStatus, SeatPolicy } from '../model/words.ts'

export interface Role {
  readonly id: Uuid
  readonly key: string
  /** Higher is stronger. */
  readonly rank: number
  readonly isOwner: boolean
}

export interface OrganizationFacts {
  readonly id: Uuid
  readonly roles: readonly Role[]
  /** What a member without any role grant is. */
  readonly defaultRoleId: Uuid
  /** Null: no limit. */
  readonly seatLimit: number | null
  readonly seatPolicy: SeatPolicy
  readonly seatsUsed: number
  readonly brake: { readonly percent: number; readonly minimum: number }
  /** Active members whose effective role is Owner and who are not in this snapshot. */
  readonly otherOwners: number
}

export interface DirectoryFacts {
  readonly id: Uuid
  readonly name: string
  readonly state: DirectoryState
  /** First contact of a directory that is active or paused: from then on it decides who belongs. Null: it does not govern. */
  readonly governsSince: Date | null
  /** Active members that have a directory user here; tombstones count until the removal is applied. */
  readonly activeMembers: number
  /** Removals that plans applied for this directory within the last hour. */
  readonly removedLastHour: number
  /** Removals asked for by requests outside this slice, or held: the rest of the same wave. */
  readonly removalsElsewhere: number
}

/** What a grant gives. */
export interface Target {
  readonly kind: 'role' | 'unit' | 'workspace'
  readonly id: Uuid
}

export interface MappingFacts {
  readonly id: Uuid
  readonly source:
    | { readonly kind: 'directory_group'; readonly groupId: Uuid; readonly groupName: string }
    | { readonly kind: 'sso_claim'; readonly connectionId: Uuid; readonly value: string }
  readonly target: Target
}

/** A person's address, folded as model/email.ts does it. */
export interface Address {
  readonly address: string
  readonly key: string
  readonly domain: string
}

export interface Profile {
  readonly email: Address | null
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
}

export interface DirectoryUserFacts {
  readonly id: Uuid
  readonly directoryId: Uuid
  readonly userName: string
  readonly active: boolean
  /** Set on tombstones. */
  readonly deletedAt: Date | null
  readonly createdAt: Date
  readonly generation: number
  readonly profile: Profile
  /** Only the groups that some mapping names. */
  readonly groupIds: readonly Uuid[]
  /** What an earlier plan decided; null: never reconciled. */
  readonly link: { readonly userId: Uuid | null; readonly observedGeneration: number } | null
}

export interface IdentityFacts {
  readonly id: Uuid
  /** `email`: proved by a code sent to the address itself. */
  readonly kind: 'oidc' | 'saml' | 'email'
  readonly userId: Uuid | null
  readonly emailVerified: boolean
  readonly profile: Profile
}

export interface EntryFacts {
  readonly id: Uuid
  readonly kind: EntryKind
  /** Null for manual entries and for invitations accepted without a login. */
  readonly identity: IdentityFacts | null
  readonly connectionId: Uuid | null
  /** The connection belongs to this organization alone, so its admin vouches for it. */
  readonly ownConnection: boolean
  /** The rule or invitation behind it, while it still holds. */
  readonly joinRule: {
    readonly id: Uuid
    readonly domain: string
    readonly roleId: Uuid | null
    readonly unitId: Uuid | null
    readonly live: boolean
  } | null
  readonly invitationId: Uuid | null
  /** Manual entries: the user an admin named. */
  readonly userId: Uuid | null
  /** Manual entries without a user: who was meant. */
  readonly profile: Profile
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
  /** Group or role values of the last login that sent any (an overage link is not an empty list). */
  readonly claimValues: readonly string[]
  readonly createdAt: Date
  readonly generation: number
  readonly observedGeneration: number
  readonly withdrawn: boolean
}

export interface UserFacts {
  readonly id: Uuid
  readonly emailVerified: boolean
  readonly profile: Profile
  /** Whether any other organization has, or ever had, a member that is this user: it may have been made there. */
  readonly elsewhere: boolean
}

export interface GrantFacts {
  readonly id: Uuid
  readonly target: Target
  readonly source: { readonly kind: GrantSource; readonly id: Uuid | null }
}

export interface MemberFacts {
  readonly id: Uuid
  readonly userId: Uuid
  readonly status: MemberStatus
  readonly statusReason: string | null
  readonly roleId: Uuid | null
  readonly seated: boolean
  readonly createdAt: Date
  readonly waitlistedAt: Date | null
  readonly grants: readonly GrantFacts[]
}

export interface InvitationFacts {
  readonly id: Uuid
  readonly emailKey: string
  /** One that is older than the directory's deletion of a person does not bring them back. */
  readonly createdAt: Date
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
}

export interface ConflictFacts {
  readonly id: Uuid
  readonly subject: { readonly kind: 'directory_user' | 'entry'; readonly id: Uuid }
  readonly candidateUserId: Uuid
  readonly state: 'open' | 'linked' | 'separate' | 'gone'
}

export type RemovalKind = 'deactivate' | 'remove' | 'demote'

export interface HeldChangeFacts {
  readonly id: Uuid
  readonly memberId: Uuid
  readonly kind: RemovalKind
  readonly state: 'held' | 'approved' | 'rejected'
  readonly fingerprint: string
}

/**
 * Closed under what may be one person: whatever shares a user, an identity or an address with a
 * subject of the slice is here too, linked or not, and whatever waits in a conflict about one of
 * its users. Who is who then depends on the facts alone, and not on which request was taken first. (Loading may stop following addresses after two rounds:
 * only people who take over one another's addresses all at once are further apart.)
 */
export interface Snapshot {
  readonly now: Date
  readonly organization: OrganizationFacts
  /** Every directory of the organization that is not decommissioned. */
  readonly directories: readonly DirectoryFacts[]
  readonly mappings: readonly MappingFacts[]
  /** The slice's own, and those of the same users and addresses. */
  readonly directoryUsers: readonly DirectoryUserFacts[]
  /** The slice's own, and those of the same identities, users and addresses. */
  readonly entries: readonly EntryFacts[]
  /** Users linked to a subject above, users that an admin linked one to, users with a member above, and every user with an address of a subject above. */
  readonly users: readonly UserFacts[]
  /**
   * This organization's members of `users`, the head of the waitlist, and members kept by a system
   * grant. A member is only here when all subjects of its user in this organization are: who has
   * none is taken for somebody who left.
   */
  readonly members: readonly MemberFacts[]
  /** Pending invitations for the addresses above. */
  readonly invitations: readonly InvitationFacts[]
  /** Of the subjects above. */
  readonly conflicts: readonly ConflictFacts[]
  /** Of the members above; one of each member and kind: the one that waits, else the latest decided. */
  readonly heldChanges: readonly HeldChangeFacts[]
  /** Verified domains among the addresses above, those of `users` too, and whether this organization owns them. */
  readonly domains: readonly { readonly name: string; readonly own: boolean }[]
}
