// The embedded mode: everything from npm alone, for a first look and for development. Starts a
// PostgreSQL of its own under the data folder, keeps the generated keys beside it, and on the first
// start plays the demonstration or makes one empty directory, both through the HTTP doors.

import { randomBytes } from 'node:crypto'
import { getServers } from 'node:dns'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type Service, type ServiceSettings, startDoors, startWork } from './compose.ts'
import type { Config } from './config.ts'
import { startEmbeddedPostgres } from './embedded/postgres.ts'
import { createLogger } from './log.ts'
import { RollcallError } from './model/errors.ts'
import { applyMigrations } from './store/migrate.ts'

export interface EmbeddedOptions {
  readonly demo: boolean
  readonly print: (line: string) => void
  /** Ends the demonstration early. */
  readonly signal: AbortSignal
}

const keysShape = z.object({ adminKey: z.string().min(32), encryptionKey: z.string() })
const directoryShape = z.object({ directoryId: z.string(), token: z.string() })
type FirstDirectory = z.infer<typeof directoryShape>

/** Resolves when everything is up and the last lines are printed. Throws `unavailable` with one sentence. */
export async function startEmbedded(config: Config, { demo, print, signal }: EmbeddedOptions): Promise<Service> {
  const folder = resolve(config.dataDirectory)
  const stopping: (() => Promise<void>)[] = []
  const close = async () => {
    for (const stop of stopping.splice(0).reverse()) await stop()
  }
  try {
    const postgres = await startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), log: () => {} })
    stopping.push(() => postgres.stop())
    print(`PostgreSQL   up on port ${postgres.port}, data in ${folder}`)
    const { applied } = await applyMigrations({ connectionString: postgres.connectionString, log: () => {} })
    print(`Migrations   ${applied.length === 0 ? 'nothing to do' : `${applied.length} applied`}`)

    const remembered = await readJson(join(folder, 'first-directory.json'), directoryShape)
    const world = demo && remembered === null ? await startWorld() : null
    if (world !== null) stopping.push(() => world.stop())
    const settings = await settingsOf(
      config,
      folder,
      postgres.connectionString,
      world === null ? [] : [world.dnsServer],
    )
    const work = await startWork(settings)
    stopping.push(work.close)
    const doors = await startDoors(settings)
    stopping.push(doors.close)
    print(`Rollcall     ${doors.publicUrl}  (SCIM, SSO, sign-up, admin API; relay and worker in this process)`)
    print(`Mailbox      ${doors.publicUrl}/mailbox`)
    print(`Admin key    in ${join(folder, 'keys.json')}`)

    const door = {
      origin: doors.publicUrl,
      adminKey: settings.adminKey ?? '',
      print,
      stopping: signal,
      signal: AbortSignal.any([signal, AbortSignal.timeout(120_000)]),
    }
    const directory = remembered ?? (await firstDirectory(door, world))
    if (remembered === null) await writePrivate(join(folder, 'first-directory.json'), directory)
    printTheWayIn(print, doors.publicUrl, directory)
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The world's DNS server answers for its own names and passes other questions on, so that real domains work too. */
async function startWorld() {
  const { startOutsideWorld } = await import('./demo/outside-world.ts')
  const [server] = getServers()
  return startOutsideWorld(server === undefined ? {} : { forwardDnsTo: server })
}

type World = Awaited<ReturnType<typeof startWorld>>
type Way = {
  origin: string
  adminKey: string
  print: (line: string) => void
  signal: AbortSignal
  stopping: AbortSignal
}

/** A demonstration that fails is told and left; the service stays up with an empty directory. */
async function firstDirectory(way: Way, world: World | null): Promise<FirstDirectory> {
  if (world !== null) {
    const { playDemonstration } = await import('./demo/play.ts')
    try {
      const { directoryId, token } = await playDemonstration({ ...way, world })
      return { directoryId, token }
    } catch (error) {
      if (way.stopping.aborted) throw new RollcallError('unavailable', 'Stopped in the middle of the demonstration.')
      way.print(`${error instanceof Error ? error.message : String(error)}`)
      way.print('The service goes on without it.')
    }
  }
  return (await import('./demo/first-directory.ts')).makeFirstDirectory(way)
}

function printTheWayIn(print: (line: string) => void, publicUrl: string, { directoryId, token }: FirstDirectory): void {
  const base = `${publicUrl}/scim/v2/${directoryId}`
  print('')
  print('Rollcall is up; Ctrl-C stops it. Its SCIM endpoint, ready to try:')
  print('')
  print(`  SCIM base URL   ${base}`)
  print(`  Authorization   Bearer ${token}`)
  print('')
  print(`curl -s -H 'Authorization: Bearer ${token}' '${base}/Users?count=3'`)
}

async function settingsOf(
  config: Config,
  folder: string,
  databaseUrl: string,
  dnsResolvers: readonly string[],
): Promise<ServiceSettings> {
  const keys = await ownKeys(join(folder, 'keys.json'))
  return {
    config,
    databaseUrl,
    queueUrl: config.queueUrl ?? databaseUrl,
    adminKey: config.adminKey ?? keys.adminKey,
    encryptionKey: config.encryptionKey ?? Buffer.from(keys.encryptionKey, 'base64'),
    allowPrivateNetworks: config.allowPrivateNetworks ?? true,
    dnsResolvers: config.dnsResolvers.length > 0 ? config.dnsResolvers : dnsResolvers,
    mailbox: config.smtpUrl === undefined,
    log: createLogger(config.logLevel ?? 'warn'),
  }
}

async function ownKeys(file: string): Promise<z.infer<typeof keysShape>> {
  const known = await readJson(file, keysShape)
  if (known !== null) return known
  const made = {
    adminKey: `rcb_${randomBytes(32).toString('base64url')}`,
    encryptionKey: randomBytes(32).toString('base64'),
  }
  await writePrivate(file, made)
  return made
}

async function writePrivate(file: string, value: object): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
}

async function readJson<T>(file: string, shape: z.ZodType<T>): Promise<T | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw new RollcallError('unavailable', {
      detail: `${file} is damaged. Mend it, or delete the whole folder to start over.`,
      cause,
    })
  }
}
