// The SCIM door on a database of its own, listening on loopback: what compose builds of it, without the
// rest. Tests speak HTTP to it and look at the rows behind it.

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PrismaPg } from '@prisma/adapter-pg'
import express from 'express'
import pg from 'pg'
import {
  createDirectoryAuthenticator,
  type DirectoryAuthenticator,
} from '../../src/directory/authenticate-directory.ts'
import { scimRouter } from '../../src/http/scim/router.ts'
import { type Uuid, uuidV7 } from '../../src/model/ids.ts'
import { makeToken } from '../../src/store/bearer-token.ts'
import type { Database } from '../../src/store/database.ts'
import { PrismaClient } from '../../src/store/generated/client.ts'
import type { Wake } from '../../src/store/outbox.ts'
import { createTestDatabase } from './database.ts'

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
  /** Organizations the relay was told of. */
  readonly wakes: Wake[]
  /** Without `tenant` in a new tenant; without `organization` in a new organization. */
  createDirectory(options?: {
    tenant?: Uuid
    organization?: Uuid
    state?: string
    provider?: string
  }): Promise<TestDirectory>
  /** Rows as the database has them. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Starts it; the clock is real unless one is given. For beforeAll; `stop` belongs into afterAll. */
export async function startScimService(options: { clock?: () => Date } = {}): Promise<ScimService> {
  const testDatabase = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: testDatabase.url, max: 10 })
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  const clock = options.clock ?? (() => new Date())
  const newId = () => uuidV7(clock().getTime(), randomBytes(16))
  const wakes: Wake[] = []
  const waker = { wake: (wake: Wake) => void wakes.push(wake), idle: async () => {} }
  const database: Database = { pool, prisma, waker, clock, newId }
  const errors: unknown[] = []

  const app = express().disable('x-powered-by')
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publicUrl = `http://127.0.0.1:${port}`
  const authenticator = createDirectoryAuthenticator(database)
  app.use(
    '/scim/v2/:directoryId',
    scimRouter({ authenticator, publicUrl, reportError: (error) => void errors.push(error) }),
  )
  const query = async (text: string, values: readonly unknown[] = []) => (await pool.query(text, [...values])).rows

  return {
    database,
    authenticator,
    errors,
    wakes,
    query,
    async createDirectory({ state = 'active', provider = 'other', ...given } = {}) {
      const tenant = given.tenant ?? (await createTenant(query))
      const organization = given.organization ?? (await createOrganization(query, tenant))
      const id = newId()
      await query(
        `INSERT INTO directories (tenant_id, id, organization_id, name, provider, state) VALUES ($1, $2, $3, 'Directory', $4, $5)`,
        [tenant, id, organization, provider, state],
      )
      const token = await createToken(query, tenant, id)
      return { tenant, organization, id, token, baseUrl: `${publicUrl}/scim/v2/${id}` }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await prisma.$disconnect()
      if (!pool.ended) await pool.end()
      await testDatabase.drop()
    },
  }
}

type Query = ScimService['query']

async function createTenant(query: Query): Promise<Uuid> {
  const tenant = randomUUID()
  await query('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)', [tenant, `t-${tenant}`, 'Tenant'])
  return tenant
}

async function createOrganization(query: Query, tenant: Uuid): Promise<Uuid> {
  const [organization, roleSet, role] = [randomUUID(), randomUUID(), randomUUID()]
  await query(`INSERT INTO role_sets (tenant_id, id, key, name) VALUES ($1, $2, $3, 'Roles')`, [
    tenant,
    roleSet,
    `set-${roleSet}`,
  ])
  await query(
    `INSERT INTO roles (tenant_id, id, role_set_id, key, name, rank, permissions) VALUES ($1, $2, $3, 'member', 'Member', 1, '{}')`,
    [tenant, role, roleSet],
  )
  await query(
    `INSERT INTO organizations (tenant_id, id, number, name, role_set_id, default_role_id)
     SELECT $1, $2, count(*) + 1, 'Organization', $3, $4 FROM organizations WHERE tenant_id = $1`,
    [tenant, organization, roleSet, role],
  )
  return organization
}

/** One more token of a directory. */
export async function createToken(
  query: Query,
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
