import { randomUUID } from 'node:crypto'
import { UnrecoverableError } from 'bullmq'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openQueue, type Queue } from '../../src/queue/open-queue.ts'
import { startRelay } from '../../src/queue/relay.ts'
import { startWorkers } from '../../src/queue/worker.ts'
import { type Caller, withTransaction } from '../../src/store/database.ts'
import { createOutboxReader, requestReconcile, type Wake } from '../../src/store/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase, request, type World } from '../support/organization-fixture.ts'
import { queueBackends } from '../support/queue-backends.ts'
import { forgetEverything, gate, keepLog, queueName, record, until } from '../support/queue-fixture.ts'

let files: TestDatabase
let database: OpenDatabase
let world: World
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  files = await createTestDatabase()
  database = openDatabase(files.url)
})
beforeEach(async () => {
  await database.pool.query('TRUNCATE reconcile_requests, mails, domains CASCADE')
  world = await createWorld(database.pool)
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(async () => {
  await database.close()
  await files.drop()
})

const outbox = () => createOutboxReader({ pool: database.pool, connectionString: files.url })

/** As long as no test runs: what comes at all comes by a notification. */
const never = 600_000

function relay(queue: Queue, sweepMs: number, log = keepLog()) {
  const started = startRelay({ outbox: outbox(), queue, log, sweepMs })
  closing.push(() => started.stop())
  return started
}

/** What a use case does: requests in a transaction, which wakes the relay when it is committed. */
async function commitRequest(urgent = false): Promise<void> {
  await withTransaction(database, world.caller, (scope) =>
    requestReconcile(scope, world.organization, [{ kind: 'organization', id: world.organization }], {
      urgent,
      causeId: null,
    }),
  )
}

/** A request that nobody is told of. */
async function commitSilently(urgent = false): Promise<void> {
  await request(database.pool, world, 'organization', [world.organization], { urgent })
}

async function clearRequests(): Promise<void> {
  await database.pool.query('DELETE FROM reconcile_requests')
}

async function addMail(sentAt: Date | null = null): Promise<string> {
  const id = randomUUID()
  await database.pool.query(
    `INSERT INTO mails (tenant_id, id, recipient, subject, body, created_at, sent_at) VALUES ($1, $2, 'a@example.com', 's', 'b', now(), $3)`,
    [world.tenant, id, sentAt],
  )
  return id
}

async function addDomain(checkRequestedAt: Date | null): Promise<string> {
  const id = randomUUID()
  await database.pool.query(
    `INSERT INTO domains (tenant_id, organization_id, id, name, challenge, expires_at, check_requested_at)
     VALUES ($1, $2, $3, $4, 'c', now() + interval '30 days', $5)`,
    [world.tenant, world.organization, id, `${id}.example`, checkRequestedAt],
  )
  return id
}

async function sweepAll(): Promise<Wake[]> {
  const found: Wake[] = []
  for await (const page of outbox().sweep()) found.push(...page)
  return found
}

/** Resolves when the relay listens: notifications sent from then on are heard. */
async function listening(): Promise<number> {
  let pid = 0
  await until(async () => {
    const { rows } = await database.pool.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rollcall-relay'
         AND query LIKE 'LISTEN%' AND state = 'idle'`,
    )
    pid = rows[0]?.pid ?? 0
    return pid > 0
  })
  return pid
}

describe.each(queueBackends())('the relay with a queue on $name', (backend) => {
  async function open(prefix = queueName()): Promise<Queue> {
    const queue = await openQueue({ url: backend.url, prefix, log: keepLog() })
    closing.push(() => queue.close())
    return queue
  }

  it('turns a committed request into a job without waiting for a sweep', async () => {
    const queue = await open()
    const handlers = record()
    await startWorkers({ queue, handlers, concurrency: 2 })
    relay(queue, never)
    await listening()
    await commitRequest()
    await until(() => handlers.ended.length === 1)
    expect(handlers.started).toEqual([{ name: 'reconcile-organization', id: world.organization }])
  })

  it('wakes the handlers of a mail and of a domain when their transaction is committed', async () => {
    const queue = await open()
    const handlers = record()
    await startWorkers({ queue, handlers, concurrency: 2 })
    relay(queue, never)
    await listening()
    const [mail, domain] = [randomUUID(), randomUUID()]
    await withTransaction(database, world.caller, async (scope) => {
      scope.touched.job('mail', mail)
      scope.touched.job('domain', domain)
    })
    await until(() => handlers.ended.length === 2)
    expect(handlers.started).toEqual(
      expect.arrayContaining([
        { name: 'send-mail', id: mail },
        { name: 'verify-domain', id: domain },
      ]),
    )
  })

  it('wakes nobody for a transaction that was rolled back', async () => {
    const queue = await open()
    relay(queue, never)
    await listening()
    const failure = withTransaction(database, world.caller, async (scope) => {
      scope.touched.add(world.organization, true)
      throw new Error('The rest of the use case failed')
    })
    await expect(failure).rejects.toThrow('The rest')
    await commitRequest()
    await until(async () => (await queue.counts()).waiting > 0)
    expect(await queue.counts()).toMatchObject({ waiting: 1 })
  })

  it('adds a thousand wakes of one organization as one job', async () => {
    const queue = await open()
    relay(queue, never)
    await listening()
    for (let times = 1; times <= 1_000; times += 1) {
      database.waker.wake({ kind: 'organization', tenant: world.tenant, id: world.organization, urgent: false })
      if (times % 50 === 0) await database.waker.idle()
    }
    database.waker.wake({ kind: 'mail', tenant: world.tenant, id: randomUUID(), urgent: true })
    await until(async () => (await queue.counts()).waiting >= 2)
    expect(await queue.counts()).toMatchObject({ waiting: 2 })
  })

  it('finds a committed request that nobody was told of by its sweep', async () => {
    const queue = await open()
    const handlers = record(async () => {
      await clearRequests()
      return { more: false }
    })
    await startWorkers({ queue, handlers, concurrency: 2 })
    relay(queue, 50)
    await listening()
    await commitSilently()
    await until(() => handlers.ended.length > 0)
    expect(handlers.started[0]).toEqual({ name: 'reconcile-organization', id: world.organization })
  })

  it('finds mails and domain checks that wait, and no others', async () => {
    const queue = await open()
    const handlers = record()
    const [mail, , domain] = [await addMail(), await addMail(new Date()), await addDomain(new Date())]
    await addDomain(null)
    relay(queue, never)
    await startWorkers({ queue, handlers, concurrency: 2 })
    await until(() => handlers.ended.length >= 2)
    expect(new Set(handlers.started.map(({ id }) => id))).toEqual(new Set([mail, domain]))
  })

  it('adds jobs again that were lost with everything the queue knew', async () => {
    const name = queueName()
    const queue = await open(name)
    await commitSilently()
    await addMail()
    relay(queue, 50)
    await until(async () => (await queue.counts()).waiting === 2)
    await forgetEverything(backend, name)
    await until(async () => (await queue.counts()).waiting === 2)
    const handlers = record()
    await startWorkers({ queue, handlers, concurrency: 2 })
    await until(() => handlers.ended.length >= 2)
  })

  it('adds a job again that was given up for good, while its reason still stands', async () => {
    const queue = await open()
    let runs = 0
    const handlers = record(async () => {
      runs += 1
      if (runs === 1) throw new UnrecoverableError('Nothing will ever help')
      await clearRequests()
      return { more: false }
    })
    await commitSilently()
    relay(queue, 50)
    await startWorkers({ queue, handlers, concurrency: 1 })
    await until(() => handlers.ended.length >= 2)
    expect(await queue.counts()).toMatchObject({ failed: 1 })
  })

  it('does not flood the queue with what already waits, however many relays sweep', async () => {
    const queue = await open()
    const reader = outbox()
    let sweeps = 0
    const counting = {
      ...reader,
      async *sweep() {
        yield* reader.sweep()
        sweeps += 1
      },
    }
    await commitSilently()
    await commitSilently(true)
    await addMail()
    for (let number = 0; number < 3; number += 1) {
      const started = startRelay({ outbox: counting, queue, log: keepLog(), sweepMs: 5 })
      closing.push(() => started.stop())
    }
    await until(() => sweeps >= 30)
    expect(await queue.counts()).toEqual({ waiting: 2, active: 0, delayed: 0, failed: 0 })
  })

  it('listens again when its connection is cut, and sweeps for what it did not hear meanwhile', async () => {
    const queue = await open()
    const log = keepLog()
    relay(queue, never, log)
    const pid = await listening()
    await commitSilently()
    await database.pool.query('SELECT pg_terminate_backend($1)', [pid])
    await until(async () => (await queue.counts()).waiting === 1)
    await until(async () => (await listening()) !== pid)
    await addMail()
    await withTransaction(database, world.caller, async (scope) => scope.touched.job('mail', randomUUID()))
    await until(async () => (await queue.counts()).waiting === 2)
    expect(log.lines.map(({ message }) => message)).toEqual([
      'The relay hears no notifications; jobs come by the sweep',
      'The relay hears notifications again',
    ])
  })
})

describe('a sweep', () => {
  it('names each organization once, urgent where any of its requests is, and leaves out what is set aside', async () => {
    const others = [
      await createWorld(database.pool),
      await createWorld(database.pool),
      await createWorld(database.pool),
    ]
    const [urgent, aside, partly] = others
    if (urgent === undefined || aside === undefined || partly === undefined) throw new Error('no world')
    await request(database.pool, world, 'directory_user', [randomUUID(), randomUUID(), randomUUID()])
    await request(database.pool, urgent, 'directory_user', [randomUUID(), randomUUID()])
    await request(database.pool, urgent, 'entry', [randomUUID()], { urgent: true })
    await request(database.pool, aside, 'directory_user', [randomUUID()], { urgent: true })
    await request(database.pool, partly, 'directory_user', [randomUUID()], { urgent: true })
    await database.pool.query('UPDATE reconcile_requests SET set_aside_at = now() WHERE tenant_id = ANY ($1)', [
      [aside.tenant, partly.tenant],
    ])
    await request(database.pool, partly, 'directory_user', [randomUUID()])
    const expected = [
      { kind: 'organization', tenant: world.tenant, id: world.organization, urgent: false },
      { kind: 'organization', tenant: urgent.tenant, id: urgent.organization, urgent: true },
      { kind: 'organization', tenant: partly.tenant, id: partly.organization, urgent: false },
    ]
    const found = await sweepAll()
    expect(found).toHaveLength(3)
    expect(found).toEqual(expect.arrayContaining(expected))
  })

  it('goes through more organizations, mails and domains than fit on a page, each once', async () => {
    const count = 1_203
    const tenant = randomUUID()
    await database.pool.query(
      `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at)
       SELECT $1, gen_random_uuid(), 'organization', gen_random_uuid(), now() FROM generate_series(1, $2::int)`,
      [tenant, count],
    )
    // All at the same instant, so that pages are told apart by the id alone.
    await database.pool.query(
      `INSERT INTO mails (tenant_id, id, recipient, subject, body, created_at)
       SELECT $1, gen_random_uuid(), 'a@example.com', 's', 'b', now() FROM generate_series(1, $2::int)`,
      [world.tenant, count],
    )
    await database.pool.query(
      `INSERT INTO domains (tenant_id, organization_id, id, name, challenge, expires_at, check_requested_at)
       SELECT $1, $2, gen_random_uuid(), n || '.example', 'c', now(), now() FROM generate_series(1, $3::int) AS n`,
      [world.tenant, world.organization, count],
    )
    const found = await sweepAll()
    expect(found).toHaveLength(3 * count)
    expect(new Set(found.map(({ kind, id }) => `${kind}/${id}`)).size).toBe(3 * count)
  })

  it('reads one row of each organization, however many requests wait', async () => {
    await database.pool.query(
      `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at, urgent)
       SELECT $1, $2, 'directory_user', gen_random_uuid(), now(), n % 2 = 0 FROM generate_series(1, 50000) AS n`,
      [world.tenant, world.organization],
    )
    await request(database.pool, await createWorld(database.pool), 'organization', [randomUUID()])
    // One connection, so that what it read can be asked for in the same session.
    const pool = new pg.Pool({ connectionString: files.url, max: 1 })
    const rowsRead = async () => {
      await pool.query('SELECT pg_stat_force_next_flush()')
      const { rows } = await pool.query<{ read: number }>(
        `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_user_tables WHERE relname = 'reconcile_requests'`,
      )
      return rows[0]?.read ?? 0
    }
    const before = await rowsRead()
    const found: Wake[] = []
    for await (const page of createOutboxReader({ pool, connectionString: files.url }).sweep()) found.push(...page)
    const after = await rowsRead()
    await pool.end()
    expect(found.map(({ urgent }) => urgent).sort()).toEqual([false, true])
    expect(after - before).toBeLessThan(20)
  })
})

it('keeps a caller’s tenant in every wake', async () => {
  const heard: Wake[] = []
  const opened = gate()
  const listener = outbox().listen({
    onWakes: (wakes) => heard.push(...wakes),
    onListening: opened.open,
    onLost: () => {},
  })
  await opened.passed
  const other: Caller = { tenant: randomUUID(), actor: { id: 'bootstrap', door: 'admin' } }
  const ids = Array.from({ length: 300 }, () => randomUUID())
  await withTransaction(database, other, async (scope) => {
    for (const id of ids) scope.touched.add(id, false)
    for (const id of ids.slice(0, 2)) scope.touched.add(id, true)
  })
  await until(() => heard.length >= 300)
  await listener.close()
  expect(heard).toHaveLength(300)
  expect(new Set(heard.map(({ tenant }) => tenant))).toEqual(new Set([other.tenant]))
  expect(heard.filter(({ urgent }) => urgent).map(({ id }) => id)).toEqual(ids.slice(0, 2))
})
