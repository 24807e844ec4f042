// Changes an organization's settings. What follows for its members (seats that became free, another default role)
// is the reconciler's: the organization is asked for as a subject.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { SeatPolicy } from '../model/words.ts'
import { type AuditState, writeAudit } from '../store/audit.ts'
import { type OrganizationView, updateOrganization } from '../store/organizations.ts'
import { requestReconcile } from '../store/outbox.ts'
import { requestRoleMembers } from '../store/request-many.ts'
import { type AdminCaller, type AdminContext, write } from './context.ts'
import { readOrganizationView, requireLockedOrganization, requireRole } from './find-organization.ts'

export interface OrganizationChange {
  readonly name?: string | undefined
  readonly seatLimit?: number | null | undefined
  readonly seatPolicy?: SeatPolicy | undefined
  readonly defaultRole?: string | undefined
  readonly brakePercent?: number | undefined
  readonly brakeMinimum?: number | undefined
  /** Nobody loses a seat by it; no more are given until use has fallen below. */
  readonly allowBelowUse?: boolean | undefined
}

/** Changes what is named. A seat limit below use is a `conflict` unless it is said to be meant. */
export async function changeOrganization(
  context: AdminContext,
  caller: AdminCaller,
  id: Uuid,
  change: OrganizationChange,
): Promise<OrganizationView> {
  return write(context, caller, async (scope) => {
    const before = await requireLockedOrganization(scope, id)
    const seatLimit = change.seatLimit === undefined ? before.seatLimit : change.seatLimit
    const lowered = seatLimit !== null && (before.seatLimit === null || seatLimit < before.seatLimit)
    if (lowered && seatLimit < before.seatsUsed && change.allowBelowUse !== true) {
      throw new RollcallError(
        'conflict',
        `${before.seatsUsed} seats are used. Send allowBelowUse to set a lower limit; nobody loses a seat by it.`,
      )
    }
    const defaultRole = await requireRole(scope, id, change.defaultRole ?? before.defaultRole)
    if (defaultRole.isOwner) throw new RollcallError('invalid_value', 'The owner role cannot be what everybody is.')
    await updateOrganization(scope, id, {
      name: change.name ?? before.name,
      seatLimit,
      seatPolicy: change.seatPolicy ?? before.seatPolicy,
      defaultRoleId: defaultRole.id,
      brakePercent: change.brakePercent ?? before.brakePercent,
      brakeMinimum: change.brakeMinimum ?? before.brakeMinimum,
    })
    const after = await readOrganizationView(scope, id)
    const causeId = await writeAudit(scope, {
      organizationId: id,
      action: 'organization.changed',
      subjectKind: 'organization',
      subjectId: id,
      ...difference(before, after),
    })
    await requestReconcile(scope, id, [{ kind: 'organization', id }], { causeId })
    if (after.defaultRole !== before.defaultRole) {
      const formerDefault = await requireRole(scope, id, before.defaultRole)
      await requestRoleMembers(scope, id, formerDefault.id, causeId)
    }
    return after
  })
}

function difference(one: OrganizationView, other: OrganizationView): { before: AuditState; after: AuditState } {
  const changed = (['name', 'seatLimit', 'seatPolicy', 'defaultRole', 'brakePercent', 'brakeMinimum'] as const).filter(
    (key) => one[key] !== other[key],
  )
  return {
    before: Object.fromEntries(changed.map((key) => [key, one[key]])),
    after: Object.fromEntries(changed.map((key) => [key, other[key]])),
  }
}
