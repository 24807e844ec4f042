// Brings a database to the schema of this build, through Prisma's own engine, so that what is written
// to `_prisma_migrations` agrees with `prisma migrate deploy` run elsewhere. It runs before anything
// else touches the database and in nobody's transaction. The SQL itself lives in prisma/migrations/.

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { RollcallError } from '../model/errors.ts'
import { withSchemaEngine } from './schema-engine.ts'

export interface MigrateOptions {
  readonly connectionString: string
  readonly log: (message: string) => void
  /** The folder with schema.prisma and migrations/; by default the one of this package. */
  readonly folder?: string
}

export interface Migrated {
  /** Names of the migrations that this call applied, in order; empty when there was nothing to do. */
  readonly applied: readonly string[]
}

// Any number works as long as nobody else takes it: this is "rollcall" read as eight bytes.
const lockKey = '8245930772370877548'
const filters = { externalTables: [], externalEnums: [] }

/**
 * Applies what is missing, each migration in its order. Several processes may start at once: one
 * migrates, the others wait for it and then find nothing to do. Throws `unavailable`, with a sentence
 * that names the migration and the reason, when one failed now or in an earlier run, or when the
 * database cannot be reached.
 */
export async function applyMigrations(options: MigrateOptions): Promise<Migrated> {
  const migrations = await readMigrations(options.folder ?? prismaFolder())
  return holdingLock(options, async () => {
    const applied = await withSchemaEngine(options.connectionString, async (engine) => {
      try {
        const done = await engine.applyMigrations({ migrationsList: migrations, filters })
        return done.appliedMigrationNames
      } catch (cause) {
        throw new RollcallError('unavailable', { detail: await explain(options.connectionString, cause), cause })
      }
    })
    for (const name of applied) options.log(`Applied migration ${name}`)
    return { applied }
  })
}

/** The package's prisma/ folder, seen from src/store as from dist/store. Throws `unavailable` where it was not shipped. */
export function prismaFolder(): string {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'prisma')
  if (existsSync(join(folder, 'migrations'))) return folder
  throw new RollcallError('unavailable', {
    detail: `The migrations are missing: there is no folder ${folder}/migrations.`,
  })
}

async function readMigrations(folder: string): Promise<MigrationList> {
  const baseDir = join(folder, 'migrations')
  const entries = await readdir(baseDir, { withFileTypes: true })
  // The names begin with a timestamp, so that the order of names is the order of writing.
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const migrationDirectories = await Promise.all(
    names.sort().map(async (path) => {
      const sql = await readFile(join(baseDir, path, 'migration.sql'), 'utf8')
      return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } } }
    }),
  )
  const lockfile = {
    path: 'migration_lock.toml',
    content: await readFile(join(baseDir, 'migration_lock.toml'), 'utf8'),
  }
  return { baseDir, lockfile, shadowDbInitScript: '', migrationDirectories }
}

async function holdingLock<T>(options: MigrateOptions, run: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: options.connectionString, application_name: 'rollcall-migrate' })
  // The lock is the session's: where the session breaks, the engine's own statements fail too.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause)
    throw new RollcallError('unavailable', { detail: `The database cannot be reached: ${reason}.`, cause })
  }
  try {
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS free', [lockKey])
    if (rows[0]?.free !== true) {
      options.log('Another process is migrating the database; waiting for it')
      await client.query('SELECT pg_advisory_lock($1::bigint)', [lockKey])
    }
    return await run()
  } finally {
    await client.end()
  }
}

/** Prisma's record of a failed migration holds the database's own words; the thrown error often only a code. */
async function explain(connectionString: string, cause: unknown): Promise<string> {
  const client = new pg.Client({ connectionString })
  try {
    await client.connect()
    const { rows } = await client.query<{ migration_name: string; logs: string | null }>(
      `SELECT migration_name, logs FROM _prisma_migrations
        WHERE finished_at IS NULL AND rolled_back_at IS NULL ORDER BY started_at DESC LIMIT 1`,
    )
    const failed = rows[0]
    if (failed === undefined) return `The migrations could not be applied: ${messageOf(cause)}`
    const reason = /ERROR: *(.+)/.exec(failed.logs ?? '')?.[1] ?? messageOf(cause)
    return `Migration ${failed.migration_name} failed and nothing of it was kept: ${reason}. Remove the cause, mark it with "prisma migrate resolve --rolled-back ${failed.migration_name}" and start again.`
  } catch {
    return `The migrations could not be applied: ${messageOf(cause)}`
  } finally {
    await client.end().catch(() => {})
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? (cause.message.trim().split('\n').at(-1) ?? cause.name) : String(cause)
}
