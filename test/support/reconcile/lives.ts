// Lives of an organization to hold properties against: what was said, in which order, and when it
// was reconciled in which slices.

import fc from 'fast-check'
import type { Plan } from '../../../src/reconcile/change.ts'
import { happening, type Operation, perform, prepare, saying } from './operations.ts'
import { reconcile } from './reconcile.ts'
import type { Subject, World } from './world.ts'

export interface Life {
  readonly governed: boolean
  /** What was said, and whether everything said so far was then reconciled. */
  readonly story: readonly { readonly operation: Operation; readonly reconcile: boolean }[]
}

function lives(operation: fc.Arbitrary<Operation>): fc.Arbitrary<Life> {
  const step = fc.record({ operation, reconcile: fc.boolean() })
  return fc.record({ governed: fc.boolean(), story: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }) })
}

/** Without limits, decisions about removals, and Owners: there the order counts by intention. */
export const sayings: fc.Arbitrary<Life> = lives(saying)

export const everything: fc.Arbitrary<Life> = lives(happening)

/** How a life is cut into slices. */
export const slices: fc.Arbitrary<readonly number[]> = fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 12 })

/** How many lives each property is held against; set PROPERTY_RUNS to look for longer. */
export const runs = Number(process.env['PROPERTY_RUNS'] ?? 200)

type Pick = (waiting: readonly Subject[]) => readonly Subject[]

/** Takes slices of one to three from changing places. */
export function picker(numbers: readonly number[]): Pick {
  let turn = 0
  return (waiting) => {
    const number = numbers[turn % numbers.length] ?? 0
    turn += 1
    const start = number % waiting.length
    return waiting.slice(start, start + 1 + (number % 3))
  }
}

interface Observer {
  readonly pick?: Pick
  /** Told before each slice; what it answers is told after it. */
  readonly look?: (world: World) => (plan: Plan) => void
}

/** What was said last is not reconciled yet. */
export function live(world: World, { governed, story }: Life, observer: Observer = {}): World {
  prepare(world, governed)
  for (const step of story) {
    perform(world, step.operation)
    if (step.reconcile) drainWatched(world, observer)
  }
  return world
}

/** Slice by slice until nothing is asked for any more. */
export function drainWatched(world: World, { pick = (all) => all, look }: Observer): void {
  while (world.requests.size > 0) {
    const after = look?.(world)
    const plan = reconcile(world, pick([...world.requests.values()]))
    after?.(plan)
  }
}
