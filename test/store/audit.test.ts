import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeAudit, writeAudits } from '../../src/store/audit.ts'
import { withOrm, withTransaction } from '../../src/store/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase, type World } from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url, () => new Date('2026-03-01T10:00:00.123Z'))
  world = await createWorld(db.pool)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

async function entry(id: string) {
  const { rows } = await db.pool.query('SELECT * FROM audit_entries WHERE tenant_id = $1 AND id = $2', [
    world.tenant,
    id,
  ])
  return rows[0] as Record<string, unknown> | undefined
}

describe.each([
  ['plain SQL', withTransaction],
  ['Prisma', withOrm],
] as const)('through a transaction of %s', (_name, within) => {
  test('an entry says who did what, when, through which door and because of what', async () => {
    const [subjectId, causeId] = [randomUUID(), randomUUID()]
    const id = await within(db, { tenant: world.tenant, actor: { id: 'key:1', door: 'admin' } }, (scope) =>
      writeAudit(scope, {
        organizationId: world.organization,
        action: 'directory.created',
        subjectKind: 'directory',
        subjectId,
        before: { name: 'Öld "one"', count: 1 },
        after: { name: null, tags: ['a'] },
        causeId,
      }),
    )
    expect(await entry(id)).toEqual({
      tenant_id: world.tenant,
      id,
      organization_id: world.organization,
      at: new Date('2026-03-01T10:00:00.123Z'),
      actor: 'key:1',
      door: 'admin',
      action: 'directory.created',
      subject_kind: 'directory',
      subject_id: subjectId,
      before: { name: 'Öld "one"', count: 1 },
      after: { name: null, tags: ['a'] },
      cause_id: causeId,
    })
  })

  test('entries written together keep their order, and what is left out is null', async () => {
    const subjects = [randomUUID(), randomUUID(), randomUUID()]
    const ids = await within(db, world.caller, (scope) =>
      writeAudits(
        scope,
        subjects.map((subjectId, index) => ({
          organizationId: index === 0 ? null : world.organization,
          action: 'key.created',
          subjectKind: 'api_key',
          subjectId,
        })),
      ),
    )
    const entries = await Promise.all(ids.map(entry))
    expect(entries.map((row) => row?.['subject_id'])).toEqual(subjects)
    expect(entries.map((row) => row?.['organization_id'])).toEqual([null, world.organization, world.organization])
    expect(entries[1]).toMatchObject({ before: null, after: null, cause_id: null })
  })

  test('an entry goes with the change it tells of when that is rolled back', async () => {
    const subjectId = randomUUID()
    const failed = within(db, world.caller, async (scope) => {
      await writeAudit(scope, { organizationId: null, action: 'key.created', subjectKind: 'api_key', subjectId })
      throw new Error('stop')
    })
    await expect(failed).rejects.toThrow('stop')
    const { rowCount } = await db.pool.query('SELECT FROM audit_entries WHERE subject_id = $1', [subjectId])
    expect(rowCount).toBe(0)
  })
})

test('nothing written is no statement and no entry', async () => {
  expect(await withTransaction(db, world.caller, (scope) => writeAudits(scope, []))).toEqual([])
})
