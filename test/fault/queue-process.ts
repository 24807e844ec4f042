// A process with a part of the pipe in it, for the tests that stop, kill or end one. It prints a line
// when it has come to the point that its test waits for.
//
//   queue-process.ts <part> <database URL> <queue URL> <queue name>

import { once } from 'node:events'
import pg from 'pg'
import { openQueue } from '../../src/queue/open-queue.ts'
import { startRelay } from '../../src/queue/relay.ts'
import { startWorkers } from '../../src/queue/worker.ts'
import { createOutboxReader } from '../../src/store/outbox.ts'

const [part = '', databaseUrl = '', queueUrl = '', prefix = ''] = process.argv.slice(2)
const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) }
const say = (line: string) => console.log(line)
const forEver = new Promise<never>(() => {})

const pool = new pg.Pool({ connectionString: databaseUrl })
pool.on('error', () => {})
const outbox = createOutboxReader({ pool, connectionString: databaseUrl })
const queue = await openQueue({ url: queueUrl, prefix, log })
const others = { 'send-mail': async () => {}, 'verify-domain': async () => {} }

/** Takes every request of an organization and applies it, which here means to note it. */
async function apply(client: pg.PoolClient, key: { tenant: string; organization: string }): Promise<void> {
  await client.query('BEGIN')
  await client.query(
    `WITH claimed AS (DELETE FROM reconcile_requests WHERE tenant_id = $1 AND organization_id = $2 RETURNING subject_id)
     INSERT INTO applied (subject_id) SELECT subject_id FROM claimed`,
    [key.tenant, key.organization],
  )
}

switch (part) {
  case 'relay':
    // Only what it hears: it never sweeps again.
    startRelay({ outbox, queue, log, sweepMs: 600_000 })
    break
  case 'worker-before-commit':
  case 'worker-after-commit':
    await startWorkers({
      queue,
      concurrency: 1,
      lockMs: 500,
      stalledCheckMs: 300,
      handlers: {
        ...others,
        'reconcile-organization': async (key) => {
          const client = await pool.connect()
          await apply(client, key)
          if (part === 'worker-after-commit') await client.query('COMMIT')
          say('applied')
          return forEver
        },
      },
    })
    break
  case 'all': {
    // Runs until its first job is done, closes what it opened and then has nothing more to do.
    let done = () => {}
    const first = new Promise<void>((resolve) => {
      done = resolve
    })
    const relay = startRelay({ outbox, queue, log })
    const worker = await startWorkers({
      queue,
      concurrency: 4,
      handlers: {
        ...others,
        'reconcile-organization': async (key) => {
          const client = await pool.connect()
          await apply(client, key)
          await client.query('COMMIT')
          client.release()
          done()
          return { more: false }
        },
      },
    })
    await first
    say('done')
    await once(process.stdin, 'data')
    process.stdin.destroy()
    await relay.stop()
    await worker.close()
    await queue.close()
    await pool.end()
    say('closed')
    break
  }
  default:
    throw new Error(`There is no part "${part}".`)
}
