// What holds after every slice of every life: seats add up and stay within the limit, the last
// Owner stays, grants have live sources, and planning never fails, never changes what it reads,
// and takes the same time for a large slice as for many small ones.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Change, Plan } from '../../src/reconcile/change.ts'
import { makePlan } from '../../src/reconcile/plan.ts'
import type { GrantFacts, MemberFacts, Snapshot } from '../../src/reconcile/snapshot.ts'
import { addDirectory, addGroup, changeUser, mapGroup, pushUser } from '../support/reconcile/directory.ts'
import { role, setDomain, team } from '../support/reconcile/facts.ts'
import { drainWatched, everything, live, picker, runs, slices } from '../support/reconcile/lives.ts'
import { applyPlan } from '../support/reconcile/reconcile.ts'
import { everySubject, snapshotOf } from '../support/reconcile/snapshot-of.ts'
import { logIn } from '../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../support/reconcile/world.ts'

type Look = (world: World) => (plan: Plan) => void

/** Lives many lives with a limit and a sharp brake, in slices, and looks at each slice. */
function everyLife(look: Look, atTheEnd: (world: World) => void = () => {}): void {
  fc.assert(
    fc.property(everything, slices, (life, numbers) => {
      const world = createWorld({ seatLimit: 4 })
      world.organization.brake = { percent: 20, minimum: 3 }
      const observer = { pick: picker(numbers), look }
      drainWatched(live(world, life, observer), observer)
      atTheEnd(world)
    }),
    { numRuns: runs },
  )
}

const overlook: Look = () => () => {}
const membersOf = (world: World): readonly MemberFacts[] => [...world.members.values()]
const isOwner = (member: MemberFacts) => member.status === 'active' && member.roleId === roles.owner

describe('after every slice', () => {
  test('seats used are the members who hold one, who are the active ones', () => {
    everyLife((world) => () => {
      const members = membersOf(world)
      expect(world.organization.seatsUsed).toBe(members.filter((member) => member.seated).length)
      for (const member of members) expect(member.seated).toBe(member.status === 'active')
    })
  })

  test('seats were given within the limit only, and the limit put nobody out', () => {
    everyLife((world) => ({ changes }) => {
      const { seatLimit, seatsUsed } = world.organization
      const changed = changes.filter((change) => change.kind === 'change-member')
      const given =
        changes.some((change) => change.kind === 'create-member' && change.seated) ||
        changed.some(({ from, to }) => to.seated && !from.seated)
      if (given) expect(seatsUsed).toBeLessThanOrEqual(seatLimit ?? Number.POSITIVE_INFINITY)
      for (const { from, to } of changed) if (from.status === 'active') expect(to.status).not.toBe('waitlisted')
    })
  })

  test('there is an active Owner if there was one before', () => {
    everyLife((world) => {
      const owned = membersOf(world).some(isOwner)
      return () => expect(owned && !membersOf(world).some(isOwner)).toBe(false)
    })
  })

  test('the system keeps at most one Owner, and only where there is no other', () => {
    everyLife((world) => () => {
      const kept = membersOf(world).filter((member) => member.grants.some((grant) => grant.source.kind === 'system'))
      expect(kept.length).toBeLessThanOrEqual(1)
      for (const member of kept) expect(member).toMatchObject({ status: 'active', roleId: roles.owner })
    })
  })

  test("a member's role is the strongest that they hold, and the default without any", () => {
    everyLife((world) => () => {
      for (const member of membersOf(world)) {
        const held = member.grants.flatMap(({ target }) => (target.kind === 'role' ? [rank(target.id)] : []))
        const expected = member.status === 'removed' ? 0 : Math.max(10, ...held)
        expect(member.roleId === null ? 0 : rank(member.roleId)).toBe(expected)
      }
    })
  })

  test('no plan makes, links or accepts anything twice', () => {
    everyLife(() => ({ changes }) => {
      const names = changes.map(nameOf)
      expect(new Set(names).size).toBe(names.length)
    })
  })
})

test('once everything asked for is reconciled, nobody waits while a seat is free', () => {
  everyLife(overlook, (world) => {
    const { seatLimit, seatsUsed } = world.organization
    if (seatLimit === null || seatsUsed < seatLimit)
      expect(membersOf(world).filter((member) => member.status === 'waitlisted')).toEqual([])
  })
})

test('once everything asked for is reconciled, every grant has a live source, unless its loss is held', () => {
  everyLife(overlook, (world) => {
    const held = new Set(
      [...world.heldChanges.values()]
        .filter((change) => change.state !== 'superseded')
        .map((change) => change.memberId),
    )
    for (const member of membersOf(world))
      for (const grant of member.grants) expect(isLive(world, member, grant) || held.has(member.id)).toBe(true)
  })
})

