// The doors for browsers on a real port with a database of their own: what compose builds of them, with a
// worker that reconciles while a login waits. Tests go through it as people do, and look at the rows behind.

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PlainBrowser } from '../../src/demo/plain-browser.ts'
import { createApp } from '../../src/http/app.ts'
import { createWebDoor, defaultRateLimits, type RateLimits, type Refused } from '../../src/http/pages/web-door.ts'
import { mailboxPath, mailboxRouter } from '../../src/http/signup/mailbox.ts'
import { signUpPath, signUpRouter } from '../../src/http/signup/router.ts'
import { ssoPath, ssoRouter } from '../../src/http/sso/router.ts'
import { sessionPath, sessionRouter } from '../../src/http/sso/session.ts'
import type { IdentityContext } from '../../src/identity/context.ts'
import { createDiscoveryCache } from '../../src/identity/oidc/discovery-cache.ts'
import { createSafeFetch } from '../../src/identity/safe-fetch.ts'
import { type OidcConnectionConfig, oidcConnectionConfig, samlConnectionConfig } from '../../src/model/connection.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { withStatement } from '../../src/store/database.ts'
import type { OrganizationKey } from '../../src/store/outbox.ts'
import { connectionSecretContext, seal } from '../../src/store/seal.ts'
import { isInSync } from '../../src/store/sync.ts'
import { reconcileOrganization } from '../../src/work/reconcile-organization.ts'
import { createTestDatabase } from './database.ts'
import { type OpenDatabase, openDatabase } from './organization-fixture.ts'

export interface TestService {
  readonly url: string
  readonly db: OpenDatabase
  readonly context: IdentityContext
  /** Requests that were refused, as the log has them. */
  readonly refused: Refused[]
  /** What reached the last resort for unknown errors. */
  readonly reported: unknown[]
  /** Whether somebody reconciles while a login waits; on at first. */
  working: boolean
  /** Sets the service's clock ahead. */
  advance(ms: number): void
  reconcile(place: { tenant: Uuid; organization: Uuid }): Promise<void>
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  addOidcConnection(connection: NewConnection & { readonly clientSecret: string }): Promise<Uuid>
  addSamlConnection(connection: NewConnection): Promise<Uuid>
  addAlias(tenant: Uuid, connection: Uuid, organization: Uuid, value: string): Promise<void>
  /** The session as the service tells it to this browser. */
  session(browser: PlainBrowser): Promise<SessionAnswer>
  close(): Promise<void>
}

export interface NewConnection {
  readonly id?: Uuid
  readonly tenant: Uuid
  readonly organization: Uuid | null
  readonly config: unknown
}

/** Status 200 and who is in, or the status of the refusal. */
export interface SessionAnswer {
  readonly status: number
  readonly body: unknown
}

/** For beforeAll; `close` belongs into afterAll. */
export async function startTestService(options: { limits?: Partial<RateLimits> } = {}): Promise<TestService> {
  const database = await createTestDatabase()
  let aheadMs = 0
  const db = openDatabase(database.url, () => new Date(Date.now() + aheadMs))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const safeFetch = createSafeFetch({ allowPrivateNetworks: true })
  const sealingKeys = { current: { id: 'test', key: randomBytes(32) }, earlier: [] }
  const refused: Refused[] = []
  const reported: unknown[] = []
  const state = { working: true }

  const reconcile = async (key: OrganizationKey) => {
    await reconcileOrganization(db, key, {
      sliceSize: 500,
      maxSlices: 100,
      shouldStop: () => false,
      onSynced: () => {},
      onFailure: ({ error }) => reported.push(error),
    })
  }
  const context: IdentityContext = {
    db,
    publicUrl: url,
    sealingKeys,
    randomBytes: (length) => randomBytes(length),
    discovery: createDiscoveryCache(),
    fetch: safeFetch.fetch,
    allowInsecureLoopback: true,
    async awaitInSync(key) {
      if (state.working) await reconcile(key)
      const { tenant, organization: organizationId, subject } = key
      const caller = { tenant, actor: { id: 'test', door: 'work' } } as const
      return withStatement(db, caller, (scope) => isInSync(scope, { organizationId, subject }))
    },
  }
  const door = createWebDoor({
    context,
    report: (error) => void reported.push(error),
    logRefusal: (entry) => void refused.push(entry),
    limits: { ...defaultRateLimits, loginsPerMinute: 1_000, codesPerHour: 1_000, ...options.limits },
  })
  server.on(
    'request',
    createApp({
      trustProxy: 0,
      doors: [
        { path: ssoPath, router: ssoRouter(door) },
        { path: sessionPath, router: sessionRouter(door) },
        { path: signUpPath, router: signUpRouter(door) },
        { path: mailboxPath, router: mailboxRouter(door) },
      ],
    }),
  )

  const query = async (text: string, values: readonly unknown[] = []) => {
    const result = await db.pool.query<Record<string, unknown>>(text, [...values])
    return result.rows
  }
  const insertConnection = async (kind: string, connection: NewConnection, config: unknown, secret: string | null) => {
    const id = connection.id ?? randomUUID()
    const context = connectionSecretContext(connection.tenant, id)
    const sealed = secret === null ? null : Buffer.from(seal(sealingKeys, secret, context))
    await query(
      `INSERT INTO connections (tenant_id, id, organization_id, kind, name, config, sealed_secret)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [connection.tenant, id, connection.organization, kind, `Test ${kind}`, JSON.stringify(config), sealed],
    )
    return id
  }

  return {
    url,
    db,
    context,
    refused,
    reported,
    get working() {
      return state.working
    },
    set working(working) {
      state.working = working
    },
    advance(ms) {
      aheadMs += ms
    },
    reconcile,
    query,
    addOidcConnection(connection) {
      const config: OidcConnectionConfig = oidcConnectionConfig.parse(connection.config)
      return insertConnection('oidc', connection, config, connection.clientSecret)
    },
    addSamlConnection: (connection) =>
      insertConnection('saml', connection, samlConnectionConfig.parse(connection.config), null),
    async addAlias(tenant, connection, organization, value) {
      await query(
        'INSERT INTO organization_aliases (tenant_id, id, organization_id, connection_id, value) VALUES ($1, $2, $3, $4, $5)',
        [tenant, randomUUID(), organization, connection, value],
      )
    },
    async session(browser) {
      const { status } = await browser.get(`${url}${sessionPath}`)
      return { status, body: status === 200 ? await browser.getJson(`${url}${sessionPath}`) : undefined }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await safeFetch.close()
      await db.close()
      await database.drop()
    },
  }
}
