// Which roles and teams a member has, from which source, and which role counts.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  joinGroup,
  leaveGroup,
  mapClaim,
  mapGroup,
  pushUser,
  unmap,
} from '../../support/reconcile/directory.ts'
import { found, role, setDomain, team } from '../../support/reconcile/facts.ts'
import { reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, addJoinRule, disableJoinRule, logIn, signUp, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

function directoryWith(...people: string[]): { world: World; directory: string; accounts: string[] } {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  const directory = addDirectory(world)
  return { world, directory, accounts: people.map((name) => pushUser(world, directory, `${name}@acme.test`)) }
}

describe('a group mapping', () => {
  test('gives its role and its team to the members of the group and to nobody else', () => {
    const { world, directory, accounts } = directoryWith('anna', 'bert')
    const [anna, bert] = [found(accounts[0]), found(accounts[1])]
    const group = addGroup(world, directory, 'Admins', [anna])
    const [first, second] = [mapGroup(world, group, role(roles.admin)), mapGroup(world, group, team('team-a'))]
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({
      role: roles.admin,
      grants: [`role-admin from directory_group ${first}`, `team-a from directory_group ${second}`],
    })
    expect(memberFor(world, bert)).toMatchObject({ role: roles.member, grants: [] })
  })

  test('says why: the group by its name', () => {
    const { world, directory, accounts } = directoryWith('anna')
    mapGroup(world, addGroup(world, directory, 'Platform Admins', accounts), role(roles.admin))
    const { changes } = reconcile(world)
    expect(changes).toContainEqual(
      expect.objectContaining({ kind: 'add-grant', reason: 'member of the directory group Platform Admins' }),
    )
  })

  test('of two groups lets the higher rank count, and the key where ranks are equal; both grants are kept', () => {
    const { world, directory, accounts } = directoryWith('anna', 'bert')
    const [anna, bert] = [found(accounts[0]), found(accounts[1])]
    mapGroup(world, addGroup(world, directory, 'Members', [anna]), role(roles.member))
    mapGroup(world, addGroup(world, directory, 'Owners', [anna]), role(roles.owner))
    mapGroup(world, addGroup(world, directory, 'Editors', [bert]), role(roles.editor))
    mapGroup(world, addGroup(world, directory, 'Admins', [bert]), role(roles.admin))
    reconcile(world)
    expect(memberFor(world, anna)?.role).toBe(roles.owner)
    expect(memberFor(world, anna)?.grants).toHaveLength(2)
    expect(memberFor(world, bert)?.role).toBe(roles.admin)
    expect(memberFor(world, bert)?.grants).toHaveLength(2)
  })

  test('takes its own grant back when somebody leaves the group, and leaves the others of the same role', () => {
    const { world, directory, accounts } = directoryWith('anna')
    const anna = found(accounts[0])
    const [left, right] = [addGroup(world, directory, 'Left', [anna]), addGroup(world, directory, 'Right', [anna])]
    mapGroup(world, left, role(roles.admin))
    const kept = mapGroup(world, right, role(roles.admin))
    reconcile(world)
    leaveGroup(world, left, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({
      role: roles.admin,
      grants: [`role-admin from directory_group ${kept}`],
    })
    leaveGroup(world, right, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ role: roles.member, grants: [] })
  })

  test('that is deleted takes its grants, and one that is made gives them', () => {
    const { world, directory, accounts } = directoryWith('anna')
    const anna = found(accounts[0])
    const group = addGroup(world, directory, 'Group', [anna])
    const mapping = mapGroup(world, group, role(roles.admin))
    reconcile(world)
    unmap(world, mapping)
    const next = mapGroup(world, group, role(roles.editor))
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({
      role: roles.editor,
      grants: [`role-editor from directory_group ${next}`],
    })
  })

  test('does not touch what an admin gave by hand', () => {
    const { world, directory, accounts } = directoryWith('anna')
    const anna = found(accounts[0])
    const group = addGroup(world, directory, 'Admins', [anna])
    mapGroup(world, group, role(roles.admin))
    reconcile(world)
    const manual = addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.admin, unitId: 'team-b' })
    leaveGroup(world, group, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({
      role: roles.admin,
      grants: [`role-admin from manual ${manual}`, `team-b from manual ${manual}`],
    })
    joinGroup(world, group, anna)
    withdraw(world, manual)
    reconcile(world)
    expect(memberFor(world, anna)?.role).toBe(roles.admin)
    expect(memberFor(world, anna)?.grants).toHaveLength(1)
  })
})

describe('a claim mapping', () => {
  test('gives what the last login that spoke of groups holds', () => {
    const world = createWorld()
    const mapping = mapClaim(world, 'connection', 'admins', role(roles.admin))
    mapClaim(world, 'another', 'admins', role(roles.owner))
    const entry = logIn(world, 'anna@acme.test', { groups: ['admins', 'others'] })
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({
      role: roles.admin,
      grants: [`role-admin from sso_claim ${mapping}`],
    })
    logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, entry)?.role).toBe(roles.admin)
    logIn(world, 'anna@acme.test', { groups: [] })
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ role: roles.member, grants: [] })
  })

  test('says nothing where a directory governs', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    mapClaim(world, 'connection', 'admins', role(roles.admin))
    const before = logIn(world, 'anna@acme.test', { groups: ['admins'] })
    reconcile(world)
    expect(memberFor(world, before)?.role).toBe(roles.admin)
    const directory = addDirectory(world)
    pushUser(world, directory, 'bert@acme.test')
    const after = logIn(world, 'bert@acme.test', { groups: ['admins'] })
    reconcile(world)
    expect([before, after].map((entry) => memberFor(world, entry)?.role)).toEqual([roles.member, roles.member])
  })
})

describe('a join rule', () => {
  test('gives its role and team to who signed up by it, as long as it holds; the person stays', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    const rule = addJoinRule(world, 'acme.test', { roleId: roles.editor, unitId: 'team-a' })
    const entry = signUp(world, 'anna@acme.test', { rule })
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({
      role: roles.editor,
      grants: [`role-editor from domain_rule ${rule}`, `team-a from domain_rule ${rule}`],
    })
    disableJoinRule(world, rule)
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ status: 'active', role: roles.member, grants: [] })
  })
})
