// Who may come in by a login or a sign-up where a directory decides who belongs.

import { describe, expect, test } from 'vitest'
import { addDirectory, changeUser, decommission, deleteUser, pushUser } from '../../support/reconcile/directory.ts'
import { addUser, decideConflict, found, setDomain } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { accept, addJoinRule, invite, logIn, signUp } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

function governed(): { world: World; directory: string } {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  return { world, directory: addDirectory(world) }
}

describe('a login where a directory governs', () => {
  test('is the active directory user of its address', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    const entry = logIn(world, 'ANNA@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBe(userFor(world, anna))
    expect(world.users.size).toBe(1)
  })

  test('is found by userName too, where that is an address and the e-mail is another', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test', { email: 'anna.novak@acme.test' })
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBe(userFor(world, anna))
  })

  test('is known by its subject when the address changes on either side', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const entry = logIn(world, 'anna@acme.test', { subject: 'anna' })
    reconcile(world)
    changeUser(world, anna, { userName: 'novak@acme.test', email: 'novak@acme.test' })
    logIn(world, 'another@acme.test', { subject: 'anna' })
    reconcile(world)
    expect(userFor(world, entry)).toBe(userFor(world, anna))
    expect(memberFor(world, entry)?.status).toBe('active')
  })

  test.each([
    ['that is inactive', (world: World, anna: string) => changeUser(world, anna, { active: false })],
    ['that was deleted', deleteUser],
    [
      'of another address',
      (world: World, anna: string) => changeUser(world, anna, { userName: 'b', email: 'b@acme.test' }),
    ],
  ])('is nobody beside a directory user %s, and makes no user', (_, change) => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    change(world, anna)
    reconcile(world)
    const users = world.users.size
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBeUndefined()
    expect(world.users.size).toBe(users)
    expect(found(world.entries.get(entry)).observedGeneration).toBe(1)
  })

  test('is nobody until the directory knows the person, and then is that person without logging in anew', () => {
    const { world, directory } = governed()
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBeUndefined()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBeDefined()
    expect(userFor(world, entry)).toBe(userFor(world, anna))
  })

  test('does not bring back somebody whom the directory has deactivated', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, entry)?.status).toBe('active')
    changeUser(world, anna, { active: false })
    logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, entry)?.status).toBe('inactive')
  })

  test("may come through the organization's own connection from outside its domains", () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@partner.test')
    const own = logIn(world, 'anna@partner.test', { connection: 'own', ownConnection: true })
    reconcile(world)
    expect(userFor(world, own)).toBe(userFor(world, anna))
  })

  test('through a tenant-wide connection is believed within a verified domain if the address was checked', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    pushUser(world, directory, 'bert@acme.test')
    pushUser(world, directory, 'carl@partner.test')
    const checked = logIn(world, 'anna@acme.test', { ownConnection: false, emailVerified: true })
    const unchecked = logIn(world, 'bert@acme.test', { ownConnection: false })
    const outside = logIn(world, 'carl@partner.test', { ownConnection: false, emailVerified: true })
    reconcile(world)
    expect(userFor(world, checked)).toBe(userFor(world, anna))
    expect([unchecked, outside].map((id) => userFor(world, id))).toEqual([undefined, undefined])
  })

  test('that nobody vouches for waits for an admin, whose word counts either way', () => {
    const { world, directory } = governed()
    const bert = pushUser(world, directory, 'bert@acme.test')
    const carl = pushUser(world, directory, 'carl@acme.test')
    const asBert = logIn(world, 'bert@acme.test', { ownConnection: false })
    const asCarl = logIn(world, 'carl@acme.test', { ownConnection: false })
    reconcile(world)
    for (const conflict of [...world.conflicts.values()])
      decideConflict(world, conflict.id, conflict.subject.id === asBert ? 'linked' : 'separate')
    reconcile(world)
    expect(userFor(world, asBert)).toBe(userFor(world, bert))
    expect(userFor(world, asCarl)).toBeUndefined()
    expect(userFor(world, carl)).toBeDefined()
    expect(planEverybody(world).changes).toEqual([])
  })

  test('is nobody where two people of the directory may be meant, and the one whose address it is where there is one', () => {
    const { world, directory } = governed()
    const other = addDirectory(world, 'Entra')
    pushUser(world, directory, 'info@acme.test', { email: 'anna@acme.test' })
    pushUser(world, other, 'info@acme.test', { email: 'bert@acme.test' })
    pushUser(world, directory, 'sales@acme.test', { email: 'carl@acme.test' })
    const holder = pushUser(world, other, 'sales', { email: 'sales@acme.test' })
    const unclear = logIn(world, 'info@acme.test')
    const clear = logIn(world, 'sales@acme.test')
    reconcile(world)
    expect(userFor(world, unclear)).toBeUndefined()
    expect(userFor(world, clear)).toBe(userFor(world, holder))
    changeUser(world, holder, { active: false })
    const late = logIn(world, 'sales@acme.test', { subject: 'late' })
    reconcile(world)
    expect(userFor(world, late)).toBeUndefined()
  })

  test('is the person whom one of two directories has as active', () => {
    const { world, directory } = governed()
    const anna = pushUser(world, directory, 'anna@acme.test')
    pushUser(world, addDirectory(world, 'Entra'), 'anna@acme.test', { active: false })
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, entry)).toBe(userFor(world, anna))
  })

  test('of somebody known elsewhere in the tenant holds nobody here without the directory', () => {
    const { world } = governed()
    const entry = logIn(world, 'anna@acme.test', { subject: 'anna' })
    const user = addUser(world, 'anna@acme.test', { emailVerified: true })
    found(world.identities.get('login:connection:anna')).userId = user
    reconcile(world)
    expect(memberFor(world, entry)).toBeUndefined()
    expect(userFor(world, entry)).toBe(user)
  })
})

