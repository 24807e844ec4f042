// What an identity provider waits for: requests to the SCIM door, each as a ratio of the floor. The two
// take turns in short repetitions, so that whatever else the machine does meets both, and the ratio is
// the median of the repetitions' own. Only the doors run: reconciling is another process's work.

import { entraPatch, newUser, probe } from './bodies.ts'
import { createCustomer } from './customer.ts'
import { fillDirectory, fillFloor, keyOf } from './facts.ts'
import { count, disturbance, ms, rateOf, sideOf, type Table } from './figures.ts'
import { connections, openTarget, type Repetition, repeat, send, type Target, undisturbed } from './load.ts'
import { median, memoryOf } from './measure.ts'
import { floorToken, startFloor, startService, type World } from './world.ts'

export interface PushOptions {
  /** Users in the directory before anything is measured. */
  readonly sizes: readonly number[]
  readonly repetitions: number
  /** Operations of one repetition; of pages a hundredth. */
  readonly operations: number
  readonly scenarios: readonly string[]
  readonly quietMs: number
  readonly print: (line: string) => void
  /** Node's flags for the service, for instance `--cpu-prof`. */
  readonly flags: readonly string[]
}

interface Scenario {
  readonly name: string
  readonly title: string
  readonly atOnce: number
  /** How many of `operations` one repetition does. */
  readonly share: number
  readonly operation: (target: Target, users: number) => Promise<void>
}

let made = 0
function freshKey(): string {
  made += 1
  return `arrival-${process.pid}-${made}`
}

let picked = 0
/** Walks through everybody in a scattered order. */
function somebody(users: number): string {
  picked += 1
  return keyOf(((picked * 7_919) % users) + 1)
}

async function findId(target: Target, key: string): Promise<string> {
  const found = (await send(target, 'GET', probe(key), 200)) as { Resources: { id: string }[] }
  const id = found.Resources[0]?.id
  if (id === undefined) throw new Error(`${target.base} does not know ${key}`)
  return id
}

async function create(target: Target): Promise<void> {
  await send(target, 'POST', '/Users', 201, newUser(freshKey()))
}

async function probeAndCreate(target: Target): Promise<void> {
  const key = freshKey()
  const found = (await send(target, 'GET', probe(key), 200)) as { totalResults: number }
  if (found.totalResults !== 0) throw new Error(`${target.base} knows ${key} before it was created`)
  await send(target, 'POST', '/Users', 201, newUser(key))
}

async function probeAndPatch(target: Target, users: number): Promise<void> {
  const id = await findId(target, somebody(users))
  await send(target, 'PATCH', `/Users/${id}`, 200, entraPatch(`Renamed ${picked}`, picked % 2 === 0))
}

/** The ids that a target gave its first users, so that reading by id needs no probe. */
const knownIds = new Map<Target, string[]>()
const idsToRead = 500

async function readById(target: Target, users: number): Promise<void> {
  const ids = knownIds.get(target) ?? []
  picked += 1
  const id = ids[picked % Math.min(users, ids.length)]
  await send(target, 'GET', `/Users/${id}`, 200)
}

const pageSize = 100

async function readPage(target: Target, users: number): Promise<void> {
  picked += 1
  const startIndex = ((picked * 7) % Math.floor(users / pageSize)) * pageSize + 1
  const found = (await send(target, 'GET', `/Users?startIndex=${startIndex}&count=${pageSize}`, 200)) as {
    Resources: unknown[]
  }
  if (found.Resources.length !== pageSize) throw new Error(`a page of ${found.Resources.length}`)
}

const scenarios: readonly Scenario[] = [
  { name: 'create', title: 'Create a user', atOnce: connections, share: 1, operation: create },
  { name: 'okta', title: 'Okta pair: probe, create', atOnce: connections, share: 0.6, operation: probeAndCreate },
  { name: 'entra', title: 'Entra pair: probe, PATCH', atOnce: connections, share: 0.6, operation: probeAndPatch },
  { name: 'get', title: 'Read one by id', atOnce: connections, share: 1.5, operation: readById },
  { name: 'page', title: 'A page of 100', atOnce: 1, share: 0.04, operation: readPage },
]

