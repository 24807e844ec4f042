// What a measurement runs on: one embedded PostgreSQL with its default durability, databases cloned
// from a migrated one, Redis where there is one, and the built service as child processes.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts'
import { applyMigrations } from '../src/store/migrate.ts'
import { installedRedis, startRedis } from '../test/support/redis.ts'

export type Backend = 'postgres' | 'redis'

export interface World {
  readonly postmaster: number
  readonly postgresVersion: string
  readonly redisVersion: string | undefined
  /** An empty organization database of its own for each part of the bench. */
  createDatabase(): Promise<BenchDatabase>
  /** The URL of an empty queue; on PostgreSQL it is in the organization database itself. */
  queueUrl(backend: Backend, database: BenchDatabase): string
  /** Writes out what is dirty, so that no checkpoint of earlier work falls into a measurement. */
  settle(): Promise<void>
  close(): Promise<void>
}

export interface BenchDatabase {
  readonly url: string
  readonly pool: pg.Pool
  drop(): Promise<void>
}

/** A process of the built service, or the floor. */
export interface Running {
  readonly pid: number
  /** Where it listens: the first URL that it printed. */
  readonly origin: string
  stop(): Promise<void>
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const adminKey = `bench-${randomBytes(32).toString('hex')}`
const encryptionKey = randomBytes(32).toString('base64')

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-bench-'))
  await chmod(folder, 0o755) // as root the server runs as another user, who has to get in
  const data = join(folder, 'data')
  const postgres = await startEmbeddedPostgres({ dataDirectory: data, log: (line) => console.error(line) })
  const admin = new pg.Pool({ connectionString: postgres.adminConnectionString, max: 2 })
  await applyMigrations({ connectionString: postgres.connectionString, log: () => {} })
  const redisVersion = installedRedis()
  const redis = redisVersion === undefined ? undefined : await startRedis()
  if (redis !== undefined) await writeAheadOn(redis.url)
  const postmaster = Number((await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
  const { rows } = await admin.query<{ server_version: string }>('SHOW server_version')
  let made = 0
  let queues = 0

  return {
    postmaster,
    postgresVersion: rows[0]?.server_version ?? 'unknown',
    redisVersion,
    async createDatabase() {
      made += 1
      const name = `bench_${made}`
      await admin.query(`CREATE DATABASE ${name} OWNER rollcall TEMPLATE rollcall`)
      const url = postgres.connectionString.replace(/\/rollcall$/, `/${name}`)
      const pool = new pg.Pool({ connectionString: url, max: 4 })
      pool.on('error', () => {}) // dropping the database ends what is still open
      return {
        url,
        pool,
        async drop() {
          await pool.end()
          await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
        },
      }
    },
    queueUrl(backend, database) {
      if (backend === 'postgres') return database.url
      if (redis === undefined) throw new Error('There is no redis-server on the PATH')
      queues += 1
      return `${redis.url}/${queues}`
    },
    async settle() {
      await admin.query('CHECKPOINT')
    },
    async close() {
      await admin.end()
      await redis?.stop()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

/** Redis as production runs it: every second what came in is on disk. */
async function writeAheadOn(url: string): Promise<void> {
  const client = new Redis(url)
  await client.config('SET', 'appendonly', 'yes')
  client.disconnect()
}

export type Command = 'serve' | 'work' | 'all'

/** Starts one process of the built service. `flags` are Node's, for instance to profile it. */
export function startService(
  command: Command,
  settings: { readonly databaseUrl: string; readonly queueUrl: string },
  flags: readonly string[] = [],
): Promise<Running> {
  return start(process.execPath, [...flags, join(root, 'dist', 'main.js'), command], {
    DATABASE_URL: settings.databaseUrl,
    QUEUE_URL: settings.queueUrl,
    PORT: '0',
    HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
    ROLLCALL_ADMIN_KEY: adminKey,
    ROLLCALL_ENCRYPTION_KEY: encryptionKey,
  })
}

export const floorToken = randomBytes(32).toString('hex')

export function startFloor(databaseUrl: string): Promise<Running> {
  const loader = ['--import', join(root, 'scripts', 'typescript-loader.mjs')]
  return start(process.execPath, [...loader, join(root, 'bench', 'floor.ts')], {
    DATABASE_URL: databaseUrl,
    FLOOR_TOKEN: floorToken,
  })
}

const startTimeoutMs = 30_000

async function start(command: string, args: readonly string[], settings: Record<string, string>): Promise<Running> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production', ...settings }
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  const origin = await firstUrl(child)
  if (child.pid === undefined) throw new Error(`${args.join(' ')} did not start`)
  return {
    pid: child.pid,
    origin,
    async stop() {
      child.kill('SIGTERM')
      await ended
      process.off('exit', endWithUs)
    },
  }
}

function firstUrl(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let said = ''
    const late = setTimeout(() => fail(new Error(`It did not start in time: ${said}`)), startTimeoutMs)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /http:\/\/[\w.-]+:\d+/.exec(said)?.[0]
      if (found === undefined) return
      clearTimeout(late)
      done(found)
    })
    child.once('close', (code) => {
      clearTimeout(late)
      fail(new Error(`It ended with ${code}: ${said}`))
    })
  })
}
