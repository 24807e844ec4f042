// Runs a real PostgreSQL from npm for those who have none: `npm start` and the tests. It owns the
// server's life: port, start, orderly stop, and what a kill -9 left behind. Making the files is in
// cluster.ts; who may use the folder is in data-lock.ts. Production brings its own PostgreSQL.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chmod, constants, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { RollcallError } from '../model/errors.ts'
import { locateBinaries, type PostgresBinaries } from './binaries.ts'
import { createCluster, spawnAs } from './cluster.ts'
import { type DataLock, lockDataFolder } from './data-lock.ts'
import { endWithParent } from './end-with-parent.ts'
import { isPostmasterOf } from './process-identity.ts'
import { chooseRunAs, giveTo, type RunAs } from './run-as.ts'

export interface EmbeddedPostgresOptions {
  /** Created when missing; holds the cluster, its passwords and the port. */
  readonly dataDirectory: string
  /** Without it: the port used last time, else any free one. */
  readonly port?: number
  /** Gets one sentence per event, without personal data. */
  readonly log: (message: string) => void
  readonly maxConnections?: number
  /** Tests only: with false a power cut may lose the cluster. */
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  /** The database `rollcall`, as its owner: a role without superuser rights. */
  readonly connectionString: string
  /** The database `postgres`, as superuser. */
  readonly adminConnectionString: string
  readonly port: number
  /** True where this start made the cluster. */
  readonly fresh: boolean
  /** Ends every connection and stops the server in order; may be called more than once. */
  stop(): Promise<void>
}

