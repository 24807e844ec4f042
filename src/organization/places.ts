// Units and workspaces: making and listing them. Nobody is touched by a new one; mappings and grants place people.

import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import {
  findUnit,
  insertUnit,
  insertWorkspace,
  listUnits,
  listWorkspaces,
  type UnitKind,
  type UnitView,
  type WorkspaceView,
} from '../store/places.ts'
import { type AdminCaller, type AdminContext, Missing, refusingTaken, write } from './context.ts'
import { requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export interface NewUnit {
  readonly kind: UnitKind
  readonly name: string
  /** A unit of the same organization. */
  readonly parent?: Uuid | undefined
}

export async function createUnit(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: NewUnit,
): Promise<UnitView> {
  const { kind, name, parent } = input
  return refusingTaken(`A ${kind} of this name exists here already.`, () =>
    write(context, caller, async (scope) => {
      await requireOrganization(scope, organizationId)
      if (parent !== undefined && (await findUnit(scope, organizationId, parent)) === null) {
        throw new Missing('unit', parent, organizationId)
      }
      const unit = await insertUnit(scope, organizationId, { kind, name, parentId: parent ?? null })
      await writeAudit(scope, {
        organizationId,
        action: 'unit.created',
        subjectKind: 'unit',
        subjectId: unit.id,
        after: { kind, name, parentId: unit.parentId },
      })
      return unit
    }),
  )
}

export async function listUnitPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<UnitView>> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const units = await listUnits(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, units, (unit) => unit.id)
  })
}

export async function createWorkspace(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: { readonly name: string },
): Promise<WorkspaceView> {
  return refusingTaken('A workspace of this name exists here already.', () =>
    write(context, caller, async (scope) => {
      await requireOrganization(scope, organizationId)
      const workspace = await insertWorkspace(scope, organizationId, input.name)
      await writeAudit(scope, {
        organizationId,
        action: 'workspace.created',
        subjectKind: 'workspace',
        subjectId: workspace.id,
        after: { name: workspace.name },
      })
      return workspace
    }),
  )
}

export async function listWorkspacePage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<WorkspaceView>> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const workspaces = await listWorkspaces(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, workspaces, (workspace) => workspace.id)
  })
}
