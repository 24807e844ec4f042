// The only builder of clients: pool, queue, caches, doors and handlers are made here from the
// configuration and passed on as arguments. It decides nothing; it connects.

import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { Config } from './config.ts'
import { createDirectoryAuthenticator } from './directory/authenticate-directory.ts'
import { adminPath, adminRouter } from './http/admin/router.ts'
import { createApp, type Door } from './http/app.ts'
import { homeRouter } from './http/home.ts'
import { opsRouter } from './http/ops.ts'
import { createWebDoor } from './http/pages/web-door.ts'
import { scimRouter } from './http/scim/router.ts'
import { mailboxPath, mailboxRouter } from './http/signup/mailbox.ts'
import { signUpPath, signUpRouter } from './http/signup/router.ts'
import { ssoPath, ssoRouter } from './http/sso/router.ts'
import { sessionPath, sessionRouter } from './http/sso/session.ts'
import { createDiscoveryCache } from './identity/oidc/discovery-cache.ts'
import { createSafeFetch } from './identity/safe-fetch.ts'
import type { Logger } from './log.ts'
import { RollcallError } from './model/errors.ts'
import { openQueue } from './queue/open-queue.ts'
import { startRelay } from './queue/relay.ts'
import { startWorkers } from './queue/worker.ts'
import { type OpenDatabase, openDatabase } from './store/open-database.ts'
import { createOutboxReader } from './store/outbox.ts'
import type { SealingKeys } from './store/seal.ts'
import { awaitInSync, createSyncListener, createSyncNotifier } from './store/sync.ts'
import { expirePlans } from './work/expire-held-plans.ts'
import { forgetExpired } from './work/forget-expired.ts'
import { reconcileOrganization } from './work/reconcile-organization.ts'
import { createMailSender, sendMail } from './work/send-mail.ts'
import { createTxtLookup, verifyDomain } from './work/verify-domain.ts'

export interface ServiceSettings {
  readonly config: Config
  readonly databaseUrl: string
  readonly queueUrl: string
  readonly adminKey: string | undefined
  readonly encryptionKey: Buffer
  readonly allowPrivateNetworks: boolean
  readonly dnsResolvers: readonly string[]
  /** Shows the mails on a page: only where nobody else can look. */
  readonly mailbox: boolean
  readonly log: Logger
}

/** How long a login waits to be reconciled before the person gets a page that waits. */
const loginWaitMs = 3_000

export interface Service {
  readonly close: () => Promise<void>
}

export interface WebService extends Service {
  /** Where this process listens. */
  readonly origin: string
  readonly publicUrl: string
}

/** The HTTP doors. They need the database and nothing of the queue. Throws `unavailable` when the port cannot be had. */
export async function startDoors(settings: ServiceSettings): Promise<WebService> {
  const { config, log } = settings
  const server = createServer()
  const origin = await listen(server, config.host, config.port, 'PORT')
  const publicUrl = config.publicUrl ?? origin
  const db = connect(settings)
  const listener = createSyncListener(
    settings.databaseUrl,
    warn(log, 'The connection that waits for reconciling was lost'),
  )
  const safeFetch = createSafeFetch({ allowPrivateNetworks: settings.allowPrivateNetworks })
  const sealingKeys = sealingKeysOf(settings.encryptionKey)
  const authenticator = createDirectoryAuthenticator(db)
  const report = (error: unknown, about: object) => log.error({ err: error, ...about }, 'A request failed')
  const context = { db, publicUrl, sealingKeys, randomBytes }
  const web = createWebDoor({
    context: {
      ...context,
      discovery: createDiscoveryCache(),
      fetch: safeFetch.fetch,
      allowInsecureLoopback: settings.allowPrivateNetworks,
      awaitInSync: (key) => awaitInSync(db, listener, key, { timeoutMs: loginWaitMs }),
    },
    report: (error, request) => report(error, { method: request.method, route: request.baseUrl }),
    logRefusal: (refused) => log.info(refused, 'A request of a browser was refused'),
  })
  const doors: Door[] = [
    { path: '/', router: opsRouter({ database: () => answers(db) }) },
    { path: '/scim/v2/:directoryId', router: scimRouter({ authenticator, publicUrl, reportError: report }) },
    {
      path: adminPath,
      router: adminRouter({
        context: { ...context, bootstrapKey: settings.adminKey, directoryChanged: (id) => authenticator.forget(id) },
        allowInsecureLoopback: settings.allowPrivateNetworks,
        report: (error, request) => report(error, { method: request.method, route: adminPath }),
      }),
    },
    { path: ssoPath, router: ssoRouter(web) },
    { path: sessionPath, router: sessionRouter(web) },
    { path: signUpPath, router: signUpRouter(web) },
    ...(settings.mailbox ? [{ path: mailboxPath, router: mailboxRouter(web) }] : []),
    { path: '/', router: homeRouter(web) },
  ]
  server.on('request', createApp({ trustProxy: config.trustProxy, doors }))
  return {
    origin,
    publicUrl,
    async close() {
      await closeServer(server)
      await listener.close()
      await safeFetch.close()
      await db.close()
    },
  }
}

