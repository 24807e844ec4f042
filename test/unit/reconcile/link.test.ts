// Who may become whom where no directory governs, and for the directory's own accounts.

import { describe, expect, test } from 'vitest'
import {
  addDirectory,
  changeUser,
  decommission,
  deleteUser,
  pushUser,
  recreateUser,
} from '../../support/reconcile/directory.ts'
import { addUser, found, setDomain } from '../../support/reconcile/facts.ts'
import { reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addByHand, logIn, signUp, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, roles, type World } from '../../support/reconcile/world.ts'

function openConflicts(world: World) {
  return [...world.conflicts.values()].filter((conflict) => conflict.state === 'open')
}

/** An organization that owns acme.test and has a directory. */
function acme(): { world: World; directory: string } {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  return { world, directory: addDirectory(world) }
}

describe('a known subject', () => {
  test('stays the user that it was linked to when everything else about it changes', () => {
    const { world, directory } = acme()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    const before = userFor(world, anna)
    changeUser(world, anna, { userName: 'a.novak@acme.test', email: 'a.novak@acme.test' })
    reconcile(world)
    expect(before).toBeDefined()
    expect(userFor(world, anna)).toBe(before)
    expect(world.users.size).toBe(1)
  })

  test('is known by connection and subject, whatever address it claims now', () => {
    const world = createWorld()
    const first = logIn(world, 'anna@acme.test', { subject: 'anna' })
    reconcile(world)
    const again = logIn(world, 'new@acme.test', { subject: 'anna' })
    const other = logIn(world, 'third@acme.test', { subject: 'bert' })
    reconcile(world)
    expect(again).toBe(first)
    expect(userFor(world, other)).not.toBe(userFor(world, first))
    expect(world.users.size).toBe(2)
  })

  test('brings every way in of one login to one user, also those that came in the same slice', () => {
    const world = createWorld()
    const joined = signUp(world, 'anna@acme.test', { personal: roles.member })
    const more = signUp(world, 'anna@acme.test', { personal: roles.admin })
    reconcile(world)
    expect(userFor(world, joined)).toBeDefined()
    expect(userFor(world, more)).toBe(userFor(world, joined))
  })

  test('keeps its user as a tombstone, and has it again when the directory brings the account back', () => {
    const { world, directory } = acme()
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    const before = userFor(world, anna)
    deleteUser(world, anna)
    reconcile(world)
    expect(memberFor(world, anna)?.status).toBe('removed')
    recreateUser(world, anna)
    reconcile(world)
    expect(userFor(world, anna)).toBe(before)
    expect(memberFor(world, anna)?.status).toBe('active')
    expect(world.members.size).toBe(1)
  })
})

describe('a subject that says nothing any more', () => {
  test('makes nobody: deleted before it was ever looked at', () => {
    const { world, directory } = acme()
    const gone = pushUser(world, directory, 'gone@acme.test')
    const here = pushUser(world, directory, 'here@acme.test')
    deleteUser(world, gone)
    reconcile(world)
    expect(userFor(world, gone)).toBeUndefined()
    expect(world.links.has(gone)).toBe(true)
    expect(userFor(world, here)).toBeDefined()
  })

  test('makes nobody: its directory was decommissioned', () => {
    const { world, directory } = acme()
    const anna = pushUser(world, directory, 'anna@acme.test')
    decommission(world, directory)
    reconcile(world)
    expect(userFor(world, anna)).toBeUndefined()
  })

  test('makes nobody: withdrawn before it was ever looked at', () => {
    const { world } = acme()
    const entry = addByHand(world, { email: 'anna@acme.test' })
    withdraw(world, entry)
    reconcile(world)
    expect(userFor(world, entry)).toBeUndefined()
    expect(world.users.size).toBe(0)
  })

  test('closes the conflict that it was waiting in', () => {
    const { world, directory } = acme()
    addUser(world, 'anna@acme.test')
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    expect(openConflicts(world)).toHaveLength(1)
    deleteUser(world, anna)
    reconcile(world)
    expect(openConflicts(world)).toHaveLength(0)
  })
})

