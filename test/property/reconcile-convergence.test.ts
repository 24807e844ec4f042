// The same facts end in the same organization, whatever the order and the size of the slices in
// which they are looked at, and looking again changes nothing.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask } from '../support/reconcile/facts.ts'
import { happening, type Operation, perform, prepare, saying } from '../support/reconcile/operations.ts'
import { drain, planEverybody, reconcile } from '../support/reconcile/reconcile.ts'
import { everySubject } from '../support/reconcile/snapshot-of.ts'
import { viewOf } from '../support/reconcile/view.ts'
import { copyWorld, createWorld, type Subject, type World } from '../support/reconcile/world.ts'

interface Life {
  readonly governed: boolean
  /** What was said, and whether everything said so far was then reconciled. */
  readonly story: readonly { readonly operation: Operation; readonly reconcile: boolean }[]
}

const life = (operation: fc.Arbitrary<Operation>): fc.Arbitrary<Life> =>
  fc.record({
    governed: fc.boolean(),
    story: fc.array(fc.record({ operation, reconcile: fc.boolean() }), { minLength: 1, maxLength: 60, size: 'max' }),
  })

function live(world: World, { governed, story }: Life): World {
  prepare(world, governed)
  for (const step of story) {
    perform(world, step.operation)
    if (step.reconcile) drain(world)
  }
  return world
}

/** Who was refused tries again: of a login that fits nobody nothing is kept that could tell when it does. */
function knockAgain(world: World): void {
  for (const entry of world.entries.values()) if (entry.userId === null) ask(world, 'entry', entry.id)
  drain(world)
}

/** Takes slices of changing size from changing places. */
function picker(numbers: readonly number[]): (waiting: readonly Subject[]) => readonly Subject[] {
  let turn = 0
  return (waiting) => {
    const number = numbers[turn % numbers.length] ?? 0
    turn += 1
    const start = number % waiting.length
    return waiting.slice(start, start + 1 + (number % 3))
  }
}

const slicing = fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 12 })
const runs = Number(process.env['PROPERTY_RUNS'] ?? 300)

describe('without limits and brake', () => {
  test('any order, slicing and repetition of reconciling the same facts ends in the same organization', () => {
    fc.assert(
      fc.property(life(saying), slicing, fc.nat({ max: 1_000 }), (story, numbers, seed) => {
        const world = live(createWorld({ brake: 'off' }), story)
        const atOnce = copyWorld(world)
        drain(atOnce)
        const sliced = copyWorld(world, seed)
        drain(sliced, picker(numbers))
        for (const subject of everySubject(sliced).reverse()) reconcile(sliced, [subject])
        knockAgain(atOnce)
        expect(viewOf(sliced)).toEqual(viewOf(atOnce))
      }),
      { numRuns: runs },
    )
  })

  test('planning what was applied is empty, for what was touched and for everybody', () => {
    fc.assert(
      fc.property(life(saying), (story) => {
        const world = live(createWorld({ brake: 'off' }), story)
        const touched = [...world.requests.values()]
        reconcile(world, touched)
        const before = viewOf(world)
        expect(reconcile(world, touched)).toMatchObject({ changes: [], held: [], superseded: [] })
        drain(world)
        expect(viewOf(world)).toEqual(before)
        knockAgain(world)
        expect(planEverybody(world)).toEqual({
          changes: [],
          held: [],
          superseded: [],
          observed: { directoryUsers: [], entries: [] },
        })
      }),
      { numRuns: runs },
    )
  })
})

test('with limits, brake and Owners too, planning what was applied is empty', () => {
  fc.assert(
    fc.property(life(happening), slicing, (story, numbers) => {
      const world = live(createWorld({ seatLimit: 3 }), story)
      world.organization.brake = { percent: 20, minimum: 2 }
      drain(world, picker(numbers))
      const touched = everySubject(world)
      reconcile(world, touched)
      expect(reconcile(world, touched)).toMatchObject({ changes: [], held: [], superseded: [] })
    }),
    { numRuns: runs },
  )
})
