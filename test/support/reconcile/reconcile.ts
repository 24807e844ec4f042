// Reconciling the world of world.ts: slices of what was asked for, planned and applied. applyPlan
// is the reference for what store/apply has to do to the database.

import type { Uuid } from '../../../src/model/ids.ts'
import type { Change, Plan, UserKey } from '../../../src/reconcile/change.ts'
import { makePlan } from '../../../src/reconcile/plan.ts'
import { ask, found, profile } from './facts.ts'
import { everySubject, snapshotOf } from './snapshot-of.ts'
import { nextDerivedId, now, type Subject, type World } from './world.ts'

/** What reconciling everybody would do now. */
export function planEverybody(world: World): Plan {
  return makePlan(snapshotOf(world, everySubject(world)))
}

/** One slice: of these subjects, or of everything that was asked for. */
export function reconcile(world: World, subjects: Iterable<Subject> = [...world.requests.values()]): Plan {
  const slice = [...subjects]
  world.nowMs += 1
  for (const { kind, id } of slice) world.requests.delete(`${kind}:${id}`)
  const plan = makePlan(snapshotOf(world, slice))
  applyPlan(world, plan)
  return plan
}

/** Slice by slice until nothing is asked for any more; `pick` chooses the next one. */
export function drain(world: World, pick: (waiting: readonly Subject[]) => Iterable<Subject> = (all) => all): Plan[] {
  const plans: Plan[] = []
  while (world.requests.size > 0) {
    if (plans.length > 10_000) throw new Error('reconciling does not come to an end')
    plans.push(reconcile(world, pick([...world.requests.values()])))
  }
  return plans
}

/** Throws where the database would refuse. */
export function applyPlan(world: World, plan: Plan): void {
  const people = new Map<UserKey, Uuid>()
  for (const change of plan.changes) if (change.kind === 'create-user') createUser(world, people, change)
  const userOf = (key: UserKey) => (key.startsWith('new:') ? found(people.get(key)) : found(world.users.get(key)).id)
  for (const change of plan.changes) apply(world, change, userOf)
  const members = new Map([...world.members.values()].map((member) => [member.userId, member]))
  for (const change of plan.changes) {
    if (change.kind !== 'add-grant') continue
    const member = found(members.get(userOf(change.user)))
    const { target, source } = change
    member.grants = [...member.grants, { id: nextDerivedId(world, 'grant'), target, source }]
  }
  observe(world, plan)
  for (const id of plan.superseded) found(world.heldChanges.get(id)).state = 'superseded'
  for (const { why: _, ...held } of plan.held) {
    const id = nextDerivedId(world, 'held')
    world.heldChanges.set(id, { id, state: 'held', ...held })
  }
  askForWaitlist(world, plan)
}

type Of<K extends Change['kind']> = Extract<Change, { kind: K }>

function createUser(world: World, people: Map<UserKey, Uuid>, change: Of<'create-user'>): void {
  if (people.has(change.user)) throw new Error('a user is made twice')
  const id = nextDerivedId(world, 'user')
  people.set(change.user, id)
  world.users.set(id, { id, emailVerified: change.emailVerified, profile: change.profile, elsewhere: false })
}

function apply(world: World, change: Change, userOf: (key: UserKey) => Uuid): void {
  switch (change.kind) {
    case 'create-user':
    case 'add-grant':
      return
    case 'update-user':
      Object.assign(found(world.users.get(change.user)), {
        profile: change.profile,
        emailVerified: change.emailVerified,
      })
      return
    case 'link':
      link(world, change, userOf(change.user))
      return
    case 'raise-conflict':
      raiseConflict(world, change, userOf(change.candidate))
      return
    case 'close-conflict':
      found(world.conflicts.get(change.conflictId)).state = 'gone'
      return
    case 'create-member':
      createMember(world, change, userOf(change.user))
      return
    case 'change-member':
      changeMember(world, change)
      return
    case 'remove-grant': {
      const member = found(world.members.get(change.memberId))
      member.grants = member.grants.filter((grant) => grant.id !== change.grantId)
      return
    }
    case 'consume-invitation':
      consume(world, change, userOf(change.user))
  }
}

