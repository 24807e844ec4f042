import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { queueBackends } from '../support/queue-backends.ts'
import {
  everyoneOnce,
  inParallel,
  type PushedOrganization,
  prepareService,
  type RunningProcess,
  type RunningService,
  until,
} from '../support/running-service.ts'

// The job of a dead worker is taken from it after ten seconds and more.
vi.setConfig({ testTimeout: 90_000 })

describe.each(queueBackends())('with processes that are killed, the queue on $name', ({ url }) => {
  let service: RunningService
  let doors: RunningProcess
  const working: RunningProcess[] = []

  beforeAll(async () => {
    service = await prepareService(url)
    doors = await service.start('serve')
  })
  // Another test's worker would do this one's work.
  afterEach(() => Promise.all(working.splice(0).map((process) => process.end('SIGKILL'))))
  afterAll(() => service.close())

  async function work(settings = {}): Promise<RunningProcess> {
    const started = await service.start('work', settings)
    working.push(started)
    return started
  }

  async function push(count: number): Promise<PushedOrganization> {
    const acme = await service.newOrganization()
    const answers = await inParallel(count, 20, (index) => acme.createUser(`user${index}@acme.example`))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]))
    return acme
  }

  it('a worker killed while it drains hundreds of requests leaves every member to be made exactly once', async () => {
    const acme = await push(300)
    const first = await work({ SLICE_SIZE: '5' })
    await until(async () => (await acme.count()).members > 0)
    await first.end('SIGKILL')
    const halfway = await acme.count()
    expect(halfway.members).toBeGreaterThan(0)
    expect(halfway.members).toBeLessThan(300)
    // Whatever the moment, what was done is whole: a member with its seat and its audit entry, or neither.
    expect(halfway).toEqual({ ...everyoneOnce(halfway.members), said: 300, pending: 300 - halfway.members })
    await work()
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(300))
  })

  it('a worker killed between a commit and the end of its job doubles nothing, and its job is run again', async () => {
    const acme = await push(30)
    const gate = await shutGate(acme)
    const first = await work({ SLICE_SIZE: '10' })
    // The worker waits for the organization; behind it a second gate waits, so that its first slice is its last.
    await until(async () => (await waitingForRow()) === 1)
    const second = shutGate(acme)
    await until(async () => (await waitingForRow()) === 2)
    await gate.open()
    const behind = await second
    expect(await acme.count()).toEqual({ ...everyoneOnce(10), said: 30, pending: 20 })
    await until(async () => (await waitingForRow()) === 1)
    await first.end('SIGKILL')
    await behind.open()
    await work()
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(30))
    // And once more over everything that was said: nothing is left to do.
    const before = await rowsOf(acme)
    await acme.admin.post(`${acme.path}/resync`, undefined, z.object({ requested: z.number().min(30) }))
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(30))
    expect(await rowsOf(acme)).toEqual(before)
  })

  it('doors killed in the middle of a push keep every user that they answered for, and a worker started later makes them members', async () => {
    const acme = await service.newOrganization()
    const answered: string[] = []
    const pushing = inParallel(400, 20, async (index) => {
      const answer = await acme.createUser(`user${index}@acme.example`).catch(() => undefined)
      if (answer?.status === 201) answered.push(answer.body.id)
    })
    await until(() => answered.length >= 40)
    await doors.end('SIGKILL')
    await pushing
    expect(answered.length).toBeLessThan(400)
    const { rows } = await service.pool.query<{ id: string }>(
      'SELECT id FROM directory_users WHERE organization_id = $1',
      [acme.id],
    )
    expect(rows.map((row) => row.id)).toEqual(expect.arrayContaining(answered))
    expect(await acme.count()).toMatchObject({ members: 0, pending: rows.length })
    await work()
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(rows.length))
    doors = await service.start('serve')
    expect((await acme.createUser('after@acme.example')).status).toBe(201)
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(rows.length + 1))
  })

  /** Holds the organization's row, so that no worker gets at it until the gate is opened. */
  async function shutGate(acme: PushedOrganization): Promise<{ open(): Promise<void> }> {
    const client = new pg.Client({ connectionString: service.databaseUrl, application_name: 'gate' })
    await client.connect()
    await client.query('BEGIN')
    await client.query('SELECT FROM organizations WHERE id = $1 FOR UPDATE', [acme.id])
    return {
      async open() {
        await client.query('COMMIT')
        await client.end()
      },
    }
  }

  async function waitingForRow(): Promise<number> {
    const { rows } = await service.pool.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows[0]?.count ?? 0
  }

  /** Everything that is derived, with its ids. */
  async function rowsOf(acme: PushedOrganization): Promise<unknown> {
    const { rows } = await service.pool.query(
      `SELECT (SELECT json_agg(m ORDER BY m.id) FROM members m WHERE organization_id = $1) AS members,
         (SELECT json_agg(g ORDER BY g.id) FROM grants g WHERE organization_id = $1) AS grants,
         (SELECT json_agg(s ORDER BY s.id) FROM seat_ledger s WHERE organization_id = $1) AS ledger,
         (SELECT count(*) FROM events WHERE organization_id = $1) AS events`,
      [acme.id],
    )
    return rows
  }
})
