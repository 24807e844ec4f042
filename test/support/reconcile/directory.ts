// What a directory says to the world of world.ts: accounts, groups, and what groups are mapped to.

import { parseEmail } from '../../../src/model/email.ts'
import type { Uuid } from '../../../src/model/ids.ts'
import type { MappingFacts, Target } from '../../../src/reconcile/snapshot.ts'
import { ask, askForEverybody, found, profile } from './facts.ts'
import { nextFactId, now, type World } from './world.ts'

/** In contact from now on, so that it governs. */
export function addDirectory(world: World, name = 'Okta'): Uuid {
  const id = nextFactId(world, 'directory')
  world.directories.set(id, { id, name, state: 'active', firstContactAt: now(world) })
  askForEverybody(world)
  return id
}

export function decommission(world: World, directoryId: Uuid): void {
  const directory = found(world.directories.get(directoryId))
  directory.state = 'decommissioned'
  askForEverybody(world)
}

export interface PushedUser {
  readonly userName?: string
  readonly email?: string | null
  readonly displayName?: string | null
  readonly active?: boolean
}

/** A new account; its e-mail is the userName where nothing else is said. */
export function pushUser(world: World, directoryId: Uuid, userName: string, pushed: PushedUser = {}): Uuid {
  const id = nextFactId(world, 'account')
  const email = pushed.email === undefined ? (parseEmail(userName)?.address ?? null) : pushed.email
  world.directoryUsers.set(id, {
    ...{ id, directoryId, userName, active: pushed.active ?? true, deletedAt: null },
    ...{ createdAt: now(world), generation: 1, profile: profile(email, pushed.displayName ?? null) },
  })
  ask(world, 'directory_user', id)
  return id
}

export function changeUser(world: World, id: Uuid, pushed: PushedUser): void {
  const user = found(world.directoryUsers.get(id))
  const displayName = pushed.displayName === undefined ? user.profile.displayName : pushed.displayName
  const email = pushed.email === undefined ? (user.profile.email?.address ?? null) : pushed.email
  user.profile = profile(email, displayName)
  user.userName = pushed.userName ?? user.userName
  if (user.deletedAt === null) user.active = pushed.active ?? user.active
  said(world, user)
}

/** Leaves a tombstone, which is in no group. */
export function deleteUser(world: World, id: Uuid): void {
  const user = found(world.directoryUsers.get(id))
  said(world, user)
  user.deletedAt = now(world)
  user.active = false
  for (const group of world.groups.values()) group.members.delete(id)
}

/** A POST that meets its own tombstone. */
export function recreateUser(world: World, id: Uuid): void {
  const user = found(world.directoryUsers.get(id))
  user.deletedAt = null
  user.active = true
  said(world, user)
}

function said(world: World, user: { readonly id: Uuid; generation: number }): void {
  world.nowMs += 1_000
  user.generation += 1
  ask(world, 'directory_user', user.id)
}

export function addGroup(world: World, directoryId: Uuid, name: string, members: readonly Uuid[] = []): Uuid {
  const id = nextFactId(world, 'group')
  world.groups.set(id, { id, directoryId, name, members: new Set(), deleted: false })
  for (const member of members) joinGroup(world, id, member)
  return id
}

export function joinGroup(world: World, groupId: Uuid, userId: Uuid): void {
  found(world.groups.get(groupId)).members.add(userId)
  ask(world, 'directory_user', userId)
}

export function leaveGroup(world: World, groupId: Uuid, userId: Uuid): void {
  found(world.groups.get(groupId)).members.delete(userId)
  ask(world, 'directory_user', userId)
}

export function mapGroup(world: World, groupId: Uuid, target: Target): Uuid {
  const { name, members } = found(world.groups.get(groupId))
  for (const member of members) ask(world, 'directory_user', member)
  return addMapping(world, { kind: 'directory_group', groupId, groupName: name }, target)
}

export function mapClaim(world: World, connectionId: Uuid, value: string, target: Target): Uuid {
  for (const entry of world.entries.values()) if (entry.connectionId === connectionId) ask(world, 'entry', entry.id)
  return addMapping(world, { kind: 'sso_claim', connectionId, value }, target)
}

function addMapping(world: World, source: MappingFacts['source'], target: Target): Uuid {
  const id = nextFactId(world, 'mapping')
  world.mappings.set(id, { id, source, target })
  return id
}

export function unmap(world: World, mappingId: Uuid): void {
  const { source } = found(world.mappings.get(mappingId))
  world.mappings.delete(mappingId)
  if (source.kind === 'directory_group') {
    for (const member of found(world.groups.get(source.groupId)).members) ask(world, 'directory_user', member)
  }
  // Whoever held something by it, however they got it.
  for (const member of world.members.values())
    if (member.grants.some((grant) => grant.source.id === mappingId)) ask(world, 'member', member.id)
}
