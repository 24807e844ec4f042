// The reference for what loading a slice has to answer: the subjects named, everything that may be
// the same people, and what is recorded of them. Slow and plain. Rows come in no order.

import type { Uuid } from '../../../src/model/ids.ts'
import { addressKeysOf } from '../../../src/reconcile/evidence.ts'
import type {
  DirectoryFacts,
  DirectoryUserFacts,
  EntryFacts,
  HeldChangeFacts,
  MemberFacts,
  Snapshot,
  UserFacts,
} from '../../../src/reconcile/snapshot.ts'
import { inAnyOrder, now, roles, type StoredEntry, type Subject, type World } from './world.ts'

export function snapshotOf(world: World, subjects: Iterable<Subject>): Snapshot {
  const named = [...subjects, ...protectedOwners(world)]
  const touched = closure(world, startOf(world, named))
  const people = closure(world, startOf(world, [...named, ...waitlistHead(world, touched.users)]))
  const directoryUsers = allDirectoryUsers(world).filter((user) => people.ids.has(user.id))
  const entries = allEntries(world).filter((entry) => people.ids.has(entry.id))
  const users = [...world.users.values()].filter((user) => people.users.has(user.id))
  const members = [...world.members.values()].filter((member) => people.users.has(member.userId))
  const addresses = [...directoryUsers, ...entries, ...users, ...entries.flatMap((entry) => entry.identity ?? [])]
    .map(({ profile }) => profile.email)
    .filter((email) => email !== null)
  const keys = new Set(addresses.map((address) => address.key))
  const domains = new Set(addresses.map((address) => address.domain))
  const memberIds = new Set(members.map((member) => member.id))
  const { brake, ...organization } = world.organization
  return structuredClone({
    now: now(world),
    organization: { ...organization, brake: { ...brake }, otherOwners: countOtherOwners(world, memberIds) },
    directories: inAnyOrder(world, allDirectories(world, people.ids)),
    mappings: inAnyOrder(world, world.mappings.values()),
    directoryUsers: inAnyOrder(world, directoryUsers),
    entries: inAnyOrder(world, entries),
    users: inAnyOrder(world, users),
    members: inAnyOrder(world, members),
    invitations: inAnyOrder(world, world.invitations.values())
      .filter((invitation) => invitation.state === 'pending' && keys.has(invitation.emailKey))
      .map(({ state: _, ...invitation }) => invitation),
    conflicts: inAnyOrder(world, world.conflicts.values()).filter(({ subject }) => people.ids.has(subject.id)),
    heldChanges: latestHeldChanges(world, memberIds),
    domains: [...world.domains]
      .filter(([name]) => domains.has(name))
      .map(([name, owner]) => ({ name, own: owner === 'own' })),
  })
}

/** Everybody and everything. */
export function everySubject(world: World): Subject[] {
  const all: Subject[] = [...world.directoryUsers.keys()].map((id) => ({ kind: 'directory_user', id }))
  for (const id of world.entries.keys()) all.push({ kind: 'entry', id })
  for (const id of world.members.keys()) all.push({ kind: 'member', id })
  return all
}

interface Closure {
  /** Of directory users and entries. */
  readonly ids: ReadonlySet<Uuid>
  readonly users: ReadonlySet<Uuid>
}

/** What a fact or a user has in common with others that may be the same person, or wait to be told whether they are. */
function tiesOf(world: World, one: DirectoryUserFacts | EntryFacts | UserFacts): string[] {
  const ties = [...world.conflicts.values()]
    .filter(({ subject, state }) => subject.id === one.id && (state === 'linked' || state === 'open'))
    .map((conflict) => `user:${conflict.candidateUserId}`)
  if ('userName' in one) {
    ties.push(...addressKeysOf(one).map((key) => `address:${key}`))
    if (one.link?.userId != null) ties.push(`user:${one.link.userId}`)
  } else if ('claimValues' in one) {
    const { identity } = one
    if (identity !== null) ties.push(`identity:${identity.id}`)
    const userId = identity?.userId ?? one.userId
    if (userId !== null) ties.push(`user:${userId}`)
    const { email } = (identity ?? one).profile
    if (email !== null) ties.push(`address:${email.key}`)
  } else {
    ties.push(`user:${one.id}`)
    if (one.profile.email !== null) ties.push(`address:${one.profile.email.key}`)
  }
  return ties
}

function startOf(world: World, subjects: Iterable<Subject>): Set<string> {
  const start = new Set<string>()
  for (const { kind, id } of subjects) {
    const userId = kind === 'member' ? world.members.get(id)?.userId : undefined
    if (userId !== undefined) start.add(`user:${userId}`)
    else if (kind === 'directory_user' || kind === 'entry') start.add(id)
  }
  return start
}

