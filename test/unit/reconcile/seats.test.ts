// Who gets a seat: every way in comes through here, first come first served, and nobody who holds
// one is put out by a limit.

import { describe, expect, test } from 'vitest'
import { addDirectory, changeUser, deleteUser, pushUser } from '../../support/reconcile/directory.ts'
import { found, setDomain, setSeatLimit } from '../../support/reconcile/facts.ts'
import { drain, planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor } from '../../support/reconcile/view.ts'
import { addByHand, addJoinRule, invite, logIn, signUp } from '../../support/reconcile/ways-in.ts'
import { createWorld, type World } from '../../support/reconcile/world.ts'

function limited(
  seatLimit: number | null,
  names: readonly string[],
): { world: World; directory: string; accounts: string[] } {
  const world = createWorld({ seatLimit })
  setDomain(world, 'acme.test', 'own')
  const directory = addDirectory(world)
  return { world, directory, accounts: names.map((name) => pushUser(world, directory, `${name}@acme.test`)) }
}

const statuses = (world: World, accounts: readonly string[]) =>
  accounts.map((account) => memberFor(world, account)?.status)

const waiting = { status: 'waitlisted', reason: 'no_seat', seated: false }

describe('at the limit', () => {
  test.each(['block', 'waitlist'] as const)(
    'a newcomer who came past the door waits, under the policy %s',
    (policy) => {
      const { world, accounts } = limited(1, ['anna', 'bert'])
      world.organization.seatPolicy = policy
      reconcile(world)
      expect(memberFor(world, found(accounts[0]))).toMatchObject({ status: 'active', seated: true })
      expect(memberFor(world, found(accounts[1]))).toMatchObject(waiting)
      expect(world.organization.seatsUsed).toBe(1)
    },
  )

  test('every way in waits alike', () => {
    const world = createWorld({ seatLimit: 0 })
    setDomain(world, 'acme.test', 'own')
    invite(world, 'dora@acme.test')
    const entries = [
      logIn(world, 'anna@acme.test'),
      signUp(world, 'bert@acme.test', { rule: addJoinRule(world, 'acme.test', {}) }),
      addByHand(world, { email: 'carl@acme.test' }),
      logIn(world, 'dora@acme.test'),
    ]
    reconcile(world)
    expect(entries.map((entry) => memberFor(world, entry))).toEqual(entries.map(() => expect.objectContaining(waiting)))
    expect(world.organization.seatsUsed).toBe(0)
  })

  test('who waits keeps role and grants for the time when there is a seat', () => {
    const { world } = limited(0, [])
    const entry = addByHand(world, { email: 'anna@acme.test' }, { roleId: 'role-admin', unitId: 'team-a' })
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ ...waiting, role: 'role-admin' })
    expect(memberFor(world, entry)?.grants).toHaveLength(2)
  })

  test('inactive and removed people need no seat', () => {
    const { world, directory } = limited(1, ['anna'])
    const bert = pushUser(world, directory, 'bert@acme.test', { active: false })
    reconcile(world)
    expect(memberFor(world, bert)?.status).toBe('inactive')
  })

  test('without a limit nobody waits', () => {
    const { world, accounts } = limited(null, ['anna', 'bert', 'carl'])
    reconcile(world)
    expect(statuses(world, accounts)).toEqual(['active', 'active', 'active'])
    expect(world.organization.seatsUsed).toBe(3)
  })
})

