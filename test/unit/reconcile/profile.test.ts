// What people are called and which address is theirs, from the most trusted source that knows it.

import { describe, expect, test } from 'vitest'
import { addDirectory, changeUser, decommission, deleteUser, pushUser } from '../../support/reconcile/directory.ts'
import { addUser, found, setDomain } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { userFor } from '../../support/reconcile/view.ts'
import { accept, addByHand, addJoinRule, invite, logIn, signUp } from '../../support/reconcile/ways-in.ts'
import { createWorld, type World } from '../../support/reconcile/world.ts'

function acme(): World {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  return world
}

function knownAs(world: World, factId: string) {
  const { profile, emailVerified } = found(world.users.get(found(userFor(world, factId))))
  return { email: profile.email?.address ?? null, name: profile.displayName, verified: emailVerified }
}

describe('a name', () => {
  test('is taken from the directory, then from the login, then from an admin', () => {
    const world = acme()
    const manual = addByHand(world, { email: 'anna@acme.test', displayName: 'Anna by hand' })
    reconcile(world)
    expect(knownAs(world, manual).name).toBe('Anna by hand')
    const entry = logIn(world, 'anna@acme.test', { displayName: 'Anna by login' })
    reconcile(world)
    expect(userFor(world, entry)).toBe(userFor(world, manual))
    expect(knownAs(world, entry).name).toBe('Anna by login')
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test', { displayName: 'Anna by directory' })
    reconcile(world)
    expect(knownAs(world, entry).name).toBe('Anna by directory')
    logIn(world, 'anna@acme.test', { displayName: 'Another by login' })
    reconcile(world)
    expect(knownAs(world, entry).name).toBe('Anna by directory')
    changeUser(world, anna, { displayName: null })
    reconcile(world)
    expect(knownAs(world, entry).name).toBe('Another by login')
  })

  test('is taken from the active account where two directories disagree', () => {
    const world = acme()
    const [one, two] = [addDirectory(world, 'Okta'), addDirectory(world, 'Entra')]
    const old = pushUser(world, one, 'anna@acme.test', { displayName: 'Old', active: false })
    pushUser(world, two, 'anna@acme.test', { displayName: 'New' })
    reconcile(world)
    expect(knownAs(world, old).name).toBe('New')
  })

  test('stays when nobody knows one any more', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test', { displayName: 'Anna' })
    reconcile(world)
    deleteUser(world, anna)
    reconcile(world)
    expect(knownAs(world, anna).name).toBe('Anna')
  })

  test("of somebody who also belongs elsewhere is changed only by who owns their address's domain", () => {
    const world = acme()
    const inside = addUser(world, 'anna@acme.test', { emailVerified: true, displayName: 'Anna' })
    const outside = addUser(world, 'bert@mail.test', { emailVerified: true, displayName: 'Bert' })
    addByHand(world, { userId: inside })
    addByHand(world, { userId: outside })
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test', { displayName: 'Renamed' })
    const bert = pushUser(world, directory, 'bert@mail.test', { displayName: 'Renamed' })
    reconcile(world)
    for (const conflict of world.conflicts.values()) conflict.state = 'linked'
    reconcile(world, [{ kind: 'directory_user', id: bert }])
    expect(userFor(world, bert)).toBe(outside)
    expect(knownAs(world, anna).name).toBe('Renamed')
    expect(knownAs(world, bert).name).toBe('Bert')
  })

  test('is not changed by a login that was refused, though the person is known elsewhere', () => {
    const world = acme()
    addDirectory(world)
    const entry = logIn(world, 'anna@acme.test', { subject: 'anna', displayName: 'Renamed' })
    const user = addUser(world, 'anna@acme.test', { emailVerified: true, displayName: 'Anna' })
    found(world.identities.get('login:connection:anna')).userId = user
    reconcile(world)
    expect(knownAs(world, entry).name).toBe('Anna')
  })
})

