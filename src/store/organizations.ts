// Organizations: making one with its number and its Default workspace, reading and locking them, changing their
// settings. What is derived of them (seats used, members) is only read here; the reconciler writes it.

import type { Uuid } from '../model/ids.ts'
import type { SeatPolicy } from '../model/words.ts'
import type { Scope } from './scope.ts'

export type OrganizationKind = 'organization' | 'group' | 'personal'

export interface NewOrganization {
  readonly name: string
  readonly kind: OrganizationKind
  readonly roleSetId: Uuid
  readonly defaultRoleId: Uuid
  /** Null: no limit. */
  readonly seatLimit: number | null
  readonly seatPolicy: SeatPolicy
  readonly brakePercent: number
  readonly brakeMinimum: number
}

/** What an organization starts with where nobody says otherwise. */
export const organizationDefaults = {
  kind: 'organization',
  seatLimit: null,
  seatPolicy: 'block',
  brakePercent: 20,
  brakeMinimum: 10,
} as const satisfies Partial<NewOrganization>

/** The number is taken from the tenant's row, so organizations of one tenant are made one after another. */
const insert = {
  name: 'admin_insert_organization',
  text: `WITH taken AS (
      UPDATE tenants SET next_organization_number = next_organization_number + 1 WHERE id = $1::uuid
      RETURNING next_organization_number - 1 AS number),
    made AS (
      INSERT INTO organizations (tenant_id, id, number, name, kind, role_set_id, default_role_id, seat_limit, seat_policy,
        brake_percent, brake_minimum, created_at)
      SELECT $1::uuid, $2::uuid, number, $3::text, $4::text, $5::uuid, $6::uuid, $7::int, $8::text, $9::int, $10::int,
        $11::timestamptz FROM taken
      RETURNING tenant_id, id, number),
    workspace AS (
      INSERT INTO workspaces (tenant_id, id, organization_id, name, is_default, created_at)
      SELECT tenant_id, $12::uuid, id, 'Default', true, $11::timestamptz FROM made)
    SELECT id, number FROM made`,
}

/** Makes an organization with its Default workspace in the caller's transaction; its audit entry is the caller's to write. */
export async function insertOrganization(
  scope: Scope,
  organization: NewOrganization,
): Promise<{ readonly id: Uuid; readonly number: number }> {
  const { name, kind, roleSetId, defaultRoleId, seatLimit, seatPolicy, brakePercent, brakeMinimum } = organization
  const settings = [name, kind, roleSetId, defaultRoleId, seatLimit, seatPolicy, brakePercent, brakeMinimum]
  const values = [scope.tenant, scope.newId(), ...settings, scope.now, scope.newId()]
  const [made] = await scope.tx.query<{ id: Uuid; number: number }>(insert, values)
  if (made === undefined) throw new Error('an organization without a tenant')
  return made
}

const exists = {
  name: 'admin_organization_exists',
  text: 'SELECT id FROM organizations WHERE tenant_id = $1::uuid AND id = $2::uuid',
}

export async function organizationExists(scope: Scope, id: Uuid): Promise<boolean> {
  return (await scope.tx.query(exists, [scope.tenant, id])).length > 0
}

export interface OrganizationView extends Omit<NewOrganization, 'roleSetId' | 'defaultRoleId'> {
  readonly id: Uuid
  /** The n of the members' public ids, ORG{n}-U-{seq}. */
  readonly number: number
  readonly status: 'active' | 'inactive'
  /** Keys. */
  readonly roleSet: string
  readonly defaultRole: string
  readonly seatsUsed: number
  readonly createdAt: Date
}

const view = `SELECT o.id, o.number, o.name, o.kind, o.status, s.key AS "roleSet", r.key AS "defaultRole",
    o.seat_limit AS "seatLimit", o.seat_policy AS "seatPolicy", o.seats_used AS "seatsUsed",
    o.brake_percent AS "brakePercent", o.brake_minimum AS "brakeMinimum", o.created_at AS "createdAt"
  FROM organizations o
  JOIN role_sets s ON s.tenant_id = o.tenant_id AND s.id = o.role_set_id
  JOIN roles r ON r.tenant_id = o.tenant_id AND r.id = o.default_role_id
  WHERE o.tenant_id = $1::uuid`

const findView = { name: 'admin_find_organization', text: `${view} AND o.id = $2::uuid` }
/** FOR NO KEY UPDATE is the worker's lock: what is decided here does not race a slice. */
const lockView = { name: 'admin_lock_organization', text: `${view} AND o.id = $2::uuid FOR NO KEY UPDATE OF o` }
const listView = {
  name: 'admin_list_organizations',
  text: `${view} AND ($2::int IS NULL OR o.number > $2::int) ORDER BY o.number LIMIT $3::int`,
}

export async function findOrganization(scope: Scope, id: Uuid): Promise<OrganizationView | null> {
  const [row] = await scope.tx.query<OrganizationView>(findView, [scope.tenant, id])
  return row ?? null
}

/** The same, held against the reconciler and other admins until the transaction ends. */
export async function lockOrganization(scope: Scope, id: Uuid): Promise<OrganizationView | null> {
  const [row] = await scope.tx.query<OrganizationView>(lockView, [scope.tenant, id])
  return row ?? null
}

/** By number, that is in the order of their making. */
export async function listOrganizations(
  scope: Scope,
  page: { readonly after: number | undefined; readonly limit: number },
): Promise<OrganizationView[]> {
  return scope.tx.query<OrganizationView>(listView, [scope.tenant, page.after ?? null, page.limit])
}

export interface OrganizationSettings {
  readonly name: string
  readonly seatLimit: number | null
  readonly seatPolicy: SeatPolicy
  readonly defaultRoleId: Uuid
  readonly brakePercent: number
  readonly brakeMinimum: number
}

const update = {
  name: 'admin_update_organization',
  text: `UPDATE organizations SET name = $3::text, seat_limit = $4::int, seat_policy = $5::text,
      default_role_id = $6::uuid, brake_percent = $7::int, brake_minimum = $8::int
    WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

export async function updateOrganization(scope: Scope, id: Uuid, settings: OrganizationSettings): Promise<void> {
  const { name, seatLimit, seatPolicy, defaultRoleId, brakePercent, brakeMinimum } = settings
  const values = [name, seatLimit, seatPolicy, defaultRoleId, brakePercent, brakeMinimum]
  await scope.tx.query(update, [scope.tenant, id, ...values])
}

export interface RoleRow {
  readonly id: Uuid
  readonly key: string
  readonly name: string
  readonly rank: number
  readonly scopeKind: 'organization' | 'unit' | 'workspace'
  readonly isOwner: boolean
}

const roles = {
  name: 'admin_organization_roles',
  text: `SELECT r.id, r.key, r.name, r.rank, r.scope_kind AS "scopeKind", r.is_owner AS "isOwner"
    FROM organizations o JOIN roles r ON r.tenant_id = o.tenant_id AND r.role_set_id = o.role_set_id
    WHERE o.tenant_id = $1::uuid AND o.id = $2::uuid ORDER BY r.rank DESC, r.key`,
}

/** The roles that members of this organization can have, the strongest first. */
export async function listOrganizationRoles(scope: Scope, organizationId: Uuid): Promise<RoleRow[]> {
  return scope.tx.query<RoleRow>(roles, [scope.tenant, organizationId])
}
