// Mappings from directory groups and SSO claim values to roles, units and workspaces. Making or deleting one asks, in
// the same transaction, for everybody it touches to be reconciled.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import {
  connectionServes,
  deleteMapping,
  findGroupDirectory,
  findMappings,
  insertMapping,
  listMappings,
  type MappingSource,
  type MappingTarget,
  type MappingView,
} from '../store/mappings.ts'
import { findUnit, workspaceExists } from '../store/places.ts'
import { requestClaimEntries, requestGroupUsers } from '../store/request-many.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, read, refusingTaken, write } from './context.ts'
import { requireOrganization, requireRole } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export interface NewMapping {
  readonly source: { readonly group: Uuid } | { readonly connection: Uuid; readonly claimValue: string }
  readonly target: TargetInput
  /** Has to be said where the target is the owner role. */
  readonly grantsOwner?: boolean | undefined
}

type TargetInput = { readonly role: string } | { readonly unit: Uuid } | { readonly workspace: Uuid }

export interface CreatedMapping extends MappingView {
  /** How many people are reconciled because of it. */
  readonly requested: number
}

export async function createMapping(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: NewMapping,
): Promise<CreatedMapping> {
  return refusingTaken('This mapping exists already.', () =>
    write(context, caller, async (scope) => {
      await requireOrganization(scope, organizationId)
      const source = await resolveSource(scope, organizationId, input.source)
      const target = await resolveTarget(scope, organizationId, input)
      const id = await insertMapping(scope, organizationId, { source, target })
      const causeId = await writeAudit(scope, {
        organizationId,
        action: 'mapping.created',
        subjectKind: 'mapping',
        subjectId: id,
        after: { source: { ...source }, target: { ...target } },
      })
      const requested = await requestTouched(scope, organizationId, source, causeId)
      const [created] = await findMappings(scope, organizationId, [id])
      if (created === undefined) throw new Error('a mapping without a row')
      return { ...created, requested }
    }),
  )
}

export async function listMappingPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<MappingView>> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const mappings = await listMappings(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, mappings, (mapping) => mapping.id)
  })
}

export async function removeMapping(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<void> {
  await write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const source = await deleteMapping(scope, organizationId, id)
    if (source === null) throw new Missing('mapping', id, organizationId)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: 'mapping.deleted',
      subjectKind: 'mapping',
      subjectId: id,
      before: { source: { ...source } },
    })
    await requestTouched(scope, organizationId, source, causeId)
  })
}

async function requestTouched(
  scope: Scope,
  organizationId: Uuid,
  source: MappingSource,
  causeId: Uuid,
): Promise<number> {
  if (source.kind === 'directory_group') return requestGroupUsers(scope, organizationId, source.groupId, causeId)
  const { connectionId, claimValue } = source
  return requestClaimEntries(scope, organizationId, { connectionId, value: claimValue }, causeId)
}

async function resolveSource(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  source: NewMapping['source'],
): Promise<MappingSource> {
  if ('group' in source) {
    const directoryId = await findGroupDirectory(scope, organizationId, source.group)
    if (directoryId === null) throw new Missing('directory_group', source.group, organizationId)
    return { kind: 'directory_group', directoryId, groupId: source.group }
  }
  if (!(await connectionServes(scope, organizationId, source.connection))) {
    throw new Missing('connection', source.connection, organizationId)
  }
  return { kind: 'sso_claim', connectionId: source.connection, claimValue: source.claimValue }
}

async function resolveTarget(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  { target, grantsOwner }: NewMapping,
): Promise<MappingTarget> {
  if ('role' in target) {
    const role = await requireRole(scope, organizationId, target.role)
    if (role.isOwner && grantsOwner !== true) {
      throw new RollcallError('invalid_value', 'This would make owners. Send grantsOwner to say that it is meant.')
    }
    return { kind: 'role', id: role.id }
  }
  if ('unit' in target) {
    if ((await findUnit(scope, organizationId, target.unit)) === null) {
      throw new Missing('unit', target.unit, organizationId)
    }
    return { kind: 'unit', id: target.unit }
  }
  if (!(await workspaceExists(scope, organizationId, target.workspace))) {
    throw new Missing('workspace', target.workspace, organizationId)
  }
  return { kind: 'workspace', id: target.workspace }
}
