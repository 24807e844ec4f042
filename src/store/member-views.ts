// Members as an admin sees them: the list, one of them, and what each of them holds. Everything here was derived by
// the reconciler; why it did so is explain.ts.

import type { Uuid } from '../model/ids.ts'
import type { GrantSource, MemberStatus } from '../model/words.ts'
import type { Scope } from './scope.ts'

export interface PlaceRef {
  readonly id: Uuid
  readonly name: string
}

export interface MemberRow {
  readonly id: Uuid
  readonly organizationNumber: number
  readonly number: number
  readonly userId: Uuid
  readonly email: string | null
  readonly displayName: string | null
  readonly status: MemberStatus
  readonly statusReason: string | null
  /** Key of the effective role. */
  readonly role: string | null
  readonly seated: boolean
  /** The way in that made this member. */
  readonly source: string
  readonly units: readonly PlaceRef[]
  readonly workspaces: readonly PlaceRef[]
  readonly createdAt: Date
  readonly changedAt: Date
}

const places = (table: 'units' | 'workspaces', column: 'unit_id' | 'workspace_id') => `coalesce((
    SELECT jsonb_agg(jsonb_build_object('id', place.id, 'name', place.name) ORDER BY place.name, place.id)
    FROM ${table} place WHERE place.tenant_id = m.tenant_id AND place.id IN (
      SELECT g.${column} FROM grants g WHERE g.tenant_id = m.tenant_id AND g.member_id = m.id)), '[]')`

const view = `SELECT m.id, o.number AS "organizationNumber", m.number, m.user_id AS "userId", u.email,
    u.display_name AS "displayName", m.status, nullif(m.status_reason, '') AS "statusReason", r.key AS role, m.seated,
    m.source, ${places('units', 'unit_id')} AS units, ${places('workspaces', 'workspace_id')} AS workspaces,
    m.created_at AS "createdAt", m.changed_at AS "changedAt"
  FROM members m
  JOIN organizations o ON o.tenant_id = m.tenant_id AND o.id = m.organization_id
  JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
  LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
  WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid`

const list = {
  name: 'admin_list_members',
  text: `${view} AND ($3::int IS NULL OR m.number > $3::int) AND ($4::text IS NULL OR m.status = $4::text)
      AND ($5::text IS NULL OR r.key = $5::text) AND ($6::text IS NULL OR u.email_key = $6::text)
    ORDER BY m.number LIMIT $7::int`,
}
const find = { name: 'admin_find_member', text: `${view} AND m.id = $3::uuid` }

export interface MemberFilter {
  readonly status?: MemberStatus | undefined
  /** Key of the effective role. */
  readonly role?: string | undefined
  /** As model/email.ts folds it. */
  readonly emailKey?: string | undefined
}

/** By number, that is in the order in which they came. */
export async function listMembers(
  scope: Scope,
  organizationId: Uuid,
  filter: MemberFilter,
  page: { readonly after: number | undefined; readonly limit: number },
): Promise<MemberRow[]> {
  const { status = null, role = null, emailKey = null } = filter
  const values = [scope.tenant, organizationId, page.after ?? null, status, role, emailKey, page.limit]
  return scope.tx.query<MemberRow>(list, values)
}

export async function findMember(scope: Scope, organizationId: Uuid, id: Uuid): Promise<MemberRow | null> {
  const [row] = await scope.tx.query<MemberRow>(find, [scope.tenant, organizationId, id])
  return row ?? null
}

export interface GrantRow {
  readonly id: Uuid
  readonly kind: 'role' | 'unit' | 'workspace'
  /** Of the role, unit or workspace. */
  readonly targetId: Uuid
  readonly name: string
  /** Where it is a role. */
  readonly roleKey: string | null
  readonly source: GrantSource
  readonly sourceId: Uuid | null
  readonly reason: string
  readonly createdAt: Date
}

const grants = {
  name: 'admin_list_grants',
  text: `SELECT g.id, CASE WHEN g.role_id IS NOT NULL THEN 'role' WHEN g.unit_id IS NOT NULL THEN 'unit'
        ELSE 'workspace' END AS kind,
      coalesce(g.role_id, g.unit_id, g.workspace_id) AS "targetId", coalesce(r.name, u.name, w.name) AS name,
      r.key AS "roleKey", g.source_kind AS source, g.source_id AS "sourceId", g.reason, g.created_at AS "createdAt"
    FROM grants g
    LEFT JOIN roles r ON r.tenant_id = g.tenant_id AND r.id = g.role_id
    LEFT JOIN units u ON u.tenant_id = g.tenant_id AND u.id = g.unit_id
    LEFT JOIN workspaces w ON w.tenant_id = g.tenant_id AND w.id = g.workspace_id
    WHERE g.tenant_id = $1::uuid AND g.organization_id = $2::uuid AND g.member_id = $3::uuid
    ORDER BY g.created_at, g.id`,
}

export async function listGrants(scope: Scope, organizationId: Uuid, memberId: Uuid): Promise<GrantRow[]> {
  return scope.tx.query<GrantRow>(grants, [scope.tenant, organizationId, memberId])
}