describe('planning', () => {
  test('changes nothing of what it reads', () => {
    fc.assert(
      fc.property(everything, (life) => {
        const world = live(createWorld({ seatLimit: 3 }), life)
        const snapshot = snapshotOf(world, everySubject(world))
        const before = structuredClone(snapshot)
        makePlan(freeze(snapshot))
        expect(snapshot).toEqual(before)
      }),
      { numRuns: runs },
    )
  })

  test('answers the same for the same, in whatever order it is told', () => {
    fc.assert(
      fc.property(everything, fc.nat({ max: 1_000 }), (life, seed) => {
        const world = live(createWorld({ brake: 'off' }), life)
        const snapshot = snapshotOf(world, everySubject(world))
        world.seed = seed
        expect(sorted(makePlan(snapshotOf(world, everySubject(world))))).toEqual(sorted(makePlan(snapshot)))
      }),
      { numRuns: runs },
    )
  })

  test('never fails, not even on half a snapshot', () => {
    fc.assert(
      fc.property(everything, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), (life, keep) => {
        const world = live(createWorld({ seatLimit: 2 }), life)
        const whole = snapshotOf(world, everySubject(world))
        const half = Object.fromEntries(
          Object.entries(whole).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.filter((_, index) => keep[index % keep.length]) : value,
          ]),
        )
        expect(() => makePlan({ ...whole, ...half })).not.toThrow()
      }),
      { numRuns: runs },
    )
  })

  test('of 2,000 people under 200 mappings takes less than 100 ms of processor time, new or known, with a login each', () => {
    const world = createWorld()
    setDomain(world, 'own.test', 'own')
    const directory = addDirectory(world)
    const accounts = Array.from({ length: 2_000 }, (_, index) => pushUser(world, directory, `user${index}@own.test`))
    for (let index = 0; index < 200; index += 1) {
      const members = accounts.filter((_, place) => place % 40 === index % 40)
      const group = addGroup(world, directory, `Group ${index}`, members)
      mapGroup(world, group, index % 2 === 0 ? role(roles.admin) : team(`team-${index}`))
    }
    expect(timed(wholeOf(world))).toBeLessThan(100)
    applyPlan(world, makePlan(wholeOf(world)))
    for (let index = 0; index < 2_000; index += 1) logIn(world, `user${index}@own.test`)
    expect(timed(wholeOf(world))).toBeLessThan(100)
    applyPlan(world, makePlan(wholeOf(world)))
    expect(makePlan(wholeOf(world)).changes).toEqual([])
    for (const [index, account] of accounts.entries())
      changeUser(world, account, { email: `user${index + 1}@own.test`, active: index % 2 === 0 })
    expect(timed(wholeOf(world))).toBeLessThan(100)
  })
})

/** Milliseconds of processor time of the fastest of some plans: other work on the machine is not the planner's. */
function timed(snapshot: Snapshot): number {
  const times = Array.from({ length: 12 }, () => {
    const before = process.cpuUsage()
    makePlan(snapshot)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return Math.min(...times)
}

/** All there is, without looking for who belongs together. */
function wholeOf(world: World): Snapshot {
  const groups = [...world.groups.values()]
  const directoryUsers = [...world.directoryUsers.values()].map((user) => ({
    ...user,
    groupIds: groups.filter((group) => group.members.has(user.id)).map((group) => group.id),
    link: world.links.get(user.id) ?? null,
  }))
  const entries = [...world.entries.values()].map(({ identityId, joinRuleId: _, ...entry }) => {
    return { ...entry, identity: world.identities.get(identityId ?? '') ?? null, joinRule: null }
  })
  const nobody = { ...world, directoryUsers: new Map(), entries: new Map(), users: new Map(), members: new Map() }
  return {
    ...snapshotOf(nobody, []),
    ...{ directoryUsers, entries, users: [...world.users.values()], members: [...world.members.values()] },
    domains: [{ name: 'own.test', own: true }],
  }
}

/** What a change does, so that doing it twice has one name. */
function nameOf(change: Change): string {
  switch (change.kind) {
    case 'link':
    case 'raise-conflict':
      return `${change.kind} ${change.subject.id}`
    case 'add-grant':
      return `give ${change.user} ${change.target.id} ${change.source.kind} ${change.source.id}`
    case 'remove-grant':
      return `take ${change.grantId}`
    case 'consume-invitation':
      return `accept ${change.invitationId}`
    case 'close-conflict':
      return `close ${change.conflictId}`
    case 'create-user':
    case 'update-user':
      return `name ${change.user}`
    case 'create-member':
    case 'change-member':
      return `member ${change.user}`
  }
}

function rank(roleId: string): number {
  return createWorld().organization.roles.find((one) => one.id === roleId)?.rank ?? 0
}

function isLive(world: World, member: MemberFacts, { source, target }: GrantFacts): boolean {
  const entries = [...world.entries.values()].filter((entry) => entry.userId === member.userId && !entry.withdrawn)
  const accounts = [...world.directoryUsers.values()].filter(
    (user) => world.links.get(user.id)?.userId === member.userId && user.deletedAt === null,
  )
  switch (source.kind) {
    case 'directory_group':
    case 'sso_claim': {
      const mapping = world.mappings.get(source.id ?? '')
      if (mapping === undefined || mapping.target.id !== target.id) return false
      const from = mapping.source
      if (from.kind === 'directory_group')
        return accounts.some((account) => world.groups.get(from.groupId)?.members.has(account.id) === true)
      return entries.some((entry) => entry.connectionId === from.connectionId && entry.claimValues.includes(from.value))
    }
    case 'manual':
      return entries.some((entry) => entry.id === source.id)
    case 'invitation':
      return entries.some((entry) => entry.invitationId === source.id)
    case 'domain_rule':
      return (
        entries.some((entry) => entry.joinRuleId === source.id) &&
        world.joinRules.get(source.id ?? '')?.enabled === true
      )
    case 'system':
      return target.id === roles.owner
    case 'csv':
      return false
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    Object.values(value).forEach(freeze)
    Object.freeze(value)
  }
  return value
}

function sorted({ changes, held, superseded, observed }: Plan) {
  const texts = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort()
  return [
    ...[texts(changes), texts(held), texts(superseded)],
    ...[texts(observed.directoryUsers), texts(observed.entries)],
  ]
}
