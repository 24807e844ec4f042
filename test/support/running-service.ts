// The service as an operator runs it: processes of the built program on a database of their own, with
// the settings in the environment. Tests start, stop and kill them, set them up through the admin API,
// push through the SCIM door, and look at the rows behind. Connections and fixtures inside one process
// are service.ts and scim-service.ts.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { vi } from 'vitest'
import { z } from 'zod'
import { type AdminClient, createAdminClient } from '../../src/demo/admin-client.ts'
import { endWithParent } from '../../src/embedded/end-with-parent.ts'
import { builtProgram } from './built-program.ts'
import { createTestDatabase } from './database.ts'
import { freePort } from './redis.ts'

type Command = 'serve' | 'work' | 'all' | 'migrate'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess {
  /** Where it listens: the doors, or the health of a `work`. */
  readonly origin: string
  readonly ended: Promise<Ended>
  stdout(): string
  stderr(): string
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended>
}

export interface RunningService {
  readonly databaseUrl: string
  readonly pool: pg.Pool
  /** Where `serve` and `all` listen; the same after a restart. */
  readonly origin: string
  /** Starts a process and waits until it says that it is up. */
  start(command: 'serve' | 'work' | 'all', settings?: Settings): Promise<RunningProcess>
  /** The bootstrap key. */
  readonly adminKey: string
  /** A new tenant with one organization and its directory. */
  newOrganization(settings?: object): Promise<PushedOrganization>
  /** Ends what still runs, and the database. */
  close(): Promise<void>
}

export interface PushedOrganization {
  readonly id: string
  readonly admin: AdminClient
  /** Its path below /admin/v1. */
  readonly path: string
  readonly directory: string
  readonly token: string
  /** One request below the directory's SCIM base URL. */
  scim(method: string, path: string, body?: unknown, token?: string): Promise<Answer>
  createUser(userName: string, more?: object): Promise<Answer>
  setActive(id: string, active: boolean): Promise<Answer>
  /** Waits until nothing waits to be reconciled. */
  inSync(): Promise<void>
  count(): Promise<Counts>
}

export interface Answer {
  readonly status: number
  /** Read by the test, which knows what it asked for. */
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects of it
  readonly body: any
}

/** What has to agree with each other in every organization. */
export interface Counts {
  readonly said: number
  readonly members: number
  readonly people: number
  readonly active: number
  readonly waitlisted: number
  readonly seated: number
  readonly seatsUsed: number
  readonly ledger: number
  /** Audit entries of members made, and of how many members. */
  readonly madeEntries: number
  readonly madeMembers: number
  readonly pending: number
}

export type Settings = Readonly<Record<string, string>>

const adminKey = randomBytes(32).toString('base64url')
const encryptionKey = randomBytes(32).toString('base64')
const deadlineMs = 40_000

/** Waits for a condition; the time limit is for a machine that does much else. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(condition, { timeout: deadlineMs, interval: 10 })
}

/** A process of the built program; nothing of this process' settings reaches it. */
export async function startProgram(command: Command, settings: Settings): Promise<ProgramRun> {
  const { PATH, HOME, TMPDIR } = process.env
  const child = spawn(process.execPath, [await builtProgram(), command], {
    env: { PATH, HOME, TMPDIR, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithParent(child)
  return new ProgramRun(child)
}

export class ProgramRun {
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #over = false

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        this.#over = true
        resolve({ code, signal })
      }),
    )
  }

  stdout(): string {
    return this.#stdout
  }

  stderr(): string {
    return this.#stderr
  }

  isOver(): boolean {
    return this.#over
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }
}

