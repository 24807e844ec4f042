// Units (departments, teams, locations) and workspaces of an organization: where members can be placed.

import type { Uuid } from '../model/ids.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

const unitKinds = ['department', 'team', 'location'] as const
export type UnitKind = (typeof unitKinds)[number]

export interface UnitView {
  readonly id: Uuid
  readonly kind: UnitKind
  readonly name: string
  readonly parentId: Uuid | null
  readonly createdAt: Date
}

interface UnitRow extends Omit<UnitView, 'kind'> {
  readonly kind: string
}

const unitColumns = { id: true, kind: true, name: true, parentId: true, createdAt: true } as const

function toUnit(row: UnitRow): UnitView {
  return { ...row, kind: oneOf(unitKinds, row.kind) }
}

/** A name is taken once per kind and parent, without regard to case: a unique index. */
export async function insertUnit(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  unit: Pick<UnitView, 'kind' | 'name' | 'parentId'>,
): Promise<UnitView> {
  const { kind, name, parentId } = unit
  const data = { tenantId: scope.tenant, id: scope.newId(), organizationId, kind, name, parentId, createdAt: scope.now }
  return toUnit(await scope.tx.orm.unit.create({ data, select: unitColumns }))
}

export async function findUnit(scope: Scope<OrmTx>, organizationId: Uuid, id: Uuid): Promise<UnitView | null> {
  const where = { tenantId: scope.tenant, organizationId, id }
  const row = await scope.tx.orm.unit.findFirst({ where, select: unitColumns })
  return row === null ? null : toUnit(row)
}

interface IdPage {
  readonly after: Uuid | undefined
  readonly limit: number
}

export async function listUnits(scope: Scope<OrmTx>, organizationId: Uuid, page: IdPage): Promise<UnitView[]> {
  const rows = await scope.tx.orm.unit.findMany({
    where: { tenantId: scope.tenant, organizationId, ...(page.after === undefined ? {} : { id: { gt: page.after } }) },
    orderBy: { id: 'asc' },
    take: page.limit,
    select: unitColumns,
  })
  return rows.map(toUnit)
}

export interface WorkspaceView {
  readonly id: Uuid
  readonly name: string
  readonly isDefault: boolean
  readonly createdAt: Date
}

const workspaceColumns = { id: true, name: true, isDefault: true, createdAt: true } as const

/** A name is taken once, without regard to case: a unique index. */
export async function insertWorkspace(scope: Scope<OrmTx>, organizationId: Uuid, name: string): Promise<WorkspaceView> {
  const data = { tenantId: scope.tenant, id: scope.newId(), organizationId, name, createdAt: scope.now }
  return scope.tx.orm.workspace.create({ data, select: workspaceColumns })
}

export async function workspaceExists(scope: Scope<OrmTx>, organizationId: Uuid, id: Uuid): Promise<boolean> {
  const where = { tenantId: scope.tenant, organizationId, id }
  return (await scope.tx.orm.workspace.findFirst({ where, select: { id: true } })) !== null
}

export async function listWorkspaces(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  page: IdPage,
): Promise<WorkspaceView[]> {
  return scope.tx.orm.workspace.findMany({
    where: { tenantId: scope.tenant, organizationId, ...(page.after === undefined ? {} : { id: { gt: page.after } }) },
    orderBy: { id: 'asc' },
    take: page.limit,
    select: workspaceColumns,
  })
}
