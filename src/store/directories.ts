// Directories as an admin sees them: making, reading and ending them, their tokens, and how far their people are
// reconciled. Who a token speaks for is directory-tokens.ts; what a directory says, directory-users.ts.

import type { Uuid } from '../model/ids.ts'
import type { DirectoryState } from '../model/words.ts'
import type { OrmTx, Scope } from './scope.ts'

export type DirectoryProvider = 'okta' | 'entra' | 'other'

export interface DirectoryView {
  readonly id: Uuid
  readonly name: string
  readonly provider: DirectoryProvider
  readonly state: DirectoryState
  readonly createdAt: Date
  readonly firstContactAt: Date | null
  readonly lastContactAt: Date | null
}

const columns = `id, name, provider, state, created_at AS "createdAt", first_contact_at AS "firstContactAt",
    last_contact_at AS "lastContactAt"`

const insert = {
  name: 'admin_insert_directory',
  text: `INSERT INTO directories (tenant_id, organization_id, id, name, provider, created_at)
    VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::timestamptz) RETURNING ${columns}`,
}

export async function insertDirectory(
  scope: Scope,
  organizationId: Uuid,
  directory: Pick<DirectoryView, 'name' | 'provider'>,
): Promise<DirectoryView> {
  const values = [scope.tenant, organizationId, scope.newId(), directory.name, directory.provider, scope.now]
  const [row] = await scope.tx.query<DirectoryView>(insert, values)
  if (row === undefined) throw new Error('a directory without a row')
  return row
}

const find = {
  name: 'admin_find_directory',
  text: `SELECT ${columns} FROM directories WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $3::uuid`,
}
const lock = { name: 'admin_lock_directory', text: `${find.text} FOR NO KEY UPDATE` }
const list = {
  name: 'admin_list_directories',
  text: `SELECT ${columns} FROM directories WHERE tenant_id = $1::uuid AND organization_id = $2::uuid
      AND ($3::uuid IS NULL OR id > $3::uuid) ORDER BY id LIMIT $4::int`,
}

export async function findDirectory(scope: Scope, organizationId: Uuid, id: Uuid): Promise<DirectoryView | null> {
  const [row] = await scope.tx.query<DirectoryView>(find, [scope.tenant, organizationId, id])
  return row ?? null
}

/** The same, held against another change of its state until the transaction ends. */
export async function lockDirectory(scope: Scope, organizationId: Uuid, id: Uuid): Promise<DirectoryView | null> {
  const [row] = await scope.tx.query<DirectoryView>(lock, [scope.tenant, organizationId, id])
  return row ?? null
}

