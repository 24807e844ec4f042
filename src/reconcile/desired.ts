// What should be, for one person: in which state they belong to the organization and which grants
// they hold, each with its source and reason. Looks at what was said and at nothing that is
// recorded; brake, last owner and seats come after it.

import type { Uuid } from '../model/ids.ts'
import type { GrantSource } from '../model/words.ts'
import { groupBy } from './group-by.ts'
import type { Lookup, Person } from './person.ts'
import type { DirectoryUserFacts, EntryFacts, MappingFacts, Target } from './snapshot.ts'

export interface DesiredGrant {
  readonly target: Target
  readonly source: { readonly kind: GrantSource; readonly id: Uuid | null }
  readonly reason: string
}

export interface Desired {
  /** `absent`: nothing says that this person belongs here. */
  readonly standing: 'active' | 'inactive' | 'absent'
  readonly reason: string | null
  /** The directory whose word it is, where it is one. */
  readonly byDirectory: Uuid | null
  /** By grantKey. */
  readonly grants: ReadonlyMap<string, DesiredGrant>
}

export interface MappingIndex {
  readonly byGroup: ReadonlyMap<Uuid, readonly MappingFacts[]>
  readonly byClaim: ReadonlyMap<string, readonly MappingFacts[]>
}

export function indexMappings(mappings: readonly MappingFacts[]): MappingIndex {
  return {
    byGroup: groupBy(mappings, ({ source }) => (source.kind === 'directory_group' ? source.groupId : undefined)),
    byClaim: groupBy(mappings, ({ source }) =>
      source.kind === 'sso_claim' ? claimKey(source.connectionId, source.value) : undefined,
    ),
  }
}

/** A directory's live word comes first, then its tombstone, then the other ways in. */
export function desire(person: Person, lookup: Lookup, mappings: MappingIndex): Desired {
  const { live, entries } = person.counting
  const standing = judge(person)
  if (standing.standing === 'absent') return { ...standing, grants: new Map() }
  const grants = [
    ...groupGrants(live, mappings),
    ...entries.flatMap((entry) => entryGrants(entry, lookup, mappings)),
    ...invitationGrants(person),
  ]
  return { ...standing, grants: new Map(grants.map((grant) => [grantKey(grant), grant])) }
}

function judge({ counting: { spoken, live, entries }, invitations }: Person): Omit<Desired, 'grants'> {
  const [account] = live
  if (account !== undefined) {
    if (live.some((user) => user.active)) return { standing: 'active', reason: null, byDirectory: null }
    return { standing: 'inactive', reason: 'directory_inactive', byDirectory: account.directoryId }
  }
  if (entries.length + invitations.length > 0) return { standing: 'active', reason: null, byDirectory: null }
  const [tombstone] = spoken
  return tombstone === undefined
    ? { standing: 'absent', reason: 'no_source', byDirectory: null }
    : { standing: 'absent', reason: 'directory_deleted', byDirectory: tombstone.directoryId }
}

function groupGrants(live: readonly DirectoryUserFacts[], mappings: MappingIndex): DesiredGrant[] {
  return live.flatMap((user) =>
    user.groupIds.flatMap((groupId) =>
      (mappings.byGroup.get(groupId) ?? []).map(({ id, source, target }) => ({
        target,
        source: { kind: 'directory_group' as const, id },
        reason:
          source.kind === 'directory_group' ? `member of the directory group ${source.groupName}` : 'directory group',
      })),
    ),
  )
}

function entryGrants(entry: EntryFacts, lookup: Lookup, mappings: MappingIndex): DesiredGrant[] {
  switch (entry.kind) {
    case 'sso': {
      // The directory governs groups where there is one; the claims of a login say nothing then.
      const { connectionId } = entry
      if (lookup.governedSince !== null || connectionId === null) return []
      return entry.claimValues.flatMap((value) =>
        (mappings.byClaim.get(claimKey(connectionId, value)) ?? []).map(({ id, target }) => ({
          target,
          source: { kind: 'sso_claim' as const, id },
          reason: `the login's claims hold ${value}`,
        })),
      )
    }
    case 'domain': {
      const rule = entry.joinRule
      if (rule === null || !rule.live) return []
      return fixedGrants(rule, { kind: 'domain_rule', id: rule.id }, `join rule of the domain ${rule.domain}`)
    }
    case 'invitation':
      return fixedGrants(entry, { kind: 'invitation', id: entry.invitationId }, 'invitation')
    case 'manual':
      return fixedGrants(entry, { kind: 'manual', id: entry.id }, 'given by an admin')
    case 'personal':
      return fixedGrants(entry, { kind: 'manual', id: entry.id }, 'signed up')
  }
}

function invitationGrants(person: Person): DesiredGrant[] {
  return person.invitations.flatMap((invitation) =>
    fixedGrants(invitation, { kind: 'invitation', id: invitation.id }, 'invitation'),
  )
}

function fixedGrants(
  what: { readonly roleId: Uuid | null; readonly unitId: Uuid | null },
  source: DesiredGrant['source'],
  reason: string,
): DesiredGrant[] {
  const grants: DesiredGrant[] = []
  if (what.roleId !== null) grants.push({ target: { kind: 'role', id: what.roleId }, source, reason })
  if (what.unitId !== null) grants.push({ target: { kind: 'unit', id: what.unitId }, source, reason })
  return grants
}

/** One grant row per target and source. */
export function grantKey(grant: Pick<DesiredGrant, 'target' | 'source'>): string {
  return `${grant.target.kind}:${grant.target.id}:${grant.source.kind}:${grant.source.id ?? ''}`
}

function claimKey(connectionId: Uuid, value: string): string {
  return `${connectionId}:${value}`
}
