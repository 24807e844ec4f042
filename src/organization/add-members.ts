// What an admin says of people by hand: that somebody belongs, that a member has a further role or unit, and the
// taking back of that. Each is a manual entry; who becomes what is the reconciler's.

import { parseEmail } from '../model/email.ts'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import {
  findManualEntry,
  insertManualEntry,
  lockKnownAddress,
  reduceManualEntry,
  withdrawEntriesOfUser,
  withdrawManualEntry,
} from '../store/manual-entries.ts'
import { listGrants } from '../store/member-views.ts'
import type { OrganizationView } from '../store/organizations.ts'
import { requestReconcile } from '../store/outbox.ts'
import { findUnit } from '../store/places.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, refusingTaken, write } from './context.ts'
import { readOrganizationView, requireRole } from './find-organization.ts'
import { requireMember } from './read-members.ts'

export interface NewMember {
  readonly email: string
  readonly displayName?: string | undefined
  /** Key; the default role when left out. */
  readonly role?: string | undefined
  readonly unit?: Uuid | undefined
}

/** What was written; the member follows once it is reconciled. */
export interface AcceptedEntry {
  readonly entryId: Uuid
}

/**
 * `uniqueness` where the address belongs to a member or was added already; `seats_exhausted` where the organization
 * takes nobody without a seat and none is left. Somebody who was a member before comes back as the same person.
 */
export async function addMember(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: NewMember,
): Promise<AcceptedEntry> {
  const email = parseEmail(input.email)
  if (email === null) throw new RollcallError('invalid_value', 'This is not an e-mail address.')
  return write(context, caller, async (scope) => {
    const organization = await readOrganizationView(scope, organizationId)
    const given = await resolveGiven(scope, organizationId, input)
    const known = await lockKnownAddress(scope, organizationId, email)
    if (known.memberId !== null) {
      throw new RollcallError('uniqueness', 'A member has this address. Give further roles to that member.')
    }
    if (known.entryId !== null && known.formerUserId === null) {
      throw new RollcallError('uniqueness', 'Somebody with this address was added already.')
    }
    refuseWithoutSeat(organization)
    if (known.formerUserId !== null) await withdrawEntriesOfUser(scope, organizationId, known.formerUserId)
    const displayName = input.displayName ?? null
    const entry = { organizationId, userId: known.formerUserId, email: email.address, displayName, ...given.ids }
    return accept(scope, organizationId, await insertManualEntry(scope, entry), {
      email: email.address,
      ...given.words,
    })
  })
}

/** `uniqueness` where an admin has given the same already. */
export async function grantToMember(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  memberId: Uuid,
  input: { readonly role: string } | { readonly unit: Uuid },
): Promise<AcceptedEntry> {
  return refusingTaken('This was given to the member by hand already.', () =>
    write(context, caller, async (scope) => {
      const { userId, status } = await requireMember(scope, organizationId, memberId)
      if (status === 'removed') throw new RollcallError('conflict', 'The member was removed. Add the person again.')
      const given = await resolveGiven(scope, organizationId, input)
      const entry = { organizationId, userId, email: null, displayName: null, ...given.ids }
      return accept(scope, organizationId, await insertManualEntry(scope, entry), { memberId, ...given.words })
    }),
  )
}

/**
 * Takes back what an admin gave by hand; `conflict` for a grant of any other source, which ends with its source. An
 * entry by which the person came in stays as a way in.
 */
export async function withdrawGrant(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  memberId: Uuid,
  grantId: Uuid,
): Promise<void> {
  await write(context, caller, async (scope) => {
    await requireMember(scope, organizationId, memberId)
    const grant = (await listGrants(scope, organizationId, memberId)).find((one) => one.id === grantId)
    if (grant === undefined) throw new Missing('grant', grantId, organizationId)
    const entry =
      grant.source === 'manual' && grant.sourceId !== null
        ? await findManualEntry(scope, organizationId, grant.sourceId)
        : null
    if (entry === null || grant.kind === 'workspace') {
      throw new RollcallError('conflict', `This was not given by hand, but by ${grant.source}: ${grant.reason}.`)
    }
    const staysAsWayIn = entry.email !== null || (entry.roleId !== null && entry.unitId !== null)
    if (staysAsWayIn) await reduceManualEntry(scope, entry.id, grant.kind)
    else await withdrawManualEntry(scope, entry.id)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: staysAsWayIn ? 'entry.reduced' : 'entry.withdrawn',
      subjectKind: 'entry',
      subjectId: entry.id,
      before: { memberId, kind: grant.kind, targetId: grant.targetId, name: grant.name },
    })
    const subjects = [
      { kind: 'entry', id: entry.id },
      { kind: 'member', id: memberId },
    ] as const
    await requestReconcile(scope, organizationId, subjects, { causeId })
  })
}

interface Given {
  readonly ids: { readonly roleId: Uuid | null; readonly unitId: Uuid | null }
  /** For the audit trail. */
  readonly words: { readonly role: string | null; readonly unitId: Uuid | null }
}

async function resolveGiven(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  input: { readonly role?: string | undefined } | { readonly unit?: Uuid | undefined },
): Promise<Given> {
  const key = 'role' in input ? input.role : undefined
  const unitId = ('unit' in input ? input.unit : undefined) ?? null
  const role = key === undefined ? null : await requireRole(scope, organizationId, key)
  if (unitId !== null && (await findUnit(scope, organizationId, unitId)) === null) {
    throw new Missing('unit', unitId, organizationId)
  }
  return { ids: { roleId: role?.id ?? null, unitId }, words: { role: role?.key ?? null, unitId } }
}

/** A look before anything is written; the reconciler decides, under the organization's lock. */
function refuseWithoutSeat({ seatPolicy, seatLimit, seatsUsed }: OrganizationView): void {
  if (seatPolicy === 'block' && seatLimit !== null && seatsUsed >= seatLimit) {
    throw new RollcallError('seats_exhausted', `All ${seatLimit} seats of the organization are taken.`)
  }
}

async function accept(
  scope: Scope,
  organizationId: Uuid,
  entryId: Uuid,
  what: Readonly<Record<string, unknown>>,
): Promise<AcceptedEntry> {
  const causeId = await writeAudit(scope, {
    organizationId,
    action: 'entry.created',
    subjectKind: 'entry',
    subjectId: entryId,
    after: { kind: 'manual', ...what },
  })
  await requestReconcile(scope, organizationId, [{ kind: 'entry', id: entryId }], { causeId })
  return { entryId }
}
