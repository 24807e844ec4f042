// People who look like a known user wait for an admin, whose decision counts.

import { describe, expect, test } from 'vitest'
import { addDirectory, changeUser, pushUser } from '../../support/reconcile/directory.ts'
import { addUser, decideConflict, found, setDomain } from '../../support/reconcile/facts.ts'
import { planEverybody, reconcile } from '../../support/reconcile/reconcile.ts'
import { memberFor, userFor } from '../../support/reconcile/view.ts'
import { addJoinRule, signUp, withdraw } from '../../support/reconcile/ways-in.ts'
import { createWorld, type World } from '../../support/reconcile/world.ts'

function openConflicts(world: World) {
  return [...world.conflicts.values()].filter((conflict) => conflict.state === 'open')
}

/** An organization that owns acme.test and has a directory. */
function acme(): { world: World; directory: string } {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  return { world, directory: addDirectory(world) }
}

describe("an admin's decision about a conflict", () => {
  function conflicted() {
    const { world, directory } = acme()
    const candidate = addUser(world, 'anna@shared.test')
    const anna = pushUser(world, directory, 'anna@shared.test')
    reconcile(world)
    return { world, directory, candidate, anna, conflict: found(openConflicts(world)[0]).id }
  }

  test('links to the candidate', () => {
    const { world, candidate, anna, conflict } = conflicted()
    decideConflict(world, conflict, 'linked')
    reconcile(world)
    expect(userFor(world, anna)).toBe(candidate)
    expect(memberFor(world, anna)?.status).toBe('active')
  })

  test('makes a user of their own, and is not asked again', () => {
    const { world, candidate, anna, conflict } = conflicted()
    decideConflict(world, conflict, 'separate')
    reconcile(world)
    expect(userFor(world, anna)).toBeDefined()
    expect(userFor(world, anna)).not.toBe(candidate)
    expect(openConflicts(world)).toHaveLength(0)
    expect(planEverybody(world).changes).toEqual([])
  })

  test('is for one candidate: another user with the address is asked about anew', () => {
    const { world, anna, conflict } = conflicted()
    decideConflict(world, conflict, 'separate')
    const another = addUser(world, 'anna@shared.test')
    reconcile(world)
    expect(userFor(world, anna)).toBeUndefined()
    expect(openConflicts(world)).toMatchObject([{ candidateUserId: another }])
  })

  test('is not needed any more when the domain is verified and the user proved: the conflict closes by itself', () => {
    const { world, candidate, anna } = conflicted()
    found(world.users.get(candidate)).emailVerified = true
    setDomain(world, 'shared.test', 'own')
    reconcile(world)
    expect(userFor(world, anna)).toBe(candidate)
    expect(openConflicts(world)).toHaveLength(0)
  })

  test('is asked for about the same candidate when others turn up', () => {
    const { world, candidate } = conflicted()
    const another = found(world.users.get(addUser(world, 'anna@shared.test')))
    world.users.delete(another.id)
    world.users.set('a-user-before-all-others', { ...another, id: 'a-user-before-all-others' })
    expect(planEverybody(world).changes).toEqual([])
    expect(openConflicts(world)).toMatchObject([{ candidateUserId: candidate }])
  })

  test('is asked for under a way in that was not withdrawn', () => {
    const world = createWorld()
    addUser(world, 'anna@shared.test')
    const [first, second] = ['one.test', 'two.test'].map((domain) =>
      signUp(world, 'anna@shared.test', { rule: addJoinRule(world, domain, {}) }),
    )
    withdraw(world, found(first))
    reconcile(world)
    expect(openConflicts(world)).toMatchObject([{ subject: { kind: 'entry', id: second } }])
  })

  test('is waited for without asking twice', () => {
    const { world, directory, anna } = conflicted()
    changeUser(world, anna, { displayName: 'Anna' })
    pushUser(world, directory, 'bert@acme.test')
    const { changes } = reconcile(world)
    expect(changes.filter((change) => change.kind === 'raise-conflict')).toEqual([])
    expect(world.conflicts.size).toBe(1)
  })
})
