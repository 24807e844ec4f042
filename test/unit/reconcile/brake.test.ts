// Removals that are too many at once wait for an admin; everything else goes on.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  changeUser,
  decommission,
  deleteUser,
  joinGroup,
  leaveGroup,
  mapGroup,
  pushUser,
  unmap,
} from '../../support/reconcile/directory.ts'
import { decideHeld, found, role, setDomain, team } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, passTime, roles, type World } from '../../support/reconcile/world.ts'

/** A directory of so many, all of them Admins by a group. */
function staffed(count: number) {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  const directory = addDirectory(world)
  const accounts = Array.from({ length: count }, (_, index) => pushUser(world, directory, `user${index}@acme.test`))
  const group = addGroup(world, directory, 'Admins', accounts)
  const mapping = mapGroup(world, group, role(roles.admin))
  reconcile(world)
  return { world, directory, accounts, group, mapping }
}

const count = (world: World, status: string) =>
  [...world.members.values()].filter((member) => member.status === status).length

const heldNow = (world: World) => [...world.heldChanges.values()].filter((change) => change.state === 'held')

function deactivate(world: World, accounts: readonly string[]): void {
  for (const account of accounts) changeUser(world, account, { active: false })
}

describe('the brake', () => {
  test('lets through what is below the minimum, however large a part it is', () => {
    const { world, accounts } = staffed(12)
    deactivate(world, accounts.slice(0, 9))
    expect(reconcile(world).held).toEqual([])
    expect(count(world, 'inactive')).toBe(9)
  })

  test('lets through as many as the share allows, and holds one more', () => {
    const some = staffed(50)
    deactivate(some.world, some.accounts.slice(0, 10))
    expect(reconcile(some.world).held).toEqual([])
    const more = staffed(50)
    deactivate(more.world, more.accounts.slice(0, 11))
    expect(reconcile(more.world).held).toHaveLength(11)
    expect(count(more.world, 'active')).toBe(50)
  })

  test('holds deactivations, deletions and demotions alike, each with its reason', () => {
    const { world, accounts, group } = staffed(30)
    deactivate(world, accounts.slice(0, 4))
    for (const account of accounts.slice(4, 8)) deleteUser(world, account)
    for (const account of accounts.slice(8, 12)) leaveGroup(world, group, account)
    const { held, changes } = reconcile(world)
    expect(held.map((removal) => removal.kind).sort()).toEqual([
      ...Array(4).fill('deactivate'),
      ...Array(4).fill('demote'),
      ...Array(4).fill('remove'),
    ])
    expect(new Set(held.map((removal) => removal.why)).size).toBe(3)
    expect(changes).toEqual([])
    expect(memberFor(world, found(accounts[8]))?.role).toBe(roles.admin)
  })

  test('does not count who loses a team but no rank', () => {
    const { world, directory, accounts } = staffed(20)
    const crew = addGroup(world, directory, 'Team', accounts)
    mapGroup(world, crew, team('team-a'))
    reconcile(world)
    for (const account of accounts) leaveGroup(world, crew, account)
    expect(reconcile(world).held).toEqual([])
    expect(memberFor(world, found(accounts[0]))?.grants).toHaveLength(1)
  })

  test('counts what went within the last hour, and forgets it after that', () => {
    const { world, accounts } = staffed(30)
    deactivate(world, accounts.slice(0, 6))
    reconcile(world)
    passTime(world, 30 * 60_000)
    deactivate(world, accounts.slice(6, 12))
    expect(reconcile(world).held).toHaveLength(6)
    const later = staffed(30)
    deactivate(later.world, later.accounts.slice(0, 6))
    reconcile(later.world)
    passTime(later.world, 61 * 60_000)
    deactivate(later.world, later.accounts.slice(6, 11))
    expect(reconcile(later.world).held).toEqual([])
    expect(count(later.world, 'inactive')).toBe(11)
  })

  test('counts those of the same wave that other slices will bring', () => {
    const { world, accounts } = staffed(30)
    deactivate(world, accounts.slice(0, 12))
    for (const account of accounts.slice(0, 12))
      expect(reconcile(world, [{ kind: 'directory_user', id: account }]).held).toHaveLength(1)
    expect(count(world, 'inactive')).toBe(0)
  })

  test('counts each directory by itself', () => {
    const { world, accounts } = staffed(30)
    const other = addDirectory(world, 'Entra')
    const more = Array.from({ length: 20 }, (_, index) => pushUser(world, other, `other${index}@acme.test`))
    reconcile(world)
    deactivate(world, accounts.slice(0, 6))
    deactivate(world, more.slice(0, 6))
    expect(reconcile(world).held).toEqual([])
    expect(count(world, 'inactive')).toBe(12)
  })

  test('is not for what an admin does: a mapping, a withdrawal, a directory put out of use', () => {
    const { world, directory, accounts, mapping } = staffed(20)
    unmap(world, mapping)
    expect(reconcile(world).held).toEqual([])
    expect(memberFor(world, found(accounts[0]))?.role).toBe(roles.member)
    decommission(world, directory)
    expect(reconcile(world).held).toEqual([])
    expect(count(world, 'removed')).toBe(20)
    const entries = Array.from({ length: 20 }, (_, index) => addByHand(world, { email: `by-hand${index}@acme.test` }))
    reconcile(world)
    for (const entry of entries) withdraw(world, entry)
    expect(reconcile(world).held).toEqual([])
    expect(count(world, 'active')).toBe(0)
    expect(world.removals).toEqual([])
  })
})

