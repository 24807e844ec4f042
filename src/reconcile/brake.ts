// The brake on mass removals. Deactivations, removals and demotions that follow from a directory
// are counted with those it caused within the last hour and those still on their way; where they
// are too many for the directory's size they are held for an admin, and additions go on. A held
// removal stays held until it is decided or the fact behind it changes.

import type { Uuid } from '../model/ids.ts'
import type { HeldRemoval } from './change.ts'
import { type Outcome, roleOf, withoutRemovals } from './outcome.ts'
import type { RoleOrder } from './roles.ts'
import type { DirectoryFacts, HeldChangeFacts, MappingFacts, RemovalKind, Snapshot } from './snapshot.ts'

interface Removal {
  readonly outcome: Outcome
  readonly memberId: Uuid
  readonly directoryId: Uuid
  readonly kind: RemovalKind
  readonly fingerprint: string
}

export interface Braked {
  readonly outcomes: readonly Outcome[]
  readonly held: readonly HeldRemoval[]
  readonly superseded: readonly Uuid[]
}

/** Keeps back what needs an admin's word. Outcomes that take nothing away pass as they are. */
export function brake(outcomes: readonly Outcome[], snapshot: Snapshot, roles: RoleOrder): Braked {
  const mappings = new Set(snapshot.mappings.map((mapping) => mapping.id))
  const removals = outcomes.flatMap((outcome) => removalOf(outcome, roles, mappings) ?? [])
  const decided = latestDecisions(snapshot.heldChanges)
  const fresh = removals.filter((removal) => decided.get(holdKey(removal))?.fingerprint !== removal.fingerprint)
  const tooMany = new Set(snapshot.directories.filter((one) => isTooMuch(one, fresh, snapshot)).map((one) => one.id))

  const keptBack = new Set<Outcome>()
  const held: HeldRemoval[] = []
  const standing = new Set<Uuid>()
  for (const removal of removals) {
    const decision = decided.get(holdKey(removal))
    if (decision?.fingerprint === removal.fingerprint) {
      standing.add(decision.id)
      if (decision.state !== 'approved') keptBack.add(removal.outcome)
    } else if (tooMany.has(removal.directoryId)) {
      keptBack.add(removal.outcome)
      const { directoryId, memberId, kind, fingerprint } = removal
      held.push({ directoryId, memberId, kind, fingerprint, why: whyHeld(removal) })
    }
  }
  const superseded = snapshot.heldChanges
    .filter((one) => one.state === 'held' && !standing.has(one.id))
    .map((one) => one.id)
  return {
    outcomes: outcomes.map((outcome) => (keptBack.has(outcome) ? withoutRemovals(outcome, roles) : outcome)),
    held,
    superseded,
  }
}

/** What of this outcome counts as a removal by a directory; undefined for an admin's own doing. */
function removalOf(outcome: Outcome, roles: RoleOrder, mappings: ReadonlySet<MappingFacts['id']>): Removal | undefined {
  const { member } = outcome.person
  if (member === null || member.status !== 'active') return undefined
  const { byDirectory } = outcome.desired
  if (outcome.state?.status !== 'active') {
    if (byDirectory === null) return undefined
    const kind = outcome.state?.status === 'inactive' ? 'deactivate' : 'remove'
    const fingerprint = outcome.person.directoryUsers
      .map((user) => `${user.id}@${user.generation}`)
      .sort()
      .join(' ')
    return { outcome, memberId: member.id, directoryId: byDirectory, kind, fingerprint }
  }
  if (roles.rank(roleOf(outcome)) >= roles.rank(member.roleId)) return undefined
  // A grant whose mapping is gone went by an admin's hand, who was shown what it means.
  const lost = outcome.remove.filter(
    (grant) => grant.source.kind === 'directory_group' && mappings.has(grant.source.id ?? ''),
  )
  const directoryId = outcome.person.directoryUsers[0]?.directoryId
  if (lost.length === 0 || directoryId === undefined) return undefined
  const fingerprint = lost
    .map((grant) => grant.id)
    .sort()
    .join(' ')
  return { outcome, memberId: member.id, directoryId, kind: 'demote', fingerprint }
}

function isTooMuch(directory: DirectoryFacts, fresh: readonly Removal[], snapshot: Snapshot): boolean {
  const own = fresh.filter((removal) => removal.directoryId === directory.id).length
  if (own === 0) return false
  const wave = own + directory.removedLastHour + directory.removalsElsewhere
  const before = directory.activeMembers + directory.removedLastHour
  const { percent, minimum } = snapshot.organization.brake
  return wave >= minimum && wave * 100 > before * percent
}

/** Of one member's decisions the waiting one counts first, then the newest. */
function latestDecisions(changes: readonly HeldChangeFacts[]): Map<string, HeldChangeFacts> {
  const decisions = new Map<string, HeldChangeFacts>()
  for (const change of changes) {
    const key = holdKey(change)
    if (decisions.get(key)?.state !== 'held') decisions.set(key, change)
  }
  return decisions
}

function holdKey(removal: { readonly memberId: Uuid; readonly kind: RemovalKind }): string {
  return `${removal.memberId}:${removal.kind}`
}

function whyHeld(removal: Removal): string {
  switch (removal.kind) {
    case 'deactivate':
      return 'the directory says that this person is inactive'
    case 'remove':
      return 'the directory deleted this person'
    case 'demote':
      return 'the directory took this person out of a group that gave a higher role'
  }
}
