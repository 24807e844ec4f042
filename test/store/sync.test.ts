import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withStatement } from '../../src/store/database.ts'
import {
  awaitInSync,
  createSyncListener,
  createSyncNotifier,
  isInSync,
  organizationSyncStatus,
  type SyncListener,
  type SyncTarget,
} from '../../src/store/sync.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addDirectory,
  addDirectoryUsers,
  changeDirectoryUsers,
  createWorld,
  type OpenDatabase,
  openDatabase,
  request,
  type World,
} from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let world: World
let listener: SyncListener

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
  listener = createSyncListener(database.url, () => {})
})
afterAll(async () => {
  await listener.close()
  await db.close()
  await database.drop()
})
beforeEach(async () => {
  world = await createWorld(db.pool)
})

const inSync = (target: SyncTarget) => withStatement(db, world.caller, (scope) => isInSync(scope, target))
const finish = () => db.pool.query('DELETE FROM reconcile_requests WHERE tenant_id = $1', [world.tenant])
const key = () => ({ tenant: world.tenant, organization: world.organization })

describe('being in sync', () => {
  test('an organization is in sync when nothing is asked for, and not while something is', async () => {
    const target = { organizationId: world.organization }
    expect(await inSync(target)).toBe(true)
    await request(db.pool, world, 'organization', [world.organization])
    expect(await inSync(target)).toBe(false)
    await finish()
    expect(await inSync(target)).toBe(true)
  })

  test('a request that was set aside does not keep the organization out of sync, but its subject', async () => {
    const member = randomUUID()
    await request(db.pool, world, 'member', [member])
    await db.pool.query('UPDATE reconcile_requests SET set_aside_at = now() WHERE tenant_id = $1', [world.tenant])
    expect(await inSync({ organizationId: world.organization })).toBe(true)
    expect(await inSync({ organizationId: world.organization, subject: { kind: 'member', id: member } })).toBe(false)
  })

  test('a directory user is in sync only when its present generation was observed', async () => {
    const directory = await addDirectory(db.pool, world)
    const [id = ''] = await addDirectoryUsers(db.pool, world, directory, 1)
    const target = { organizationId: world.organization, subject: { kind: 'directory_user', id } } as const
    expect(await inSync(target)).toBe(false)
    await db.pool.query(
      `INSERT INTO directory_links (tenant_id, organization_id, directory_user_id, rule, observed_generation, observed_at)
       VALUES ($1, $2, $3, 'none', 1, now())`,
      [world.tenant, world.organization, id],
    )
    expect(await inSync(target)).toBe(true)
    await changeDirectoryUsers(db.pool, world.tenant, [id], { active: false })
    expect(await inSync(target)).toBe(false)
  })

  test("another tenant's subject is never in sync", async () => {
    const directory = await addDirectory(db.pool, world)
    const [id = ''] = await addDirectoryUsers(db.pool, world, directory, 1)
    const organizationId = world.organization
    world = await createWorld(db.pool)
    expect(await inSync({ organizationId, subject: { kind: 'directory_user', id } })).toBe(false)
  })

  test('the status counts what is pending, urgent, failing and set aside, and tells the oldest', async () => {
    const ids = Array.from({ length: 6 }, () => randomUUID())
    await request(db.pool, world, 'member', ids.slice(0, 2))
    await request(db.pool, world, 'member', ids.slice(2), { urgent: true })
    await db.pool.query('UPDATE reconcile_requests SET attempts = 2 WHERE subject_id = $1', [ids[5]])
    await db.pool.query(
      `UPDATE reconcile_requests SET attempts = 5, set_aside_at = now(), requested_at = 'epoch' WHERE subject_id = $1`,
      [ids[0]],
    )
    const oldest = new Date('2026-01-02T03:04:05.678Z')
    await db.pool.query('UPDATE reconcile_requests SET requested_at = $2 WHERE subject_id = $1', [ids[1], oldest])
    const status = await withStatement(db, world.caller, (scope) => organizationSyncStatus(scope, world.organization))
    expect(status).toEqual({
      inSync: false,
      pending: 5,
      urgent: 4,
      failing: 1,
      setAside: 1,
      oldestRequestedAt: oldest,
    })
  })

  test('an organization without requests has an empty status', async () => {
    const status = await withStatement(db, world.caller, (scope) => organizationSyncStatus(scope, world.organization))
    expect(status).toEqual({ inSync: true, pending: 0, urgent: 0, failing: 0, setAside: 0, oldestRequestedAt: null })
  })
})

describe('waiting', () => {
  test('what is in sync already is not waited for', async () => {
    expect(await awaitInSync(db, listener, key(), { timeoutMs: 0 })).toBe(true)
  })

  test('the notification after the commit wakes everybody who waits, without the second look', async () => {
    await listener.ready
    await request(db.pool, world, 'organization', [world.organization])
    const waits = Array.from({ length: 20 }, () =>
      awaitInSync(db, listener, key(), { timeoutMs: 20_000, recheckMs: 20_000 }),
    )
    const notifier = createSyncNotifier(db.pool, (error) => expect.unreachable(String(error)))
    await finish()
    notifier.tell(key())
    await notifier.idle()
    expect(new Set(await Promise.all(waits))).toEqual(new Set([true]))
  }, 15_000)

  test('a lost notification costs a second look, not the answer', async () => {
    await request(db.pool, world, 'organization', [world.organization])
    const wait = awaitInSync(db, listener, key(), { timeoutMs: 20_000, recheckMs: 10 })
    await finish()
    expect(await wait).toBe(true)
  })

  test('the time limit answers false', async () => {
    await request(db.pool, world, 'organization', [world.organization])
    expect(await awaitInSync(db, listener, key(), { timeoutMs: 30, recheckMs: 10 })).toBe(false)
  })

  test('a listener that lost its connection connects again and hears the next one', async () => {
    const errors: unknown[] = []
    let lost = () => {}
    const firstLoss = new Promise<void>((resolve) => {
      lost = resolve
    })
    const other = createSyncListener(database.url, (error) => {
      errors.push(error)
      lost()
    })
    try {
      await other.ready
      const woken = new Promise<void>((resolve) => other.subscribe(key(), resolve)) // also after a reconnect
      await db.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'rollcall-sync' AND datname = current_database()`,
      )
      await firstLoss
      await woken
      expect(errors.length).toBeGreaterThan(0)
    } finally {
      await other.close()
    }
  })

  test('closing ends the connection, and a listener without a server closes too', async () => {
    const nowhere = createSyncListener('postgres://nobody@127.0.0.1:1/none', () => {})
    await nowhere.close()
    const other = createSyncListener(database.url, () => {})
    await other.ready
    await other.close()
  })
})
