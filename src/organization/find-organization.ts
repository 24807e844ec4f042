// The organization that a request names, or the refusal; the first step of every use case inside one.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import {
  findOrganization,
  listOrganizationRoles,
  lockOrganization,
  type OrganizationView,
  organizationExists,
  type RoleRow,
} from '../store/organizations.ts'
import type { Scope } from '../store/scope.ts'
import { Missing } from './context.ts'

export async function requireOrganization(scope: Scope, id: Uuid): Promise<void> {
  if (!(await organizationExists(scope, id))) throw new Missing('organization', id)
}

export async function readOrganizationView(scope: Scope, id: Uuid): Promise<OrganizationView> {
  const found = await findOrganization(scope, id)
  if (found === null) throw new Missing('organization', id)
  return found
}

/** Waits for the worker's slice, and keeps the next one waiting until the transaction ends. */
export async function requireLockedOrganization(scope: Scope, id: Uuid): Promise<OrganizationView> {
  const found = await lockOrganization(scope, id)
  if (found === null) throw new Missing('organization', id)
  return found
}

/**
 * The organization's role with this key; `invalid_value` for an unknown one, and for one that is only given within
 * a unit or workspace.
 */
export async function requireRole(scope: Scope, organizationId: Uuid, key: string): Promise<RoleRow> {
  const roles = await listOrganizationRoles(scope, organizationId)
  return pickRole(roles, key)
}

/** The same among roles that are at hand. */
export function pickRole<R extends Pick<RoleRow, 'key' | 'scopeKind'>>(roles: readonly R[], key: string): R {
  const role = roles.find((one) => one.key === key)
  if (role === undefined) {
    const known = roles.map((one) => one.key).join(', ')
    throw new RollcallError('invalid_value', `The organization has no such role; it has ${known}.`)
  }
  if (role.scopeKind !== 'organization') {
    throw new RollcallError('invalid_value', `The role ${role.key} is only given within a ${role.scopeKind}.`)
  }
  return role
}
