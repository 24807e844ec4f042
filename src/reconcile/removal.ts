// What counts as a removal: an active member whom a directory's word makes inactive, removes or
// demotes. What an admin does by hand (a mapping, an entry) is none; they were shown what it means.

import type { Uuid } from '../model/ids.ts'
import { desire, grantKey, type MappingIndex } from './desired.ts'
import { type Outcome, roleOf } from './outcome.ts'
import type { Lookup, Person } from './person.ts'
import type { RoleOrder } from './roles.ts'
import type { GrantFacts, RemovalKind } from './snapshot.ts'
import { countWays } from './ways-in.ts'

export interface Removal {
  readonly memberId: Uuid
  readonly directoryId: Uuid
  readonly kind: RemovalKind
  /** Of the facts behind it: when they change, it is another removal. */
  readonly fingerprint: string
}

export interface Removals {
  /** The removal in this outcome; undefined where a directory takes nothing away. */
  of(outcome: Outcome): Removal | undefined
  /** Which of the grants that this outcome removes would stay if the directory had not spoken. */
  grantsTaken(outcome: Outcome): GrantFacts[]
}

export function findRemovals(lookup: Lookup, roles: RoleOrder, mappings: MappingIndex): Removals {
  const mapped = new Set(lookup.snapshot.mappings.map((mapping) => mapping.id))
  const isLostGroup = ({ source }: GrantFacts) => source.kind === 'directory_group' && mapped.has(source.id ?? '')

  function of(outcome: Outcome): Removal | undefined {
    const { member } = outcome.person
    if (member === null || member.status !== 'active') return undefined
    const { byDirectory } = outcome.desired
    if (outcome.state?.status !== 'active') {
      if (byDirectory === null) return undefined
      const kind = outcome.state?.status === 'inactive' ? 'deactivate' : 'remove'
      return { memberId: member.id, directoryId: byDirectory, kind, fingerprint: said(outcome.person) }
    }
    if (roles.rank(roleOf(outcome)) >= roles.rank(member.roleId)) return undefined
    const lost = outcome.remove.filter(isLostGroup)
    const directoryId = speaker(outcome.person)
    if (lost.length === 0 || directoryId === undefined) return undefined
    return { memberId: member.id, directoryId, kind: 'demote', fingerprint: inOrder(lost.map((grant) => grant.id)) }
  }

  function grantsTaken(outcome: Outcome): GrantFacts[] {
    const { grants } = desire(asIfUnsaid(outcome.person, lookup), lookup, mappings)
    return outcome.remove.filter(
      (grant) => grant.source.kind === 'system' || isLostGroup(grant) || grants.has(grantKey(grant)),
    )
  }

  return { of, grantsTaken }
}

function said({ directoryUsers }: Person): string {
  return inOrder(directoryUsers.map((user) => `${user.id}@${user.generation}`))
}

function inOrder(words: readonly string[]): string {
  return [...words].sort().join(' ')
}

/** The directory that speaks of this person: where several do, the one whose account was made first. */
function speaker({ counting: { live, spoken } }: Person): Uuid | undefined {
  return (live[0] ?? spoken[0])?.directoryId
}

function asIfUnsaid(person: Person, lookup: Lookup): Person {
  const directoryUsers = person.directoryUsers.map((user) => ({ ...user, deletedAt: null }))
  return { ...person, directoryUsers, counting: countWays({ ...person, directoryUsers }, lookup) }
}
