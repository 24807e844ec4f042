// Which organization an SSO login belongs to. A connection that is bound to one can only ever yield that one;
// a tenant-wide connection picks by its org claim, and an unknown name is refused, onboarded or sent to the
// default organization, as the tenant has said. Runs in the login's transaction.

import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import type { StoredConnection } from '../store/connections.ts'
import { findByAlias, hasAliases, insertAlias, lockTenant } from '../store/organization-aliases.ts'
import { insertOrganization, organizationDefaults } from '../store/organizations.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { findTenant, listRoleSets } from '../store/tenants.ts'
import type { OrganizationClaim } from './org-claim.ts'
import type { ProvedLogin } from './proved-login.ts'

export type OrganizationRefusal =
  | 'organization_absent'
  | 'organization_ambiguous'
  | 'organization_mismatch'
  | 'organization_unknown'

export type ResolvedOrganization = { readonly id: Uuid } | { readonly refused: OrganizationRefusal }

export async function resolveOrganization(
  scope: Scope<OrmTx>,
  connection: StoredConnection,
  claim: ProvedLogin['organization'],
): Promise<ResolvedOrganization> {
  // Somebody who is in several organizations over there must not end in one by chance.
  if (claim === 'ambiguous') return { refused: 'organization_ambiguous' }
  const { organizationId } = connection
  return organizationId === null
    ? pickOrganization(scope, connection, claim)
    : checkBound(scope, { ...connection, organizationId }, claim)
}

/** Once an admin has said what the organization is called, a login has to say it too, and nothing else. */
async function checkBound(
  scope: Scope<OrmTx>,
  connection: { readonly id: Uuid; readonly organizationId: Uuid },
  claim: OrganizationClaim | 'absent' | 'unread',
): Promise<ResolvedOrganization> {
  const bound = { id: connection.organizationId }
  if (claim === 'unread' || !(await hasAliases(scope, connection.id))) return bound
  if (claim === 'absent') return { refused: 'organization_absent' }
  const named = await findByAlias(scope, connection.id, claim.value)
  return named === connection.organizationId ? bound : { refused: 'organization_mismatch' }
}

async function pickOrganization(
  scope: Scope<OrmTx>,
  connection: StoredConnection,
  claim: OrganizationClaim | 'absent' | 'unread',
): Promise<ResolvedOrganization> {
  const nameless = claim === 'absent' || claim === 'unread'
  const known = nameless ? undefined : await findByAlias(scope, connection.id, claim.value)
  if (known !== undefined) return { id: known }
  const tenant = await findTenant(scope)
  const policy = tenant?.unknownOrganizationPolicy ?? 'refuse'
  if (policy === 'default' && tenant?.defaultOrganizationId) return { id: tenant.defaultOrganizationId }
  if (nameless) return { refused: 'organization_absent' }
  return policy === 'create' ? onboard(scope, connection, claim) : { refused: 'organization_unknown' }
}

/** Of several first logins at once, the first makes the organization and the others find it. */
async function onboard(
  scope: Scope<OrmTx>,
  connection: StoredConnection,
  claim: OrganizationClaim,
): Promise<ResolvedOrganization> {
  await lockTenant(scope)
  const known = await findByAlias(scope, connection.id, claim.value)
  if (known !== undefined) return { id: known }
  const made = await makeOrganization(scope, { name: claim.name ?? claim.value, kind: 'organization' })
  if (made === undefined) return { refused: 'organization_unknown' }
  await insertAlias(scope, { connectionId: connection.id, organizationId: made.id, value: claim.value })
  return { id: made.id }
}

/**
 * An organization that no admin made, with the tenant's first role set; its weakest role is what members are.
 * Undefined where the tenant has no roles at all.
 */
export async function makeOrganization(
  scope: Scope<OrmTx>,
  organization: { readonly name: string; readonly kind: 'organization' | 'personal' },
): Promise<{ readonly id: Uuid; readonly ownerRoleId: Uuid | undefined } | undefined> {
  const [roleSet] = await listRoleSets(scope)
  const roles = roleSet?.roles.filter((role) => role.scopeKind === 'organization') ?? []
  const weakest = roles.at(-1)
  if (roleSet === undefined || weakest === undefined) return undefined
  const { id, number } = await insertOrganization(scope, {
    ...organizationDefaults,
    ...organization,
    roleSetId: roleSet.id,
    defaultRoleId: weakest.id,
  })
  const after = { number, kind: organization.kind }
  await writeAudit(scope, {
    organizationId: id,
    action: 'organization.created',
    subjectKind: 'organization',
    subjectId: id,
    after,
  })
  return { id, ownerRoleId: roles.find((role) => role.isOwner)?.id }
}