export const pushScenarios: readonly string[] = scenarios.map((scenario) => scenario.name)

/** Measures every wanted scenario at every size. */
export async function measurePush(world: World, options: PushOptions): Promise<Table[]> {
  const database = await world.createDatabase()
  const floorDatabase = await world.createDatabase()
  const service = await startService('serve', { databaseUrl: database.url, queueUrl: database.url }, options.flags)
  const floor = await startFloor(floorDatabase.url)
  const rows: string[][] = []
  try {
    for (const users of options.sizes) {
      const customer = await createCustomer(service.origin, `push-${users}`)
      const ours = openTarget(customer.scimUrl, customer.token)
      const theirs = openTarget(`${floor.origin}/size-${users}`, floorToken)
      await fillDirectory(database.pool, customer, users)
      await fillFloor(floorDatabase.pool, `size-${users}`, theirs, users)
      for (const target of [ours, theirs]) {
        knownIds.set(target, [])
        for (let n = 1; n <= Math.min(users, idsToRead); n += 1) {
          knownIds.get(target)?.push(await findId(target, keyOf(n)))
        }
      }
      for (const scenario of scenarios.filter((one) => options.scenarios.includes(one.name))) {
        const operations = Math.max(10, Math.round(options.operations * scenario.share))
        const side = (target: Target, pid: number) => (share: number) =>
          repeat(
            Math.round(operations * share),
            scenario.atOnce,
            { servers: [pid], postmaster: world.postmaster },
            () => scenario.operation(target, users),
          )
        const row = await compare(world, options, side(theirs, floor.pid), side(ours, service.pid))
        rows.push([`${scenario.title}, ${count(users)} users`, ...row])
        options.print(`${rows.at(-1)?.join('  ')}`)
      }
      await Promise.all([ours.pool.close(), theirs.pool.close()])
    }
    const memory = memoryOf(service.pid)
    if (memory !== null) options.print(`memory of the service: ${memory.now} MiB now, ${memory.peak} at most`)
  } finally {
    await Promise.all([service.stop(), floor.stop()])
    await Promise.all([database.drop(), floorDatabase.drop()])
  }
  return [{ title: 'What an identity provider waits for', head, rows }]
}

const head = [
  'operation',
  'floor /s',
  'ours /s',
  'ratio',
  'ratios from – to',
  'floor p50 / p99 ms',
  'ours p50 / p99 ms',
  'floor CPU ms: Node, PostgreSQL',
  'ours CPU ms: Node, PostgreSQL',
  'others’ cores',
]

type Run = (share: number) => Promise<Repetition>

async function compare(world: World, options: PushOptions, runFloor: Run, runOurs: Run): Promise<string[]> {
  // Until both are compiled and have their connections, they are not what they will be.
  await runFloor(0.3)
  await runOurs(0.3)
  await world.settle()
  const floors: Repetition[] = []
  const ours: Repetition[] = []
  for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
    const [floor, our] = await undisturbed(options.quietMs, async () => {
      const first = repetition % 2 === 0 ? await runFloor(1) : await runOurs(1)
      const second = repetition % 2 === 0 ? await runOurs(1) : await runFloor(1)
      return repetition % 2 === 0 ? [first, second] : [second, first]
    })
    floors.push(floor)
    ours.push(our)
  }
  const ratios = ours.map((one, index) => {
    const floor = floors[index]
    return floor === undefined ? Number.NaN : rateOf(one) / rateOf(floor)
  })
  const [floor, our] = [sideOf(floors), sideOf(ours)]
  return [
    count(floor.rate),
    count(our.rate),
    median(ratios).toFixed(2),
    `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
    `${ms(floor.p50Ms)} / ${ms(floor.p99Ms)}`,
    `${ms(our.p50Ms)} / ${ms(our.p99Ms)}`,
    `${ms(floor.serverMs)}, ${ms(floor.postgresMs)}`,
    `${ms(our.serverMs)}, ${ms(our.postgresMs)}`,
    disturbance([...floors, ...ours]),
  ]
}
