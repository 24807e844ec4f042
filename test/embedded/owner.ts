// A process that owns an embedded PostgreSQL, for the tests that interrupt or kill one. It prints one
// JSON line when the server is up; on SIGINT it first shows that the database still answers, then stops.

import { once } from 'node:events'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'

const [dataDirectory = ''] = process.argv.slice(2)
const postgres = await startEmbeddedPostgres({ dataDirectory, log: () => {} })
const client = new pg.Client({ connectionString: postgres.connectionString })
await client.connect()
const interrupted = once(process, 'SIGINT')
console.log(JSON.stringify({ url: postgres.connectionString }))
await interrupted
const { rows } = await client.query('SELECT 42 AS answer')
console.log(JSON.stringify(rows[0]))
await client.end()
await postgres.stop()
