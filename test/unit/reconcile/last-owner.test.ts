// An organization that has an active Owner keeps one, whatever a sync says, and gives them up as
// soon as there is another.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  changeUser,
  deleteUser,
  joinGroup,
  leaveGroup,
  mapGroup,
  pushUser,
} from '../../support/reconcile/directory.ts'
import { found, role, setDomain, setSeatLimit } from '../../support/reconcile/facts.ts'
import { drain, planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor } from '../../support/reconcile/view.ts'
import { addByHand, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

interface Owned {
  readonly world: World
  readonly directory: string
  readonly owners: string
  readonly accounts: readonly string[]
}

/** People of a directory whose first `owning` are in the group that is mapped to Owner. */
function owned(names: readonly string[], owning: number): Owned {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  const directory = addDirectory(world)
  const accounts = names.map((name) => pushUser(world, directory, `${name}@acme.test`))
  const owners = addGroup(world, directory, 'Owners', accounts.slice(0, owning))
  mapGroup(world, owners, role(roles.owner))
  reconcile(world)
  return { world, directory, owners, accounts }
}

const kept = {
  status: 'active',
  reason: 'last_owner',
  role: roles.owner,
  seated: true,
  grants: ['role-owner from system'],
}

describe('the last Owner', () => {
  test.each([
    ['deletes', (world: World, _: string, anna: string) => deleteUser(world, anna)],
    ['deactivates', (world: World, _: string, anna: string) => changeUser(world, anna, { active: false })],
    ['takes the role from', (world: World, owners: string, anna: string) => leaveGroup(world, owners, anna)],
  ])('is kept by a system grant when the directory %s them', (_, strike) => {
    const { world, owners, accounts } = owned(['anna', 'bert'], 1)
    const anna = found(accounts[0])
    strike(world, owners, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ ...kept, grants: expect.arrayContaining(kept.grants) })
    expect(planEverybody(world).changes).toEqual([])
  })

  test('is kept when an admin withdraws what made them Owner', () => {
    const world = createWorld()
    const entry = addByHand(world, { email: 'anna@acme.test' }, { roleId: roles.owner })
    reconcile(world)
    withdraw(world, entry)
    reconcile(world)
    expect(memberFor(world, entry)).toEqual(kept)
  })

  test('is not kept while there is another, in this slice or outside it', () => {
    const { world, accounts } = owned(['anna', 'bert', 'carl'], 3)
    deleteUser(world, found(accounts[0]))
    reconcile(world)
    expect(memberFor(world, found(accounts[0]))?.status).toBe('removed')
    deleteUser(world, found(accounts[1]))
    reconcile(world, [
      { kind: 'directory_user', id: found(accounts[1]) },
      { kind: 'directory_user', id: found(accounts[2]) },
    ])
    expect(memberFor(world, found(accounts[1]))?.status).toBe('removed')
    expect(memberFor(world, found(accounts[2]))?.reason).toBeNull()
  })

  test('is released as soon as another Owner appears, to what the facts say', () => {
    const { world, owners, accounts } = owned(['anna', 'bert'], 1)
    const [anna, bert] = [found(accounts[0]), found(accounts[1])]
    deleteUser(world, anna)
    reconcile(world)
    joinGroup(world, owners, bert)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'removed', role: null, grants: [] })
    expect(memberFor(world, bert)).toMatchObject({ role: roles.owner, reason: null })
    expect(world.organization.seatsUsed).toBe(1)
  })

  test('stays themselves without the system grant when the facts make them Owner again', () => {
    const { world, owners, accounts } = owned(['anna'], 1)
    const anna = found(accounts[0])
    leaveGroup(world, owners, anna)
    reconcile(world)
    joinGroup(world, owners, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ role: roles.owner, reason: null })
    expect(memberFor(world, anna)?.grants).toHaveLength(1)
    expect(memberFor(world, anna)?.grants[0]).toContain('directory_group')
  })

  test('is not replaced by a new Owner who waits for a seat', () => {
    const { world, directory, owners, accounts } = owned(['anna'], 1)
    setSeatLimit(world, 1)
    const bert = pushUser(world, directory, 'bert@acme.test')
    reconcile(world)
    leaveGroup(world, owners, found(accounts[0]))
    joinGroup(world, owners, bert)
    reconcile(world)
    expect(memberFor(world, bert)?.status).toBe('waitlisted')
    expect(memberFor(world, found(accounts[0]))).toEqual(kept)
    setSeatLimit(world, 2)
    drain(world)
    expect(memberFor(world, bert)).toMatchObject({ status: 'active', role: roles.owner })
    expect(memberFor(world, found(accounts[0]))).toMatchObject({ role: roles.member, reason: null, grants: [] })
  })

  test('keeps their seat too: nobody who waits is given it', () => {
    const { world, directory, accounts } = owned(['anna'], 1)
    setSeatLimit(world, 1)
    const bert = pushUser(world, directory, 'bert@acme.test')
    reconcile(world)
    deleteUser(world, found(accounts[0]))
    reconcile(world)
    expect(memberFor(world, found(accounts[0]))).toEqual(kept)
    expect(memberFor(world, bert)?.status).toBe('waitlisted')
    expect(world.organization.seatsUsed).toBe(1)
  })

  test('gives their seat to the new Owner when they leave at once', () => {
    const { world, directory, owners, accounts } = owned(['anna'], 1)
    setSeatLimit(world, 1)
    deleteUser(world, found(accounts[0]))
    const bert = pushUser(world, directory, 'bert@acme.test')
    joinGroup(world, owners, bert)
    reconcile(world)
    expect(memberFor(world, bert)).toMatchObject({ status: 'active', role: roles.owner })
    expect(memberFor(world, found(accounts[0]))?.status).toBe('removed')
  })
})

describe('Owners who leave together', () => {
  test('leave one behind when they are in one slice: who has been a member longest', () => {
    const { world, accounts } = owned(['anna', 'bert'], 2)
    found(
      [...world.members.values()].find((member) => member.userId === world.links.get(found(accounts[1]))?.userId),
    ).createdAt = new Date(0)
    for (const account of accounts) deleteUser(world, account)
    reconcile(world)
    expect(memberFor(world, found(accounts[0]))?.status).toBe('removed')
    expect(memberFor(world, found(accounts[1]))).toEqual(kept)
  })

  test('leave one behind when they are in two slices', () => {
    const { world, accounts } = owned(['anna', 'bert'], 2)
    for (const account of accounts) deleteUser(world, account)
    for (const account of accounts) reconcile(world, [{ kind: 'directory_user', id: account }])
    const standing = accounts.map((account) => memberFor(world, account)?.status)
    expect(standing.sort()).toEqual(['active', 'removed'])
  })
})

test('an organization that never had an Owner is not given one', () => {
  const { world, accounts } = owned(['anna'], 0)
  deleteUser(world, found(accounts[0]))
  reconcile(world)
  expect(memberFor(world, found(accounts[0]))?.status).toBe('removed')
})

test('a mapping makes an Owner only if it says so', () => {
  const { world, directory } = owned([], 0)
  const anna = pushUser(world, directory, 'anna@acme.test')
  mapGroup(world, addGroup(world, directory, 'Admins', [anna]), role(roles.admin))
  reconcile(world)
  expect([...world.members.values()].map((member) => member.roleId)).toEqual([roles.admin])
})
