// Mappings: which directory group or SSO claim value gives which role, unit or workspace. Whom a change touches is
// request-many.ts's.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export type MappingSource =
  | { readonly kind: 'directory_group'; readonly directoryId: Uuid; readonly groupId: Uuid }
  | { readonly kind: 'sso_claim'; readonly connectionId: Uuid; readonly claimValue: string }

export interface MappingTarget {
  readonly kind: 'role' | 'unit' | 'workspace'
  readonly id: Uuid
}

/** The same source and target twice meet a unique index. */
export async function insertMapping(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  mapping: { readonly source: MappingSource; readonly target: MappingTarget },
): Promise<Uuid> {
  const { source, target } = mapping
  const id = scope.newId()
  const from =
    source.kind === 'directory_group'
      ? { directoryId: source.directoryId, groupId: source.groupId }
      : { connectionId: source.connectionId, claimValue: source.claimValue }
  await scope.tx.orm.mapping.create({
    data: {
      tenantId: scope.tenant,
      id,
      organizationId,
      sourceKind: source.kind,
      ...from,
      ...(target.kind === 'role' ? { roleId: target.id } : {}),
      ...(target.kind === 'unit' ? { unitId: target.id } : {}),
      ...(target.kind === 'workspace' ? { workspaceId: target.id } : {}),
      createdAt: scope.now,
    },
    select: { id: true },
  })
  return id
}

/** Deletes a mapping and answers its source; null where the organization has none with this id. */
export async function deleteMapping(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  id: Uuid,
): Promise<MappingSource | null> {
  const where = { tenantId: scope.tenant, organizationId, id }
  const found = await scope.tx.orm.mapping.findFirst({
    where,
    select: { directoryId: true, groupId: true, connectionId: true, claimValue: true },
  })
  if (found === null) return null
  const { count } = await scope.tx.orm.mapping.deleteMany({ where })
  if (count === 0) return null
  const { directoryId, groupId, connectionId, claimValue } = found
  if (directoryId !== null && groupId !== null) return { kind: 'directory_group', directoryId, groupId }
  if (connectionId !== null && claimValue !== null) return { kind: 'sso_claim', connectionId, claimValue }
  throw new Error('a mapping without a source')
}

export interface MappingView {
  readonly id: Uuid
  readonly source:
    | { readonly group: Uuid; readonly directory: Uuid; readonly displayName: string; readonly deleted: boolean }
    | { readonly connection: Uuid; readonly claimValue: string }
  readonly target:
    | { readonly role: string; readonly name: string }
    | { readonly unit: Uuid; readonly name: string }
    | { readonly workspace: Uuid; readonly name: string }
  readonly createdAt: Date
}

interface MappingRow {
  readonly id: Uuid
  readonly directory_id: Uuid | null
  readonly group_id: Uuid | null
  readonly group_name: string | null
  readonly group_deleted: boolean
  readonly connection_id: Uuid | null
  readonly claim_value: string | null
  readonly role_key: string | null
  readonly unit_id: Uuid | null
  readonly workspace_id: Uuid | null
  readonly target_name: string
  readonly created_at: Date
}

const columns = `SELECT m.id, m.directory_id, m.group_id, g.display_name AS group_name,
    g.deleted_at IS NOT NULL AS group_deleted, m.connection_id, m.claim_value, r.key AS role_key, m.unit_id,
    m.workspace_id, coalesce(r.name, u.name, w.name) AS target_name, m.created_at
  FROM mappings m
  LEFT JOIN directory_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
  LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
  LEFT JOIN units u ON u.tenant_id = m.tenant_id AND u.id = m.unit_id
  LEFT JOIN workspaces w ON w.tenant_id = m.tenant_id AND w.id = m.workspace_id
  WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid`
const list = {
  name: 'admin_list_mappings',
  text: `${columns} AND ($3::uuid IS NULL OR m.id > $3::uuid) ORDER BY m.id LIMIT $4::int`,
}
const find = { name: 'admin_find_mappings', text: `${columns} AND m.id = ANY ($3::uuid[])` }

export async function listMappings(
  scope: Scope,
  organizationId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<MappingView[]> {
  const values = [scope.tenant, organizationId, page.after ?? null, page.limit]
  return (await scope.tx.query<MappingRow>(list, values)).map(toView)
}

export async function findMappings(scope: Scope, organizationId: Uuid, ids: readonly Uuid[]): Promise<MappingView[]> {
  if (ids.length === 0) return []
  return (await scope.tx.query<MappingRow>(find, [scope.tenant, organizationId, ids])).map(toView)
}

function toView(row: MappingRow): MappingView {
  return { id: row.id, source: sourceOf(row), target: targetOf(row), createdAt: row.created_at }
}

function sourceOf(row: MappingRow): MappingView['source'] {
  if (row.group_id !== null && row.directory_id !== null) {
    const { group_id: group, directory_id: directory, group_name, group_deleted: deleted } = row
    return { group, directory, displayName: group_name ?? '', deleted }
  }
  if (row.connection_id === null || row.claim_value === null) throw new Error('a mapping without a source')
  return { connection: row.connection_id, claimValue: row.claim_value }
}

function targetOf(row: MappingRow): MappingView['target'] {
  const name = row.target_name
  if (row.role_key !== null) return { role: row.role_key, name }
  if (row.unit_id !== null) return { unit: row.unit_id, name }
  if (row.workspace_id !== null) return { workspace: row.workspace_id, name }
  throw new Error('a mapping without a target')
}

/** The directory of a live group of the organization; null for any other id. */
export async function findGroupDirectory(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  groupId: Uuid,
): Promise<Uuid | null> {
  const row = await scope.tx.orm.directoryGroup.findFirst({
    where: { tenantId: scope.tenant, organizationId, id: groupId, deletedAt: null },
    select: { directoryId: true },
  })
  return row?.directoryId ?? null
}

/** Whether the organization's people may come through this connection: it is its own, or the whole tenant's. */
export async function connectionServes(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  connectionId: Uuid,
): Promise<boolean> {
  const row = await scope.tx.orm.connection.findFirst({
    where: { tenantId: scope.tenant, id: connectionId, OR: [{ organizationId }, { organizationId: null }] },
    select: { id: true },
  })
  return row !== null
}
