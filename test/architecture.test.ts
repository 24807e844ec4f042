import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importTable } from './support/architecture/import-table.ts'
import { inspect } from './support/architecture/inspect.ts'

it('the source keeps to the import table and to the rules of its folders', async () => {
  const { files, violations } = await inspect(join(import.meta.dirname, '..'))
  expect(violations).toEqual([])
  expect(files.length).toBeGreaterThan(10)
})

describe('the inspection itself', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'rollcall-architecture-'))
    await write('model/word.ts', 'export type Word = string\nexport const word = 1\n')
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  async function write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, 'src', file)), { recursive: true })
    await writeFile(join(root, 'src', file), text)
  }

  it.each([
    [
      'an import against the direction',
      'http/door.ts',
      `import { row } from '../store/row.ts'\nrow()`,
      /imports store\/row\.ts, but http may not/,
    ],
    [
      'a type-only import against the direction',
      'http/door.ts',
      `import type { Row } from '../store/row.ts'\nexport type A = Row`,
      /imports store\/row\.ts/,
    ],
    [
      'a dynamic import against the direction',
      'scim/list.ts',
      `export const load = () => import('../store/row.ts')`,
      /imports store\/row\.ts/,
    ],
    [
      'a re-export against the direction',
      'scim/list.ts',
      `export { row } from '../store/row.ts'`,
      /imports store\/row\.ts/,
    ],
    [
      'one use-case folder in another',
      'directory/create-user.ts',
      `import { claim } from '../organization/claim.ts'\nclaim()`,
      /imports organization\/claim\.ts/,
    ],
    [
      'more of a folder than the one file allowed',
      'queue/relay.ts',
      `import { row } from '../store/row.ts'\nrow()`,
      /imports store\/row\.ts, but queue may not/,
    ],
    [
      'planning as a value where only its types are allowed',
      'store/snapshot.ts',
      `import { plan } from '../reconcile/plan.ts'\nplan()`,
      /may only use types/,
    ],
    [
      'the demonstration in what is not the entrance',
      'compose.ts',
      `import { play } from './demo/play.ts'\nplay()`,
      /imports demo\/play\.ts/,
    ],
    [
      'a package that belongs elsewhere',
      'work/apply.ts',
      `import { Queue } from 'bullmq'\nnew Queue('')`,
      /imports the package bullmq, but work may not/,
    ],
    [
      'a node module in the model',
      'model/id.ts',
      `import { randomUUID } from 'node:crypto'\nexport { randomUUID }`,
      /imports node:crypto, but model is pure/,
    ],
    [
      'a node module in the SCIM library',
      'scim/buffer.ts',
      `import type { Buffer } from 'node:buffer'\nexport type A = Buffer`,
      /imports node:buffer, but scim is pure/,
    ],
    [
      'a folder without a row',
      'helpers/thing.ts',
      'export const thing = 1',
      /folder that the import table does not know/,
    ],
    ['a barrel', 'scim/index.ts', `export { word } from '../model/word.ts'`, /is a barrel/],
    [
      'the environment outside the configuration',
      'store/pool.ts',
      `export const url = process.env['DATABASE_URL']`,
      /reads process\.env/,
    ],
    ['an async function in planning', 'reconcile/seats.ts', 'export async function seats() {}', /is asynchronous/],
    [
      'a promise in planning',
      'reconcile/seats.ts',
      'export const seats = (): Promise<void> => later\ndeclare const later: never',
      /is asynchronous/,
    ],
    [
      'the real time in a pure folder',
      'reconcile/seats.ts',
      'export const at = () => [new Date()]',
      /calls new Date\(\)/,
    ],
    [
      'the real time by another name',
      'directory/create-user.ts',
      'export const at = () => Date.now()',
      /calls Date\.now/,
    ],
    [
      'chance in a use case',
      'organization/claim.ts',
      'export const id = () => crypto.randomUUID()',
      /calls crypto\.randomUUID/,
    ],
    [
      'a file too long to read',
      'scim/long.ts',
      'export const a = 1\n'.repeat(1).padEnd(1000, '\n'),
      /lines; 400 are the limit/,
    ],
  ])('finds %s', async (_what, file, text, expected) => {
    await write('store/row.ts', 'export type Row = string\nexport const row = () => {}\n')
    await write('organization/claim.ts', 'export const claim = () => {}\n')
    await write('reconcile/plan.ts', 'export type Plan = string\nexport const plan = () => {}\n')
    await write('demo/play.ts', 'export const play = () => {}\n')
    expect((await inspect(root)).violations).toEqual([])
    await write(file, `${text}\n`)
    const { violations } = await inspect(root)
    expect(violations).toEqual([expect.stringMatching(expected)])
    expect(violations[0]).toMatch(new RegExp(`^${file} `))
  })

  it('finds a cycle of types alone, and none where one file imports another twice', async () => {
    await write('scim/one.ts', `import type { Two } from './two.ts'\nexport type One = Two\n`)
    await write('scim/two.ts', `import type { Three } from './three.ts'\nexport type Two = Three\n`)
    await write('scim/three.ts', `export type Three = string\n`)
    await write('scim/four.ts', `export type { Three } from './three.ts'\nexport type { One } from './one.ts'\n`)
    expect((await inspect(root)).violations).toEqual([])
    await write('scim/three.ts', `import type { One } from './one.ts'\nexport type Three = One\n`)
    const { violations } = await inspect(root)
    expect(violations).toEqual([expect.stringMatching(/is part of a cycle: .*one\.ts → .*two\.ts → .*three\.ts/)])
  })

  it('lets through what the table allows, and words in comments and texts', async () => {
    await write(
      'reconcile/plan.ts',
      `// async, await, Promise, new Date() and process.env are only words here\nexport type Plan = 'new Date()'\nexport const at = (time: number) => new Date(time)\n`,
    )
    await write(
      'store/snapshot.ts',
      `import type { Plan } from '../reconcile/plan.ts'\nimport { word } from '../model/word.ts'\nexport const a: Plan | number = word\n`,
    )
    await write('queue/relay.ts', `import { wake } from '../store/outbox.ts'\nwake()\n`)
    await write('store/outbox.ts', 'export const wake = () => {}\n')
    await write('config.ts', `export const url = process.env['DATABASE_URL']\n`)
    await write('main.ts', `import { url } from './config.ts'\nimport { wake } from './store/outbox.ts'\nwake(url)\n`)
    expect((await inspect(root)).violations).toEqual([])
  })

  it('refuses to be content when it saw no files', async () => {
    await rm(join(root, 'src'), { recursive: true })
    await mkdir(join(root, 'src'))
    await expect(inspect(root)).rejects.toThrow(/no modules|Can't open/)
  })

  it('knows only folders of the table', () => {
    expect(Object.keys(importTable)).toEqual(
      expect.arrayContaining(['model', 'scim', 'reconcile', 'store', 'http', 'work']),
    )
  })
})