describe('a seat that becomes free', () => {
  test('goes in the same slice to who has waited longest', () => {
    const { world, accounts } = limited(1, ['anna', 'bert'])
    reconcile(world)
    const carl = pushUser(world, found([...world.directories.keys()][0]), 'carl@acme.test')
    reconcile(world)
    deleteUser(world, found(accounts[0]))
    reconcile(world)
    expect(statuses(world, [...accounts, carl])).toEqual(['removed', 'active', 'waitlisted'])
    expect(memberFor(world, found(accounts[1]))).toMatchObject({ reason: null, seated: true })
    expect(world.organization.seatsUsed).toBe(1)
  })

  test('goes to who waits and not to a newcomer of the same slice', () => {
    const { world, directory, accounts } = limited(1, ['anna', 'bert'])
    reconcile(world)
    deleteUser(world, found(accounts[0]))
    const carl = pushUser(world, directory, 'carl@acme.test')
    reconcile(world)
    expect(statuses(world, [...accounts, carl])).toEqual(['removed', 'active', 'waitlisted'])
  })

  test('goes to who waits and not to who comes back in the same slice, though they were here before', () => {
    const { world, directory, accounts } = limited(1, ['anna', 'bert'])
    changeUser(world, found(accounts[1]), { active: false })
    const carl = pushUser(world, directory, 'carl@acme.test')
    reconcile(world)
    deleteUser(world, found(accounts[0]))
    changeUser(world, found(accounts[1]), { active: true })
    reconcile(world)
    expect(statuses(world, [...accounts, carl])).toEqual(['removed', 'waitlisted', 'active'])
  })

  test('of newcomers goes to who was heard of first', () => {
    const { world, accounts } = limited(2, ['zoe', 'anna', 'bert'])
    reconcile(world, [...world.requests.values()].reverse())
    expect(statuses(world, accounts)).toEqual(['active', 'active', 'waitlisted'])
  })

  test('of newcomers by different ways goes to who was heard of first', () => {
    const { world, directory } = limited(1, [])
    const anna = addByHand(world, { email: 'anna@acme.test' })
    const bert = pushUser(world, directory, 'bert@acme.test')
    reconcile(world)
    expect(statuses(world, [anna, bert])).toEqual(['active', 'waitlisted'])
  })

  test('is not for somebody who comes back while others wait', () => {
    const { world, accounts } = limited(1, ['anna', 'bert'])
    reconcile(world)
    changeUser(world, found(accounts[0]), { active: false })
    reconcile(world)
    changeUser(world, found(accounts[0]), { active: true })
    reconcile(world)
    expect(statuses(world, accounts)).toEqual(['waitlisted', 'active'])
  })

  test('is passed over by who has left the waitlist meanwhile', () => {
    const { world, accounts } = limited(1, ['anna', 'bert', 'carl'])
    reconcile(world)
    deleteUser(world, found(accounts[1]))
    deleteUser(world, found(accounts[0]))
    drain(world, (all) => all.slice(0, 1))
    expect(statuses(world, accounts)).toEqual(['removed', 'removed', 'active'])
  })

  test('by a raised limit promotes as many as there are seats, in their order', () => {
    const { world, accounts } = limited(0, ['anna', 'bert', 'carl'])
    for (const account of accounts) reconcile(world, [{ kind: 'directory_user', id: account }])
    setSeatLimit(world, 2)
    drain(world)
    expect(statuses(world, accounts)).toEqual(['active', 'active', 'waitlisted'])
    setSeatLimit(world, null)
    drain(world)
    expect(statuses(world, accounts)).toEqual(['active', 'active', 'active'])
  })
})

describe('a lowered limit', () => {
  test('puts nobody out, and gives no seat again until use is below it', () => {
    const { world, directory, accounts } = limited(3, ['anna', 'bert', 'carl'])
    reconcile(world)
    setSeatLimit(world, 1)
    const dora = pushUser(world, directory, 'dora@acme.test')
    reconcile(world)
    expect(statuses(world, [...accounts, dora])).toEqual(['active', 'active', 'active', 'waitlisted'])
    deleteUser(world, found(accounts[0]))
    deleteUser(world, found(accounts[1]))
    drain(world)
    expect(statuses(world, [...accounts, dora])).toEqual(['removed', 'removed', 'active', 'waitlisted'])
    deleteUser(world, found(accounts[2]))
    drain(world)
    expect(memberFor(world, dora)?.status).toBe('active')
    expect(planEverybody(world).changes).toEqual([])
  })
})
