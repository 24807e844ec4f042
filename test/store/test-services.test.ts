import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { queueBackends } from '../support/queue-backends.ts'
import { installedRedis } from '../support/redis.ts'

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

const tables = `SELECT count(*)::int AS count FROM information_schema.tables WHERE table_schema = 'public'`

describe('a test database', () => {
  it('is migrated, empty and apart from every other', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
    afterAll(() => Promise.all([one.drop(), two.drop()]))
    expect((await query(one.url, tables))[0]?.['count']).toBeGreaterThan(10)
    expect(await query(one.url, 'SELECT count(*)::int AS count FROM tenants')).toEqual([{ count: 0 }])
    await query(one.url, 'CREATE TABLE only_here (id int)')
    expect(await query(two.url, `SELECT to_regclass('only_here') AS found`)).toEqual([{ found: null }])
  })

  it('goes away with those who are still connected', async () => {
    const database = await createTestDatabase()
    const client = new pg.Client({ connectionString: database.url })
    client.on('error', () => {})
    await client.connect()
    await database.drop()
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/)
    await client.end().catch(() => {})
  })
})

describe('the queue backends of a run', () => {
  it('are PostgreSQL, and Redis where there is one', () => {
    const redis = installedRedis() !== undefined || Boolean(process.env['REDIS_URL'])
    expect(queueBackends().map((backend) => backend.name)).toEqual(redis ? ['postgres', 'redis'] : ['postgres'])
  })

  it.each(queueBackends())('$name answers and holds nothing of others', async ({ name, url }) => {
    if (name === 'postgres') {
      expect(await query(url, tables)).toEqual([{ count: 0 }])
      return
    }
    const client = new Redis(url)
    expect(await client.keys('*')).toEqual(['rollcall-test-database'])
    // Somebody else's Redis is set up by somebody else.
    if (inject('redis')?.own)
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    client.disconnect()
  })
})
