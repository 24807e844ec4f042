import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openQueue, type Queue } from '../../src/queue/open-queue.ts'
import { startRelay } from '../../src/queue/relay.ts'
import { startWorkers } from '../../src/queue/worker.ts'
import { withTransaction } from '../../src/store/database.ts'
import { createOutboxReader, requestReconcile } from '../../src/store/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase, type World } from '../support/organization-fixture.ts'
import { queueBackends } from '../support/queue-backends.ts'
import { keepLog, queueName, record, until } from '../support/queue-fixture.ts'

let files: TestDatabase
let database: OpenDatabase
let world: World
const closing: (() => Promise<unknown>)[] = []
const children: ChildProcess[] = []

beforeAll(async () => {
  files = await createTestDatabase()
  database = openDatabase(files.url)
  await database.pool.query('CREATE TABLE applied (subject_id uuid NOT NULL)')
})
beforeEach(async () => {
  await database.pool.query('TRUNCATE reconcile_requests, applied')
  world = await createWorld(database.pool)
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(async () => {
  await database.close()
  await files.drop()
})

const loader = fileURLToPath(new URL('../../scripts/typescript-loader.mjs', import.meta.url))
const program = fileURLToPath(new URL('./queue-process.ts', import.meta.url))

function startProcess(part: string, queueUrl: string, name: string) {
  const child = spawn(process.execPath, ['--import', loader, program, part, files.url, queueUrl, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, exited, next: async () => (await lines.next()).value }
}

/** Subjects asked for in one transaction, as a door does it: the relay is told after the commit. */
async function commitRequests(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  await withTransaction(database, world.caller, (scope) =>
    requestReconcile(
      scope,
      world.organization,
      ids.map((id) => ({ kind: 'directory_user', id })),
      { causeId: null },
    ),
  )
  await database.waker.idle()
  return ids
}

async function applied(): Promise<string[]> {
  const { rows } = await database.pool.query<{ subject_id: string }>('SELECT subject_id FROM applied')
  return rows.map((row) => row.subject_id).sort()
}

/** As the process does it: what is committed here is taken from the requests once. */
function applying() {
  return record(async (key) => {
    await database.pool.query(
      `WITH claimed AS (DELETE FROM reconcile_requests WHERE tenant_id = $1 AND organization_id = $2 RETURNING subject_id)
       INSERT INTO applied (subject_id) SELECT subject_id FROM claimed`,
      [key.tenant, key.organization],
    )
    return { more: false }
  })
}

async function relayListens(): Promise<void> {
  await until(async () => {
    const { rows } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rollcall-relay'
         AND query LIKE 'LISTEN%' AND state = 'idle'`,
    )
    return rows.length > 0
  })
}

describe.each(queueBackends())('with a queue on $name', (backend) => {
  async function open(prefix: string): Promise<Queue> {
    const queue = await openQueue({ url: backend.url, prefix, log: keepLog() })
    closing.push(() => queue.close())
    return queue
  }

  function relay(queue: Queue) {
    const outbox = createOutboxReader({ pool: database.pool, connectionString: files.url })
    const started = startRelay({ outbox, queue, log: keepLog(), sweepMs: 50 })
    closing.push(() => started.stop())
  }

  it('a relay killed between commit and enqueue loses nothing', async () => {
    const name = queueName()
    const queue = await open(name)
    const { child, exited } = startProcess('relay', backend.url, name)
    await relayListens()
    // Stopped, it is told of the commit and cannot act on it any more.
    child.kill('SIGSTOP')
    const ids = await commitRequests(3)
    child.kill('SIGKILL')
    await exited
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 })
    relay(queue)
    await startWorkers({ queue, handlers: applying(), concurrency: 2 })
    await until(async () => (await applied()).length >= ids.length)
    expect(await applied()).toEqual(ids.sort())
  })

  it.each([
    ['between apply and job completion', 'worker-after-commit', true],
    ['in the middle of its transaction', 'worker-before-commit', false],
  ])('a worker killed %s has its job run again, and nothing is lost or doubled', async (_when, part, committed) => {
    const name = queueName()
    const queue = await open(name)
    relay(queue)
    const { child, exited, next } = startProcess(part, backend.url, name)
    const ids = await commitRequests(5)
    expect(await next()).toBe('applied')
    child.kill('SIGKILL')
    await exited
    expect(await applied()).toEqual(committed ? ids.sort() : [])
    expect(await queue.counts()).toMatchObject({ active: 1 })
    const handlers = applying()
    await startWorkers({ queue, handlers, concurrency: 2, lockMs: 500, stalledCheckMs: 300 })
    await until(async () => handlers.ended.length >= 1 && (await applied()).length >= ids.length)
    expect(handlers.started[0]?.id).toBe(world.organization)
    await until(async () => (await queue.counts()).active === 0)
    expect(await applied()).toEqual(ids.sort())
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, failed: 0 })
  })

  it('a queue and a relay whose connections to the database are cut go on with new ones', async () => {
    const queue = await open(queueName())
    relay(queue)
    const handlers = applying()
    await startWorkers({ queue, handlers, concurrency: 4 })
    const before = await commitRequests(1)
    await until(async () => (await applied()).length === 1)
    const admin = new pg.Client({ connectionString: files.url })
    await admin.connect()
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = $1 OR datname = current_database() AND application_name = 'rollcall-relay'`,
      [new URL(backend.url).pathname.slice(1)],
    )
    await admin.end()
    const after = await commitRequests(1)
    await until(async () => (await applied()).length === 2)
    expect(await applied()).toEqual([...before, ...after].sort())
  })

  it('a process that has closed what it opened ends by itself', async () => {
    const { child, exited, next } = startProcess('all', backend.url, queueName())
    await commitRequests(1)
    expect(await next()).toBe('done')
    child.stdin.end('\n')
    expect(await next()).toBe('closed')
    const ended = performance.now()
    expect(await exited).toEqual([0, null])
    expect(performance.now() - ended).toBeLessThan(2_000)
  })
})
