// Whether somebody belongs to the organization: a directory's live word, then its tombstone, then
// the other ways in.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  changeUser,
  decommission,
  deleteUser,
  mapGroup,
  pushUser,
  recreateUser,
} from '../../support/reconcile/directory.ts'
import { found, role, setDomain, team } from '../../support/reconcile/facts.ts'
import { reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, addJoinRule, invite, logIn, signUp, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

function governed(): { world: World; directory: string } {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  return { world, directory: addDirectory(world) }
}

describe("a directory's live word", () => {
  test('makes a member, active or inactive as it says', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test', { active: false })
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'active', reason: null, seated: true, role: roles.member })
    expect(memberFor(world, bert)).toMatchObject({ status: 'inactive', reason: 'directory_inactive', seated: false })
  })

  test('comes before every other way in', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test', { active: false })
    reconcile(world)
    addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.admin })
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'inactive', role: roles.admin })
  })

  test('of one directory is enough where another says inactive or has deleted the account', () => {
    const { world, directory } = governed()
    const other = addDirectory(world, 'Entra')
    const anna = pushUser(world, directory, 'anna@acme.test')
    const second = pushUser(world, other, 'anna@acme.test', { active: false })
    reconcile(world)
    expect(userFor(world, second)).toBe(userFor(world, anna))
    expect(memberFor(world, anna)?.status).toBe('active')
    deleteUser(world, anna)
    reconcile(world)
    expect(memberFor(world, anna)?.status).toBe('inactive')
    deleteUser(world, second)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'removed', reason: 'directory_deleted' })
  })

  test('ends when the directory is decommissioned', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test', { active: false })
    reconcile(world)
    addByHand(world, { userId: found(userFor(world, bert)) })
    decommission(world, directory)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'removed', reason: 'no_source', role: null })
    expect(memberFor(world, bert)?.status).toBe('active')
  })
})

describe('deactivation', () => {
  test('remembers grants, gives the seat back, and reactivation restores both', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const group = addGroup(world, directory, 'Admins', [anna])
    mapGroup(world, group, role(roles.admin))
    mapGroup(world, group, team('team-a'))
    reconcile(world)
    const before = memberFor(world, anna)
    changeUser(world, anna, { active: false })
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'inactive', role: roles.admin, grants: before?.grants })
    expect(world.organization.seatsUsed).toBe(0)
    changeUser(world, anna, { active: true })
    reconcile(world)
    expect(memberFor(world, anna)).toEqual(before)
    expect(world.organization.seatsUsed).toBe(1)
  })
})

describe("a directory's tombstone", () => {
  test('ends every older way in, and takes all grants', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.admin })
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ status: 'removed', role: null, grants: [], seated: false })
  })

  test('does not end what an admin said later: the person comes back, as the same member', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.editor })
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'active', role: roles.editor })
    expect(world.members.size).toBe(1)
  })

  test('does not let a later login bring the person back', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    logIn(world, 'anna@acme.test')
    reconcile(world)
    deleteUser(world, anna)
    logIn(world, 'anna@acme.test', { connection: 'another' })
    logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, anna)?.status).toBe('removed')
  })

  test('ends nothing while another directory knows the person', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    pushUser(world, addDirectory(world, 'Entra'), 'anna@acme.test')
    reconcile(world)
    const manual = addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.admin })
    deleteUser(world, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'active', grants: [`role-admin from manual ${manual}`] })
  })

  test('is lifted, older ways in included, when the directory brings the account back', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    const manual = addByHand(world, { userId: found(userFor(world, anna)) }, { roleId: roles.admin })
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    recreateUser(world, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'active', grants: [`role-admin from manual ${manual}`] })
  })

  test('keeps its reason for who is gone, however often they are looked at', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    decommission(world, directory)
    reconcile(world)
    expect(memberFor(world, anna)?.reason).toBe('directory_deleted')
  })
})

describe('the other ways in', () => {
  test('are named as what made the member, a directory first', () => {
    const { world, directory } = governed()
    invite(world, 'dora@acme.test')
    const rule = addJoinRule(world, 'acme.test', {})
    decommission(world, directory)
    signUp(world, 'anna@acme.test', { rule })
    logIn(world, 'bert@acme.test')
    addByHand(world, { email: 'carl@acme.test' })
    pushUser(world, addDirectory(world, 'Entra'), 'dora@acme.test')
    const made = reconcile(world).changes.flatMap((change) => (change.kind === 'create-member' ? change.source : []))
    expect(made).toEqual(['domain', 'sso', 'manual', 'directory'])
  })

  test('end with what they came through: who has none left is gone', () => {
    const world = createWorld()
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    const [member] = [...world.members.values()]
    world.entries.delete(entry)
    reconcile(world, [{ kind: 'member', id: found(member).id }])
    expect(member).toMatchObject({ status: 'removed', statusReason: 'no_source', seated: false })
  })

  test('hold somebody until the last of them is withdrawn', () => {
    const world = createWorld()
    const personal = signUp(world, 'anna@acme.test', { personal: roles.editor })
    reconcile(world)
    const manual = addByHand(world, { userId: found(userFor(world, personal)) }, { roleId: roles.admin })
    reconcile(world)
    withdraw(world, personal)
    reconcile(world)
    expect(memberFor(world, personal)).toMatchObject({ status: 'active', role: roles.admin })
    withdraw(world, manual)
    reconcile(world)
    expect(memberFor(world, personal)).toMatchObject({ status: 'removed', reason: 'no_source', grants: [] })
  })
})