export async function listDirectories(
  scope: Scope,
  organizationId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<DirectoryView[]> {
  return scope.tx.query<DirectoryView>(list, [scope.tenant, organizationId, page.after ?? null, page.limit])
}

const setState = {
  name: 'admin_set_directory_state',
  text: 'UPDATE directories SET state = $3::text WHERE tenant_id = $1::uuid AND id = $2::uuid',
}

export async function setDirectoryState(scope: Scope, id: Uuid, state: DirectoryState): Promise<void> {
  await scope.tx.query(setState, [scope.tenant, id, state])
}

export interface DirectoryCounts {
  readonly users: number
  readonly activeUsers: number
  readonly groups: number
}

export interface DirectorySync {
  readonly inSync: boolean
  /** Requests for its users that wait for the worker. */
  readonly pending: number
  /** Requests that failed too often and wait for an admin. */
  readonly setAside: number
  /** Users whose latest word has not been reconciled. */
  readonly behind: number
}

const counts = {
  name: 'admin_count_directory',
  text: `SELECT count(*) FILTER (WHERE u.deleted_at IS NULL)::int AS users,
      count(*) FILTER (WHERE u.deleted_at IS NULL AND u.active)::int AS "activeUsers",
      (SELECT count(*)::int FROM directory_groups g
        WHERE g.tenant_id = $1::uuid AND g.directory_id = $2::uuid AND g.deleted_at IS NULL) AS groups,
      count(*) FILTER (WHERE l.observed_generation IS DISTINCT FROM u.generation)::int AS behind
    FROM directory_users u
    LEFT JOIN directory_links l ON l.tenant_id = u.tenant_id AND l.directory_user_id = u.id
    WHERE u.tenant_id = $1::uuid AND u.directory_id = $2::uuid`,
}
const requests = {
  name: 'admin_count_directory_requests',
  text: `SELECT count(*) FILTER (WHERE r.set_aside_at IS NULL)::int AS pending,
      count(*) FILTER (WHERE r.set_aside_at IS NOT NULL)::int AS "setAside"
    FROM reconcile_requests r JOIN directory_users u ON u.tenant_id = r.tenant_id AND u.id = r.subject_id
    WHERE r.tenant_id = $1::uuid AND r.organization_id = $2::uuid AND r.subject_kind = 'directory_user'
      AND u.directory_id = $3::uuid`,
}

/** Counts a directory's users and groups, and how many of the users are reconciled. Reads all of them once. */
export async function countDirectory(
  scope: Scope,
  organizationId: Uuid,
  id: Uuid,
): Promise<{ readonly counts: DirectoryCounts; readonly sync: DirectorySync }> {
  const [counted] = await scope.tx.query<DirectoryCounts & { behind: number }>(counts, [scope.tenant, id])
  const values = [scope.tenant, organizationId, id]
  const [asked] = await scope.tx.query<{ pending: number; setAside: number }>(requests, values)
  const { users = 0, activeUsers = 0, groups = 0, behind = 0 } = counted ?? {}
  const { pending = 0, setAside = 0 } = asked ?? {}
  const inSync = pending === 0 && setAside === 0 && behind === 0
  return { counts: { users, activeUsers, groups }, sync: { inSync, pending, setAside, behind } }
}

export interface DirectoryTokenView {
  readonly id: Uuid
  readonly prefix: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
}

const tokenColumns = { id: true, prefix: true, createdAt: true, expiresAt: true, lastUsedAt: true } as const

export async function insertDirectoryToken(
  scope: Scope<OrmTx>,
  directoryId: Uuid,
  token: { readonly prefix: string; readonly hash: Uint8Array<ArrayBuffer>; readonly expiresAt: Date | null },
): Promise<DirectoryTokenView> {
  const { prefix, hash, expiresAt } = token
  const data = { tenantId: scope.tenant, id: scope.newId(), directoryId, prefix, hash, expiresAt, createdAt: scope.now }
  return scope.tx.orm.directoryToken.create({ data, select: tokenColumns })
}

/** Those that may still be used. */
export async function listLiveTokens(scope: Scope<OrmTx>, directoryId: Uuid): Promise<DirectoryTokenView[]> {
  return scope.tx.orm.directoryToken.findMany({
    where: {
      tenantId: scope.tenant,
      directoryId,
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: scope.now } }],
    },
    orderBy: { id: 'asc' },
    select: tokenColumns,
  })
}

/** Lets every other live token end at this time, unless it ends before. */
export async function expireOtherTokens(scope: Scope<OrmTx>, directoryId: Uuid, but: Uuid, at: Date): Promise<number> {
  const { count } = await scope.tx.orm.directoryToken.updateMany({
    where: {
      tenantId: scope.tenant,
      directoryId,
      id: { not: but },
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: at } }],
    },
    data: { expiresAt: at },
  })
  return count
}

/** False where the directory has no such token. Revoking one again changes nothing. */
export async function revokeToken(scope: Scope<OrmTx>, directoryId: Uuid, id: Uuid): Promise<boolean> {
  const where = { tenantId: scope.tenant, directoryId, id }
  if ((await scope.tx.orm.directoryToken.findFirst({ where, select: { id: true } })) === null) return false
  await scope.tx.orm.directoryToken.updateMany({ where: { ...where, revokedAt: null }, data: { revokedAt: scope.now } })
  return true
}

export async function revokeAllTokens(scope: Scope<OrmTx>, directoryId: Uuid): Promise<void> {
  const where = { tenantId: scope.tenant, directoryId, revokedAt: null }
  await scope.tx.orm.directoryToken.updateMany({ where, data: { revokedAt: scope.now } })
}

export interface DirectoryGroupView {
  readonly id: Uuid
  readonly displayName: string
  readonly externalId: string | null
  /** As the directory named them, whether or not they are known. */
  readonly memberCount: number
}

const groups = {
  name: 'admin_list_directory_groups',
  text: `SELECT g.id, g.display_name AS "displayName", g.external_id AS "externalId",
      (SELECT count(*)::int FROM directory_group_members m
        WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id) AS "memberCount"
    FROM directory_groups g
    WHERE g.tenant_id = $1::uuid AND g.directory_id = $2::uuid AND g.deleted_at IS NULL
      AND ($3::uuid IS NULL OR g.id > $3::uuid)
    ORDER BY g.id LIMIT $4::int`,
}

export async function listGroupsOf(
  scope: Scope,
  directoryId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<DirectoryGroupView[]> {
  return scope.tx.query<DirectoryGroupView>(groups, [scope.tenant, directoryId, page.after ?? null, page.limit])
}