function link(world: World, { subject }: Of<'link'>, userId: Uuid): void {
  if (subject.kind === 'identity') found(world.identities.get(subject.id)).userId = userId
  else if (subject.kind === 'entry') found(world.entries.get(subject.id)).userId = userId
  else
    world.links.set(subject.id, { userId, observedGeneration: found(world.directoryUsers.get(subject.id)).generation })
}

/** A login's entry has its identity's user; a link once made is kept when a later look does not speak of it. */
function observe(world: World, { observed }: Plan): void {
  for (const { id, generation } of observed.directoryUsers)
    world.links.set(id, { userId: world.links.get(id)?.userId ?? null, observedGeneration: generation })
  for (const { id, generation } of observed.entries) found(world.entries.get(id)).observedGeneration = generation
  for (const entry of world.entries.values())
    entry.userId = world.identities.get(entry.identityId ?? '')?.userId ?? entry.userId
}

function raiseConflict(world: World, { subject }: Of<'raise-conflict'>, candidateUserId: Uuid): void {
  const known = [...world.conflicts.values()].find(
    (one) => one.subject.id === subject.id && one.candidateUserId === candidateUserId,
  )
  if (known?.state === 'gone') known.state = 'open'
  if (known !== undefined) return
  const id = nextDerivedId(world, 'conflict')
  world.conflicts.set(id, { id, subject, candidateUserId, state: 'open' })
}

function createMember(world: World, change: Of<'create-member'>, userId: Uuid): void {
  if ([...world.members.values()].some((member) => member.userId === userId)) throw new Error('a member is made twice')
  const { status, statusReason, roleId, seated } = change
  const id = nextDerivedId(world, 'member')
  const waitlistedAt = status === 'waitlisted' ? now(world) : null
  world.members.set(id, {
    id,
    userId,
    status,
    statusReason,
    roleId,
    seated,
    createdAt: now(world),
    waitlistedAt,
    grants: [],
  })
  takeSeats(world, seated ? 1 : 0)
}

function changeMember(world: World, { memberId, from, to, removalBy }: Of<'change-member'>): void {
  const member = found(world.members.get(memberId))
  const waitlistedAt = to.status === 'waitlisted' ? (member.waitlistedAt ?? now(world)) : null
  Object.assign(member, to, { waitlistedAt })
  takeSeats(world, Number(to.seated) - Number(from.seated))
  if (removalBy !== null) world.removals.push({ directoryId: removalBy, atMs: world.nowMs })
}

function takeSeats(world: World, seats: number): void {
  world.organization.seatsUsed += seats
  if (world.organization.seatsUsed < 0) throw new Error('fewer seats than none are used')
}

function consume(world: World, change: Of<'consume-invitation'>, userId: Uuid): void {
  const invitation = found(world.invitations.get(change.invitationId))
  if (invitation.state !== 'pending') throw new Error('an invitation is accepted twice')
  invitation.state = 'accepted'
  const id = nextDerivedId(world, 'entry')
  const { roleId, unitId, createdAt } = invitation
  world.entries.set(id, {
    ...{ id, kind: 'invitation', identityId: null, connectionId: null, ownConnection: false, joinRuleId: null },
    ...{ invitationId: invitation.id, userId, profile: profile(null), roleId, unitId, claimValues: [], createdAt },
    ...{ generation: 1, observedGeneration: 1, withdrawn: false },
  })
}

/** A slice looks at the waitlist's head only: where seats are left after it, the organization is asked for again. */
function askForWaitlist(world: World, plan: Plan): void {
  const moved = plan.changes.some(
    (change) =>
      change.kind === 'change-member' &&
      (change.from.seated !== change.to.seated ||
        (change.from.status === 'waitlisted' && change.to.status !== 'waitlisted')),
  )
  const { id, seatLimit, seatsUsed } = world.organization
  const waiting = [...world.members.values()].some((member) => member.status === 'waitlisted')
  if (moved && waiting && (seatLimit === null || seatsUsed < seatLimit)) ask(world, 'organization', id)
}