interface Remembered {
  readonly port: number
  readonly password: string
  readonly adminPassword: string
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 15_000
/** Major version of the binaries; a cluster of another one cannot be opened. */
const majorVersion = '18'

/**
 * Starts the server and resolves when it accepts connections on loopback. Throws `unavailable` with
 * one clear sentence where the folder is in use or not writable, the port taken, the data foreign.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.dataDirectory)
  await prepareFolder(folder)
  const lock = await lockDataFolder(folder)
  try {
    return await startLocked(folder, options, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function startLocked(
  folder: string,
  options: EmbeddedPostgresOptions,
  lock: DataLock,
): Promise<EmbeddedPostgres> {
  const cluster = join(folder, 'postgres')
  const binaries = await locateBinaries()
  const runAs = chooseRunAs(folder, binaries.postgres)
  const fresh = !(await exists(cluster))
  const secrets = await recallSecrets(folder, fresh)
  if (fresh) {
    options.log('Creating the embedded PostgreSQL database')
    await createCluster({ ...secrets, folder: cluster, durable: options.durable ?? true }, binaries, runAs)
  } else {
    await checkVersion(cluster)
    await endLeftover(cluster, options.log)
    giveTo(runAs, cluster)
  }
  const port = await choosePort(options.port, secrets.port)
  await writeFile(join(folder, 'postgres.json'), JSON.stringify({ ...secrets, port }), { mode: 0o600 })
  const server = await startServer(cluster, port, options, binaries, runAs)
  const at = `127.0.0.1:${port}`
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await server.stop()
    await lock.release()
  }
  return {
    connectionString: `postgresql://rollcall:${secrets.password}@${at}/rollcall`,
    adminConnectionString: `postgresql://postgres:${secrets.adminPassword}@${at}/postgres`,
    port,
    fresh,
    stop: () => (stopping ??= stop()),
  }
}

/** Step by step: Node's recursive mkdir never ends under a parent that refuses children as /proc does. */
async function makeFolder(folder: string): Promise<void> {
  const parent = dirname(folder)
  if (parent !== folder && !(await exists(parent))) await makeFolder(parent)
  await mkdir(folder)
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    if (!(await exists(folder))) {
      await makeFolder(folder)
      // The server may run as another user, who has to pass through; everything inside is closed.
      await chmod(folder, 0o755)
    }
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const probe = join(folder, `.write-test-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
    const cluster = join(folder, 'postgres')
    if (await exists(cluster)) await access(cluster, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new RollcallError('unavailable', {
      detail: `The data folder ${folder} cannot be written${why}; make it writable, or choose another folder.`,
      cause,
    })
  }
}

async function recallSecrets(folder: string, fresh: boolean): Promise<Remembered> {
  const path = join(folder, 'postgres.json')
  // Hexadecimal, so that they need no quoting in SQL nor in a URL.
  const made = { port: 0, password: randomBytes(24).toString('hex'), adminPassword: randomBytes(24).toString('hex') }
  if (fresh) return made
  try {
    const kept: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isRemembered(kept)) return kept
  } catch {
    // Falls through: missing and unreadable are the same to the person who has to act.
  }
  throw new RollcallError('unavailable', {
    detail: `${path} is missing or damaged, and it holds the passwords of the database beside it; restore it, or move ${folder} away to begin anew.`,
  })
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false
  const { port, password, adminPassword } = value as Record<keyof Remembered, unknown>
  return typeof port === 'number' && typeof password === 'string' && typeof adminPassword === 'string'
}

async function checkVersion(cluster: string): Promise<void> {
  const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => 'unknown')).trim()
  if (version === majorVersion) return
  throw new RollcallError('unavailable', {
    detail: `The data in ${cluster} is of PostgreSQL ${version}, this build runs ${majorVersion}; dump and restore it, or choose another folder.`,
  })
}

/**
 * After a kill -9 of its parent the old server is still stopping, or its pid file is left over. The
 * folder is locked by us, so a server still at work there has lost its owner and is ended.
 */
async function endLeftover(cluster: string, log: (message: string) => void): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0) return
  log('The embedded PostgreSQL was not stopped in order last time; recovering')
  const end = Date.now() + stopTimeoutMs
  while (await isPostmasterOf(pid, cluster)) {
    if (Date.now() > end) {
      throw new RollcallError('unavailable', {
        detail: `An older PostgreSQL (process ${pid}) still runs in ${cluster}; end it and start again.`,
      })
    }
    try {
      process.kill(pid, 'SIGINT')
    } catch {
      // It has just ended, or belongs to another user: the next look tells.
    }
    await new Promise((wake) => setTimeout(wake, 50))
  }
  // The number may meanwhile belong to an unrelated process, for which PostgreSQL would refuse to start.
  await rm(pidFile, { force: true })
}

async function choosePort(asked: number | undefined, last: number): Promise<number> {
  if (asked !== undefined) {
    if ((await freePort(asked)) === asked) return asked
    throw new RollcallError('unavailable', {
      detail: `Port ${asked} for the embedded PostgreSQL is in use; free it, or set another one.`,
    })
  }
  const found = (last === 0 ? undefined : await freePort(last)) ?? (await freePort(0))
  if (found === undefined) throw new RollcallError('unavailable', { detail: 'No free port on 127.0.0.1.' })
  return found
}

function freePort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => done(typeof address === 'object' ? address?.port : undefined))
    })
  })
}

async function startServer(
  cluster: string,
  port: number,
  options: EmbeddedPostgresOptions,
  binaries: PostgresBinaries,
  runAs: RunAs,
): Promise<{ stop(): Promise<void> }> {
  const child = spawnAs([binaries.postgres, '-D', cluster, ...settings(port, options)], runAs)
  child.stdin.on('error', () => {})
  child.stdin.end()
  let lastLines = ''
  const exited = new Promise<void>((done) => child.once('close', () => done()))
  const ready = new Promise<boolean>((done) => {
    child.once('error', (error) => {
      lastLines += error.message
      done(false)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      lastLines = (lastLines + text).slice(-4000)
      if (lastLines.includes('ready to accept connections')) done(true)
    })
    void exited.then(() => done(false))
    setTimeout(() => done(false), startTimeoutMs).unref()
  })
  if (!(await ready)) {
    child.kill('SIGQUIT')
    throw new RollcallError('unavailable', {
      detail: `The embedded PostgreSQL did not start: ${lastReason(lastLines)}`,
      cause: lastLines,
    })
  }
  let stopping = false
  endWithParent(child)
  void exited.then(() => {
    if (!stopping) options.log(`The embedded PostgreSQL ended unexpectedly: ${lastReason(lastLines)}`)
  })
  return {
    async stop() {
      stopping = true
      await stopServer(child, exited, cluster, binaries)
    },
  }
}

function settings(port: number, options: EmbeddedPostgresOptions): string[] {
  const values: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    // No socket file: its path has a length limit that a deep folder exceeds.
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    timezone: 'UTC',
    log_timezone: 'UTC',
    // ERROR and WARNING lines quote rows, that is personal data; LOG and FATAL do not.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function stopServer(
  child: ChildProcess,
  exited: Promise<void>,
  cluster: string,
  binaries: PostgresBinaries,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (process.platform === 'win32') {
    spawn(binaries.pgCtl, ['stop', '-D', cluster, '-m', 'fast'], { stdio: 'ignore', windowsHide: true })
  } else {
    child.kill('SIGINT') // PostgreSQL's fast shutdown: roll back, write out, end
  }
  const timer = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs)
  await exited
  clearTimeout(timer)
}

function lastReason(lines: string): string {
  const all = lines.trim().split('\n')
  const fatal = all.findLast((line) => /FATAL|PANIC|could not/.test(line)) ?? all.at(-1) ?? ''
  return fatal.replace(/^.*?(?:FATAL|PANIC|LOG): +/, '') || 'it gave no reason'
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
