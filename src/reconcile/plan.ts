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
import { buildLookup, type Lookup, type Person } from './person.ts'
import { changedProfile, newProfile } from './profile.ts'
import { orderRoles, type RoleOrder } from './roles.ts'
import { allotSeats } from './seats.ts'
import type { Snapshot } from './snapshot.ts'

export function makePlan(snapshot: Snapshot): Plan {
  const lookup = buildLookup(snapshot)
  const { organization } = snapshot
  const roles = orderRoles(organization)
  const mappings = indexMappings(snapshot.mappings)
  const linked = linkPeople(lookup)
  const foreseen = linked.people.map((person) => foresee(person, desire(person, lookup, mappings), roles))
  const { outcomes: braked, held, superseded } = brake(foreseen, snapshot, roles)
  const allotted = allotSeats(braked, organization)
  const ownerless = !hasOwner(allotted, organization, roles)
  const outcomes = ownerless ? allotSeats(keepLastOwner(braked, roles), organization) : allotted
  return {
    changes: [...linked.changes, ...outcomes.flatMap((outcome) => changesOf(outcome, lookup, roles))],
    held,
    superseded,
    observed: observe(snapshot),
  }
}

function changesOf(outcome: Outcome, lookup: Lookup, roles: RoleOrder): Change[] {
  return [...profileChanges(outcome.person, lookup), ...memberChanges(outcome, roles), ...grantChanges(outcome)]
}

function profileChanges(person: Person, lookup: Lookup): Change[] {
  if (person.user === null) return [{ kind: 'create-user', user: person.key, ...newProfile(person, lookup) }]
  const known = changedProfile(person, person.user, lookup)
  return known === null ? [] : [{ kind: 'update-user', user: person.key, ...known }]
}

function memberChanges({ person, state, desired }: Outcome, roles: RoleOrder): Change[] {
  if (state === null) return []
  const { member } = person
  if (member === null) {
    return state.roleId === null
      ? []
      : [{ kind: 'create-member', user: person.key, ...state, roleId: state.roleId, source: sourceOf(person) }]
  }
  const from = {
    status: member.status,
    statusReason: member.statusReason,
    roleId: member.roleId,
    seated: member.seated,
  }
  const same =
    from.status === state.status &&
    from.statusReason === state.statusReason &&
    from.roleId === state.roleId &&
    from.seated === state.seated
  if (same) return []
  const demotedBy =
    roles.rank(state.roleId) < roles.rank(from.roleId) ? (person.directoryUsers[0]?.directoryId ?? null) : null
  const left = state.status !== 'active' && state.status !== 'waitlisted'
  const removalBy = from.status !== 'active' ? null : left ? desired.byDirectory : demotedBy
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
