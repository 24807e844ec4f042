import { randomUUID } from 'node:crypto'
import { Queue as BullQueue, createPostgresBackend, createRedisBackend } from 'bullmq'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { openQueue, type Queue } from '../../src/queue/open-queue.ts'
import { startWorkers } from '../../src/queue/worker.ts'
import { type QueueBackend, queueBackends } from '../support/queue-backends.ts'
import {
  forgetEverything,
  gate,
  keepLog,
  organizationKey,
  queueName,
  reconcile,
  record,
  until,
} from '../support/queue-fixture.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(backend: QueueBackend, prefix = queueName()): Promise<Queue> {
  const queue = await openQueue({ url: backend.url, prefix, log: keepLog() })
  closing.push(() => queue.close())
  return queue
}

/** Adds a job past our own types, as another version of the program would. */
async function addForeign(backend: QueueBackend, prefix: string, name: string, data: object): Promise<void> {
  if (backend.name === 'postgres') {
    const queue = new BullQueue(prefix, { connection: { connectionString: backend.url } }, createPostgresBackend)
    await queue.add(name, data, { attempts: 5 })
    await queue.close()
    return
  }
  const connection = new Redis(backend.url)
  const queue = new BullQueue(prefix, { connection }, createRedisBackend)
  await queue.add(name, data, { attempts: 5 })
  await queue.close()
  connection.disconnect()
}

