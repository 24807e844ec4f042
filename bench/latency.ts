// How long it takes from an answer to the change: a user is created over SCIM while nothing else happens,
// and from the 201 on it is awaited that this user is in sync, the way a login waits. Then the same door
// under load with a worker beside it, which is what one small machine running everything does.

import { openDatabase } from '../src/store/open-database.ts'
import { awaitInSync, createSyncListener } from '../src/store/sync.ts'
import { newUser } from './bodies.ts'
import { createCustomer } from './customer.ts'
import { count, disturbance, ms, sideOf, type Table } from './figures.ts'
import { connections, openTarget, type Repetition, repeat, send } from './load.ts'
import { percentile, untilQuiet } from './measure.ts'
import { type Backend, type Command, type Running, startService, type World } from './world.ts'

export interface LatencyOptions {
  readonly backends: readonly Backend[]
  readonly samples: number
  readonly quietMs: number
  readonly print: (line: string) => void
}

let made = 0
function freshUser(): object {
  made += 1
  return newUser(`newcomer-${process.pid}-${made}`)
}

const pauseMs = 30
const timeoutMs = 10_000

export async function measureLatency(world: World, options: LatencyOptions): Promise<Table> {
  const rows: string[][] = []
  for (const backend of options.backends) {
    const sorted = (await latencies(world, backend, options)).sort((one, other) => one - other)
    const cells = [0.5, 0.9, 0.99, 1].map((share) => ms(percentile(sorted, share)))
    rows.push([`queue on ${backend}`, ...cells, count(sorted.length)])
    options.print(rows.at(-1)?.join('  ') ?? '')
  }
  const head = ['answer to reconciled, idle', 'p50 ms', 'p90 ms', 'p99 ms', 'most ms', 'samples']
  return { title: 'From the answer to the change', head, rows }
}

async function latencies(world: World, backend: Backend, options: LatencyOptions): Promise<number[]> {
  return within(world, backend, ['serve', 'work'], async ({ doors, databaseUrl }) => {
    const db = openDatabase({
      connectionString: databaseUrl,
      poolSize: 2,
      clock: () => new Date(),
      onError: () => {},
    })
    const listener = createSyncListener(databaseUrl, () => {})
    const customer = await createCustomer(doors.origin, 'latency')
    const key = { tenant: customer.tenant, organization: customer.organization }
    const target = openTarget(customer.scimUrl, customer.token)
    const found: number[] = []
    try {
      await listener.ready
      await world.settle()
      await untilQuiet(options.quietMs)
      const warmUp = 50
      for (let sample = 0; sample < options.samples + warmUp; sample += 1) {
        const { id } = (await send(target, 'POST', '/Users', 201, freshUser())) as { id: string }
        const answered = performance.now()
        const subject = { kind: 'directory_user', id } as const
        const inSync = await awaitInSync(db, listener, { ...key, subject }, { timeoutMs, recheckMs: 1_000 })
        if (!inSync) throw new Error(`not reconciled within ${timeoutMs} ms`)
        if (sample >= warmUp) found.push(performance.now() - answered)
        await new Promise((wake) => setTimeout(wake, pauseMs + (sample % 7)))
      }
    } finally {
      await Promise.all([target.pool.close(), listener.close()])
      await db.close()
    }
    return found
  })
}

export interface TogetherOptions extends Omit<LatencyOptions, 'samples'> {
  readonly repetitions: number
  readonly operations: number
}

/** Creates under load while the same machine reconciles them; and how far behind it is at the end. */
export async function measureTogether(world: World, options: TogetherOptions): Promise<Table> {
  const rows: string[][] = []
  for (const backend of options.backends) {
    for (const commands of [['all'], ['serve', 'work']] as const) {
      rows.push([
        `${commands.join(' + ')}, queue on ${backend}`,
        ...(await together(world, backend, commands, options)),
      ])
      options.print(rows.at(-1)?.join('  ') ?? '')
    }
  }
  const head = [
    'processes beside PostgreSQL and the load',
    'creates /s',
    'p50 ms',
    'p99 ms',
    'CPU ms: Node, PostgreSQL',
    'in sync after the last answer, s',
    'created and reconciled /s',
    'others’ cores',
  ]
  return { title: 'Creating while the same two cores reconcile', head, rows }
}

async function together(world: World, backend: Backend, commands: readonly Command[], options: TogetherOptions) {
  return within(world, backend, commands, async ({ doors, all, databaseUrl }) => {
    const db = openDatabase({ connectionString: databaseUrl, poolSize: 2, clock: () => new Date(), onError: () => {} })
    const listener = createSyncListener(databaseUrl, () => {})
    const customer = await createCustomer(doors.origin, 'together')
    const key = { tenant: customer.tenant, organization: customer.organization }
    const target = openTarget(customer.scimUrl, customer.token)
    const watched = { servers: all.map((one) => one.pid), postmaster: world.postmaster }
    const create = async () => {
      await send(target, 'POST', '/Users', 201, freshUser())
    }
    const inSync = async () => {
      if (!(await awaitInSync(db, listener, key, { timeoutMs: 300_000, recheckMs: 100 })))
        throw new Error('not in sync')
    }
    try {
      await listener.ready
      await repeat(Math.ceil(options.operations / 3), connections, watched, create)
      await inSync()
      await world.settle()
      const repetitions: Repetition[] = []
      await untilQuiet(options.quietMs)
      const started = performance.now()
      for (let done = 0; done < options.repetitions; done += 1) {
        repetitions.push(await repeat(options.operations, connections, watched, create))
      }
      const answered = performance.now()
      await inSync()
      const ended = performance.now()
      const side = sideOf(repetitions)
      const operations = options.operations * options.repetitions
      return [
        count(side.rate),
        ms(side.p50Ms),
        ms(side.p99Ms),
        `${ms(side.serverMs)}, ${ms(side.postgresMs)}`,
        ((ended - answered) / 1000).toFixed(1),
        count(operations / ((ended - started) / 1000)),
        disturbance(repetitions),
      ]
    } finally {
      await Promise.all([target.pool.close(), listener.close()])
      await db.close()
    }
  })
}

interface Processes {
  readonly doors: Running
  readonly all: readonly Running[]
  readonly databaseUrl: string
}

async function within<R>(
  world: World,
  backend: Backend,
  commands: readonly Command[],
  measure: (processes: Processes) => Promise<R>,
): Promise<R> {
  const database = await world.createDatabase()
  const all: Running[] = []
  try {
    const settings = { databaseUrl: database.url, queueUrl: world.queueUrl(backend, database) }
    for (const command of commands) all.push(await startService(command, settings))
    const [doors] = all
    if (doors === undefined) throw new Error('no process')
    return await measure({ doors, all, databaseUrl: database.url })
  } finally {
    await Promise.all(all.map((one) => one.stop()))
    await database.drop()
  }
}
