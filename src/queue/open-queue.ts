// BullMQ, behind one small door: nothing else in the program knows it. Which backend it runs on is
// the URL's scheme. What the jobs are is jobs.ts; who adds them is relay.ts, who runs them worker.ts.
//
// How `deduplication: { id, keepLastIfActive: true }` behaves in BullMQ 6.7, read from its Lua and SQL
// and held by test/flow/queue.test.ts on both backends, together with priorities and addBulk:
// - While a job of the id waits (or pauses before its next try), an add of the same id is dropped.
// - While one runs, an add is kept aside, one at most, the last; when the running one completes or
//   fails for good, it becomes a waiting job with its own priority, at the end of its line.
// - So at most one runs and one waits, and a job added after a commit is never lost to one that had
//   read before it: what swallowed it has not started yet, or it runs again.
// - The id is free again when its job completes or fails for good. An id whose job is gone (a flushed
//   Redis, an obliterated queue) is taken over by the next add.
// - A job whose worker died still counts as running: its id is stuck until the stalled check gives the
//   job to another worker. Locks are short here for that reason, which is safe because a second run
//   changes nothing.
// - Jobs without a priority come first, then smaller numbers first. On both backends a bulk add with
//   deduplication is one round trip; on PostgreSQL it is also one transaction.

import { Queue as BullQueue, type IQueueBackend, type JobsOptions } from 'bullmq'
import { RollcallError } from '../model/errors.ts'
import { type BullJob, type QueueWorker, startBullWorker, type WorkerOptions, within } from './bull-worker.ts'
import { type Connections, postgresConnections, redisConnections } from './connections.ts'
import { deduplicationId, encodeJob, type Job, rulesOf } from './jobs.ts'
import { createTrouble, type Log } from './trouble.ts'

export interface Queue {
  readonly backend: 'redis' | 'postgres'
  /** Adds jobs; those of an id that already waits are dropped. Throws at once where the queue cannot be reached. */
  add(jobs: readonly Job[]): Promise<void>
  /** Takes jobs until it is closed. A `run` that throws has its job tried again. */
  startWorker(run: (job: Job, signal: AbortSignal) => Promise<void>, options: WorkerOptions): Promise<QueueWorker>
  /** Jobs by state; `waiting` is all priorities together. */
  counts(): Promise<Counts>
  /** Whether the queue answers, within two seconds. Never throws. */
  health(): Promise<boolean>
  /** Closes its workers too. Nothing is left open, even where the server is gone. */
  close(): Promise<void>
}

export interface Counts {
  readonly waiting: number
  readonly active: number
  readonly delayed: number
  readonly failed: number
}

export interface QueueOptions {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`. */
  readonly url: string
  /** Keeps queues apart that share a server. */
  readonly prefix?: string
  readonly log: Log
}

/**
 * Opens the queue. On PostgreSQL it makes or migrates BullMQ's schema and throws `unavailable` where
 * the server does not answer; with Redis down it opens all the same, and works as soon as Redis does.
 * Throws `invalid_request` for a URL that is neither.
 */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  switch (URL.canParse(options.url) ? new URL(options.url).protocol : undefined) {
    case 'redis:':
    case 'rediss:':
      return openOn('redis', redisConnections, options)
    case 'postgres:':
    case 'postgresql:':
      return openOn('postgres', postgresConnections, options)
    default:
      throw new RollcallError('invalid_request', 'The queue URL has to begin with redis://, rediss:// or postgres://.')
  }
}

const closeMs = 3_000
const healthMs = 2_000
const probeMs = 1_000

async function openOn<B extends IQueueBackend, C>(
  backend: Queue['backend'],
  connect: (url: string, onError: (error: unknown) => void) => Connections<B, C>,
  options: QueueOptions,
): Promise<Queue> {
  const name = options.prefix ?? 'rollcall'
  const adding = new Set<Promise<unknown>>()
  const workers = new Set<QueueWorker>()
  let closed = false

  // Neither backend says reliably that it is back, so after a failure it is asked until it answers.
  const trouble = createTrouble(options.log, { what: 'The queue does not work', again: 'The queue works again' })
  let probe: NodeJS.Timeout | undefined
  const failed = (error: unknown) => {
    if (closed) return
    trouble.failed(error)
    probe ??= setTimeout(() => void ask(), probeMs)
  }
  const ask = async () => {
    const works = await health()
    probe = undefined
    if (works) trouble.worked()
    else failed(new Error('The queue does not answer'))
  }

  const connections = connect(options.url, failed)
  const queue = new BullQueue<BullJob, void, string, BullJob, void, string, B, C>(
    name,
    {
      connection: connections.producer,
      skipVersionCheck: !connections.mustAnswer,
      skipWaitingForReady: !connections.mustAnswer,
      // Nobody reads BullMQ's events here.
      streams: { events: { maxLen: 100 } },
    },
    connections.factory,
  )
  queue.on('error', failed)
  try {
    await connections.settled()
    await queue.waitUntilReady()
  } catch (cause) {
    closed = true
    clearTimeout(probe)
    await within(closeMs, queue.close())
    connections.disconnect()
    throw new RollcallError('unavailable', { detail: 'The queue cannot be reached.', cause })
  }

  async function counts(): Promise<Counts> {
    const found = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed')
    const of = (state: string) => found[state] ?? 0
    return {
      waiting: of('wait') + of('prioritized'),
      active: of('active'),
      delayed: of('delayed'),
      failed: of('failed'),
    }
  }

  async function health(): Promise<boolean> {
    try {
      connections.assertReachable()
      return (await within(healthMs, queue.getJobCounts('active'))) !== undefined
    } catch {
      return false
    }
  }

  return {
    backend,
    counts,
    health,
    async add(jobs) {
      if (closed) throw new RollcallError('unavailable', 'The queue is closed.')
      if (jobs.length === 0) return
      try {
        connections.assertReachable()
        const added = queue.addBulk(jobs.map((job) => ({ ...encodeJob(job), opts: optionsOf(job) })))
        adding.add(added)
        await added.finally(() => adding.delete(added))
      } catch (error) {
        failed(error)
        throw error
      }
    },
    async startWorker(run, workerOptions) {
      const worker = await startBullWorker(name, connections, run, {
        ...workerOptions,
        log: options.log,
        onError: failed,
      })
      workers.add(worker)
      return worker
    },
    async close() {
      closed = true
      clearTimeout(probe)
      await Promise.all([...workers].map((worker) => worker.close()))
      // BullMQ leaves a call on a closing PostgreSQL pool unanswered for ever, so they come first.
      await Promise.allSettled(adding)
      await within(closeMs, queue.close())
      connections.disconnect()
    },
  }
}

function optionsOf(job: Job): JobsOptions {
  const { priority, attempts, firstPauseMs } = rulesOf(job)
  return {
    deduplication: { id: deduplicationId(job), keepLastIfActive: true },
    // Leaving it out is what makes a job of the first line.
    ...(priority > 0 && { priority }),
    attempts,
    backoff: { type: 'exponential', delay: firstPauseMs, jitter: 0.2 },
    // What was done stands in the database. Keeping the last few of the completed would cost PostgreSQL
    // a scan of them with each completion.
    removeOnComplete: true,
    removeOnFail: { age: 24 * 60 * 60, count: 200 },
    stackTraceLimit: 1,
  }
}
