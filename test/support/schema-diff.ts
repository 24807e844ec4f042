// Compares a migrated database with prisma/schema.prisma. The test of the migrations and the tool that
// helps to write the next one (scripts/schema-diff.ts) share it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { prismaFolder } from '../../src/store/migrate.ts'
import { withSchemaEngine } from '../../src/store/schema-engine.ts'

/**
 * The SQL that leads from this database to schema.prisma; an empty text where they agree. What Prisma
 * cannot express is left out: CHECKs, triggers and functions, which it does not see, and indexes on
 * expressions, with a condition or with NULLS NOT DISTINCT, which it would drop.
 */
export async function diffFromDatabase(connectionString: string, folder = prismaFolder()): Promise<string> {
  const schema = await readFile(join(folder, 'schema.prisma'), 'utf8')
  const files = [{ path: 'schema.prisma', content: schema }]
  const { stdout } = await withSchemaEngine(
    connectionString,
    (engine) =>
      engine.diff({
        from: { tag: 'schemaDatasource', files, configDir: folder },
        to: { tag: 'schemaDatamodel', files },
        script: true,
        exitCode: null,
        filters: { externalTables: [], externalEnums: [] },
      }),
    schema,
  )
  const beyond = await indexesBeyondPrisma(connectionString)
  const steps = (stdout ?? '').split(/\n(?=-- )/).map((step) => step.trim())
  const wanted = steps.filter((step) => {
    const dropped = /^-- DropIndex\nDROP INDEX "([^"]+)";$/.exec(step)?.[1]
    return step !== '' && step !== '-- This is an empty migration.' && !(dropped && beyond.has(dropped))
  })
  return wanted.join('\n\n')
}

async function indexesBeyondPrisma(connectionString: string): Promise<Set<string>> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR i.indnullsnotdistinct`,
    )
    return new Set(rows.map((row) => row.name))
  } finally {
    await client.end()
  }
}