/** Twelve of thirty deactivated, and held. */
function held() {
  const all = staffed(30)
  deactivate(all.world, all.accounts.slice(0, 12))
  reconcile(all.world)
  return all
}

describe('what is held', () => {
  test('stays held without being asked for again, and is planned no second time', () => {
    const { world } = held()
    expect(heldNow(world)).toHaveLength(12)
    expect(planEverybody(world)).toMatchObject({ changes: [], held: [], superseded: [] })
  })

  test('does not keep additions from going on, for others and for the same people', () => {
    const { world, directory, accounts } = held()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const first = found(accounts[0])
    joinGroup(world, addTeam(world, directory), first)
    addByHand(world, { userId: found(userFor(world, first)) }, { roleId: roles.owner })
    reconcile(world)
    expect(memberFor(world, anna)?.status).toBe('active')
    expect(memberFor(world, first)).toMatchObject({ status: 'active', role: roles.owner })
    expect(memberFor(world, first)?.grants).toHaveLength(3)
    expect(heldNow(world)).toHaveLength(12)
  })

  test('keeps nothing that an admin takes away', () => {
    const { world, accounts, mapping } = staffed(30)
    const first = found(accounts[0])
    const manual = addByHand(world, { userId: found(userFor(world, first)) }, { roleId: roles.owner })
    addByHand(world, { email: 'owner@acme.test' }, { roleId: roles.owner })
    reconcile(world)
    for (const account of accounts.slice(0, 12)) deleteUser(world, account)
    reconcile(world)
    expect(memberFor(world, first)?.role).toBe(roles.owner)
    withdraw(world, manual)
    reconcile(world)
    expect(memberFor(world, first)).toMatchObject({ status: 'active', role: roles.admin })
    unmap(world, mapping)
    reconcile(world)
    expect(memberFor(world, first)).toMatchObject({ status: 'active', role: roles.member, grants: [] })
    expect(heldNow(world)).toHaveLength(12)
  })

  test('is done when it was approved', () => {
    const { world } = held()
    decideHeld(world, 'approved')
    reconcile(world)
    expect(count(world, 'inactive')).toBe(12)
    expect(planEverybody(world)).toMatchObject({ changes: [], held: [], superseded: [] })
  })

  test('is left alone when it was rejected, until the directory says something new of the person', () => {
    const { world, accounts } = held()
    decideHeld(world, 'rejected')
    reconcile(world)
    expect(count(world, 'inactive')).toBe(0)
    expect(planEverybody(world)).toMatchObject({ changes: [], held: [] })
    deleteUser(world, found(accounts[0]))
    reconcile(world)
    expect(memberFor(world, found(accounts[0]))?.status).toBe('removed')
    expect(memberFor(world, found(accounts[1]))?.status).toBe('active')
  })

  test('is given up when the directory takes its word back', () => {
    const { world, accounts } = held()
    changeUser(world, found(accounts[0]), { active: true })
    const { superseded, changes } = reconcile(world)
    expect(superseded).toHaveLength(1)
    expect(changes).toEqual([])
    expect(heldNow(world)).toHaveLength(11)
  })

  test('is asked anew when the fact behind it changes: a deactivation becomes a deletion', () => {
    const { world, accounts } = held()
    deleteUser(world, found(accounts[0]))
    const plan = reconcile(world)
    expect(plan.superseded).toHaveLength(1)
    expect(plan.held).toMatchObject([{ kind: 'remove' }])
    expect(memberFor(world, found(accounts[0]))?.status).toBe('active')
  })

  test('of a demotion goes with the group: back in it, nothing is held', () => {
    const { world, accounts, group } = staffed(30)
    for (const account of accounts.slice(0, 12)) leaveGroup(world, group, account)
    reconcile(world)
    expect(heldNow(world)).toHaveLength(12)
    for (const account of accounts.slice(0, 12)) joinGroup(world, group, account)
    reconcile(world)
    expect(heldNow(world)).toHaveLength(0)
    expect(memberFor(world, found(accounts[0]))?.grants).toHaveLength(1)
  })

  test('of an approved demotion leaves the lower role', () => {
    const { world, accounts, group } = staffed(30)
    for (const account of accounts.slice(0, 12)) leaveGroup(world, group, account)
    reconcile(world)
    decideHeld(world, 'approved')
    reconcile(world)
    expect(memberFor(world, found(accounts[0]))).toMatchObject({ status: 'active', role: roles.member, grants: [] })
  })
})

test('removals that were applied say which directory they are counted for; what an admin did is not counted', () => {
  const { world, directory, accounts, mapping } = staffed(20)
  deactivate(world, accounts.slice(0, 3))
  reconcile(world)
  expect(world.removals.map((removal) => removal.directoryId)).toEqual([directory, directory, directory])
  unmap(world, mapping)
  reconcile(world)
  expect(world.removals).toHaveLength(3)
})

function addTeam(world: World, directory: string): string {
  const group = addGroup(world, directory, 'Team')
  mapGroup(world, group, team('team-a'))
  return group
}
