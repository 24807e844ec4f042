// The closed vocabularies that more than one layer speaks. The same lists stand as CHECKs in the
// migrations; what the words mean is in docs/ARCHITECTURE.md.

export type MemberStatus = 'invited' | 'awaiting_approval' | 'waitlisted' | 'active' | 'inactive' | 'removed'

/** Where a grant comes from. A source only ever touches its own grants. */
export type GrantSource = 'manual' | 'invitation' | 'directory_group' | 'sso_claim' | 'domain_rule' | 'csv' | 'system'

/** Ways into an organization other than a directory. */
export type EntryKind = 'sso' | 'domain' | 'invitation' | 'manual' | 'personal'

export type DirectoryState = 'pending' | 'active' | 'paused' | 'decommissioned'

export type SeatPolicy = 'block' | 'waitlist'

/** What a reconcile request points at. */
export type SubjectKind = 'directory_user' | 'entry' | 'member' | 'organization'

export type Door = 'scim' | 'sso' | 'signup' | 'admin' | 'work'

/** A member's public id, `ORG12-U-7`: the organization's number and the member's within it. */
export function memberPublicId(organizationNumber: number, memberNumber: number): string {
  return `ORG${organizationNumber}-U-${memberNumber}`
}
