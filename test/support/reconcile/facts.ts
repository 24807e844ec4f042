// What admins say to the world of world.ts: domains, limits, decisions, users of the tenant. Like
// every door they ask for what they touched to be reconciled and change no member themselves. The
// other doors are directory.ts and ways-in.ts.

import { parseEmail } from '../../../src/model/email.ts'
import type { Uuid } from '../../../src/model/ids.ts'
import type { Address, Profile, Target } from '../../../src/reconcile/snapshot.ts'
import { nextFactId, type Subject, type World } from './world.ts'

export function ask(world: World, kind: Subject['kind'], id: Uuid): void {
  world.requests.set(`${kind}:${id}`, { kind, id })
}

export function askForEverybody(world: World): void {
  for (const id of world.directoryUsers.keys()) ask(world, 'directory_user', id)
  for (const id of world.entries.keys()) ask(world, 'entry', id)
  for (const id of world.members.keys()) ask(world, 'member', id)
  ask(world, 'organization', world.organization.id)
}

export function address(text: string): Address {
  const email = parseEmail(text)
  if (email === null) throw new Error(`${text} is no address`)
  return email
}

export function profile(email: string | null, displayName: string | null = null): Profile {
  return { email: email === null ? null : address(email), displayName, givenName: null, familyName: null }
}

export function role(id: Uuid): Target {
  return { kind: 'role', id }
}

export function team(id: Uuid): Target {
  return { kind: 'unit', id }
}

/** Null: nobody's any more. */
export function setDomain(world: World, name: string, owner: 'own' | 'foreign' | null): void {
  if (owner === null) world.domains.delete(name)
  else world.domains.set(name, owner)
  askForAddresses(world, (one) => one.domain === name)
}

export function askForAddresses(world: World, matches: (one: Address) => boolean): void {
  for (const user of world.directoryUsers.values())
    if (user.profile.email !== null && matches(user.profile.email)) ask(world, 'directory_user', user.id)
  for (const entry of world.entries.values()) {
    const { email } = world.identities.get(entry.identityId ?? '')?.profile ?? entry.profile
    if (email !== null && matches(email)) ask(world, 'entry', entry.id)
  }
  for (const member of world.members.values()) {
    const email = world.users.get(member.userId)?.profile.email ?? null
    if (email !== null && matches(email)) ask(world, 'member', member.id)
  }
}

export function setSeatLimit(world: World, limit: number | null): void {
  world.organization.seatLimit = limit
  ask(world, 'organization', world.organization.id)
}

/** A user of the tenant, made in another organization unless said otherwise. */
export function addUser(
  world: World,
  email: string | null,
  known: { emailVerified?: boolean; elsewhere?: boolean; displayName?: string } = {},
): Uuid {
  const id = nextFactId(world, 'user')
  const { emailVerified = false, elsewhere = true, displayName = null } = known
  world.users.set(id, { id, emailVerified, elsewhere, profile: profile(email, displayName) })
  return id
}

export function decideConflict(world: World, conflictId: Uuid, state: 'linked' | 'separate'): void {
  const conflict = found(world.conflicts.get(conflictId))
  conflict.state = state
  ask(world, conflict.subject.kind, conflict.subject.id)
}

/** Decides everything that is held. */
export function decideHeld(world: World, state: 'approved' | 'rejected'): void {
  for (const held of world.heldChanges.values()) {
    if (held.state !== 'held') continue
    held.state = state
    ask(world, 'member', held.memberId)
  }
}

export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the world has no such thing')
  return value
}
