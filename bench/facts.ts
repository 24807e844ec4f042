// Facts in bulk: rows as the SCIM door writes them, copied set-wise in SQL from one that it did write, so
// that the bench has a hundred thousand people in seconds and their shape is always the door's. The
// reconciler's rows are never written here.

import type pg from 'pg'
import { newUser, userNameOf } from './bodies.ts'
import type { Customer } from './customer.ts'
import { openTarget, send, type Target } from './load.ts'

/** Stands in the one row that is copied; never an active user that a figure meets. */
const template = 'template-person'

/** The key of the n-th copy, counted from 1. */
export function keyOf(n: number): string {
  return `person-${n}`
}

/** Gives a directory so many users. Nothing is asked to be reconciled but the one the copies are made from. */
export async function fillDirectory(pool: pg.Pool, customer: Customer, users: number): Promise<void> {
  const target = openTarget(customer.scimUrl, customer.token)
  try {
    await send(target, 'POST', '/Users', 201, newUser(template))
  } finally {
    await target.pool.close()
  }
  const texts = ['user_name', 'external_id', 'display_name', 'given_name', 'family_name', 'email']
  await pool.query(
    `INSERT INTO directory_users (tenant_id, organization_id, directory_id, id, ${texts.join(', ')}, active, title,
       department, manager, attributes, created_at, updated_at)
     SELECT tenant_id, organization_id, directory_id, uuidv7(),
       ${texts.map((column) => `replace(${column}, $3, $4 || n)`).join(', ')}, active, title,
       department, manager, replace(attributes::text, $3, $4 || n)::jsonb, now(), now()
     FROM directory_users CROSS JOIN generate_series(1, $5::int) AS n
     WHERE directory_id = $1 AND lower(user_name) = lower($2) ORDER BY n`,
    [customer.directory, userNameOf(template), template, keyOf(0).slice(0, -1), users],
  )
  await pool.query('ANALYZE directory_users')
}

/** The same for the floor. */
export async function fillFloor(pool: pg.Pool, directory: string, floor: Target, users: number): Promise<void> {
  await send(floor, 'POST', '/Users', 201, newUser(template))
  await pool.query(
    `INSERT INTO floor_users (directory, id, user_name, document)
     SELECT directory, id, replace(user_name, $2, $3 || n),
       jsonb_set(replace(document::text, $2, $3 || n)::jsonb, '{id}', to_jsonb(id))
     FROM (SELECT floor_users.directory, user_name, document, n, gen_random_uuid() AS id
       FROM floor_users CROSS JOIN generate_series(1, $4::int) AS n
       WHERE directory = $1 AND user_name = $5) AS copies`,
    [directory, template, keyOf(0).slice(0, -1), users, userNameOf(template)],
  )
  await pool.query('ANALYZE floor_users')
}

/** Ids of so many users, oldest first. */
export async function userIds(pool: pg.Pool, directory: string, users: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM directory_users WHERE directory_id = $1 AND user_name <> $2 ORDER BY id LIMIT $3',
    [directory, userNameOf(template), users],
  )
  return rows.map((row) => row.id)
}

