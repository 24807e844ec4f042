// Pending invitations are answered by whoever proves the invited address, once, and never cost a
// second seat.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  addGroup,
  changeUser,
  decommission,
  deleteUser,
  mapGroup,
  pushUser,
} from '../../support/reconcile/directory.ts'
import { found, role, setDomain } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, addJoinRule, invite, logIn, signUp, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

function acme(options: Parameters<typeof createWorld>[0] = {}): World {
  const world = createWorld(options)
  setDomain(world, 'acme.test', 'own')
  return world
}

const stateOf = (world: World, invitation: string) => found(world.invitations.get(invitation)).state

describe('a pending invitation', () => {
  test('is consumed once: its role stays with the member, on one seat', () => {
    const world = acme({ seatLimit: 5 })
    const invitation = invite(world, 'anna@acme.test', { roleId: roles.admin, unitId: 'team-a' })
    const entry = logIn(world, 'Anna@acme.test')
    reconcile(world)
    expect(stateOf(world, invitation)).toBe('accepted')
    expect(memberFor(world, entry)).toMatchObject({
      role: roles.admin,
      grants: [`role-admin from invitation ${invitation}`, `team-a from invitation ${invitation}`],
    })
    expect(world.organization.seatsUsed).toBe(1)
    const again = logIn(world, 'anna@acme.test', { connection: 'another' })
    reconcile(world)
    expect(userFor(world, again)).toBe(userFor(world, entry))
    expect([...world.entries.values()].filter((one) => one.invitationId === invitation)).toHaveLength(1)
    expect(world.organization.seatsUsed).toBe(1)
    expect(planEverybody(world).changes).toEqual([])
  })

  test('gives the higher of its role and the mapped role', () => {
    const world = acme()
    const directory = addDirectory(world)
    invite(world, 'anna@acme.test', { roleId: roles.admin })
    invite(world, 'bert@acme.test', { roleId: roles.member })
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test')
    mapGroup(world, addGroup(world, directory, 'Members', [anna]), role(roles.member))
    mapGroup(world, addGroup(world, directory, 'Admins', [bert]), role(roles.admin))
    reconcile(world)
    expect(memberFor(world, anna)?.role).toBe(roles.admin)
    expect(memberFor(world, bert)?.role).toBe(roles.admin)
  })

  test('finds a member who is there already', () => {
    const world = acme()
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    const invitation = invite(world, 'anna@acme.test', { roleId: roles.editor })
    reconcile(world)
    expect(stateOf(world, invitation)).toBe('accepted')
    expect(memberFor(world, entry)?.role).toBe(roles.editor)
  })

  test('is answered by one of two people who have proved the address', () => {
    const world = acme()
    const invitation = invite(world, 'anna@acme.test', { roleId: roles.admin })
    const entry = logIn(world, 'anna@acme.test', { connection: 'one' })
    const other = logIn(world, 'anna@acme.test', { connection: 'two' })
    found(world.identities.get('login:one:anna@acme.test')).userId = addUserHere(world)
    found(world.identities.get('login:two:anna@acme.test')).userId = addUserHere(world)
    reconcile(world)
    expect(stateOf(world, invitation)).toBe('accepted')
    expect([memberFor(world, entry)?.role, memberFor(world, other)?.role].sort()).toEqual([roles.admin, roles.member])
  })

  test.each([
    [
      'a code sent to it',
      (world: World) => signUp(world, 'g@mail.test', { rule: addJoinRule(world, 'mail.test', {}) }),
      true,
    ],
    ['a login from outside the verified domains', (world: World) => logIn(world, 'g@mail.test'), false],
    ['an unchecked login within them', (world: World) => logIn(world, 'g@acme.test', { ownConnection: false }), false],
    [
      'a checked login within them',
      (world: World) => logIn(world, 'g@acme.test', { ownConnection: false, emailVerified: true }),
      true,
    ],
    ['an admin who names the address', (world: World) => addByHand(world, { email: 'g@acme.test' }), false],
  ])('is for who has proved the address: %s', (_, come, proves) => {
    const world = acme()
    const invitations = [invite(world, 'g@mail.test'), invite(world, 'g@acme.test')]
    const entry = come(world)
    reconcile(world)
    expect(memberFor(world, entry)?.status).toBe('active')
    expect(invitations.some((invitation) => stateOf(world, invitation) === 'accepted')).toBe(proves)
  })

  test('is answered by an active account of the directory within a verified domain, not by an inactive one or from outside', () => {
    const world = acme()
    const directory = addDirectory(world)
    const invitations = ['active@acme.test', 'inactive@acme.test', 'active@mail.test'].map((email) =>
      invite(world, email),
    )
    pushUser(world, directory, 'active@acme.test')
    pushUser(world, directory, 'inactive@acme.test', { active: false })
    pushUser(world, directory, 'active@mail.test')
    reconcile(world)
    expect(invitations.map((invitation) => stateOf(world, invitation))).toEqual(['accepted', 'pending', 'pending'])
  })

  test('is not answered by an account of a directory that was decommissioned', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    decommission(world, directory)
    const invitation = invite(world, 'anna@acme.test')
    reconcile(world)
    expect(stateOf(world, invitation)).toBe('pending')
    expect(memberFor(world, anna)?.status).toBe('removed')
  })

  test('brings somebody back whom the directory deleted before it was sent, and only then', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test')
    for (const name of ['anna', 'bert']) logIn(world, `${name}@acme.test`)
    reconcile(world)
    const old = invite(world, 'anna@acme.test')
    for (const one of [anna, bert]) deleteUser(world, one)
    const late = invite(world, 'bert@acme.test')
    reconcile(world)
    expect(memberFor(world, anna)?.status).toBe('removed')
    expect(memberFor(world, bert)?.status).toBe('active')
    expect([stateOf(world, old), stateOf(world, late)]).toEqual(['pending', 'accepted'])
  })

  test('that was consumed before a deletion is ended by it like any other way in', () => {
    const world = acme()
    const directory = addDirectory(world)
    invite(world, 'anna@acme.test')
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    expect(memberFor(world, anna)).toMatchObject({ status: 'removed', grants: [] })
  })

  test('does not make an inactive person active', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    changeUser(world, anna, { active: false })
    invite(world, 'anna@acme.test', { roleId: roles.admin })
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ status: 'inactive', role: roles.admin })
  })
})

test('withdrawing what stands for an accepted invitation takes what it gave', () => {
  const world = acme()
  const invitation = invite(world, 'anna@acme.test', { roleId: roles.admin })
  const entry = logIn(world, 'anna@acme.test')
  reconcile(world)
  withdraw(world, found([...world.entries.values()].find((one) => one.invitationId === invitation)).id)
  reconcile(world)
  expect(memberFor(world, entry)).toMatchObject({ status: 'active', role: roles.member, grants: [] })
})

let users = 0

/** A user whom an earlier decision kept separate. */
function addUserHere(world: World): string {
  users += 1
  const id = `separate-${users}`
  world.users.set(id, {
    id,
    emailVerified: false,
    elsewhere: false,
    profile: { email: null, displayName: null, givenName: null, familyName: null },
  })
  return id
}
