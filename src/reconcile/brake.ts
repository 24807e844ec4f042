// The brake on mass removals. Deactivations, removals and demotions that follow from a directory
// are counted with those it caused within the last hour and those still on their way; where they
// are too many for the directory's size they are held for an admin, and additions go on. A held
// removal stays held until it is decided or the fact behind it changes. What a removal is, is
// removal.ts.

import type { Uuid } from '../model/ids.ts'
import type { HeldRemoval } from './change.ts'
import { keepAsIs, type Outcome } from './outcome.ts'
import type { Removal, Removals } from './removal.ts'
import type { RoleOrder } from './roles.ts'
import type { DirectoryFacts, RemovalKind, Snapshot } from './snapshot.ts'

export interface Braked {
  readonly outcomes: readonly Outcome[]
  readonly held: readonly HeldRemoval[]
  readonly superseded: readonly Uuid[]
}

/** Keeps back what needs an admin's word. Outcomes that take nothing away pass as they are. */
export function brake(outcomes: readonly Outcome[], snapshot: Snapshot, roles: RoleOrder, removals: Removals): Braked {
  const asked = new Map(
    outcomes.flatMap((outcome): [Outcome, Removal][] => {
      const removal = removals.of(outcome)
      return removal === undefined ? [] : [[outcome, removal]]
    }),
  )
  const decisions = new Map(snapshot.heldChanges.map((change) => [holdKey(change), change]))
  const decisionOn = (removal: Removal) => {
    const decision = decisions.get(holdKey(removal))
    return decision?.fingerprint === removal.fingerprint ? decision : undefined
  }
  const fresh = [...asked.values()].filter((removal) => decisionOn(removal) === undefined)
  const tooMany = new Set(snapshot.directories.filter((one) => isTooMuch(one, fresh, snapshot)).map((one) => one.id))

  const held: HeldRemoval[] = []
  const standing = new Set<Uuid>()
  const passed = outcomes.map((outcome) => {
    const removal = asked.get(outcome)
    if (removal === undefined) return outcome
    const decision = decisionOn(removal)
    if (decision !== undefined) standing.add(decision.id)
    else if (tooMany.has(removal.directoryId)) held.push({ ...removal, why: why[removal.kind] })
    else return outcome
    return decision?.state === 'approved' ? outcome : keepAsIs(outcome, removals.grantsTaken(outcome), roles)
  })
  const superseded = snapshot.heldChanges.filter((one) => one.state === 'held' && !standing.has(one.id))
  return { outcomes: passed, held, superseded: superseded.map((one) => one.id) }
}

function isTooMuch(directory: DirectoryFacts, fresh: readonly Removal[], snapshot: Snapshot): boolean {
  const own = fresh.filter((removal) => removal.directoryId === directory.id).length
  if (own === 0) return false
  const wave = own + directory.removedLastHour + directory.removalsElsewhere
  const before = directory.activeMembers + directory.removedLastHour
  const { percent, minimum } = snapshot.organization.brake
  return wave >= minimum && wave * 100 > before * percent
}

function holdKey(removal: { readonly memberId: Uuid; readonly kind: RemovalKind }): string {
  return `${removal.memberId}:${removal.kind}`
}

const why: Readonly<Record<RemovalKind, string>> = {
  deactivate: 'the directory says that this person is inactive',
  remove: 'the directory deleted this person',
  demote: 'the directory took this person out of a group that gave a higher role',
}
