// The steps of a plan. Each names the person it is about and says why; store/apply carries them
// out set-wise, one statement per kind. People that do not exist yet go by a key made from the
// subject that brought them, until applying gives them an id.

import type { Uuid } from '../model/ids.ts'
import type { GrantSource, MemberStatus } from '../model/words.ts'
import type { Profile, RemovalKind, Target } from './snapshot.ts'

/** A user's id, or `new:` and the subject that makes this user. A member goes by its user's key. */
export type UserKey = string

export type LinkRule = 'known' | 'directory' | 'verified_domain' | 'decided' | 'created' | 'conflict' | 'none'

export type Change =
  | { readonly kind: 'create-user'; readonly user: UserKey; readonly profile: Profile; readonly emailVerified: boolean }
  | { readonly kind: 'update-user'; readonly user: UserKey; readonly profile: Profile; readonly emailVerified: boolean }
  | {
      readonly kind: 'link'
      readonly subject: { readonly kind: 'directory_user' | 'identity' | 'entry'; readonly id: Uuid }
      readonly user: UserKey
      readonly rule: LinkRule
    }
  /** Opens it, or opens it again where it was gone. */
  | {
      readonly kind: 'raise-conflict'
      readonly subject: { readonly kind: 'directory_user' | 'entry'; readonly id: Uuid }
      /** Perhaps a user that this very plan creates. */
      readonly candidate: UserKey
      readonly reason: string
    }
  | { readonly kind: 'close-conflict'; readonly conflictId: Uuid }
  | {
      readonly kind: 'create-member'
      readonly user: UserKey
      readonly status: MemberStatus
      readonly statusReason: string | null
      readonly roleId: Uuid
      readonly seated: boolean
      readonly source: 'directory' | 'sso' | 'domain' | 'invitation' | 'manual' | 'personal'
    }
  | {
      readonly kind: 'change-member'
      readonly user: UserKey
      readonly memberId: Uuid
      readonly from: MemberState
      readonly to: MemberState
      /** The directory whose removal this is, for the brake's count. */
      readonly removalBy: Uuid | null
    }
  | {
      readonly kind: 'add-grant'
      readonly user: UserKey
      readonly target: Target
      readonly source: { readonly kind: GrantSource; readonly id: Uuid | null }
      readonly reason: string
    }
  | {
      readonly kind: 'remove-grant'
      readonly user: UserKey
      readonly memberId: Uuid
      readonly grantId: Uuid
      readonly target: Target
      readonly reason: string
    }
  /**
   * Applying marks it accepted and writes the entry (kind invitation, user, role, unit) that stands for it from now
   * on, as old as the invitation: it must not outlive a deletion only because it was looked at later.
   */
  | { readonly kind: 'consume-invitation'; readonly invitationId: Uuid; readonly user: UserKey }

export interface MemberState {
  readonly status: MemberStatus
  readonly statusReason: string | null
  readonly roleId: Uuid | null
  readonly seated: boolean
}

/** A removal that the brake keeps back. */
export interface HeldRemoval {
  readonly directoryId: Uuid
  readonly memberId: Uuid
  readonly kind: RemovalKind
  readonly why: string
  readonly fingerprint: string
}

export interface Plan {
  readonly changes: readonly Change[]
  /** Newly kept back; one held plan is made of them. */
  readonly held: readonly HeldRemoval[]
  /** Held changes whose reason is gone. */
  readonly superseded: readonly Uuid[]
  /** What this plan has looked at, whether or not it changes anything. An entry seen so takes over its identity's user. */
  readonly observed: {
    readonly directoryUsers: readonly { readonly id: Uuid; readonly generation: number }[]
    readonly entries: readonly { readonly id: Uuid; readonly generation: number }[]
  }
}
