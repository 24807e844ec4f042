// Turns what was committed into jobs. Quick by notifications, certain by a sweep: whatever goes wrong
// between a commit and the queue (a lost notification, a dead relay, a queue that is down or has
// forgotten everything), the next sweep finds what waits and adds it. So nothing is kept or tried again
// here. Several relays at once do no harm, because the queue drops what it already has. The rows and
// the notifications are src/store/outbox.ts.

import type { OutboxReader, Wake } from '../store/outbox.ts'
import type { Job } from './jobs.ts'
import { deduplicationId } from './jobs.ts'
import type { Queue } from './open-queue.ts'
import { createTrouble, type Log } from './trouble.ts'

export interface RelayOptions {
  readonly outbox: OutboxReader
  readonly queue: Queue
  readonly log: Log
  /** From the end of a sweep to the next, at the least; 1,000 unless told. */
  readonly sweepMs?: number
}

export interface Relay {
  /** Finishes the add in flight; what is not added yet is found by the next relay. */
  stop(): Promise<void>
}

const atOnce = 1_000
/** Beyond this many different jobs, wakes are left to the sweep. */
const capacity = 20_000

/** Starts listening and sweeping. Never throws: with the database or the queue down it goes on trying. */
export function startRelay({ outbox, queue, log, sweepMs = 1_000 }: RelayOptions): Relay {
  const gather = createGatherer(queue)
  const rest = createRest()
  let stopped = false

  const hearing = createTrouble(log, {
    what: 'The relay hears no notifications; jobs come by the sweep',
    again: 'The relay hears notifications again',
  })
  const listener = outbox.listen({
    onWakes: (wakes) => gather.wake(wakes.map(jobOf)),
    onListening() {
      hearing.worked()
      rest.end()
    },
    onLost: hearing.failed,
  })

  const sweeping = createTrouble(log, { what: 'The sweep failed', again: 'The sweep works again' })
  async function keepSweeping(): Promise<void> {
    while (!stopped) {
      const started = performance.now()
      try {
        await sweepOnce(outbox, queue, () => stopped)
        sweeping.worked()
      } catch (error) {
        sweeping.failed(error)
      }
      // A sweep that takes long, because very much waits, is not to be most of what is done.
      if (!stopped) await rest.take(Math.max(sweepMs, 3 * (performance.now() - started)))
    }
  }
  const running = keepSweeping()

  return {
    async stop() {
      stopped = true
      rest.end()
      await Promise.all([listener.close(), running, gather.idle()])
    },
  }
}

/** Adds everything that waits. Ends early where the queue takes nothing, which the queue has logged. */
async function sweepOnce(outbox: OutboxReader, queue: Queue, stopped: () => boolean): Promise<void> {
  for await (const wakes of outbox.sweep()) {
    if (stopped() || !(await added(queue, wakes.map(jobOf)))) return
  }
}

/** A pause that can be ended, also before it is taken: then it is over at once. */
function createRest(): { take(ms: number): Promise<void>; end(): void } {
  let ended = false
  let wakeUp = () => {}
  return {
    async take(ms) {
      if (!ended) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wakeUp = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      ended = false
    },
    end() {
      ended = true
      wakeUp()
    },
  }
}

interface Gatherer {
  wake(jobs: readonly Job[]): void
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>
}

/** One add in flight at a time; what is woken meanwhile becomes the next one. When idle, it waits for the rest of the turn only. */
function createGatherer(queue: Queue): Gatherer {
  const waiting = new Map<string, Job>()
  let adding: Promise<void> | undefined

  async function add(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.size > 0) {
      const jobs = [...waiting.values()].slice(0, atOnce)
      for (const job of jobs) waiting.delete(deduplicationId(job))
      if (!(await added(queue, jobs))) waiting.clear()
    }
    adding = undefined
  }

  return {
    wake(jobs) {
      for (const job of jobs) if (waiting.size < capacity) waiting.set(deduplicationId(job), job)
      adding ??= add()
    },
    idle: async () => adding,
  }
}

async function added(queue: Queue, jobs: readonly Job[]): Promise<boolean> {
  try {
    await queue.add(jobs)
    return true
  } catch {
    return false
  }
}

function jobOf({ kind, tenant, id, urgent }: Wake): Job {
  switch (kind) {
    case 'organization':
      return { name: 'reconcile-organization', key: { tenant, organization: id }, lane: urgent ? 'urgent' : 'bulk' }
    case 'mail':
      return { name: 'send-mail', key: { tenant, mail: id } }
    case 'domain':
      return { name: 'verify-domain', key: { tenant, domain: id } }
  }
}