function closure(world: World, start: Set<string>): Closure {
  const all = [...allDirectoryUsers(world), ...allEntries(world), ...world.users.values()].map((one) => ({
    one,
    ties: tiesOf(world, one),
  }))
  const reached = new Set(start)
  for (let before = -1; before < reached.size; ) {
    before = reached.size
    for (const { one, ties } of all) {
      if (!reached.has(one.id) && !ties.some((tie) => reached.has(tie))) continue
      reached.add(one.id)
      for (const tie of ties) reached.add(tie)
    }
  }
  const among = (ids: Iterable<Uuid>) => [...ids].filter((id) => reached.has(id))
  return {
    ids: new Set([...among(world.directoryUsers.keys()), ...among(world.entries.keys())]),
    users: new Set(among(world.users.keys())),
  }
}

function allDirectoryUsers(world: World): DirectoryUserFacts[] {
  const mapped = new Set(
    [...world.mappings.values()].flatMap(({ source }) => ('groupId' in source ? source.groupId : [])),
  )
  const groups = [...world.groups.values()].filter((group) => mapped.has(group.id) && !group.deleted)
  return [...world.directoryUsers.values()].map((user) => ({
    ...user,
    groupIds: groups.filter((group) => group.members.has(user.id)).map((group) => group.id),
    link: world.links.get(user.id) ?? null,
  }))
}

function allEntries(world: World): EntryFacts[] {
  return [...world.entries.values()].map(({ identityId, joinRuleId, ...entry }: StoredEntry) => {
    const { enabled, ...rule } = world.joinRules.get(joinRuleId ?? '') ?? { enabled: false, id: null }
    const live = enabled && 'domain' in rule && world.domains.get(rule.domain) === 'own'
    return {
      ...entry,
      identity: world.identities.get(identityId ?? '') ?? null,
      joinRule: 'domain' in rule ? { ...rule, live } : null,
    }
  })
}

function protectedOwners(world: World): Subject[] {
  return [...world.members.values()]
    .filter((member) => member.grants.some((grant) => grant.source.kind === 'system'))
    .map(({ id }) => ({ kind: 'member', id }))
}

/** As many as could get a seat: the free ones and those that the slice could free. */
function waitlistHead(world: World, users: ReadonlySet<Uuid>): Subject[] {
  const { seatLimit, seatsUsed } = world.organization
  const members = [...world.members.values()]
  const seated = members.filter((member) => users.has(member.userId) && member.seated).length
  return members
    .filter((member) => member.status === 'waitlisted')
    .sort((one, other) => turn(one) - turn(other))
    .slice(0, seatLimit === null ? undefined : Math.max(0, seatLimit - seatsUsed + seated))
    .map(({ id }) => ({ kind: 'member', id }))
}

function turn(member: MemberFacts): number {
  return member.waitlistedAt?.getTime() ?? 0
}

function countOtherOwners(world: World, memberIds: ReadonlySet<Uuid>): number {
  return [...world.members.values()].filter(
    (member) => member.status === 'active' && member.roleId === roles.owner && !memberIds.has(member.id),
  ).length
}

function latestHeldChanges(world: World, memberIds: ReadonlySet<Uuid>): HeldChangeFacts[] {
  const latest = new Map<string, HeldChangeFacts>()
  for (const { id, memberId, kind, state, fingerprint } of world.heldChanges.values()) {
    if (state === 'superseded' || !memberIds.has(memberId)) continue
    const known = latest.get(`${memberId}:${kind}`)
    if (known?.state !== 'held') latest.set(`${memberId}:${kind}`, { id, memberId, kind, state, fingerprint })
  }
  return [...latest.values()]
}

function allDirectories(world: World, inSlice: ReadonlySet<Uuid>): DirectoryFacts[] {
  const active = new Map(
    [...world.members.values()].filter((one) => one.status === 'active').map((one) => [one.userId, one]),
  )
  const held = [...world.heldChanges.values()].filter((change) => change.state === 'held')
  return [...world.directories.values()]
    .filter((directory) => directory.state !== 'decommissioned')
    .map(({ id, name, state, firstContactAt }) => {
      const accounts = [...world.directoryUsers.values()]
        .filter((user) => user.directoryId === id)
        .map((user) => ({ user, member: active.get(world.links.get(user.id)?.userId ?? '') }))
        .filter(({ member }) => member !== undefined)
      const waiting = accounts.filter(
        ({ user, member }) =>
          !user.active &&
          !inSlice.has(user.id) &&
          world.requests.has(`directory_user:${user.id}`) &&
          !held.some((change) => change.memberId === member?.id),
      )
      return {
        ...{ id, name, state, governsSince: state === 'pending' ? null : firstContactAt },
        activeMembers: new Set(accounts.map(({ member }) => member?.id)).size,
        removedLastHour: world.removals.filter((one) => one.directoryId === id && one.atMs > world.nowMs - 3_600_000)
          .length,
        removalsElsewhere: held.filter((change) => change.directoryId === id).length + waiting.length,
      }
    })
}
