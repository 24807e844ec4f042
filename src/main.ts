// The commands of the one build: serve, work, all, migrate. Reads the arguments, starts what the
// command asks for, and stops it in order on a signal. Building is compose's.

import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import {
  closeServer,
  listen,
  type Service,
  type ServiceSettings,
  startDoors,
  startWork,
  type WebService,
} from './compose.ts'
import { type Config, environment, readConfig } from './config.ts'
import { createApp } from './http/app.ts'
import { opsRouter } from './http/ops.ts'
import { createLogger } from './log.ts'
import { RollcallError } from './model/errors.ts'
import { applyMigrations } from './store/migrate.ts'

const usage = `Usage: node dist/main.js <command>

  all       doors, relay and workers in one process; without DATABASE_URL on an
            embedded PostgreSQL, with a demonstration (--no-demo leaves it out)
  serve     the HTTP doors
  work      relay and workers
  migrate   applies the migrations and ends

Settings come from the environment; README.md lists them.`

const commands = ['all', 'serve', 'work', 'migrate'] as const
type Command = (typeof commands)[number]

interface Arguments {
  readonly command: Command
  readonly demo: boolean
}

function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values, positionals } = parsed(args)
  if (values.help) return 'help'
  const [name = 'all', ...rest] = positionals
  const command = commands.find((one) => one === name)
  if (command === undefined || rest.length > 0) {
    throw new RollcallError(
      'invalid_request',
      `There is no command "${positionals.join(' ')}". Try: ${commands.join(', ')}.`,
    )
  }
  return { command, demo: !values['no-demo'] }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { 'no-demo': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    })
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : 'The arguments cannot be read.'
    throw new RollcallError('invalid_request', { detail, cause })
  }
}

async function run(args: Arguments, config: Config, signal: AbortSignal): Promise<Service> {
  if (args.command === 'all' && config.databaseUrl === undefined) {
    const { startEmbedded } = await import('./start-embedded.ts')
    return startEmbedded(config, { demo: args.demo, print, signal })
  }
  const settings = productionSettings(config)
  switch (args.command) {
    case 'migrate':
      await applyMigrations({ connectionString: settings.databaseUrl, log: print })
      return { close: async () => {} }
    case 'serve':
      return announced(await startDoors(settings))
    case 'work':
      return startWatchedWork(settings)
    case 'all': {
      await applyMigrations({ connectionString: settings.databaseUrl, log: print })
      const work = await startWork(settings)
      return together(announced(await startDoors(settings)), work)
    }
  }
}

/** Workers have no doors; a port of their own says how they are. */
async function startWatchedWork(settings: ServiceSettings): Promise<Service> {
  const server = createServer()
  const origin = await listen(server, settings.config.host, settings.config.healthPort, 'HEALTH_PORT')
  const work = await startWork(settings)
  server.on(
    'request',
    createApp({ trustProxy: 0, doors: [{ path: '/', router: opsRouter({ work: work.readiness }) }] }),
  )
  print(`Rollcall works; its health is at ${origin}/readyz`)
  return together({ close: () => closeServer(server) }, work)
}

function announced(web: WebService): WebService {
  print(`Rollcall listens on ${web.origin}${web.publicUrl === web.origin ? '' : ` and is reached at ${web.publicUrl}`}`)
  return web
}

function together(first: Service, second: Service): Service {
  return {
    async close() {
      await first.close()
      await second.close()
    },
  }
}

function productionSettings(config: Config): ServiceSettings {
  const { databaseUrl, encryptionKey } = config
  if (databaseUrl === undefined) throw missing('DATABASE_URL')
  if (encryptionKey === undefined) throw missing('ROLLCALL_ENCRYPTION_KEY', ' Make one with: openssl rand -base64 32')
  return {
    config,
    databaseUrl,
    queueUrl: config.queueUrl ?? databaseUrl,
    adminKey: config.adminKey,
    encryptionKey,
    allowPrivateNetworks: config.allowPrivateNetworks ?? false,
    dnsResolvers: config.dnsResolvers,
    mailbox: false,
    log: createLogger(config.logLevel ?? 'info'),
  }
}

function missing(name: string, advice = ''): RollcallError {
  return new RollcallError('invalid_request', `The setting ${name} is missing.${advice}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Aborted by the first signal; a second one ends the process at once. */
function listenForSignals(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130)
      print('Stopping …')
      stopping.abort()
    })
  }
  return stopping.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2))
  if (args === 'help') {
    print(usage)
    return
  }
  const signal = listenForSignals()
  const service = await run(args, readConfig(environment), signal)
  if (args.command !== 'migrate') await aborted(signal)
  await service.close()
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof RollcallError) process.stderr.write(`${error.detail}\n`)
    else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  },
)
