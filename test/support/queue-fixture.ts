// What the tests of the queue share: a queue of their own on either backend, a log that can be read,
// and handlers that note what they were given and can be held up.

import { randomUUID } from 'node:crypto'
import { Queue as BullQueue, type ConnectionOptions, createPostgresBackend } from 'bullmq'
import { Redis } from 'ioredis'
import { vi } from 'vitest'
import type { Uuid } from '../../src/model/ids.ts'
import type { Handlers, Job, Lane, SliceOutcome } from '../../src/queue/jobs.ts'
import type { Log } from '../../src/queue/trouble.ts'
import type { OrganizationKey } from '../../src/store/outbox.ts'
import type { QueueBackend } from './queue-backends.ts'

export interface KeptLog extends Log {
  readonly lines: { readonly level: 'info' | 'warn'; readonly message: string }[]
}

export function keepLog(): KeptLog {
  const lines: KeptLog['lines'] = []
  return {
    lines,
    info: (_fields, message) => lines.push({ level: 'info', message }),
    warn: (_fields, message) => lines.push({ level: 'warn', message }),
  }
}

/** Waits for a condition; the time limit is for a machine that does much else. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(condition, { timeout: 20_000, interval: 10 })
}

/** A name that no other test has. */
export function queueName(): string {
  return `test-${randomUUID()}`
}

export function organizationKey(): OrganizationKey {
  return { tenant: randomUUID(), organization: randomUUID() }
}

export function reconcile(key: OrganizationKey, lane: Lane = 'bulk'): Job {
  return { name: 'reconcile-organization', key, lane }
}

export interface Recorder extends Handlers {
  /** What ran, in the order in which it started. */
  readonly started: { readonly name: Job['name']; readonly id: Uuid }[]
  /** What has ended. */
  readonly ended: Uuid[]
  /** The most that ran at once for any one key. */
  mostAtOnce(): number
}

/** Handlers that note what they get; `reconcileWith` runs in between. */
export function record(
  reconcileWith: (key: OrganizationKey, signal: AbortSignal) => Promise<SliceOutcome> = async () => ({ more: false }),
): Recorder {
  const started: { name: Job['name']; id: Uuid }[] = []
  const ended: Uuid[] = []
  const running = new Map<Uuid, number>()
  let most = 0
  const noting = async <T>(name: Job['name'], id: Uuid, run: () => Promise<T>): Promise<T> => {
    const now = (running.get(id) ?? 0) + 1
    running.set(id, now)
    most = Math.max(most, now)
    started.push({ name, id })
    try {
      return await run()
    } finally {
      running.set(id, (running.get(id) ?? 1) - 1)
      ended.push(id)
    }
  }
  return {
    started,
    ended,
    mostAtOnce: () => most,
    'reconcile-organization': (key, signal) =>
      noting('reconcile-organization', key.organization, () => reconcileWith(key, signal)),
    'send-mail': (key) => noting('send-mail', key.mail, async () => {}),
    'verify-domain': (key) => noting('verify-domain', key.domain, async () => {}),
  }
}

/** A door that is shut until it is opened, for as many as wait at it. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

/** Throws away every job of a queue and all that the queue remembers, as a flushed Redis would. */
export async function forgetEverything(backend: QueueBackend, name: string): Promise<void> {
  if (backend.name === 'postgres') {
    const queue = new BullQueue(name, { connection: { connectionString: backend.url } }, createPostgresBackend)
    await queue.obliterate({ force: true })
    await queue.close()
    return
  }
  const connection: Redis & ConnectionOptions = new Redis(backend.url, { maxRetriesPerRequest: null })
  const queue = new BullQueue(name, { connection })
  await queue.obliterate({ force: true })
  await queue.close()
  connection.disconnect()
}
