// The bench: npm run bench. Measures the built service against the floor on one embedded PostgreSQL and
// prints Markdown tables. What was measured where, and what it means, is in RESULTS.md.

import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { type Table, toMarkdown } from './figures.ts'
import { measureGroups } from './group.ts'
import { measureLatency, measureTogether } from './latency.ts'
import { measurePush, pushScenarios } from './push.ts'
import { measureReconcile } from './reconcile.ts'
import { measureStages } from './stages.ts'
import { type Backend, startWorld } from './world.ts'

const usage = `npm run bench -- [options]

  --only LIST      of ${pushScenarios.join(', ')}, group, reconcile, stages, latency, together
  --sizes LIST     users in the directory for the first five (1000,100000)
  --groups LIST    members of the groups (1000,100000)
  --members N      people to reconcile (100000)
  --backends LIST  queues: postgres, redis (both, where there is a redis-server)
  --reps N         repetitions of each (7; reconcile 3)
  --quick          small numbers, to see that it works: the figures mean little
  --wait SECONDS   at most so long for the machine to be quiet before each repetition (30)
  --flags=TEXT     Node’s flags for the service, e.g. --flags="--cpu-prof --cpu-prof-dir=/tmp/prof"
  --out FILE       write the tables there too`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sizes: { type: 'string' },
    groups: { type: 'string' },
    members: { type: 'string' },
    backends: { type: 'string' },
    reps: { type: 'string' },
    quick: { type: 'boolean', default: false },
    wait: { type: 'string', default: '30' },
    flags: { type: 'string', default: '' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const { quick } = values
const listed = (text: string) => text.split(',').filter((one) => one !== '')
const numbers = (text: string | undefined, otherwise: readonly number[]) =>
  text === undefined ? otherwise : listed(text).map(Number)
const all = [...pushScenarios, 'group', 'reconcile', 'stages', 'latency', 'together']
const only = values.only === undefined ? all : listed(values.only)
const print = (line: string) => console.log(line)

if (values.help) print(usage)
else await run()

async function run(): Promise<void> {
  const unknown = only.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}.\n\n${usage}`)
  const world = await startWorld()
  try {
    const there: Backend[] = world.redisVersion === undefined ? ['postgres'] : ['postgres', 'redis']
    const asked = values.backends === undefined ? there : listed(values.backends)
    const backends = there.filter((backend) => asked.includes(backend))
    const machine = [
      `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      `${process.platform} ${process.arch}, Node ${process.version}, PostgreSQL ${world.postgresVersion}`,
      `Redis ${world.redisVersion ?? 'not there'}, ${new Date().toISOString().slice(0, 16)}Z`,
    ].join('; ')
    print(`${machine}\n`)
    const tables: Table[] = []
    for await (const table of measure(world, backends)) tables.push(table)
    const text = [machine, '', ...tables.map(toMarkdown)].join('\n')
    print(`\n${text}`)
    if (values.out !== undefined) writeFileSync(values.out, text)
  } finally {
    await world.close()
  }
}

async function* measure(world: Awaited<ReturnType<typeof startWorld>>, backends: readonly Backend[]) {
  const wants = (name: string) => only.includes(name)
  const common = {
    quietMs: quick ? 0 : Number(values.wait) * 1000,
    print,
    flags: values.flags.split(' ').filter((flag) => flag !== ''),
  }
  const repetitions = (usual: number) => Number(values.reps ?? (quick ? 2 : usual))
  const members = Number(values.members ?? (quick ? 5_000 : 100_000))
  const groups = quick ? 50 : 200
  if (pushScenarios.some(wants)) {
    const sizes = numbers(values.sizes, quick ? [1_000] : [1_000, 100_000])
    const operations = quick ? 600 : 4_000
    yield* await measurePush(world, { ...common, sizes, operations, repetitions: repetitions(7), scenarios: only })
  }
  if (wants('group')) {
    const sizes = numbers(values.groups, quick ? [100, 5_000] : [1_000, 100_000])
    yield await measureGroups(world, { ...common, sizes, repetitions: repetitions(7), operations: quick ? 100 : 300 })
  }
  if (wants('reconcile')) {
    yield await measureReconcile(world, { ...common, backends, members, groups, repetitions: repetitions(3) })
  }
  if (wants('stages')) {
    yield await measureStages(world, { ...common, members: Math.min(members, 20_000), groups, sliceSize: 500 })
  }
  if (wants('latency')) yield await measureLatency(world, { ...common, backends, samples: quick ? 50 : 500 })
  if (wants('together')) {
    const load = { repetitions: repetitions(5), operations: quick ? 500 : 3_000 }
    yield await measureTogether(world, { ...common, backends, ...load })
  }
}
