// Removals that are too many at once wait for an admin; everything else goes on.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  decommission,
  deleteUser,
  leaveGroup,
  mapGroup,
  pushUser,
  unmap,
} from '../../support/reconcile/directory.ts'
import { found, role, team } from '../../support/reconcile/facts.ts'
import { reconcile } from '../../support/reconcile/reconcile.ts'
import { count, deactivate, staffed } from '../../support/reconcile/staff.ts'
import { memberFor } from '../../support/reconcile/view.ts'
import { addByHand, withdraw } from '../../support/reconcile/ways-in.ts'
import { passTime, roles } from '../../support/reconcile/world.ts'

describe('the brake', () => {
  test('lets through what is below the minimum, however large a part it is', () => {
    const { world, accounts } = staffed(12)
    deactivate(world, accounts.slice(0, 9))
    expect(reconcile(world).held).toEqual([])
    expect(count(world, 'inactive')).toBe(9)
  })

  test('holds the minimum itself where that is too large a part', () => {
    const { world, accounts } = staffed(12)
    deactivate(world, accounts.slice(0, 10))
    expect(reconcile(world).held).toHaveLength(10)
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

  test('puts a demotion down to the directory that knows the person, not to one that deleted them', () => {
    const { world, directory, accounts } = staffed(3)
    const other = addDirectory(world, 'Entra')
    const again = accounts.map((_, index) => pushUser(world, other, `user${index}@acme.test`))
    const group = addGroup(world, other, 'Owners', again)
    mapGroup(world, group, role(roles.owner))
    for (const account of accounts) deleteUser(world, account)
    reconcile(world)
    for (const account of again.slice(1)) leaveGroup(world, group, account)
    reconcile(world)
    expect(world.removals.map((removal) => removal.directoryId)).toEqual([other, other])
    expect(directory).not.toBe(other)
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

test('removals that were applied say which directory they are counted for; what an admin did is not counted', () => {
  const { world, directory, accounts, mapping } = staffed(20)
  deactivate(world, accounts.slice(0, 3))
  reconcile(world)
  expect(world.removals.map((removal) => removal.directoryId)).toEqual([directory, directory, directory])
  unmap(world, mapping)
  reconcile(world)
  expect(world.removals).toHaveLength(3)
})
