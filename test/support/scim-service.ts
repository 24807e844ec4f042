// The SCIM door on a database of its own, listening on loopback: what compose builds of it, without the
// rest. Tests speak HTTP to it and look at the rows behind it.

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createDirectoryAuthenticator,
  type DirectoryAuthenticator,
} from '../../src/directory/authenticate-directory.ts'
import { createApp } from '../../src/http/app.ts'
import { scimRouter } from '../../src/http/scim/router.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { makeToken } from '../../src/store/bearer-token.ts'
import type { Database } from '../../src/store/database.ts'
import type { Wake } from '../../src/store/outbox.ts'
import { createTestDatabase } from './database.ts'
import { addDirectory, createWorld, openDatabase } from './organization-fixture.ts'

export interface TestDirectory {
  readonly tenant: Uuid
  readonly organization: Uuid
  readonly id: Uuid
  readonly token: string
  /** Of this directory's SCIM service. */
  readonly baseUrl: string
}

export interface ScimReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when there is none. */
  readonly body: unknown
  /** The resource's id; '' where there is none. */
  readonly id: string
  /** A list's resources; [] where there are none. */
  readonly resources: readonly Record<string, unknown>[]
}

export interface ScimService {
  readonly database: Database
  readonly authenticator: DirectoryAuthenticator
  /** Errors that became a 500. */
  readonly errors: unknown[]
  /** What the relay was told of. */
  readonly wakes: Wake[]
  /** In a new tenant; in the given tenant, as a new organization; or in the given organization. */
  createDirectory(place?: { tenant?: Uuid; organization?: Uuid; state?: string }): Promise<TestDirectory>
  /** Rows as the database has them. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Starts it; the clock is real unless one is given. For beforeAll; `stop` belongs into afterAll. */
export async function startScimService(options: { clock?: () => Date } = {}): Promise<ScimService> {
  const testDatabase = await createTestDatabase()
  const opened = openDatabase(testDatabase.url, options.clock)
  const wakes: Wake[] = []
  const waker = { wake: (wake: Wake) => void wakes.push(wake), idle: async () => {} }
  const database: Database = { ...opened, waker }
  const { pool } = opened
  const errors: unknown[] = []
  const authenticator = createDirectoryAuthenticator(database)

  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publicUrl = `http://127.0.0.1:${port}`
  const router = scimRouter({ authenticator, publicUrl, reportError: (error) => void errors.push(error) })
  server.on('request', createApp({ trustProxy: 0, doors: [{ path: '/scim/v2/:directoryId', router }] }))

  const query: ScimService['query'] = async (text, values = []) => (await pool.query(text, [...values])).rows

  async function place(tenant: Uuid | undefined): Promise<{ tenant: Uuid; organization: Uuid }> {
    if (tenant === undefined) return createWorld(pool)
    const organization = randomUUID()
    await query(
      `INSERT INTO organizations (tenant_id, id, number, name, role_set_id, default_role_id)
       SELECT tenant_id, $2, number + 1, 'Another', role_set_id, default_role_id FROM organizations
       WHERE tenant_id = $1 ORDER BY number DESC LIMIT 1`,
      [tenant, organization],
    )
    return { tenant, organization }
  }

  return {
    database,
    authenticator,
    errors,
    wakes,
    query,
    async createDirectory({ tenant, organization, state } = {}) {
      const where = tenant && organization ? { tenant, organization } : await place(tenant)
      const id = await addDirectory(pool, where, state)
      const token = await addToken(query, where.tenant, id)
      return {
        tenant: where.tenant,
        organization: where.organization,
        id,
        token,
        baseUrl: `${publicUrl}/scim/v2/${id}`,
      }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await opened.close()
      await testDatabase.drop()
    },
  }
}

/** One more token of a directory. */
export async function addToken(
  query: ScimService['query'],
  tenant: Uuid,
  directory: Uuid,
  options: { expiresAt?: Date; revokedAt?: Date } = {},
): Promise<string> {
  const { token, prefix, hash } = makeToken('rcd', randomBytes(32))
  await query(
    `INSERT INTO directory_tokens (tenant_id, id, directory_id, prefix, hash, expires_at, revoked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [tenant, randomUUID(), directory, prefix, hash, options.expiresAt ?? null, options.revokedAt ?? null],
  )
  return token
}

/** Sends one request to a directory's SCIM service, as an identity provider with its token does. */
export async function scim(
  directory: Pick<TestDirectory, 'baseUrl' | 'token'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ScimReply> {
  const reply = await fetch(directory.baseUrl + path, {
    method,
    headers: {
      authorization: `Bearer ${directory.token}`,
      ...(body !== undefined && { 'content-type': 'application/scim+json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await reply.text()
  const parsed: unknown = text === '' ? undefined : JSON.parse(text)
  const { id, Resources } = isRecord(parsed) ? parsed : {}
  return {
    status: reply.status,
    headers: reply.headers,
    text,
    body: parsed,
    id: typeof id === 'string' ? id : '',
    resources: Array.isArray(Resources) ? Resources.filter(isRecord) : [],
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
