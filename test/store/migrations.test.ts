import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyMigrations, prismaFolder } from '../../src/store/migrate.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts'
import { diffFromDatabase } from '../support/schema-diff.ts'

const log = () => {}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

describe('the migrations of this build', () => {
  let migrated: TestDatabase
  let empty: TestDatabase
  beforeAll(async () => {
    migrated = await createTestDatabase()
    empty = await createEmptyDatabase()
  })
  afterAll(async () => {
    await Promise.all([migrated.drop(), empty.drop()])
  })

  it('lead to the schema that the client is generated from', async () => {
    expect(await diffFromDatabase(migrated.url)).toBe('')
  })

  it('are all that differs between an empty database and the schema', async () => {
    expect(await diffFromDatabase(empty.url)).toContain('CREATE TABLE')
  })

  it('are applied once when several processes start together, and not again', async () => {
    const start = () => applyMigrations({ connectionString: empty.url, log })
    const all = await Promise.all([start(), start(), start()])
    const applied = all.flatMap((one) => one.applied)
    expect(applied.length).toBeGreaterThan(0)
    expect(new Set(applied).size).toBe(applied.length)
    expect((await start()).applied).toEqual([])
    const recorded = await query(
      empty.url,
      'SELECT count(*)::int AS count FROM _prisma_migrations WHERE finished_at IS NOT NULL',
    )
    expect(recorded).toEqual([{ count: applied.length }])
  })
})

describe('a folder of migrations', () => {
  let database: TestDatabase
  let folder: string
  const add = async (name: string, sql: string) => {
    await mkdir(join(folder, 'migrations', name), { recursive: true })
    await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql)
  }
  const apply = () => applyMigrations({ connectionString: database.url, log, folder })

  beforeAll(async () => {
    database = await createEmptyDatabase()
    folder = await mkdtemp(join(tmpdir(), 'rollcall-migrations-'))
    await mkdir(join(folder, 'migrations'))
    await cp(
      join(prismaFolder(), 'migrations', 'migration_lock.toml'),
      join(folder, 'migrations', 'migration_lock.toml'),
    )
  })
  afterAll(async () => {
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  it('may hold semicolons in comments, texts and function bodies', async () => {
    const body = `-- one; two\nCREATE FUNCTION twice(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN a := a * 2; RETURN a; END $$;`
    await add('20260101000000_function', `${body}\nCREATE TABLE texts (value text DEFAULT 'a;b');`)
    expect((await apply()).applied).toEqual(['20260101000000_function'])
    expect(await query(database.url, 'SELECT twice(21) AS answer')).toEqual([{ answer: 42 }])
  })

  it('leaves nothing of a migration that failed half-way, and names it with the reason', async () => {
    await add('20260102000000_broken', 'CREATE TABLE half (id int);\nCREATE TABLE other (id nosuchtype);')
    const reason = /20260102000000_broken failed and nothing of it was kept: type "nosuchtype" does not exist/
    await expect(apply()).rejects.toThrow(reason)
    expect(await query(database.url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }])
    // Until somebody decides, nothing later is applied on top of it.
    await add('20260103000000_later', 'CREATE TABLE later (id int);')
    await expect(apply()).rejects.toThrow(reason)
    expect(await query(database.url, `SELECT to_regclass('later') AS later`)).toEqual([{ later: null }])
  })
})

it('a database that cannot be reached is said in one sentence', async () => {
  const nowhere = applyMigrations({ connectionString: 'postgresql://nobody@127.0.0.1:1/none', log })
  await expect(nowhere).rejects.toMatchObject({
    code: 'unavailable',
    detail: expect.stringMatching(/cannot be reached: .*ECONNREFUSED/),
  })
})
