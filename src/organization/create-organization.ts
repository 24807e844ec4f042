// Makes an organization: its number, its Default workspace and, where one is named, the person who owns it.

import { parseEmail } from '../model/email.ts'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { SeatPolicy } from '../model/words.ts'
import { writeAudit } from '../store/audit.ts'
import { insertManualEntry } from '../store/manual-entries.ts'
import {
  insertOrganization,
  type OrganizationKind,
  type OrganizationView,
  organizationDefaults,
} from '../store/organizations.ts'
import { requestReconcile } from '../store/outbox.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { listRoleSets, type RoleSetView } from '../store/tenants.ts'
import { type AdminCaller, type AdminContext, write } from './context.ts'
import { pickRole, readOrganizationView } from './find-organization.ts'
import { lowestRole } from './role-presets.ts'

export interface OrganizationInput {
  readonly name: string
  readonly kind?: OrganizationKind | undefined
  /** Key; the tenant's first one when left out. */
  readonly roleSet?: string | undefined
  /** Key; the weakest organization role when left out. */
  readonly defaultRole?: string | undefined
  readonly seatLimit?: number | null | undefined
  readonly seatPolicy?: SeatPolicy | undefined
  readonly brakePercent?: number | undefined
  readonly brakeMinimum?: number | undefined
  readonly owner?: { readonly email: string; readonly displayName?: string | undefined } | undefined
}

export async function createOrganization(
  context: AdminContext,
  caller: AdminCaller,
  input: OrganizationInput,
): Promise<OrganizationView> {
  return write(context, caller, async (scope) => {
    const roleSet = pickRoleSet(await listRoleSets(scope), input.roleSet)
    const defaultRole =
      input.defaultRole === undefined ? lowestRole(roleSet.roles) : pickRole(roleSet.roles, input.defaultRole)
    if (defaultRole === undefined || defaultRole.isOwner) {
      throw new RollcallError('invalid_value', 'The owner role cannot be what everybody is.')
    }
    const { id } = await insertOrganization(scope, {
      name: input.name,
      kind: input.kind ?? organizationDefaults.kind,
      roleSetId: roleSet.id,
      defaultRoleId: defaultRole.id,
      seatLimit: input.seatLimit ?? organizationDefaults.seatLimit,
      seatPolicy: input.seatPolicy ?? organizationDefaults.seatPolicy,
      brakePercent: input.brakePercent ?? organizationDefaults.brakePercent,
      brakeMinimum: input.brakeMinimum ?? organizationDefaults.brakeMinimum,
    })
    const created = await readOrganizationView(scope, id)
    const causeId = await writeAudit(scope, {
      organizationId: id,
      action: 'organization.created',
      subjectKind: 'organization',
      subjectId: id,
      after: { name: created.name, number: created.number, seatLimit: created.seatLimit, roleSet: created.roleSet },
    })
    if (input.owner !== undefined) await addOwner(scope, id, roleSet, input.owner, causeId)
    return created
  })
}

function pickRoleSet(sets: readonly RoleSetView[], key: string | undefined): RoleSetView {
  const found = key === undefined ? sets[0] : sets.find((set) => set.key === key)
  if (found === undefined) throw new RollcallError('invalid_value', 'The tenant has no such role set.')
  return found
}

async function addOwner(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  roleSet: RoleSetView,
  owner: NonNullable<OrganizationInput['owner']>,
  causeId: Uuid,
): Promise<void> {
  const email = parseEmail(owner.email)
  if (email === null) throw new RollcallError('invalid_value', "The owner's e-mail address is none.")
  const role = roleSet.roles.find((one) => one.isOwner)
  if (role === undefined) throw new RollcallError('invalid_value', 'The role set has no owner role.')
  const entryId = await insertManualEntry(scope, {
    organizationId,
    userId: null,
    email: email.address,
    displayName: owner.displayName ?? null,
    roleId: role.id,
    unitId: null,
  })
  const addedId = await writeAudit(scope, {
    organizationId,
    action: 'entry.created',
    subjectKind: 'entry',
    subjectId: entryId,
    after: { kind: 'manual', email: email.address, role: role.key },
    causeId,
  })
  await requestReconcile(scope, organizationId, [{ kind: 'entry', id: entryId }], { causeId: addedId })
}