/** Relay and workers: everything that happens after a commit. */
export async function startWork(
  settings: ServiceSettings,
): Promise<Service & { readonly readiness: () => Promise<boolean> }> {
  const { config, log } = settings
  const db = connect(settings)
  const queue = await openQueue({ url: settings.queueUrl, log })
  const notifier = createSyncNotifier(db.pool, warn(log, 'Nobody could be told that an organization was reconciled'))
  const sender =
    config.smtpUrl === undefined ? null : createMailSender({ smtpUrl: config.smtpUrl, from: config.mailFrom })
  const lookUpTxt = createTxtLookup(settings.dnsResolvers)
  const workers = await startWorkers({
    queue,
    concurrency: config.workerConcurrency,
    handlers: {
      'reconcile-organization': async (key, signal) => {
        const done = await reconcileOrganization(db, key, {
          sliceSize: config.sliceSize,
          maxSlices: 10,
          shouldStop: () => signal.aborted,
          onSynced: (synced) => notifier.tell(synced),
          onFailure: ({ error, ...failure }) =>
            log.error({ err: error, ...failure }, 'A slice could not be reconciled'),
        })
        // The queue's growing pauses are better than the sweep's next second.
        if (done.failing > 0 && !done.more) throw new Error(`${done.failing} requests are tried again later`)
        return done
      },
      'send-mail': (key) => sendMail(db, { sender }, key),
      'verify-domain': (key) => verifyDomain(db, { lookUpTxt }, key),
    },
  })
  const relay = startRelay({
    outbox: createOutboxReader({ pool: db.pool, connectionString: settings.databaseUrl }),
    queue,
    log,
  })
  const rounds = [
    every(3_600_000, () => forgetExpired(db), warn(log, 'Expired rows could not be deleted')),
    every(60_000, () => expirePlans(db), warn(log, 'Held plans could not be ended')),
  ]
  return {
    readiness: async () => (await answers(db)) && (await queue.health()),
    async close() {
      for (const stop of rounds) stop()
      await relay.stop()
      await workers.close()
      await queue.close()
      sender?.close()
      await notifier.idle()
      await db.close()
    },
  }
}

function connect({ config, databaseUrl, log }: ServiceSettings): OpenDatabase {
  return openDatabase({
    connectionString: databaseUrl,
    poolSize: config.databasePool,
    clock: () => new Date(),
    onError: warn(log, 'A database connection was lost'),
  })
}

/** Does it once at a time, again and again; answers how to stop it. */
function every(pauseMs: number, work: () => Promise<unknown>, onError: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    timer = setTimeout(
      () =>
        void work()
          .catch(onError)
          .finally(() => timer !== undefined && next()),
      pauseMs,
    )
  }
  next()
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}

/** `current` opens what is sealed today; earlier keys have their place here when rotating comes. */
function sealingKeysOf(key: Buffer): SealingKeys {
  return { current: { id: createHash('sha256').update(key).digest('hex').slice(0, 8), key }, earlier: [] }
}

async function answers(db: OpenDatabase): Promise<boolean> {
  return db.pool.query('SELECT 1').then(
    () => true,
    () => false,
  )
}

function warn(log: Logger, sentence: string): (error: unknown) => void {
  return (error) => log.warn({ err: error }, sentence)
}

/** Throws `unavailable` with a sentence where the port or address cannot be had; `setting` is what the port is set with. */
export async function listen(
  server: Server,
  host: string,
  port: number,
  setting: 'PORT' | 'HEALTH_PORT',
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new RollcallError('unavailable', { detail: whyNot(cause, host, port, setting), cause })),
    )
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${shown}:${actual}`
}

function whyNot(cause: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `Port ${port} is already in use. Stop what listens there, or choose another port with ${setting}.`
    case 'EACCES':
      return `Port ${port} may not be opened by this user. Choose one above 1023 with ${setting}.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine. Set HOST to one that is.`
    default:
      return `Port ${port} cannot be opened (${cause.code ?? cause.message}).`
  }
}

/** Lets running requests finish for five seconds, then cuts them off. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Node keeps a connection whose request was running for more of them, and would go on answering those.
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'))
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => server.closeAllConnections(), 5_000)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
}
