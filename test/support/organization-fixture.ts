// Facts for the tests of the store and the reconciler, written by plain SQL as doors would have
// written them: a tenant with roles, an organization, its directories, people, groups and rules.

import { randomBytes, randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Uuid } from '../../src/model/ids.ts'
import { uuidV7 } from '../../src/model/ids.ts'
import type { Caller, Database } from '../../src/store/database.ts'
import { PrismaClient } from '../../src/store/generated/client.ts'
import { createWaker } from '../../src/store/outbox.ts'

export interface OpenDatabase extends Database {
  close(): Promise<void>
}

/** Sixteen random bytes, fetched by the kilobyte: one by one they cost more than the id. */
let randomness = new Uint8Array()
function random16(): Uint8Array {
  if (randomness.length === 0) randomness = randomBytes(8_192)
  const next = randomness.subarray(0, 16)
  randomness = randomness.subarray(16)
  return next
}

/** What compose builds, for a test's own database; `clock` can be set to a fixed time. */
export function openDatabase(url: string, clock: () => Date = () => new Date()): OpenDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  pool.on('error', () => {}) // the database may be dropped under it
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  const waker = createWaker(pool, () => {})
  return {
    pool,
    prisma,
    waker,
    clock,
    newId: () => uuidV7(Date.now(), random16()),
    async close() {
      await waker.idle()
      await prisma.$disconnect()
      if (!pool.ended) await pool.end()
    },
  }
}

export interface World {
  readonly tenant: Uuid
  readonly organization: Uuid
  readonly roles: { readonly owner: Uuid; readonly admin: Uuid; readonly member: Uuid }
  readonly caller: Caller
}

/** A tenant with Owner 100, Admin 50 and Member 10, and one organization whose default role is Member. */
export async function createWorld(
  pool: pg.Pool,
  options: { seatLimit?: number | null; seatPolicy?: 'block' | 'waitlist' } = {},
): Promise<World> {
  const tenant = randomUUID()
  const roleSet = randomUUID()
  const roles = { owner: randomUUID(), admin: randomUUID(), member: randomUUID() }
  await pool.query('INSERT INTO tenants (id, slug, name) VALUES ($1::uuid, left($1::text, 8), $1::text)', [tenant])
  await pool.query(`INSERT INTO role_sets (tenant_id, id, key, name) VALUES ($1, $2, 'default', 'Default')`, [
    tenant,
    roleSet,
  ])
  await pool.query(
    `INSERT INTO roles (tenant_id, id, role_set_id, key, name, rank, permissions, is_owner) VALUES
      ($1, $3, $2, 'owner', 'Owner', 100, '{}', true), ($1, $4, $2, 'admin', 'Admin', 50, '{}', false),
      ($1, $5, $2, 'member', 'Member', 10, '{}', false)`,
    [tenant, roleSet, roles.owner, roles.admin, roles.member],
  )
  const organization = await addOrganization(pool, { tenant, roleSet, defaultRole: roles.member, ...options })
  return { tenant, organization, roles, caller: { tenant, actor: { id: 'reconciler', door: 'work' } } }
}

/** One more organization of the tenant, with the tenant's only role set. */
export async function addOrganization(
  pool: pg.Pool,
  options: {
    tenant: Uuid
    roleSet?: Uuid
    defaultRole: Uuid
    seatLimit?: number | null
    seatPolicy?: 'block' | 'waitlist'
  },
): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO organizations (tenant_id, id, number, name, role_set_id, default_role_id, seat_limit, seat_policy)
     SELECT $1, $2, (SELECT count(*) + 1 FROM organizations WHERE tenant_id = $1), 'Organization',
       (SELECT role_set_id FROM roles WHERE tenant_id = $1 AND id = $3), $3, $4, $5`,
    [options.tenant, id, options.defaultRole, options.seatLimit ?? null, options.seatPolicy ?? 'block'],
  )
  return id
}

interface Place {
  readonly tenant: Uuid
  readonly organization: Uuid
}

export async function addDirectory(pool: pg.Pool, place: Place, state = 'active'): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO directories (tenant_id, organization_id, id, name, state) VALUES ($1, $2, $3, 'Okta', $4)`,
    [place.tenant, place.organization, id, state],
  )
  return id
}

