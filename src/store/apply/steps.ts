// Runs the statements of a plan one after another, and makes the values of the next one while
// PostgreSQL is busy with the last: of a large slice's time that is a quarter (bench/RESULTS.md).

import type { Scope } from '../scope.ts'
import type { Step } from './slice.ts'

/** `steps` is drawn from lazily, one ahead of what runs. Stops at the first error. */
export async function runSteps(scope: Scope, steps: Iterable<Step>): Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  try {
    for (const step of steps) {
      const values = step.values()
      await running
      running = scope.tx.query(step.statement, values)
    }
  } finally {
    await running
  }
}
