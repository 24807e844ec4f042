// How fast a whole directory becomes an organization: facts and requests are there, a worker process takes
// them through the queue, and the clock runs from the wake after the commit until nothing waits. Then the
// same once more when there is nothing to change, which is what a full resync costs.

import type pg from 'pg'
import { openDatabase } from '../src/store/open-database.ts'
import { type Customer, createCustomer } from './customer.ts'
import { addMappedGroups, fillDirectory, requestEverybody } from './facts.ts'
import { count, type Table } from './figures.ts'
import { type CpuUse, median, memoryOf, untilQuiet, watchCpu } from './measure.ts'
import { type Backend, type BenchDatabase, startService, type World } from './world.ts'

export interface ReconcileOptions {
  readonly backends: readonly Backend[]
  readonly members: number
  readonly groups: number
  readonly repetitions: number
  readonly quietMs: number
  readonly print: (line: string) => void
  readonly flags: readonly string[]
}

interface Drain {
  readonly requests: number
  readonly seconds: number
  /** Requests a second in the first and in the last quarter. */
  readonly firstQuarter: number
  readonly lastQuarter: number
  readonly cpu: CpuUse | null
}

export async function measureReconcile(world: World, options: ReconcileOptions): Promise<Table> {
  const rows: string[][] = []
  const drains = new Map<Backend, { joined: Drain[]; again: Drain[]; peakMiB: number[] }>()
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    for (const backend of options.backends) {
      const all = drains.get(backend) ?? { joined: [], again: [], peakMiB: [] }
      drains.set(backend, all)
      const database = await world.createDatabase()
      try {
        const done = await drainOnce(world, database, backend, options)
        all.joined.push(done.joined)
        all.again.push(done.again)
        if (done.peakMiB !== null) all.peakMiB.push(done.peakMiB)
        const [joined, again] = [rateOf(done.joined), rateOf(done.again)]
        options.print(`reconcile on ${backend}: ${count(joined)} members/s, again ${count(again)}/s`)
      } finally {
        await database.drop()
      }
    }
  }
  for (const [backend, { joined, again, peakMiB }] of drains) {
    const memory = peakMiB.length === 0 ? '–' : count(Math.max(...peakMiB))
    rows.push([`everybody joins, queue on ${backend}`, ...rowOf(joined), memory])
    rows.push([`nothing changed, queue on ${backend}`, ...rowOf(again), memory])
  }
  return { title: `${count(options.members)} people, ${count(options.groups)} mapped groups`, head, rows }
}

const head = [
  'what',
  'members /s',
  'from – to',
  'seconds',
  'first quarter /s',
  'last quarter /s',
  'CPU ms a member: worker, PostgreSQL',
  'others’ cores',
  'worker’s peak MiB',
]

function rateOf({ requests, seconds }: Drain): number {
  return requests / seconds
}

function rowOf(drains: readonly Drain[]): string[] {
  const rates = drains.map(rateOf)
  const cpus = drains.flatMap(({ cpu, requests }) => (cpu === null ? [] : [{ ...cpu, requests }]))
  const each = (part: 'server' | 'postgres') =>
    cpus.length === 0 ? '–' : median(cpus.map((cpu) => (cpu[part] * 1000) / cpu.requests)).toFixed(2)
  return [
    count(median(rates)),
    `${count(Math.min(...rates))} – ${count(Math.max(...rates))}`,
    median(drains.map((drain) => drain.seconds)).toFixed(1),
    count(median(drains.map((drain) => drain.firstQuarter))),
    count(median(drains.map((drain) => drain.lastQuarter))),
    `${each('server')}, ${each('postgres')}`,
    cpus.length === 0 ? '–' : median(cpus.map((cpu) => cpu.other / cpu.seconds)).toFixed(2),
  ]
}

