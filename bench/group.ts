// One more member in a small and in a large group: it has to cost the same. The four (two groups, here and
// on the floor) take turns.

import { randomUUID } from 'node:crypto'
import { addMember } from './bodies.ts'
import { createCustomer } from './customer.ts'
import { addGroup, fillDirectory, userIds } from './facts.ts'
import { count, disturbance, ms, sideOf, type Table } from './figures.ts'
import { connections, openTarget, type Repetition, repeat, send, type Target, tries, undisturbed } from './load.ts'
import { floorToken, startFloor, startService, type World } from './world.ts'

export interface GroupOptions {
  /** Members of the groups before anything is measured. */
  readonly sizes: readonly number[]
  readonly repetitions: number
  /** Members that one repetition adds to one group. */
  readonly operations: number
  readonly quietMs: number
  readonly print: (line: string) => void
  readonly flags: readonly string[]
}

/** Gives out people who are in none of the groups, each once. */
type Newcomers = () => string

interface Contender {
  readonly title: string
  readonly target: Target
  readonly pid: number
  readonly group: string
  readonly newcomers: Newcomers
  readonly alone: Repetition[]
  readonly together: Repetition[]
}

export async function measureGroups(world: World, options: GroupOptions): Promise<Table> {
  const database = await world.createDatabase()
  const floorDatabase = await world.createDatabase()
  const service = await startService('serve', { databaseUrl: database.url, queueUrl: database.url }, options.flags)
  const floor = await startFloor(floorDatabase.url)
  const customer = await createCustomer(service.origin, 'groups')
  const ours = openTarget(customer.scimUrl, customer.token)
  const theirs = openTarget(`${floor.origin}/groups`, floorToken)
  const contenders: Contender[] = []
  try {
    const added = options.operations * (options.repetitions + 1) * 2 * tries
    const largest = Math.max(...options.sizes)
    await fillDirectory(database.pool, customer, largest + added)
    const ids = await userIds(database.pool, customer.directory, largest + added)
    const newcomersOf = (): Newcomers => {
      let next = largest
      return () => {
        const id = ids[next++]
        if (id === undefined) throw new Error('nobody is left who could join')
        return id
      }
    }
    for (const size of options.sizes) {
      const group = await addGroup(database.pool, customer, `Group of ${size}`, size)
      const inFloor = randomUUID()
      await floorDatabase.pool.query(
        'INSERT INTO floor_members SELECT $1, gen_random_uuid() FROM generate_series(1, $2::int)',
        [inFloor, size],
      )
      const begin = () => ({ newcomers: newcomersOf(), alone: [], together: [] })
      const title = `${count(size)} members`
      contenders.push({ title: `floor, ${title}`, target: theirs, pid: floor.pid, group: inFloor, ...begin() })
      contenders.push({ title: `ours, ${title}`, target: ours, pid: service.pid, group, ...begin() })
    }
    await database.pool.query('ANALYZE directory_group_members')
    await floorDatabase.pool.query('ANALYZE floor_members')
    for (let repetition = 0; repetition <= options.repetitions; repetition += 1) {
      if (repetition <= 1) await world.settle()
      for (const contender of contenders) await takeTurn(world, contender, options, repetition > 0)
    }
  } finally {
    await Promise.all([ours.pool.close(), theirs.pool.close()])
    await Promise.all([service.stop(), floor.stop()])
    await Promise.all([database.drop(), floorDatabase.drop()])
  }
  const rows = contenders.map(rowOf)
  for (const row of rows) options.print(row.join('  '))
  return { title: 'One more member in a group', head, rows }
}

/** The first turn is for warming up and does not count. */
async function takeTurn(world: World, contender: Contender, options: GroupOptions, counts: boolean): Promise<void> {
  const { target, group, newcomers, pid } = contender
  const add = async () => {
    await send(target, 'PATCH', `/Groups/${group}`, 204, addMember(newcomers()))
  }
  const watched = { servers: [pid], postmaster: world.postmaster }
  const [alone, together] = await undisturbed(options.quietMs, async () => [
    await repeat(options.operations, 1, watched, add),
    await repeat(options.operations, connections, watched, add),
  ])
  if (!counts) return
  contender.alone.push(alone)
  contender.together.push(together)
}

const head = [
  'group',
  'one at a time: p50 ms',
  'p99 ms',
  `${connections} at once on the one group: /s`,
  'p50 / p99 ms',
  'CPU ms: Node, PostgreSQL',
  'others’ cores',
]

function rowOf({ title, alone, together }: Contender): string[] {
  const [one, many] = [sideOf(alone), sideOf(together)]
  return [
    title,
    ms(one.p50Ms),
    ms(one.p99Ms),
    count(many.rate),
    `${ms(many.p50Ms)} / ${ms(many.p99Ms)}`,
    `${ms(one.serverMs)}, ${ms(one.postgresMs)}`,
    disturbance([...alone, ...together]),
  ]
}