/** For beforeAll; `close` belongs into afterAll. `queueUrl` is one of queueBackends() or a Redis of the test's own. */
export async function prepareService(queueUrl: string): Promise<RunningService> {
  const database = await createTestDatabase()
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  pool.on('error', () => {}) // the database is dropped under it
  const runs: ProgramRun[] = []
  const client = (key: string) => createAdminClient({ origin, key, signal: AbortSignal.timeout(600_000) })
  const bootstrap = client(adminKey)
  const settings = {
    DATABASE_URL: database.url,
    QUEUE_URL: queueUrl,
    PORT: String(port),
    HEALTH_PORT: '0',
    ROLLCALL_ADMIN_KEY: adminKey,
    ROLLCALL_ENCRYPTION_KEY: encryptionKey,
    LOG_LEVEL: 'error',
  }
  let tenants = 0

  async function newTenant(): Promise<AdminClient> {
    tenants += 1
    const made = await bootstrap.post('/tenants', { name: 'Tenant', slug: `tenant-${tenants}` }, keyed)
    return client(made.apiKey.key)
  }

  return {
    databaseUrl: database.url,
    pool,
    origin,
    adminKey,
    async start(command, more = {}) {
      const run = await startProgram(command, { ...settings, ...more })
      runs.push(run)
      const said = () => /^Rollcall (?:listens on|works; its health is at) (http:\/\/[^/\s]+)/m.exec(run.stdout())?.[1]
      await until(() => said() !== undefined || run.isOver())
      const at = said()
      if (at === undefined) throw new Error(`"${command}" ended: ${run.stderr()}`)
      return {
        origin: at,
        ended: run.ended,
        stdout: () => run.stdout(),
        stderr: () => run.stderr(),
        end: (signal) => run.end(signal),
      }
    },
    async newOrganization(more = {}) {
      return openOrganization(pool, await newTenant(), more)
    },
    async close() {
      await Promise.all(runs.map((run) => run.end('SIGKILL')))
      await pool.end()
      await database.drop()
    },
  }
}

const named = z.object({ id: z.string() })
const keyed = z.object({ apiKey: z.object({ key: z.string() }) })
const madeDirectory = z.object({
  directory: z.object({ id: z.string(), scimBaseUrl: z.string() }),
  token: z.object({ token: z.string() }),
})

async function openOrganization(pool: pg.Pool, admin: AdminClient, more: object): Promise<PushedOrganization> {
  const { id } = await admin.post('/organizations', { name: 'Acme', ...more }, named)
  const path = `/organizations/${id}`
  const made = await admin.post(`${path}/directories`, { name: 'Okta', provider: 'okta' }, madeDirectory)
  const { scimBaseUrl } = made.directory
  const scim: PushedOrganization['scim'] = async (method, below, body, token = made.token.token) => {
    const response = await fetch(scimBaseUrl + below, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const count = async () => {
    const { rows } = await pool.query<Counts>(countStatement, [id])
    const [row] = rows
    if (row === undefined) throw new Error('The organization is gone')
    return row
  }
  return {
    id,
    admin,
    path,
    directory: made.directory.id,
    token: made.token.token,
    scim,
    createUser: (userName, more = {}) => scim('POST', '/Users', newUser(userName, more)),
    setActive: (user, active) =>
      scim('PATCH', `/Users/${user}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', value: { active } }],
      }),
    inSync: () => until(async () => (await count()).pending === 0),
    count,
  }
}

function newUser(userName: string, more: object): object {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    emails: [{ value: userName, primary: true }],
    active: true,
    ...more,
  }
}

const countStatement = `SELECT
  (SELECT count(*)::int FROM directory_users WHERE organization_id = $1) AS said,
  (SELECT count(*)::int FROM members WHERE organization_id = $1) AS members,
  (SELECT count(DISTINCT user_id)::int FROM members WHERE organization_id = $1) AS people,
  (SELECT count(*)::int FROM members WHERE organization_id = $1 AND status = 'active') AS active,
  (SELECT count(*)::int FROM members WHERE organization_id = $1 AND status = 'waitlisted'
     AND status_reason = 'no_seat') AS waitlisted,
  (SELECT count(*)::int FROM members WHERE organization_id = $1 AND seated) AS seated,
  (SELECT seats_used FROM organizations WHERE id = $1) AS "seatsUsed",
  (SELECT coalesce(sum(delta), 0)::int FROM seat_ledger WHERE organization_id = $1) AS ledger,
  (SELECT count(*)::int FROM audit_entries WHERE organization_id = $1 AND action = 'member.created') AS "madeEntries",
  (SELECT count(DISTINCT subject_id)::int FROM audit_entries
     WHERE organization_id = $1 AND action = 'member.created') AS "madeMembers",
  (SELECT count(*)::int FROM reconcile_requests WHERE organization_id = $1) AS pending`

/** The counts of an organization in which everybody said is an active member with a seat, each exactly once. */
export function everyoneOnce(count: number): Counts {
  return {
    said: count,
    members: count,
    people: count,
    active: count,
    waitlisted: 0,
    seated: count,
    seatsUsed: count,
    ledger: count,
    madeEntries: count,
    madeMembers: count,
    pending: 0,
  }
}

/** Runs for every number below `count`, so many at once. */
export async function inParallel<T>(count: number, atOnce: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const line = async () => {
    for (let index = next++; index < count; index = next++) results[index] = await run(index)
  }
  await Promise.all(Array.from({ length: atOnce }, line))
  return results
}
