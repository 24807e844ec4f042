// Starts, once per test run and only when a project that needs them runs, what the tests share: one
// embedded PostgreSQL with a migrated template database, and one Redis where there is any. Test files
// reach them through database.ts and queue-backends.ts.

import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { applyMigrations } from '../../src/store/migrate.ts'
import { installedRedis, startRedis } from './redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser on the database `postgres`, and the ordinary role of the service. */
    postgres: { adminUrl: string; url: string; template: string }
    redis: { url: string; own: boolean } | null
    /** A folder in which a test file that asks for the queue backends leaves its name. */
    queueTestMarks: string
  }
}

interface Services {
  provide(project: TestProject): void
  stop(): Promise<void>
}

const template = 'rollcall_template'

// Every project loads this file by itself, so what they share hangs on the process.
const shared = globalThis as typeof globalThis & {
  rollcallTestServices?: { users: number; services: Promise<Services> }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.rollcallTestServices ??= { users: 0, services: startServices() }
  const entry = shared.rollcallTestServices
  entry.users += 1
  const services = await entry.services
  services.provide(project)
  return async () => {
    entry.users -= 1
    if (entry.users > 0) return
    delete shared.rollcallTestServices
    await services.stop()
  }
}

async function startServices(): Promise<Services> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-test-'))
  const marks = await mkdtemp(join(tmpdir(), 'rollcall-test-marks-'))
  const [postgres, redis] = await Promise.all([startPostgres(folder), findRedis()])
  return {
    provide(project) {
      project.provide('postgres', {
        adminUrl: postgres.adminConnectionString,
        url: postgres.connectionString,
        template,
      })
      project.provide('redis', redis === undefined ? null : { url: redis.url, own: redis.stop !== undefined })
      project.provide('queueTestMarks', marks)
    },
    async stop() {
      const queueTests = (await readdir(marks)).length
      await Promise.all([postgres.stop(), redis?.stop?.()])
      await Promise.all([folder, marks].map((path) => rm(path, { recursive: true, force: true })))
      if (queueTests > 0) console.log(redisLine(redis?.description))
    },
  }
}

async function startPostgres(dataDirectory: string) {
  const quiet = () => {}
  await chmod(dataDirectory, 0o755) // as root the server runs as another user, who has to get in
  const postgres = await startEmbeddedPostgres({ dataDirectory, log: quiet, durable: false })
  const url = new URL(postgres.connectionString)
  url.pathname = `/${template}`
  const admin = new pg.Client({ connectionString: postgres.adminConnectionString })
  try {
    await admin.connect()
    await admin.query(`CREATE DATABASE ${template} OWNER rollcall`)
    await applyMigrations({ connectionString: url.href, log: quiet })
    // A database can only be cloned while nobody is connected to it.
    await admin.query(`ALTER DATABASE ${template} IS_TEMPLATE true ALLOW_CONNECTIONS false`)
  } catch (error) {
    await postgres.stop()
    throw error
  } finally {
    await admin.end()
  }
  return postgres
}

async function findRedis(): Promise<{ url: string; description: string; stop?: () => Promise<void> } | undefined> {
  const url = process.env['REDIS_URL']
  if (url) return { url, description: 'REDIS_URL' }
  const version = installedRedis()
  if (version === undefined) return undefined
  return { ...(await startRedis()), description: `redis-server ${version}` }
}

function redisLine(description: string | undefined): string {
  if (description !== undefined) return `redis: tested on ${description}`
  return 'redis: NOT TESTED — no redis-server on the PATH and no REDIS_URL; the queue tests ran on PostgreSQL only'
}