/** Directory users `first … first + count - 1`, named `user<n>@<domain>`; answers their ids in that order. */
export async function addDirectoryUsers(
  pool: pg.Pool,
  place: Place,
  directory: Uuid,
  count: number,
  options: { first?: number; domain?: string } = {},
): Promise<Uuid[]> {
  const first = options.first ?? 1
  const ids = Array.from({ length: count }, (_, index) => uuidV7(Date.now() + index, randomBytes(16)))
  await pool.query(
    `INSERT INTO directory_users (tenant_id, organization_id, directory_id, id, user_name, display_name, email,
       attributes, created_at, updated_at)
     SELECT $1, $2, $3, id, name, 'User ' || n, name, '{}', $7::timestamptz, $7::timestamptz
     FROM unnest($4::uuid[]) WITH ORDINALITY AS row (id, ordinal)
     CROSS JOIN LATERAL (SELECT ordinal + $5::int - 1 AS n) AS number
     CROSS JOIN LATERAL (SELECT 'user' || n || '@' || $6::text AS name) AS named`,
    [place.tenant, place.organization, directory, ids, first, options.domain ?? 'example.com', new Date()],
  )
  return ids
}

/** Says something new of directory users, as a SCIM request would. */
export async function changeDirectoryUsers(
  pool: pg.Pool,
  tenant: Uuid,
  ids: readonly Uuid[],
  change: { active?: boolean; deleted?: boolean; email?: string },
): Promise<void> {
  await pool.query(
    `UPDATE directory_users SET generation = generation + 1,
       active = CASE WHEN $4 THEN false ELSE coalesce($3::boolean, active) END,
       deleted_at = CASE WHEN $4 THEN now() ELSE NULL END, email = coalesce($5::text, email)
     WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    [tenant, ids, change.active ?? null, change.deleted ?? false, change.email ?? null],
  )
}

export async function addGroup(
  pool: pg.Pool,
  place: Place,
  directory: Uuid,
  name: string,
  members: readonly Uuid[],
): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO directory_groups (tenant_id, organization_id, directory_id, id, display_name, attributes, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, '{}', now(), now())`,
    [place.tenant, place.organization, directory, id, name],
  )
  await addToGroup(pool, place.tenant, directory, id, members)
  return id
}

export async function addToGroup(
  pool: pg.Pool,
  tenant: Uuid,
  directory: Uuid,
  group: Uuid,
  members: readonly Uuid[],
): Promise<void> {
  await pool.query(
    `INSERT INTO directory_group_members (tenant_id, directory_id, group_id, member_value, directory_user_id)
     SELECT $1, $2, $3, id::text, id FROM unnest($4::uuid[]) AS id`,
    [tenant, directory, group, members],
  )
}

/** A group's members get a role or a unit. */
export async function addGroupMapping(
  pool: pg.Pool,
  place: Place,
  directory: Uuid,
  group: Uuid,
  target: { role?: Uuid; unit?: Uuid },
): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO mappings (tenant_id, organization_id, id, source_kind, directory_id, group_id, role_id, unit_id)
     VALUES ($1, $2, $3, 'directory_group', $4, $5, $6, $7)`,
    [place.tenant, place.organization, id, directory, group, target.role ?? null, target.unit ?? null],
  )
  return id
}

export async function addUnit(pool: pg.Pool, place: Place, name: string): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(`INSERT INTO units (tenant_id, organization_id, id, kind, name) VALUES ($1, $2, $3, 'team', $4)`, [
    place.tenant,
    place.organization,
    id,
    name,
  ])
  return id
}

/** A domain that the organization has proved to own. */
export async function addVerifiedDomain(pool: pg.Pool, place: Place, name: string): Promise<Uuid> {
  const id = randomUUID()
  await pool.query(
    `INSERT INTO domains (tenant_id, organization_id, id, name, status, challenge, expires_at, verified_at)
     VALUES ($1, $2, $3, $4, 'verified', 'challenge', now(), now())`,
    [place.tenant, place.organization, id, name],
  )
  return id
}

/** Requests as doors write them, without waking anybody. */
export async function request(
  pool: pg.Pool,
  place: Place,
  kind: 'directory_user' | 'entry' | 'member' | 'organization',
  ids: readonly Uuid[],
  options: { urgent?: boolean; causeId?: Uuid } = {},
): Promise<void> {
  await pool.query(
    `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, urgent, cause_id, requested_at)
     SELECT $1, $2, $3, id, $5, $6, now() FROM unnest($4::uuid[]) AS id`,
    [place.tenant, place.organization, kind, ids, options.urgent ?? false, options.causeId ?? null],
  )
}
