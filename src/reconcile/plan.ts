// The plan of one slice: who is who, what should be, what the brake, the last Owner and the seats
// leave of it, and the steps from what is to that. Pure and total: the same snapshot gives the
// same plan, and planning what was applied gives none.
//
//   snapshot → people → desired → brake → seats, with the last owner kept → changes

import { brake } from './brake.ts'
import type { Change, Plan } from './change.ts'
import { desire, indexMappings } from './desired.ts'
import { hasOwner, keepLastOwner } from './last-owner.ts'
import { linkPeople } from './link.ts'
import { foresee, type Outcome } from './outcome.ts'
import { buildLookup, type Person } from './person.ts'
import { isKnownAs, type KnownAs, nameEverybody } from './profile.ts'
import { findRemovals, type Removals } from './removal.ts'
import { orderRoles } from './roles.ts'
import { allotSeats } from './seats.ts'
import type { Snapshot } from './snapshot.ts'

export function makePlan(snapshot: Snapshot): Plan {
  const lookup = buildLookup(snapshot)
  const { organization } = snapshot
  const roles = orderRoles(organization)
  const mappings = indexMappings(snapshot.mappings)
  const removals = findRemovals(lookup, roles, mappings)
  const { people, changes: links } = linkPeople(lookup)
  const foreseen = people.map((person) => foresee(person, desire(person, lookup, mappings), roles))
  const { outcomes: braked, held, superseded } = brake(foreseen, snapshot, roles, removals)
  const allotted = allotSeats(braked, organization)
  const ownerless = !hasOwner(allotted, organization, roles)
  const outcomes = ownerless ? allotSeats(keepLastOwner(braked, roles), organization) : allotted
  const nameOf = nameEverybody(people, lookup)
  const changes = outcomes.flatMap((outcome) => [
    ...profileChanges(outcome.person, nameOf(outcome.person)),
    ...memberChanges(outcome, removals),
    ...grantChanges(outcome),
  ])
  return { changes: [...links, ...changes], held, superseded, observed: observe(snapshot) }
}

function profileChanges({ key, user }: Person, known: KnownAs): Change[] {
  if (user === null) return [{ kind: 'create-user', user: key, ...known }]
  return isKnownAs(user, known) ? [] : [{ kind: 'update-user', user: key, ...known }]
}

function memberChanges(outcome: Outcome, removals: Removals): Change[] {
  const { person, state } = outcome
  if (state === null) return []
  const { member } = person
  if (member === null) {
    return state.roleId === null
      ? []
      : [{ kind: 'create-member', user: person.key, ...state, roleId: state.roleId, source: sourceOf(person) }]
  }
  const { status, statusReason, roleId, seated } = member
  const same =
    status === state.status && statusReason === state.statusReason && roleId === state.roleId && seated === state.seated
  if (same) return []
  const from = { status, statusReason, roleId, seated }
  const removalBy = removals.of(outcome)?.directoryId ?? null
  return [{ kind: 'change-member', user: person.key, memberId: member.id, from, to: state, removalBy }]
}

function grantChanges({ person, add, remove }: Outcome): Change[] {
  const { member } = person
  const consumed = person.invitations.map(
    ({ id }): Change => ({ kind: 'consume-invitation', invitationId: id, user: person.key }),
  )
  const added = add.map((grant): Change => ({ kind: 'add-grant', user: person.key, ...grant }))
  if (member === null) return [...consumed, ...added]
  const removed = remove.map(
    ({ id, target, source }): Change => ({
      kind: 'remove-grant',
      user: person.key,
      memberId: member.id,
      grantId: id,
      target,
      reason: `its source (${source.kind}) no longer gives it`,
    }),
  )
  return [...consumed, ...added, ...removed]
}

function sourceOf(person: Person): Extract<Change, { kind: 'create-member' }>['source'] {
  if (person.directoryUsers.length > 0) return 'directory'
  return person.entries[0]?.kind ?? 'invitation'
}

function observe({ directoryUsers, entries }: Snapshot): Plan['observed'] {
  return {
    directoryUsers: directoryUsers
      .filter((user) => user.link?.observedGeneration !== user.generation)
      .map(({ id, generation }) => ({ id, generation })),
    entries: entries
      .filter((entry) => entry.observedGeneration !== entry.generation)
      .map(({ id, generation }) => ({ id, generation })),
  }
}
