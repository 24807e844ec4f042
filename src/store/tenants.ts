// Tenants, their settings and their role sets. Listing tenants is the one read that is not within a tenant.

import type { Uuid } from '../model/ids.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

const unknownOrganizationPolicies = ['refuse', 'create', 'default'] as const
const signUpPolicies = ['refuse', 'personal', 'default'] as const

export interface TenantSettings {
  /** A login whose org claim names no organization. */
  readonly unknownOrganizationPolicy: (typeof unknownOrganizationPolicies)[number]
  /** A sign-up that no verified domain lets in. */
  readonly signUpPolicy: (typeof signUpPolicies)[number]
  readonly defaultOrganizationId: Uuid | null
}

export interface TenantView extends TenantSettings {
  readonly id: Uuid
  readonly slug: string
  readonly name: string
  readonly createdAt: Date
}

const columns = {
  id: true,
  slug: true,
  name: true,
  unknownOrganizationPolicy: true,
  signUpPolicy: true,
  defaultOrganizationId: true,
  createdAt: true,
} as const

interface TenantRow {
  id: string
  slug: string
  name: string
  unknownOrganizationPolicy: string
  signUpPolicy: string
  defaultOrganizationId: string | null
  createdAt: Date
}

function toView(row: TenantRow): TenantView {
  return {
    ...row,
    unknownOrganizationPolicy: oneOf(unknownOrganizationPolicies, row.unknownOrganizationPolicy),
    signUpPolicy: oneOf(signUpPolicies, row.signUpPolicy),
  }
}

/** Makes the scope's tenant. A taken slug fails on its unique constraint. */
export async function insertTenant(
  scope: Scope<OrmTx>,
  tenant: Pick<TenantView, 'slug' | 'name' | 'unknownOrganizationPolicy' | 'signUpPolicy'>,
): Promise<TenantView> {
  const { slug, name, unknownOrganizationPolicy, signUpPolicy } = tenant
  const data = { id: scope.tenant, slug, name, unknownOrganizationPolicy, signUpPolicy, createdAt: scope.now }
  return toView(await scope.tx.orm.tenant.create({ data, select: columns }))
}

export async function findTenant(scope: Scope<OrmTx>): Promise<TenantView | null> {
  const row = await scope.tx.orm.tenant.findUnique({ where: { id: scope.tenant }, select: columns })
  return row === null ? null : toView(row)
}

export async function updateTenant(scope: Scope<OrmTx>, settings: TenantSettings): Promise<TenantView> {
  const { unknownOrganizationPolicy, signUpPolicy, defaultOrganizationId } = settings
  const data = { unknownOrganizationPolicy, signUpPolicy, defaultOrganizationId }
  return toView(await scope.tx.orm.tenant.update({ where: { id: scope.tenant }, data, select: columns }))
}

/** Every tenant of the deployment by id, whatever the scope's: for the bootstrap key alone. */
export async function listAllTenants(
  scope: Scope<OrmTx>,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<TenantView[]> {
  const rows = await scope.tx.orm.tenant.findMany({
    ...(page.after === undefined ? {} : { where: { id: { gt: page.after } } }),
    orderBy: { id: 'asc' },
    take: page.limit,
    select: columns,
  })
  return rows.map(toView)
}

const scopeKinds = ['organization', 'unit', 'workspace'] as const

export interface NewRole {
  readonly key: string
  readonly name: string
  readonly rank: number
  readonly scopeKind: (typeof scopeKinds)[number]
  readonly permissions: readonly string[]
  readonly isOwner: boolean
}

export interface RoleView extends NewRole {
  readonly id: Uuid
}

export interface RoleSetView {
  readonly id: Uuid
  readonly key: string
  readonly name: string
  /** The strongest first. */
  readonly roles: readonly RoleView[]
}

/** Two statements, however many roles. */
export async function insertRoleSet(
  scope: Scope<OrmTx>,
  set: { readonly key: string; readonly name: string; readonly roles: readonly NewRole[] },
): Promise<void> {
  const id = scope.newId()
  await scope.tx.orm.roleSet.create({ data: { tenantId: scope.tenant, id, key: set.key, name: set.name } })
  await scope.tx.orm.role.createMany({
    data: set.roles.map((role) => ({
      tenantId: scope.tenant,
      id: scope.newId(),
      roleSetId: id,
      key: role.key,
      name: role.name,
      rank: role.rank,
      scopeKind: role.scopeKind,
      permissions: [...role.permissions],
      isOwner: role.isOwner,
    })),
  })
}

/** All role sets of the tenant in the order of their making; there are few. */
export async function listRoleSets(scope: Scope<OrmTx>): Promise<RoleSetView[]> {
  const rows = await scope.tx.orm.roleSet.findMany({
    where: { tenantId: scope.tenant },
    orderBy: { id: 'asc' },
    include: { roleRoleSet: { orderBy: [{ rank: 'desc' }, { key: 'asc' }] } },
  })
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    name: row.name,
    roles: row.roleRoleSet.map((role) => ({
      id: role.id,
      key: role.key,
      name: role.name,
      rank: role.rank,
      scopeKind: oneOf(scopeKinds, role.scopeKind),
      permissions: role.permissions,
      isOwner: role.isOwner,
    })),
  }))
}
