// Removals that wait: they stay until an admin decides or the facts behind them change.

import { describe, expect, test } from 'vitest'
import {
  addGroup,
  changeUser,
  deleteUser,
  joinGroup,
  leaveGroup,
  mapGroup,
  pushUser,
  unmap,
} from '../../support/reconcile/directory.ts'
import { decideHeld, found, team } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { count, deactivate, heldNow, staffed } from '../../support/reconcile/staff.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, withdraw } from '../../support/reconcile/ways-in.ts'
import { roles, type World } from '../../support/reconcile/world.ts'

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

  test('keeps whom the system keeps as Owner as they are, until it is approved', () => {
    const { world, accounts } = staffed(30)
    const boss = found(accounts[0])
    addByHand(world, { userId: found(userFor(world, boss)) }, { roleId: roles.owner })
    reconcile(world)
    deleteUser(world, boss)
    reconcile(world)
    expect(memberFor(world, boss)).toMatchObject({ reason: 'last_owner', role: roles.owner })
    deactivate(world, accounts.slice(1, 13))
    reconcile(world)
    addByHand(world, { email: 'owner@acme.test' }, { roleId: roles.owner })
    reconcile(world)
    expect(memberFor(world, boss)).toMatchObject({ status: 'active', role: roles.owner })
    decideHeld(world, 'approved')
    reconcile(world)
    expect(memberFor(world, boss)).toMatchObject({ status: 'removed', grants: [] })
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

  test('once rejected is another removal when the directory takes its word back and gives it again', () => {
    const { world, accounts } = held()
    const first = found(accounts[0])
    decideHeld(world, 'rejected')
    reconcile(world)
    for (const active of [true, false]) {
      changeUser(world, first, { active })
      reconcile(world)
    }
    expect(memberFor(world, first)?.status).toBe('inactive')
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

function addTeam(world: World, directory: string): string {
  const group = addGroup(world, directory, 'Team')
  mapGroup(world, group, team('team-a'))
  return group
}