describe('a sign-up from a verified domain where a directory governs', () => {
  test('holds nobody whom the directory does not know, and is whom it knows', () => {
    const { world, directory } = governed()
    const rule = addJoinRule(world, 'acme.test', { roleId: roles.editor })
    const anna = pushUser(world, directory, 'anna@acme.test')
    const known = signUp(world, 'anna@acme.test', { rule })
    const unknown = signUp(world, 'eve@acme.test', { rule })
    reconcile(world)
    expect(userFor(world, known)).toBe(userFor(world, anna))
    expect(userFor(world, unknown)).toBeUndefined()
  })
})

test('an invitation lets in whose sign-up was refused before', () => {
  const { world } = governed()
  const refused = signUp(world, 'eve@acme.test', { rule: addJoinRule(world, 'acme.test', {}) })
  reconcile(world)
  expect(userFor(world, refused)).toBeUndefined()
  accept(world, invite(world, 'eve@acme.test', { roleId: roles.editor }))
  reconcile(world)
  expect(memberFor(world, refused)).toMatchObject({ status: 'active', role: roles.editor })
})

describe('an organization that a directory begins to govern', () => {
  test('keeps those who came in by a login before, and lets nobody in so any more', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    const before = logIn(world, 'anna@acme.test')
    reconcile(world)
    addDirectory(world)
    const after = logIn(world, 'bert@acme.test')
    logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, before)?.status).toBe('active')
    expect(memberFor(world, after)).toBeUndefined()
  })

  test('lets logins in again once the directory is decommissioned', () => {
    const { world, directory } = governed()
    decommission(world, directory)
    const entry = logIn(world, 'anna@acme.test')
    reconcile(world)
    expect(memberFor(world, entry)?.status).toBe('active')
  })

  test('still takes those who accept an invitation, which an admin sent', () => {
    const { world } = governed()
    const entry = accept(world, invite(world, 'guest@acme.test', { roleId: roles.editor }))
    reconcile(world)
    expect(memberFor(world, entry)).toMatchObject({ status: 'active', role: roles.editor })
  })
})
