import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase, type World } from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
  world = await createWorld(db.pool)
  const { tenant, organization } = world
  await db.pool.query(
    `INSERT INTO seat_ledger (tenant_id, organization_id, member_id, delta, reason, plan_id, at)
      VALUES ($1, $2, gen_random_uuid(), 1, 'test', gen_random_uuid(), now())`,
    [tenant, organization],
  )
  await db.pool.query(
    `INSERT INTO audit_entries (tenant_id, id, at, actor, door, action, subject_kind, subject_id)
      VALUES ($1, gen_random_uuid(), now(), 'test', 'admin', 'thing.done', 'thing', gen_random_uuid())`,
    [tenant],
  )
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

test.each(['seat_ledger', 'audit_entries'])('%s takes neither changes nor deletions, whoever asks', async (table) => {
  for (const statement of [`UPDATE ${table} SET at = now()`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
    await expect(db.pool.query(statement)).rejects.toThrow(`${table} is append-only`)
  }
  expect((await db.pool.query(`SELECT 1 FROM ${table}`)).rowCount).toBe(1)
})

test('the ledger of an organization goes with the organization', async () => {
  await db.pool.query('DELETE FROM organizations WHERE tenant_id = $1 AND id = $2', [world.tenant, world.organization])
  expect((await db.pool.query('SELECT 1 FROM seat_ledger')).rowCount).toBe(0)
})