async function drainOnce(world: World, database: BenchDatabase, backend: Backend, options: ReconcileOptions) {
  const settings = { databaseUrl: database.url, queueUrl: world.queueUrl(backend, database) }
  const doors = await startService('serve', settings)
  const customer = await createCustomer(doors.origin, 'reconcile')
  await fillDirectory(database.pool, customer, options.members)
  await doors.stop()
  await addMappedGroups(database.pool, customer, options.groups)
  // The one that the others were copied from was asked for by its own POST.
  await database.pool.query('DELETE FROM reconcile_requests')
  const worker = await startService('work', settings, options.flags)
  try {
    await world.settle()
    await untilQuiet(options.quietMs)
    const watched = { servers: [worker.pid], postmaster: world.postmaster }
    const joined = await drain(database, customer, watched)
    await checkOrganization(database.pool, customer, joined.requests)
    await world.settle()
    await untilQuiet(options.quietMs)
    const again = await drain(database, customer, watched)
    return { joined, again, peakMiB: memoryOf(worker.pid)?.peak ?? null }
  } finally {
    await worker.stop()
  }
}

async function drain(
  { url, pool }: BenchDatabase,
  customer: Customer,
  watched: Parameters<typeof watchCpu>[0],
): Promise<Drain> {
  const db = openDatabase({ connectionString: url, poolSize: 2, clock: () => new Date(), onError: () => {} })
  try {
    const requests = await requestEverybody(pool, customer)
    const stop = watchCpu(watched)
    const started = performance.now()
    db.waker.wake({ kind: 'organization', tenant: customer.tenant, id: customer.organization, urgent: false })
    const quarters: number[] = []
    for (;;) {
      const left = await waiting(pool, customer)
      const share = (requests - left) / requests
      while (quarters.length < 3 && share >= (quarters.length + 1) / 4) quarters.push(performance.now() - started)
      if (left === 0) break
      await new Promise((wake) => setTimeout(wake, 40))
    }
    const seconds = (performance.now() - started) / 1000
    const quarter = requests / 4
    return {
      requests,
      seconds,
      firstQuarter: quarter / ((quarters[0] ?? Number.NaN) / 1000),
      lastQuarter: quarter / (seconds - (quarters[2] ?? Number.NaN) / 1000),
      cpu: stop(),
    }
  } finally {
    await db.close()
  }
}

/** How many requests wait, from the oldest that does: requests are numbered and bulk is taken in order. */
async function waiting(pool: pg.Pool, { tenant, organization }: Customer): Promise<number> {
  const { rows } = await pool.query<{ left: number | null }>({
    name: 'waiting',
    text: `SELECT (SELECT last_value FROM reconcile_requests_id_seq) + 1 - (
        SELECT id FROM reconcile_requests WHERE tenant_id = $1 AND organization_id = $2 AND set_aside_at IS NULL
        ORDER BY urgent DESC, id LIMIT 1)::int AS left`,
    values: [tenant, organization],
  })
  return Number(rows[0]?.left ?? 0)
}

/** A fast wrong answer is none: everybody is a member with a seat and their grants, and the ledger agrees. */
async function checkOrganization(pool: pg.Pool, { organization, directory }: Customer, people: number): Promise<void> {
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM members WHERE organization_id = $1 AND status = 'active' AND seated) AS members,
       (SELECT seats_used FROM organizations WHERE id = $1) AS seats,
       (SELECT coalesce(sum(delta), 0)::int FROM seat_ledger WHERE organization_id = $1) AS ledger,
       (SELECT count(*)::int FROM grants WHERE organization_id = $1) AS grants,
       (SELECT count(*)::int FROM directory_group_members WHERE directory_id = $2) AS memberships`,
    [organization, directory],
  )
  const found = rows[0] ?? {}
  const agrees =
    found.members === people && found.seats === people && found.ledger === people && found.grants === found.memberships
  if (!agrees) throw new Error(`The organization is not what was said: ${JSON.stringify({ people, ...found })}`)
}
