import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/open-queue.ts'
import { startRelay } from '../../src/queue/relay.ts'
import { startWorkers } from '../../src/queue/worker.ts'
import { withTransaction } from '../../src/store/database.ts'
import { createOutboxReader, requestReconcile } from '../../src/store/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase, type World } from '../support/organization-fixture.ts'
// Only for the run's last line, which says whether Redis was tested.
import '../support/queue-backends.ts'
import { gate, keepLog, organizationKey, queueName, reconcile, record, until } from '../support/queue-fixture.ts'
import { freePort, installedRedis, type RedisServer, startRedis } from '../support/redis.ts'

let files: TestDatabase
let database: OpenDatabase
let port: number
let redis: RedisServer | undefined
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  files = await createTestDatabase()
  database = openDatabase(files.url)
})
beforeEach(async () => {
  await database.pool.query('TRUNCATE reconcile_requests')
  port = await freePort()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await redis?.stop()
  redis = undefined
})
afterAll(async () => {
  await database.close()
  await files.drop()
})

async function open(log = keepLog()) {
  const queue = await openQueue({ url: `redis://127.0.0.1:${port}`, prefix: queueName(), log })
  closing.push(() => queue.close())
  return queue
}

async function commit(world: World): Promise<void> {
  await withTransaction(database, world.caller, (scope) =>
    requestReconcile(scope, world.organization, [{ kind: 'directory_user', id: randomUUID() }], { causeId: null }),
  )
}

async function pending(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>('SELECT count(*)::int FROM reconcile_requests')
  return rows[0]?.count ?? 0
}

describe.skipIf(installedRedis() === undefined)('with a Redis that comes and goes', () => {
  it('commits go on while it is down, and everything is delivered when it is back', async () => {
    redis = await startRedis(port)
    const log = keepLog()
    const queue = await open(log)
    const outbox = createOutboxReader({ pool: database.pool, connectionString: files.url })
    const relay = startRelay({ outbox, queue, log, sweepMs: 50 })
    closing.push(() => relay.stop())
    const handlers = record(async (key) => {
      await database.pool.query('DELETE FROM reconcile_requests WHERE organization_id = $1', [key.organization])
      return { more: false }
    })
    await startWorkers({ queue, handlers, concurrency: 2 })
    const worlds = await Promise.all(Array.from({ length: 10 }, () => createWorld(database.pool)))
    await Promise.all(worlds.slice(0, 3).map(commit))
    await until(async () => (await pending()) === 0)

    await redis.stop()
    await until(async () => !(await queue.health()))
    await Promise.all(worlds.map(commit))
    expect(await pending()).toBe(10)
    // Many sweeps and reconnections fail in this time, and say nothing more.
    await until(() => log.lines.length > 0)
    const failed = performance.now()
    await expect(queue.add([reconcile(organizationKey())])).rejects.toMatchObject({ code: 'unavailable' })
    expect(performance.now() - failed).toBeLessThan(200)

    redis = await startRedis(port)
    await until(async () => (await pending()) === 0)
    expect(new Set(handlers.ended)).toEqual(new Set(worlds.map((world) => world.organization)))
    await until(() => log.lines.length > 1)
    expect(log.lines).toEqual([
      { level: 'warn', message: 'The queue does not work' },
      { level: 'info', message: 'The queue works again' },
    ])
  })

  it('a slice that runs while it goes is finished, and can run again afterwards', async () => {
    redis = await startRedis(port)
    const queue = await open()
    const shut = gate()
    const handlers = record(async () => {
      await shut.passed
      return { more: true }
    })
    const worker = await startWorkers({ queue, handlers, concurrency: 1, lockMs: 500, stalledCheckMs: 300 })
    const key = organizationKey()
    await queue.add([reconcile(key)])
    await until(() => handlers.started.length === 1)
    await redis.stop()
    await until(async () => !(await queue.health()))
    shut.open()
    await until(() => handlers.ended.length === 1)
    redis = await startRedis(port)
    await until(() => queue.health())
    await queue.add([reconcile(key)])
    await until(() => handlers.ended.length >= 2)
    expect(handlers.mostAtOnce()).toBe(1)
    await worker.close()
  })

  it('a process that starts before it works as soon as it is there', async () => {
    const log = keepLog()
    const queue = await open(log)
    const handlers = record()
    await startWorkers({ queue, handlers, concurrency: 1 })
    expect(await queue.health()).toBe(false)
    redis = await startRedis(port)
    await until(() => queue.health())
    await queue.add([reconcile(organizationKey())])
    await until(() => handlers.ended.length === 1)
    await until(() => log.lines.length === 2)
  })

  it('a process closes in time without it, whether it has ever seen it or not', async () => {
    const never = await open()
    await startWorkers({ queue: never, handlers: record(), concurrency: 2 })
    redis = await startRedis(port)
    const lost = await open()
    const shut = gate()
    const handlers = record(async () => {
      await shut.passed
      return { more: false }
    })
    await startWorkers({ queue: lost, handlers, concurrency: 2 })
    await lost.add([reconcile(organizationKey())])
    await until(() => handlers.started.length === 1)
    await redis.stop()
    await until(async () => !(await lost.health()))
    shut.open()
    const started = performance.now()
    await Promise.all([never.close(), lost.close()])
    expect(handlers.ended).toHaveLength(1)
    expect(performance.now() - started).toBeLessThan(8_000)
  })
})