describe('an address', () => {
  test('follows the directory', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'jones@acme.test')
    reconcile(world)
    changeUser(world, anna, { email: 'smith@acme.test' })
    reconcile(world)
    expect(knownAs(world, anna)).toMatchObject({ email: 'smith@acme.test', verified: true })
  })

  test('is not given up for one that nobody answers for', () => {
    const world = acme()
    const entry = logIn(world, 'anna@acme.test', { subject: 'anna', ownConnection: false, emailVerified: true })
    reconcile(world)
    logIn(world, 'boss@acme.test', { subject: 'anna', ownConnection: false, emailVerified: false })
    reconcile(world)
    expect(knownAs(world, entry).email).toBe('anna@acme.test')
    logIn(world, 'novak@acme.test', { subject: 'anna', ownConnection: false, emailVerified: true })
    reconcile(world)
    expect(knownAs(world, entry).email).toBe('novak@acme.test')
  })

  test("is not taken from another user, nor from another organization's domain", () => {
    const world = acme()
    setDomain(world, 'foreign.test', 'foreign')
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test')
    reconcile(world)
    changeUser(world, anna, { email: 'bert@acme.test' })
    reconcile(world)
    expect(knownAs(world, anna).email).toBe('anna@acme.test')
    changeUser(world, anna, { email: 'anna@foreign.test' })
    reconcile(world)
    expect(knownAs(world, anna).email).toBe('anna@acme.test')
    expect(knownAs(world, bert).email).toBe('bert@acme.test')
  })

  test('can be handed on within one slice: along a chain, and in a circle', () => {
    const world = acme()
    const directory = addDirectory(world)
    const people = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      pushUser(world, directory, name, { email: `${name}@acme.test` }),
    )
    reconcile(world)
    for (const [index, email] of ['b@acme.test', 'f@acme.test', 'd@acme.test', 'c@acme.test'].entries())
      changeUser(world, found(people[index]), { email })
    reconcile(world)
    expect(people.map((person) => knownAs(world, person).email?.[0])).toEqual(['b', 'f', 'd', 'c', 'e'])
    expect(planEverybody(world).changes).toEqual([])
  })

  test('is not handed on along a chain at whose end somebody stays', () => {
    const world = acme()
    const directory = addDirectory(world)
    const people = ['a', 'b', 'c'].map((name) => pushUser(world, directory, name, { email: `${name}@acme.test` }))
    reconcile(world)
    changeUser(world, found(people[0]), { email: 'b@acme.test' })
    changeUser(world, found(people[1]), { email: 'c@acme.test' })
    reconcile(world)
    expect(people.map((person) => knownAs(world, person).email?.[0])).toEqual(['a', 'b', 'c'])
    expect(planEverybody(world).changes).toEqual([])
  })

  test('that two people move to at once becomes the address of one of them', () => {
    const world = acme()
    const directory = addDirectory(world)
    const people = ['a', 'b'].map((name) => pushUser(world, directory, name, { email: `${name}@acme.test` }))
    reconcile(world)
    for (const person of people) changeUser(world, person, { email: 'info@acme.test' })
    reconcile(world)
    expect(people.filter((person) => knownAs(world, person).email === 'info@acme.test')).toHaveLength(1)
    expect(planEverybody(world).changes).toEqual([])
  })

  test('of somebody who also belongs elsewhere is changed only to one that this organization can prove', () => {
    const world = acme()
    setDomain(world, 'acme-labs.test', 'own')
    const users = ['anna@acme.test', 'bert@mail.test', 'carl@acme.test'].map((email) =>
      addUser(world, email, { emailVerified: true }),
    )
    const directory = addDirectory(world)
    const accounts = ['anna', 'bert', 'carl'].map((name) => pushUser(world, directory, name))
    for (const [index, account] of accounts.entries())
      world.links.set(account, { userId: found(users[index]), observedGeneration: 1 })
    for (const [index, email] of ['anna@acme-labs.test', 'bert@acme.test', 'carl@mail.test'].entries())
      changeUser(world, found(accounts[index]), { email })
    reconcile(world)
    expect(accounts.map((account) => knownAs(world, account).email)).toEqual([
      'anna@acme-labs.test',
      'bert@acme.test',
      'carl@acme.test',
    ])
  })

  test('is spelled as its source spells it', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    changeUser(world, anna, { email: 'Anna@Acme.test' })
    reconcile(world)
    expect(knownAs(world, anna)).toMatchObject({ email: 'Anna@Acme.test', verified: true })
  })
})

describe('an address counts as verified', () => {
  test.each([
    [
      'by a code that came to it',
      (world: World) => signUp(world, 'a@mail.test', { rule: addJoinRule(world, 'mail.test', {}) }),
      true,
    ],
    ['by an accepted invitation', (world: World) => accept(world, invite(world, 'a@mail.test')), true],
    ["by the organization's own connection in its own domain", (world: World) => logIn(world, 'a@acme.test'), true],
    ["by the organization's own connection elsewhere", (world: World) => logIn(world, 'a@mail.test'), false],
    [
      'by a tenant-wide connection, whatever it says',
      (world: World) => logIn(world, 'a@acme.test', { ownConnection: false, emailVerified: true }),
      false,
    ],
    ['by an admin who names it', (world: World) => addByHand(world, { email: 'a@acme.test' }), false],
    ['by its directory in its own domain', (world: World) => pushUser(world, addDirectory(world), 'a@acme.test'), true],
    ['by its directory elsewhere', (world: World) => pushUser(world, addDirectory(world), 'a@mail.test'), false],
  ])('%s: %3$s', (_, come, verified) => {
    const world = acme()
    const fact = come(world)
    reconcile(world)
    expect(knownAs(world, fact).verified).toBe(verified)
  })

  test('as long as it is the same mailbox, and not the next one before that is proved too', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    setDomain(world, 'acme.test', null)
    reconcile(world)
    expect(knownAs(world, anna).verified).toBe(true)
    changeUser(world, anna, { email: 'anna@mail.test' })
    reconcile(world)
    expect(knownAs(world, anna)).toMatchObject({ email: 'anna@mail.test', verified: false })
  })

  test('not by a directory that has another address for the person, or speaks no more', () => {
    const world = acme()
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@mail.test')
    reconcile(world)
    const user = found(world.users.get(found(userFor(world, anna))))
    decommission(world, directory)
    setDomain(world, 'mail.test', 'own')
    reconcile(world)
    expect(user.emailVerified).toBe(false)
  })
})