/** A group with the first `members` users of the directory; answers its id. */
export async function addGroup(pool: pg.Pool, customer: Customer, name: string, members: number): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO directory_groups (tenant_id, organization_id, directory_id, id, display_name, attributes, created_at, updated_at)
     VALUES ($1, $2, $3, uuidv7(), $4, '{}', now(), now()) RETURNING id`,
    [customer.tenant, customer.organization, customer.directory, name],
  )
  const id = rows[0]?.id ?? ''
  await pool.query(
    `INSERT INTO directory_group_members (tenant_id, directory_id, group_id, member_value, directory_user_id)
     SELECT tenant_id, directory_id, $2, u.id::text, u.id FROM directory_users AS u
     WHERE directory_id = $1 AND user_name <> $3 ORDER BY u.id LIMIT $4`,
    [customer.directory, id, userNameOf(template), members],
  )
  return id
}

/** What of a set of mapped groups gives a role, a team and a workspace; the rest of the groups give teams. */
const shares = { role: 0.15, workspace: 0.05 }

/**
 * So many groups, each person in two of them, and each group mapped: most to a team, some to a role below
 * Owner, a few to a workspace.
 */
export async function addMappedGroups(pool: pg.Pool, customer: Customer, groups: number): Promise<void> {
  const { tenant, organization, directory } = customer
  await pool.query(
    `INSERT INTO directory_groups (tenant_id, organization_id, directory_id, id, display_name, attributes, created_at, updated_at)
     SELECT $1, $2, $3, uuidv7(), 'Group ' || n, '{}', now(), now() FROM generate_series(1, $4::int) AS n`,
    [tenant, organization, directory, groups],
  )
  await pool.query(
    `WITH groups AS (
       SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM directory_groups WHERE directory_id = $2),
     people AS (
       SELECT id, row_number() OVER (ORDER BY id) AS n FROM directory_users WHERE directory_id = $2 AND user_name <> $3)
     INSERT INTO directory_group_members (tenant_id, directory_id, group_id, member_value, directory_user_id)
     SELECT $1, $2, groups.id, people.id::text, people.id FROM people
     JOIN groups ON groups.n IN (people.n % $4, (people.n * 7 + 1 + people.n / $4) % $4)
     ON CONFLICT DO NOTHING`,
    [tenant, directory, userNameOf(template), groups],
  )
  await pool.query(
    `INSERT INTO units (tenant_id, id, organization_id, kind, name)
     SELECT $1, uuidv7(), $2, 'team', 'Team ' || n FROM generate_series(1, $3::int) AS n`,
    [tenant, organization, groups],
  )
  await pool.query(
    `INSERT INTO workspaces (tenant_id, id, organization_id, name)
     SELECT $1, uuidv7(), $2, 'Workspace ' || n FROM generate_series(1, ceil($3 * $4::numeric)::int) AS n`,
    [tenant, organization, groups, shares.workspace],
  )
  await pool.query(
    `WITH numbered AS (
       SELECT id, row_number() OVER (ORDER BY id) AS n FROM directory_groups WHERE directory_id = $3),
     roles AS (
       SELECT id, row_number() OVER (ORDER BY rank) - 1 AS n, count(*) OVER () AS number FROM roles
       WHERE tenant_id = $1 AND NOT is_owner AND scope_kind = 'organization'),
     places AS (
       SELECT id, row_number() OVER (ORDER BY id) AS n FROM workspaces
       WHERE organization_id = $2 AND NOT is_default),
     teams AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM units WHERE organization_id = $2)
     INSERT INTO mappings
       (tenant_id, id, organization_id, source_kind, directory_id, group_id, role_id, unit_id, workspace_id)
     SELECT $1, uuidv7(), $2, 'directory_group', $3, numbered.id, roles.id,
       CASE WHEN roles.id IS NULL AND places.id IS NULL THEN teams.id END, places.id
     FROM numbered
     LEFT JOIN roles ON numbered.n <= $4::int * $5::numeric AND roles.n = numbered.n % roles.number
     LEFT JOIN places ON roles.id IS NULL AND places.n = numbered.n - floor($4::int * $5::numeric)
     JOIN teams ON teams.n = numbered.n`,
    [tenant, organization, directory, groups, shares.role],
  )
  await pool.query('ANALYZE directory_groups, directory_group_members, mappings, units, workspaces')
}

/** Asks for everybody of the directory to be reconciled, as a push of everybody does; answers how many that are. */
export async function requestEverybody(pool: pg.Pool, { tenant, organization, directory }: Customer): Promise<number> {
  const { rowCount } = await pool.query(
    `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at)
     SELECT $1, $2, 'directory_user', id, now() FROM directory_users WHERE directory_id = $3 ORDER BY id`,
    [tenant, organization, directory],
  )
  return rowCount ?? 0
}
