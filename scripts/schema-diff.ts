// Prints the SQL that the next migration needs: from what the migrations make of an empty database to
// what prisma/schema.prisma says now. Nothing is written; put it into a new folder
// prisma/migrations/<yyyymmddhhmmss>_<name>/migration.sql and add by hand what Prisma cannot say.

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts'
import { applyMigrations } from '../src/store/migrate.ts'
import { diffFromDatabase } from '../test/support/schema-diff.ts'

const log = (message: string) => console.error(message)
const dataDirectory = await mkdtemp(join(tmpdir(), 'rollcall-diff-'))
await chmod(dataDirectory, 0o755) // as root the server runs as another user, who has to get in
try {
  const postgres = await startEmbeddedPostgres({ dataDirectory, log, durable: false })
  try {
    await applyMigrations({ connectionString: postgres.connectionString, log })
    const sql = await diffFromDatabase(postgres.connectionString)
    console.log(sql === '' ? '-- prisma/schema.prisma and prisma/migrations/ agree.' : sql)
  } finally {
    await postgres.stop()
  }
} finally {
  await rm(dataDirectory, { recursive: true, force: true })
}
