import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts'
import { queueBackends } from '../support/queue-backends.ts'
import { type ProgramRun, prepareService, startProgram, until } from '../support/running-service.ts'

// A start takes a second by itself, and several on a machine that does much else.
vi.setConfig({ testTimeout: 60_000 })

const clean = { code: 0, signal: null }

describe.each(queueBackends())('with the queue on $name', ({ url }) => {
  it('"all" works and stops cleanly on SIGTERM within seconds, also in the middle of a push', async () => {
    const service = await prepareService(url)
    try {
      const all = await service.start('all')
      const acme = await service.newOrganization()
      expect((await acme.createUser('ada@acme.example')).status).toBe(201)
      await acme.inSync()
      const statuses: (number | 'refused')[] = []
      const pushing = (async () => {
        while (statuses.at(-1) !== 'refused') {
          const name = `user${statuses.length}@acme.example`
          statuses.push(
            await acme.createUser(name).then(
              ({ status }) => status,
              () => 'refused' as const,
            ),
          )
        }
      })()
      await until(() => statuses.length >= 20)
      const started = performance.now()
      expect(await all.end('SIGTERM')).toEqual(clean)
      expect(performance.now() - started).toBeLessThan(3_000)
      await pushing
      expect(new Set(statuses.slice(0, -1))).toEqual(new Set([201]))
      expect(all.stderr()).toBe('')
      expect((await acme.count()).said).toBeGreaterThanOrEqual(statuses.length)

      const again = await service.start('all')
      await acme.inSync()
      const { said, ...counted } = await acme.count()
      expect(counted).toMatchObject({ members: said, active: said, seated: said, seatsUsed: said, ledger: said })
      expect(await again.end('SIGTERM')).toEqual(clean)
    } finally {
      await service.close()
    }
  })

  it('"serve" and "work" stop cleanly on SIGTERM while nothing is to be done', async () => {
    const service = await prepareService(url)
    try {
      const both = await Promise.all([service.start('serve'), service.start('work')])
      expect(await Promise.all(both.map((one) => one.end('SIGTERM')))).toEqual([clean, clean])
      expect(both.map((one) => one.stderr())).toEqual(['', ''])
    } finally {
      await service.close()
    }
  })
})

describe('on a database without anything in it', () => {
  let database: TestDatabase
  let settings: Readonly<Record<string, string>>
  let folder: string
  const runs: ProgramRun[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-commands-'))
    database = await createEmptyDatabase()
    settings = {
      DATABASE_URL: database.url,
      PORT: '0',
      HEALTH_PORT: '0',
      ROLLCALL_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    }
  })
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.end('SIGKILL')))
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  async function run(...[command, ...more]: Parameters<typeof startProgram>): Promise<ProgramRun> {
    const started = await startProgram(command, ...more)
    runs.push(started)
    return started
  }

  it('"migrate" applies the migrations and ends, a second one finds nothing to do, and "all" starts on what they made', async () => {
    const first = await run('migrate', settings)
    expect([await first.ended, first.stderr()]).toEqual([clean, ''])
    expect(first.stdout()).toContain('Applied migration')
    const second = await run('migrate', settings)
    expect([await second.ended, second.stdout(), second.stderr()]).toEqual([clean, '', ''])
    const all = await run('all', settings)
    await until(() => all.stdout().includes('Rollcall listens on') || all.isOver())
    expect(await all.end('SIGTERM')).toEqual(clean)
    expect(all.stderr()).toBe('')
  })

  it.each([
    ['a port that is no number', 'serve', { PORT: 'eighty' }, /PORT/],
    ['a key that is too short', 'serve', { ROLLCALL_ENCRYPTION_KEY: 'c2hvcnQ=' }, /ROLLCALL_ENCRYPTION_KEY must be 32/],
    ['no database', 'work', { DATABASE_URL: '' }, /DATABASE_URL is missing/],
    ['a database of another kind', 'all', { DATABASE_URL: 'mysql://127.0.0.1/rollcall' }, /DATABASE_URL must be/],
    ['a database that does not answer', 'migrate', { DATABASE_URL: 'postgres://127.0.0.1:1/rollcall' }, /database/i],
    ['a queue on a database that does not answer', 'work', { QUEUE_URL: 'postgres://127.0.0.1:1/queue' }, /queue/i],
    ['an address of another machine', 'serve', { HOST: '192.0.2.1' }, /192\.0\.2\.1 is not an address/],
  ] as const)('%s gives one sentence and ends the start', async (_what, command, wrong, sentence) => {
    const refused = await run(command, { ...settings, ...wrong })
    expect(await refused.ended).toEqual({ code: 1, signal: null })
    expectOneLine(refused, sentence)
  })

  it.each([
    ['serve', 'PORT'],
    ['all', 'PORT'],
    ['work', 'HEALTH_PORT'],
  ] as const)('a port in use gives one sentence and ends "%s"', async (command, setting) => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const refused = await run(command, { ...settings, [setting]: String(port) })
    expect(await refused.ended).toEqual({ code: 1, signal: null })
    expectOneLine(refused, new RegExp(`^Port ${port} is already in use\\..*${setting}`))
    await new Promise((resolve) => holder.close(resolve))
  })

  it('a data folder that cannot be written gives one sentence and ends the start', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const { DATABASE_URL: _none, ...embedded } = settings
    const refused = await run('all', { ...embedded, DATA_DIR: join(file, 'data') })
    expect(await refused.ended).toEqual({ code: 1, signal: null })
    expectOneLine(refused, /data/)
  })

  function expectOneLine(refused: ProgramRun, sentence: RegExp): void {
    expect(refused.stderr()).toMatch(/^[^\n]+\n$/)
    expect(refused.stderr()).toMatch(sentence)
    expect(refused.stderr()).not.toContain('    at ')
  }
})
