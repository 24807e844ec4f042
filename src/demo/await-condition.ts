// Waiting for something that happens behind the doors, bounded in time.

import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20
const timeoutMs = 15_000

/** Looks again and again until there is something to see; after fifteen seconds it is an error that says what was awaited. */
export async function awaitCondition<T>(
  what: string,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > end) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`)
    await delay(pollMs, undefined, { signal })
  }
}
