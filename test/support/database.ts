// A database of its own for each test file, cloned from the migrated template of the run.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  /** Connects as the service's ordinary role, which owns the database. */
  readonly url: string
  /** Removes it, with whoever is still connected. */
  drop(): Promise<void>
}

/** Clones the template: every migration applied, no rows. For beforeAll; `drop` belongs into afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { template } = inject('postgres')
  return create(`TEMPLATE ${template}`)
}

/** An empty database without any migration. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return create('')
}

async function create(from: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await asAdmin(`CREATE DATABASE ${name} ${from} OWNER rollcall`)
  const url = new URL(inject('postgres').url)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgres').adminUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