describe('an address', () => {
  test('links to its user within a domain that this organization has verified', () => {
    const { world, directory } = acme()
    const known = addUser(world, 'anna@acme.test', { emailVerified: true })
    const anna = pushUser(world, directory, 'Anna@ACME.test')
    reconcile(world)
    expect(userFor(world, anna)).toBe(known)
    expect(openConflicts(world)).toHaveLength(0)
  })

  test('makes a new user where nobody has it, verified domain or not', () => {
    const { world, directory } = acme()
    const inside = pushUser(world, directory, 'anna@acme.test')
    const outside = pushUser(world, directory, 'bert@elsewhere.test')
    const without = pushUser(world, directory, 'no-address')
    reconcile(world)
    expect(new Set([inside, outside, without].map((id) => userFor(world, id))).size).toBe(3)
    expect(memberFor(world, without)?.status).toBe('active')
  })

  test.each([
    ['a domain that nobody has verified', null],
    ["another organization's domain", 'foreign'],
  ] as const)('is a conflict in %s', (_, owner) => {
    const { world, directory } = acme()
    setDomain(world, 'shared.test', owner)
    const known = addUser(world, 'anna@shared.test', { emailVerified: true })
    const anna = pushUser(world, directory, 'anna@shared.test')
    reconcile(world)
    expect(userFor(world, anna)).toBeUndefined()
    expect(openConflicts(world)).toMatchObject([{ candidateUserId: known, subject: { id: anna } }])
  })

  test('is a conflict where the user was made elsewhere and nobody has proved it: it may be planted', () => {
    const { world, directory } = acme()
    const planted = addUser(world, 'anna@acme.test', { emailVerified: false, elsewhere: true })
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, anna)).toBeUndefined()
    expect(openConflicts(world)).toMatchObject([{ candidateUserId: planted }])
  })

  test('is a conflict where the user was made here by a login that nobody answers for', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    const unsure = logIn(world, 'anna@acme.test', { ownConnection: false })
    const sure = logIn(world, 'bert@acme.test', { ownConnection: false, emailVerified: true })
    reconcile(world)
    const directory = addDirectory(world)
    const anna = pushUser(world, directory, 'anna@acme.test')
    const bert = pushUser(world, directory, 'bert@acme.test')
    reconcile(world)
    expect(openConflicts(world)).toMatchObject([{ subject: { id: anna }, candidateUserId: userFor(world, unsure) }])
    expect(userFor(world, bert)).toBe(userFor(world, sure))
  })

  test('is a conflict where the user was made elsewhere, though a checked login of theirs speaks of it here', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    const user = addUser(world, 'anna@acme.test')
    logIn(world, 'anna@acme.test', { subject: 'anna', ownConnection: false, emailVerified: true })
    found(world.identities.get('login:connection:anna')).userId = user
    reconcile(world)
    const anna = pushUser(world, addDirectory(world), 'anna@acme.test')
    reconcile(world)
    expect(openConflicts(world)).toMatchObject([{ subject: { id: anna }, candidateUserId: user }])
  })

  test('is a conflict where more than one user has it', () => {
    const { world, directory } = acme()
    addUser(world, 'anna@acme.test', { emailVerified: true })
    addUser(world, 'anna@acme.test', { emailVerified: true })
    const anna = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, anna)).toBeUndefined()
    expect(openConflicts(world)).toHaveLength(1)
  })

  test('brings two accounts of one address to one user in a verified domain, and makes the later wait elsewhere', () => {
    const { world, directory } = acme()
    const [one, two] = ['anna', 'anna.admin'].map((name) =>
      pushUser(world, directory, name, { email: 'anna@acme.test' }),
    )
    const [early, late] = ['bert', 'bert2'].map((name) =>
      pushUser(world, directory, name, { email: 'bert@other.test' }),
    )
    reconcile(world)
    expect(userFor(world, found(two))).toBe(userFor(world, found(one)))
    expect(openConflicts(world)).toMatchObject([
      { subject: { id: late }, candidateUserId: userFor(world, found(early)) },
    ])
  })

  test('belongs to nobody any more when its user leaves it in the same slice', () => {
    const { world, directory } = acme()
    const anna = pushUser(world, directory, 'jones@acme.test')
    reconcile(world)
    changeUser(world, anna, { userName: 'smith@acme.test', email: 'smith@acme.test' })
    const newcomer = pushUser(world, directory, 'jones@acme.test')
    reconcile(world)
    expect(userFor(world, newcomer)).not.toBe(userFor(world, anna))
    expect(world.users.get(found(userFor(world, newcomer)))?.profile.email?.address).toBe('jones@acme.test')
  })

  test('leads back to who had it here before the domain was verified', () => {
    const world = createWorld()
    const directory = addDirectory(world)
    const before = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    deleteUser(world, before)
    reconcile(world)
    setDomain(world, 'acme.test', 'own')
    const after = pushUser(world, directory, 'anna@acme.test')
    reconcile(world)
    expect(userFor(world, after)).toBe(userFor(world, before))
    expect(memberFor(world, after)?.status).toBe('active')
  })

  test('does not link look-alikes outside ASCII, and does link another case', () => {
    const { world, directory } = acme()
    const known = addUser(world, 'kim@acme.test', { emailVerified: true })
    const kelvin = pushUser(world, directory, '\u212Aim@acme.test')
    const capital = pushUser(world, directory, 'KIM@acme.test')
    reconcile(world)
    expect(userFor(world, kelvin)).not.toBe(known)
    expect(userFor(world, capital)).toBe(known)
  })
})

describe('a login', () => {
  test("links by address through the organization's own connection", () => {
    const { world } = acme()
    decommission(world, found([...world.directories.keys()][0]))
    const known = addUser(world, 'anna@acme.test', { emailVerified: true })
    const entry = logIn(world, 'anna@acme.test', { ownConnection: true })
    reconcile(world)
    expect(userFor(world, entry)).toBe(known)
  })

  test('links by address through a tenant-wide connection only if that says it has checked the address', () => {
    const world = createWorld()
    setDomain(world, 'acme.test', 'own')
    addUser(world, 'anna@acme.test', { emailVerified: true })
    const known = addUser(world, 'bert@acme.test', { emailVerified: true })
    const unchecked = logIn(world, 'anna@acme.test', { ownConnection: false })
    const checked = logIn(world, 'bert@acme.test', { ownConnection: false, emailVerified: true })
    reconcile(world)
    expect(userFor(world, unchecked)).toBeUndefined()
    expect(openConflicts(world)).toMatchObject([{ subject: { kind: 'entry', id: unchecked } }])
    expect(userFor(world, checked)).toBe(known)
  })

  test('of a personal sign-up stays separate where anybody else would wait for an admin', () => {
    const world = createWorld()
    const known = addUser(world, 'anna@shared.test', { emailVerified: true })
    const personal = signUp(world, 'anna@shared.test', { personal: roles.owner })
    const ordinary = addByHand(world, { email: 'anna@shared.test' })
    reconcile(world)
    expect(userFor(world, personal)).toBeDefined()
    expect(userFor(world, personal)).not.toBe(known)
    expect(memberFor(world, personal)?.role).toBe(roles.owner)
    expect(openConflicts(world).map((conflict) => conflict.subject.id)).toEqual([ordinary])
  })
})