describe.each(queueBackends())('the queue on $name', (backend) => {
  it('gives every kind of job to its handler with its key', async () => {
    const queue = await open(backend)
    const handlers = record()
    const [organization, mail, domain] = [organizationKey(), randomUUID(), randomUUID()]
    await queue.add([
      reconcile(organization),
      { name: 'send-mail', key: { tenant: organization.tenant, mail } },
      { name: 'verify-domain', key: { tenant: organization.tenant, domain } },
    ])
    expect(await queue.counts()).toEqual({ waiting: 3, active: 0, delayed: 0, failed: 0 })
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length === 3)
    expect(handlers.started).toEqual([
      { name: 'send-mail', id: mail },
      { name: 'verify-domain', id: domain },
      { name: 'reconcile-organization', id: organization.organization },
    ])
    await until(async () => (await queue.counts()).active === 0)
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
  })

  it('keeps one waiting job of a lane however often it is added, alone or in bulk', async () => {
    const queue = await open(backend)
    const key = organizationKey()
    await queue.add(Array.from({ length: 200 }, () => reconcile(key)))
    await Promise.all(Array.from({ length: 20 }, () => queue.add([reconcile(key)])))
    expect(await queue.counts()).toMatchObject({ waiting: 1 })
    await queue.add([reconcile(organizationKey()), reconcile(key)])
    expect(await queue.counts()).toMatchObject({ waiting: 2 })
  })

  it('runs a job once more when it was added while it ran, and never twice at a time', async () => {
    const queue = await open(backend)
    const key = organizationKey()
    const first = gate()
    const handlers = record(async () => {
      await first.passed
      return { more: false }
    })
    await startWorkers({ queue, handlers, concurrency: 8 })
    await queue.add([reconcile(key)])
    await until(() => handlers.started.length === 1)
    await Promise.all(Array.from({ length: 50 }, () => queue.add([reconcile(key), reconcile(key)])))
    expect(await queue.counts()).toMatchObject({ active: 1, waiting: 0 })
    first.open()
    await until(() => handlers.ended.length === 2)
    await queue.add([reconcile(key)])
    await until(() => handlers.ended.length === 3)
    expect(handlers.mostAtOnce()).toBe(1)
    await until(async () => (await queue.counts()).active === 0)
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 })
    expect(handlers.started).toHaveLength(3)
  })

  it('lets an urgent job overtake 200 bulk jobs that wait, and also those that were added again while they ran', async () => {
    const queue = await open(backend)
    const bulk = Array.from({ length: 200 }, organizationKey)
    const [urgent, late] = [organizationKey(), organizationKey()]
    const [first, second] = [gate(), gate()]
    const handlers = record(async ({ organization }) => {
      if (organization === bulk[0]?.organization) await first.passed
      if (organization === urgent.organization) await second.passed
      return { more: false }
    })
    await queue.add(bulk.map((key) => reconcile(key)))
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.started.length === 1)
    await queue.add(bulk.slice(0, 1).map((key) => reconcile(key)))
    await queue.add([reconcile(urgent, 'urgent')])
    first.open()
    await until(() => handlers.started.length === 2)
    await queue.add([reconcile(late, 'urgent')])
    second.open()
    await until(() => handlers.ended.length === 203)
    const order = handlers.started.map(({ id }) => id)
    expect(order.slice(0, 3)).toEqual([bulk[0], urgent, late].map((key) => key?.organization))
    expect(order.slice(3, 202)).toEqual(bulk.slice(1).map((key) => key.organization))
    expect(order[202]).toBe(bulk[0]?.organization)
  })

  it('does not let a bulk job that waits swallow the urgent one of its organization', async () => {
    const queue = await open(backend)
    const key = organizationKey()
    await queue.add([reconcile(key, 'bulk'), reconcile(key, 'urgent'), reconcile(key, 'urgent')])
    expect(await queue.counts()).toMatchObject({ waiting: 2 })
  })

  it('gives organizations with more to do their turns side by side', async () => {
    const queue = await open(backend)
    const [big, ...small] = Array.from({ length: 4 }, organizationKey)
    if (big === undefined) throw new Error('no key')
    const left = new Map(small.map((key) => [key.organization, 2]))
    left.set(big.organization, 6)
    const handlers = record(async ({ organization }) => {
      const rest = (left.get(organization) ?? 0) - 1
      left.set(organization, rest)
      return { more: rest > 0 }
    })
    await queue.add([big, ...small].map((key) => reconcile(key)))
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length === 12)
    const order = handlers.started.map(({ id }) => [big, ...small].findIndex((key) => key.organization === id))
    expect(order).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 0, 0])
  })

  it('lets what an urgent slice leaves wait behind the others, unless somebody waits for that too', async () => {
    const queue = await open(backend)
    const [login, other] = [organizationKey(), organizationKey()]
    const outcomes = [{ more: true, urgent: true }, { more: true }, { more: false }]
    const handlers = record(async ({ organization }) => {
      return (organization === login.organization ? outcomes.shift() : undefined) ?? { more: false }
    })
    await queue.add([reconcile(other), reconcile(login, 'urgent')])
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length === 4)
    const order = handlers.started.map(({ id }) => (id === login.organization ? 'login' : 'other'))
    expect(order).toEqual(['login', 'login', 'other', 'login'])
  })

  it('tries a job again that failed, in its lane and under its id', async () => {
    const queue = await open(backend)
    const key = organizationKey()
    let tries = 0
    const handlers = record(async () => {
      tries += 1
      if (tries === 1) throw new Error('The database went away')
      return { more: false }
    })
    await startWorkers({ queue, handlers, concurrency: 2 })
    await queue.add([reconcile(key)])
    await until(async () => (await queue.counts()).delayed === 1)
    await queue.add([reconcile(key)])
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 1, failed: 0 })
    await until(() => handlers.ended.length === 2)
    await queue.add([reconcile(key)])
    await until(() => handlers.ended.length === 3)
  })

  it('gives a job up that it does not know, and goes on', async () => {
    const prefix = queueName()
    const queue = await open(backend, prefix)
    const handlers = record()
    await addForeign(backend, prefix, 'shred-organization', organizationKey())
    await addForeign(backend, prefix, 'send-mail', { tenant: 'not an id' })
    await queue.add([reconcile(organizationKey())])
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length === 1)
    await until(async () => (await queue.counts()).active === 0)
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 2 })
  })

  it('finishes what runs when a worker stops, and leaves the rest for the next one', async () => {
    const queue = await open(backend)
    const [running, waiting] = [organizationKey(), organizationKey()]
    const shut = gate()
    const aborted: boolean[] = []
    const handlers = record(async (_key, signal) => {
      await shut.passed
      aborted.push(signal.aborted)
      return { more: false }
    })
    const worker = await startWorkers({ queue, handlers, concurrency: 1 })
    await queue.add([reconcile(running)])
    await until(() => handlers.started.length === 1)
    await queue.add([reconcile(waiting)])
    const stopped = worker.close()
    shut.open()
    await stopped
    expect(handlers.ended).toEqual([running.organization])
    expect(aborted).toEqual([false])
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0, delayed: 0, failed: 0 })
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length === 2)
    expect(handlers.ended[1]).toBe(waiting.organization)
  })

  it('aborts the signal of a slice that takes longer than stopping may', async () => {
    const queue = await open(backend)
    const handlers = record(async (_key, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return { more: false }
    })
    const worker = await startWorkers({ queue, handlers, concurrency: 1 })
    await queue.add([reconcile(organizationKey())])
    await until(() => handlers.started.length === 1)
    await worker.close({ graceMs: 50 })
    expect(handlers.ended).toHaveLength(1)
  })

  it('keeps the job of a slice that takes longer than its lock', async () => {
    const queue = await open(backend)
    const times = { lockMs: 300, stalledCheckMs: 100, concurrency: 1 }
    const shut = gate()
    const handlers = record(async () => {
      await shut.passed
      return { more: false }
    })
    await startWorkers({ queue, handlers, ...times })
    await queue.add([reconcile(organizationKey())])
    await until(() => handlers.started.length === 1)
    await startWorkers({ queue, handlers, ...times })
    const enough = performance.now() + 5 * times.lockMs
    await until(() => performance.now() > enough)
    shut.open()
    await until(async () => (await queue.counts()).active === 0)
    expect(handlers.ended).toHaveLength(1)
  })

  it('tells a slice by its signal that its job is no longer its own', async () => {
    const prefix = queueName()
    const queue = await open(backend, prefix)
    const handlers = record(async (_key, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return { more: false }
    })
    await startWorkers({ queue, handlers, concurrency: 1, lockMs: 300, stalledCheckMs: 100 })
    await queue.add([reconcile(organizationKey())])
    await until(() => handlers.started.length === 1)
    await forgetEverything(backend, prefix)
    await until(() => handlers.ended.length === 1)
  })

  it('says that it answers while it is open, and refuses jobs when it is closed', async () => {
    const queue = await openQueue({ url: backend.url, prefix: queueName(), log: keepLog() })
    expect(await queue.health()).toBe(true)
    await queue.add([reconcile(organizationKey())])
    await queue.close()
    await expect(queue.add([reconcile(organizationKey())])).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('opening a queue', () => {
  it.each(['', 'localhost:6379', 'mysql://localhost/queue'])('refuses the URL "%s" with a sentence', async (url) => {
    await expect(openQueue({ url, log: keepLog() })).rejects.toMatchObject({
      code: 'invalid_request',
      detail: expect.stringContaining('redis://'),
    })
  })

  it('says so when the PostgreSQL of the queue does not answer', async () => {
    const url = 'postgres://rollcall@127.0.0.1:1/rollcall'
    await expect(openQueue({ url, log: keepLog() })).rejects.toMatchObject({ code: 'unavailable' })
  })
})
