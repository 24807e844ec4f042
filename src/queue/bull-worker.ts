// One BullMQ worker: from what lies in the queue to a typed job and back, and a way to stop that ends
// even where the server is gone. Opened by open-queue.ts; what jobs do is decided in worker.ts.

import { setTimeout as pause } from 'node:timers/promises'
import { Worker as BullWorker, type IQueueBackend, type JobProgress, UnrecoverableError } from 'bullmq'
import { RollcallError } from '../model/errors.ts'
import type { Connections } from './connections.ts'
import { decodeJob, type Job } from './jobs.ts'
import { type Log, reasonOf } from './trouble.ts'

/** What a job carries, as BullMQ knows it. */
export type BullJob = Record<string, string>

export interface WorkerOptions {
  /** Jobs at once in this process. */
  readonly concurrency: number
  /** After this long without a sign of life a worker counts as dead. */
  readonly lockMs?: number
  /** How often dead workers are looked for; a job is taken from one after two rounds at the latest. */
  readonly stalledCheckMs?: number
}

export interface QueueWorker {
  /** Takes no more jobs and waits for the running ones; after `graceMs` their signals are aborted. */
  close(options?: { graceMs?: number }): Promise<void>
}

interface Running {
  readonly id: string
  readonly token: string
  readonly done: Promise<void>
  readonly abort: AbortController
}

const defaultGraceMs = 25_000
const forceMs = 2_000
// A job of a dead worker holds its id for so long. A live one whose event loop was held up longer loses
// its job to another worker, which then finds the organization locked, or nothing left to do.
const defaultLockMs = 10_000
const defaultStalledCheckMs = 5_000

export async function startBullWorker<B extends IQueueBackend, C>(
  name: string,
  connections: Connections<B, C>,
  run: (job: Job, signal: AbortSignal) => Promise<void>,
  options: WorkerOptions & { log: Log; onError: (error: unknown) => void },
): Promise<QueueWorker> {
  const lockMs = options.lockMs ?? defaultLockMs
  const running = new Set<Running>()
  const worker = new BullWorker<BullJob, void, string, B, JobProgress, C>(
    name,
    async ({ id = '', name: jobName, data }, token = '') => {
      const job = decodeJob(jobName, data)
      if (job === undefined) throw new UnrecoverableError('A job of another version of this program')
      const abort = new AbortController()
      const one = { id, token, abort, done: run(job, abort.signal) }
      running.add(one)
      await one.done.finally(() => running.delete(one))
    },
    {
      connection: connections.worker(),
      concurrency: options.concurrency,
      lockDuration: lockMs,
      stalledInterval: options.stalledCheckMs ?? defaultStalledCheckMs,
      runRetryDelay: 1_000,
      // BullMQ's own timer for it outlives a worker that was closed while Redis was away.
      skipLockRenewal: true,
    },
    connections.factory,
  )
  worker.on('error', options.onError)
  worker.on('failed', (bullJob, error) => {
    const { name: job, data, attemptsMade } = bullJob ?? {}
    options.log.warn({ job, ...data, attemptsMade, reason: reasonOf(error) }, 'A job failed')
  })

  let renewing = false
  async function renewLocks(): Promise<void> {
    if (renewing || running.size === 0) return
    renewing = true
    try {
      const held = [...running]
      const [ids, tokens] = [held.map(({ id }) => id), held.map(({ token }) => token)]
      const lost = await worker.extendJobLocks(ids, tokens, lockMs)
      for (const { id, abort } of held) if (lost.includes(id)) abort.abort(new Error('The job was lost'))
    } catch (error) {
      options.onError(error)
    }
    renewing = false
  }
  const renewal = setInterval(() => void renewLocks(), lockMs / 3)

  async function close(graceMs: number): Promise<void> {
    const closing = worker.close()
    const closed = new AbortController()
    const { signal } = closed
    const allDone = () => Promise.allSettled([...running].map(({ done }) => done))
    // Where the server is gone, BullMQ would wait for it. Then only our own jobs are waited for.
    const force = async () => {
      do {
        await allDone()
        await pause(forceMs, undefined, { signal })
      } while (running.size > 0)
      await within(forceMs, worker.getBackend().close(true))
    }
    const abort = async () => {
      await pause(graceMs, undefined, { signal })
      for (const { abort } of running) abort.abort(new Error('The worker is stopping'))
      await closing
    }
    try {
      await Promise.race([closing, force(), abort()])
    } finally {
      closed.abort()
      clearInterval(renewal)
    }
  }

  // BullMQ remembers a failed first connection to PostgreSQL for ever; such a worker is not left behind.
  if (connections.mustAnswer) {
    try {
      await worker.waitUntilReady()
    } catch (cause) {
      await close(0)
      throw new RollcallError('unavailable', { detail: 'The queue cannot be reached.', cause })
    }
  }
  let closing: Promise<void> | undefined
  return {
    close({ graceMs = defaultGraceMs } = {}) {
      closing ??= close(graceMs)
      return closing
    },
  }
}

/** The promise's value; undefined when it did not come in time or failed. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController()
  const late = pause(ms, undefined, { signal: done.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise.catch(() => undefined), late])
  } finally {
    done.abort()
  }
}
