// Statistics for the query planner of PostgreSQL. Every index begins with the tenant and many with
// the organization; in a table that was never analysed PostgreSQL takes one for as good as another,
// reads a whole organization for one row, and keeps that plan. Autovacuum comes by once a minute,
// which is a long time for the first import into an empty database.

import type pg from 'pg'

const unknown = {
  name: 'tables_without_statistics',
  text: `SELECT format('%I.%I', namespace.nspname, relation.relname) AS name FROM pg_class AS relation
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = current_schema() AND relation.relkind = 'r' AND relation.reltuples <= 0`,
}

/** Analyses the tables that were empty or unknown when last looked at; the others are left to autovacuum. Cheap where nothing is in them. */
export async function analyseNewTables(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(unknown)
  if (rows.length > 0) await pool.query(`ANALYZE ${rows.map((row) => row.name).join(', ')}`)
}
