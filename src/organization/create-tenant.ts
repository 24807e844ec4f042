// Makes a tenant with its role set and its first key. Only the bootstrap key gets here.

import { RollcallError } from '../model/errors.ts'
import { writeAudit } from '../store/audit.ts'
import { withOrm } from '../store/database.ts'
import { insertRoleSet, insertTenant, type TenantSettings, type TenantView } from '../store/tenants.ts'
import { bootstrapCaller } from './authenticate.ts'
import { type AdminContext, refusingTaken } from './context.ts'
import { issueApiKey, type ShownApiKey } from './issue-api-key.ts'
import { checkRoleSet, type RolePresetKey, type RoleSetDefinition, rolePresets } from './role-presets.ts'

export interface NewTenant {
  readonly slug: string
  readonly name: string
  readonly roleSet: RolePresetKey | RoleSetDefinition
  readonly unknownOrganizationPolicy?: TenantSettings['unknownOrganizationPolicy'] | undefined
  readonly signUpPolicy?: TenantSettings['signUpPolicy'] | undefined
}

/** Answers the tenant and its first key. `uniqueness` for a taken slug. */
export async function createTenant(
  context: AdminContext,
  input: NewTenant,
): Promise<{ readonly tenant: TenantView; readonly apiKey: ShownApiKey }> {
  const roleSet = typeof input.roleSet === 'string' ? rolePresets[input.roleSet] : input.roleSet
  checkRoleSet(roleSet)
  const policies = {
    unknownOrganizationPolicy: input.unknownOrganizationPolicy ?? 'refuse',
    signUpPolicy: input.signUpPolicy ?? 'refuse',
  }
  if (Object.values(policies).includes('default')) {
    throw new RollcallError('invalid_value', 'The policy default needs a default organization, which comes later.')
  }
  const caller = bootstrapCaller(context.db.newId())
  return refusingTaken('A tenant with this slug exists already.', () =>
    withOrm(context.db, caller, async (scope) => {
      const tenant = await insertTenant(scope, { slug: input.slug, name: input.name, ...policies })
      await insertRoleSet(scope, roleSet)
      const causeId = await writeAudit(scope, {
        organizationId: null,
        action: 'tenant.created',
        subjectKind: 'tenant',
        subjectId: tenant.id,
        after: { slug: tenant.slug, name: tenant.name, roleSet: roleSet.key, ...policies },
      })
      return { tenant, apiKey: await issueApiKey(context, scope, 'first key', causeId) }
    }),
  )
}
