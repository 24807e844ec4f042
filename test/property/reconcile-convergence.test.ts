// The same facts end in the same organization, whatever the order and the size of the slices in
// which they are looked at, and looking again changes nothing.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask } from '../support/reconcile/facts.ts'
import { everything, live, picker, runs, sayings, slices } from '../support/reconcile/lives.ts'
import { drain, planEverybody, reconcile } from '../support/reconcile/reconcile.ts'
import { everySubject } from '../support/reconcile/snapshot-of.ts'
import { viewOf } from '../support/reconcile/view.ts'
import { copyWorld, createWorld, type World } from '../support/reconcile/world.ts'

const nothing = { changes: [], held: [], superseded: [] }

/** Who was refused tries again: of a login that fits nobody nothing is kept that could tell when it does. */
function knockAgain(world: World): void {
  for (const entry of world.entries.values()) if (entry.userId === null) ask(world, 'entry', entry.id)
  drain(world)
}

describe('without limits and brake', () => {
  test('any order, slicing and repetition of reconciling the same facts ends in the same organization', () => {
    fc.assert(
      fc.property(sayings, slices, fc.nat({ max: 1_000 }), (life, numbers, seed) => {
        const world = live(createWorld({ brake: 'off' }), life)
        const atOnce = copyWorld(world)
        drain(atOnce)
        knockAgain(atOnce)
        const sliced = copyWorld(world, seed)
        drain(sliced, picker(numbers))
        for (const subject of everySubject(sliced).reverse()) reconcile(sliced, [subject])
        expect(viewOf(sliced)).toEqual(viewOf(atOnce))
      }),
      { numRuns: runs },
    )
  })

  test('planning what was applied is empty, for what was touched and for everybody', () => {
    fc.assert(
      fc.property(sayings, (life) => {
        const world = live(createWorld({ brake: 'off' }), life)
        const touched = [...world.requests.values()]
        reconcile(world, touched)
        const before = viewOf(world)
        expect(reconcile(world, touched)).toMatchObject(nothing)
        drain(world)
        expect(viewOf(world)).toEqual(before)
        knockAgain(world)
        expect(planEverybody(world)).toEqual({ ...nothing, observed: { directoryUsers: [], entries: [] } })
      }),
      { numRuns: runs },
    )
  })
})

test('with limits, brake and Owners too, planning what was applied is empty', () => {
  fc.assert(
    fc.property(everything, slices, (life, numbers) => {
      const world = live(createWorld({ seatLimit: 3 }), life)
      world.organization.brake = { percent: 20, minimum: 2 }
      drain(world, picker(numbers))
      const touched = everySubject(world)
      reconcile(world, touched)
      expect(reconcile(world, touched)).toMatchObject(nothing)
    }),
    { numRuns: runs },
  )
})
