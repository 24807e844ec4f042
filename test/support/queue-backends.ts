// The queues that this run can test on, each empty and for the importing test file alone:
//
//   describe.each(queueBackends())('on $name', ({ url }) => { … })
//
// PostgreSQL always; Redis where the run has one. Importing this file is what makes the run's last
// line say whether Redis was tested.

import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, inject } from 'vitest'
import { createEmptyDatabase } from './database.ts'

export interface QueueBackend {
  readonly name: 'postgres' | 'redis'
  readonly url: string
}

writeFileSync(join(inject('queueTestMarks'), randomUUID()), '')
const database = await createEmptyDatabase()
afterAll(() => database.drop())
const redisUrl = await emptyRedisDatabase()

export function queueBackends(): QueueBackend[] {
  const backends: QueueBackend[] = [{ name: 'postgres', url: database.url }]
  if (redisUrl !== undefined) backends.push({ name: 'redis', url: redisUrl })
  return backends
}

/** Redis databases are numbered; files run one at a time in each worker, so the worker's number picks one. */
async function emptyRedisDatabase(): Promise<string | undefined> {
  const found = inject('redis')
  if (found === null) return undefined
  const number = Number(process.env['VITEST_POOL_ID'] ?? '1')
  const url = new URL(found.url)
  url.pathname = `/${number}`
  const client = new Redis(url.href, { lazyConnect: true, maxRetriesPerRequest: 1 })
  try {
    await client.connect()
    const mark = 'rollcall-test-database'
    if (!found.own && (await client.dbsize()) > 0 && (await client.exists(mark)) === 0) {
      throw new Error(
        `Database ${number} of the Redis at REDIS_URL holds data that is not of these tests; they only use empty ones.`,
      )
    }
    await client.flushdb()
    await client.set(mark, '')
  } finally {
    client.disconnect()
  }
  return url.href
}
