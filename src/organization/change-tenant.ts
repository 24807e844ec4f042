// A tenant as the deployment and its own admins see it: reading it, and its policies for who has no organization.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { type AuditState, writeAudit } from '../store/audit.ts'
import { withOrm } from '../store/database.ts'
import { organizationExists } from '../store/organizations.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import {
  findTenant,
  listAllTenants,
  listRoleSets,
  type RoleSetView,
  type TenantSettings,
  type TenantView,
  updateTenant,
} from '../store/tenants.ts'
import { bootstrapCaller } from './authenticate.ts'
import { type AdminCaller, type AdminContext, Missing, write } from './context.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

/** Every tenant of the deployment, for the bootstrap key. */
export async function listTenants(context: AdminContext, page: PageRequest<Uuid>): Promise<Page<TenantView>> {
  return withOrm(context.db, bootstrapCaller(), async (scope) =>
    pageOf(page, await listAllTenants(scope, { after: page.after, limit: page.limit + 1 }), (tenant) => tenant.id),
  )
}

export async function readTenant(context: AdminContext, caller: AdminCaller): Promise<TenantView> {
  return write(context, caller, currentTenant)
}

export async function readRoleSets(context: AdminContext, caller: AdminCaller): Promise<readonly RoleSetView[]> {
  return write(context, caller, listRoleSets)
}

export type TenantChange = { readonly [K in keyof TenantSettings]?: TenantSettings[K] | undefined }

/** Changes what is named. The default organization has to be one of the tenant's, and to be there while a policy needs it. */
export async function changeTenant(
  context: AdminContext,
  caller: AdminCaller,
  change: TenantChange,
): Promise<TenantView> {
  return write(context, caller, async (scope) => {
    const before = await currentTenant(scope)
    const wanted: TenantSettings = {
      unknownOrganizationPolicy: change.unknownOrganizationPolicy ?? before.unknownOrganizationPolicy,
      signUpPolicy: change.signUpPolicy ?? before.signUpPolicy,
      defaultOrganizationId:
        change.defaultOrganizationId === undefined ? before.defaultOrganizationId : change.defaultOrganizationId,
    }
    const { defaultOrganizationId } = wanted
    if (defaultOrganizationId !== null && !(await organizationExists(scope, defaultOrganizationId))) {
      throw new Missing('organization', defaultOrganizationId)
    }
    const needsDefault = wanted.unknownOrganizationPolicy === 'default' || wanted.signUpPolicy === 'default'
    if (needsDefault && defaultOrganizationId === null) {
      throw new RollcallError('conflict', 'A policy says default, but there is no default organization.')
    }
    const after = await updateTenant(scope, wanted)
    await writeAudit(scope, {
      organizationId: null,
      action: 'tenant.changed',
      subjectKind: 'tenant',
      subjectId: scope.tenant,
      before: settingsOf(before),
      after: settingsOf(after),
    })
    return after
  })
}

async function currentTenant(scope: Scope<OrmTx>): Promise<TenantView> {
  const tenant = await findTenant(scope)
  if (tenant === null) throw new Missing('tenant', scope.tenant)
  return tenant
}

function settingsOf(tenant: TenantView): AuditState {
  const { unknownOrganizationPolicy, signUpPolicy, defaultOrganizationId } = tenant
  return { unknownOrganizationPolicy, signUpPolicy, defaultOrganizationId }
}
