// Gives each job to its handler, and an organization that is not done its next turn. Fairness is in
// that turn: the job goes to the end of its line, so that one organization with a hundred thousand
// requests and a thousand organizations with one each get on side by side. The handlers are src/work/.

import type { QueueWorker } from './bull-worker.ts'
import type { Handlers, Job } from './jobs.ts'
import type { Queue } from './open-queue.ts'

export interface WorkersOptions {
  readonly queue: Queue
  readonly handlers: Handlers
  /** Jobs at once in this process. */
  readonly concurrency: number
  /** See `WorkerOptions`; shorter in tests. */
  readonly lockMs?: number
  readonly stalledCheckMs?: number
}

/**
 * Starts to take jobs. `close` takes no more of them and waits for the slices that run; after `graceMs`
 * their signals are aborted. Throws `unavailable` where a queue on PostgreSQL does not answer.
 */
export async function startWorkers({ queue, handlers, ...options }: WorkersOptions): Promise<QueueWorker> {
  return queue.startWorker((job, signal) => handle(queue, handlers, job, signal), options)
}

async function handle(queue: Queue, handlers: Handlers, job: Job, signal: AbortSignal): Promise<void> {
  switch (job.name) {
    case 'reconcile-organization': {
      const { more, urgent } = await handlers[job.name](job.key, signal)
      if (!more) return
      // An urgent slice takes what is urgent and then what is oldest. What it leaves is bulk again, or
      // one login would carry its organization's whole backlog past everybody else's. This job still
      // runs, so the add is kept aside and waits when it is done. If it fails, the sweep finds the rest.
      await queue.add([{ ...job, lane: urgent === true ? 'urgent' : 'bulk' }]).catch(() => {})
      return
    }
    case 'send-mail':
      await handlers[job.name](job.key, signal)
      return
    case 'verify-domain':
      await handlers[job.name](job.key, signal)
      return
  }
}
