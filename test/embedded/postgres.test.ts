import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { isAlive } from '../../src/embedded/process-identity.ts'

let root: string
let dataDirectory: string
const isRoot = process.getuid?.() === 0
const running: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollcall-embedded-'))
  // mkdtemp closes its folder to everyone else, and as root the server runs as someone else.
  await chmod(root, 0o755)
  dataDirectory = join(root, 'data')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map((postgres) => postgres.stop()))
  await rm(root, { recursive: true, force: true, maxRetries: 20 })
})

async function start(options: { port?: number; log?: (message: string) => void } = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ log: () => {}, ...options, dataDirectory, durable: false })
  running.push(postgres)
  return postgres
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** Another process that starts the same folder, in a process group of its own as under a terminal. */
async function startOwner() {
  const loader = ['--import', join(import.meta.dirname, '../../scripts/typescript-loader.mjs')]
  const args = [...loader, join(import.meta.dirname, 'owner.ts'), dataDirectory]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value ?? '{}')
  const { url } = await next()
  return { child, next, url: String(url), errors: () => errors }
}

async function postmaster(): Promise<number> {
  return Number((await readFile(join(dataDirectory, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
}

it('a second start keeps the data and the port, and only the first one is fresh', async () => {
  const first = await start()
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 7 AS value')
  await first.stop()
  const second = await start()
  expect([first.fresh, second.fresh]).toEqual([true, false])
  expect(second.connectionString).toBe(first.connectionString)
  expect(await query(second.connectionString, 'SELECT value FROM kept')).toEqual([{ value: 7 }])
})

it('the service role is no superuser, text is UTF-8, case folds beyond ASCII and time is UTC', async () => {
  const { connectionString } = await start()
  const text = `SELECT rolsuper, current_setting('server_encoding') AS encoding, lower('ÅÉ') AS lower, current_setting('timezone') AS zone
    FROM pg_roles WHERE rolname = current_user`
  expect(await query(connectionString, text)).toEqual([{ rolsuper: false, encoding: 'UTF8', lower: 'åé', zone: 'UTC' }])
})

it('a wrong password is refused', async () => {
  const { connectionString } = await start()
  const url = new URL(connectionString)
  url.password = 'wrong'
  await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/)
})

it('a remembered port that someone else took is replaced by a free one', async () => {
  const first = await start()
  await first.stop()
  const other = createServer().listen(first.port, '127.0.0.1')
  await once(other, 'listening')
  try {
    const second = await start()
    expect(second.port).not.toBe(first.port)
    expect(await query(second.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    other.close()
  }
})

it('a port asked for by number that is in use is refused in one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await expect(start({ port })).rejects.toMatchObject({
      detail: expect.stringMatching(new RegExp(`^Port ${port} .* in use`)),
    })
  } finally {
    other.close()
  }
})

it('a folder in use by another live process is refused in one sentence that names the process', async () => {
  const { child } = await startOwner()
  const sentence = new RegExp(`in use by another Rollcall \\(process ${child.pid}\\)`)
  await expect(start()).rejects.toMatchObject({ code: 'unavailable', detail: expect.stringMatching(sentence) })
})

it('a second start in the same process is refused, and works after a stop', async () => {
  const first = await start()
  await expect(start()).rejects.toThrow(/in use by another Rollcall/)
  await first.stop()
  await start()
})

it('an owner killed without warning leaves nothing that a restart would trip over', async () => {
  const { child, url } = await startOwner()
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS value')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { connectionString } = await start()
  expect(await query(connectionString, 'SELECT value FROM kept')).toEqual([{ value: 7 }])
})

it('the server ends by itself when its owner was killed', async () => {
  const { child } = await startOwner()
  const pid = await postmaster()
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 15_000 })
})

it('owner and server both killed without warning: the committed data is there again', async () => {
  const { child, url } = await startOwner()
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS value')
  const pid = await postmaster()
  process.kill(pid, 'SIGKILL')
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 15_000 })
  const messages: string[] = []
  const { connectionString } = await start({ log: (message) => messages.push(message) })
  expect(messages.join()).toMatch(/not stopped in order/)
  expect(await query(connectionString, 'SELECT value FROM kept')).toEqual([{ value: 7 }])
})

it('a left-over pid file whose number now belongs to an unrelated process does not stop a start', async () => {
  const first = await start()
  await first.stop()
  await writeFile(join(dataDirectory, 'postgres', 'postmaster.pid'), `${process.ppid}\n${dataDirectory}/postgres\n`)
  const { connectionString } = await start()
  expect(await query(connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

it('Ctrl-C reaches the owner but not its server, which answers until it is stopped', async () => {
  const { child, next, errors } = await startOwner()
  const pid = await postmaster()
  const exited = once(child, 'exit')
  process.kill(-(child.pid ?? 0), 'SIGINT')
  expect(await next()).toEqual({ answer: 42 })
  expect(await exited).toEqual([0, null])
  expect(isAlive(pid)).toBe(false)
  // Neither initdb nor the server nor a signal handler of a library printed anything.
  expect(errors()).toBe('')
})

it.runIf(isRoot && process.platform === 'linux')(
  'as root, the server runs as another user, who owns the data',
  async () => {
    await start()
    const { uid } = await stat(`/proc/${await postmaster()}`)
    expect(uid).not.toBe(0)
    expect((await stat(join(dataDirectory, 'postgres'))).uid).toBe(uid)
  },
)

it.runIf(isRoot && process.platform === 'linux')(
  'as root in a folder that only root may enter, it runs or says in one sentence why not',
  async () => {
    await chmod(root, 0o700)
    // Whether a container lets root make a user namespace is its owner's decision.
    const outcome = await start().then(({ connectionString }) => query(connectionString, 'SELECT 1 AS one'), String)
    expect([
      JSON.stringify([{ one: 1 }]),
      expect.stringMatching(/does not run as root, and no other user can enter/),
    ]).toContainEqual(typeof outcome === 'string' ? outcome : JSON.stringify(outcome))
  },
)

it('a set-up that was cut short is begun anew', async () => {
  await mkdir(join(dataDirectory, 'postgres.new', 'base'), { recursive: true })
  expect((await start()).fresh).toBe(true)
})

it('a data folder that cannot be made is refused in one sentence', async () => {
  dataDirectory = join(root, 'file')
  await writeFile(dataDirectory, '')
  await expect(start()).rejects.toMatchObject({
    code: 'unavailable',
    detail: expect.stringMatching(/cannot be written \(\w+\); make it writable/),
  })
})

it.skipIf(isRoot)('a read-only data folder is refused in one sentence', async () => {
  await mkdir(dataDirectory, { mode: 0o500 })
  await expect(start()).rejects.toThrow(/cannot be written \(EACCES\)/)
})

it.each([
  ['of another PostgreSQL version', 'postgres/PG_VERSION', '16\n', /is of PostgreSQL 16, this build runs 18/],
  ['without its passwords', 'postgres.json', '{', /postgres\.json is missing or damaged/],
])('data %s is refused in one sentence, and left as it is', async (_what, file, content, sentence) => {
  const first = await start()
  await first.stop()
  const path = join(dataDirectory, file)
  const before = await readFile(path, 'utf8')
  await writeFile(path, content)
  await expect(start()).rejects.toThrow(sentence)
  await writeFile(path, before)
  expect((await start()).fresh).toBe(false)
})
