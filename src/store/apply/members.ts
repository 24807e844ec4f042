// Members and their seats: new and changed ones, and the organization's own two counters. Each time
// a member takes or leaves a seat the ledger gets a row; the sum of an organization's rows is
// `seats_used`, which changes here and nowhere else, under the organization's lock.

import type { Uuid } from '../../model/ids.ts'
import type { MemberState } from '../../reconcile/change.ts'
import type { Scope } from '../scope.ts'
import { type ChangeOf, changesOf, type Happening, type People, type Slice } from './slice.ts'

const insertMembers = {
  name: 'apply_insert_members',
  text: `INSERT INTO members (tenant_id, organization_id, id, user_id, number, status, status_reason, role_id, seated,
      source, created_at, changed_at, waitlisted_at)
    SELECT $1::uuid, $2::uuid, id, user_id, $4::int + place::int - 1, status, status_reason, role_id, seated, source,
      $3::timestamptz, $3::timestamptz, CASE WHEN status = 'waitlisted' THEN $3::timestamptz END
    FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::boolean[], $11::text[])
      WITH ORDINALITY AS made (id, user_id, status, status_reason, role_id, seated, source, place)`,
}

const updateMembers = {
  name: 'apply_update_members',
  text: `UPDATE members SET status = next.status, status_reason = next.status_reason, role_id = next.role_id,
      seated = next.seated, changed_at = $3::timestamptz,
      waitlisted_at = CASE WHEN next.status = 'waitlisted' THEN coalesce(waitlisted_at, $3::timestamptz) END
    FROM unnest($4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::boolean[])
      AS next (id, status, status_reason, role_id, seated)
    WHERE members.tenant_id = $1::uuid AND members.organization_id = $2::uuid AND members.id = next.id`,
}

const countMembers = {
  name: 'apply_count_members',
  text: `UPDATE organizations SET seats_used = seats_used + $3::int, next_member_number = next_member_number + $4::int
    WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

const insertLedger = {
  name: 'apply_insert_seat_ledger',
  text: `INSERT INTO seat_ledger (tenant_id, organization_id, member_id, delta, reason, plan_id, at)
    SELECT $1::uuid, $2::uuid, member_id, delta, reason, $4::uuid, $3::timestamptz
    FROM unnest($5::uuid[], $6::int[], $7::text[]) AS flip (member_id, delta, reason)`,
}

interface SeatFlip {
  readonly memberId: Uuid
  readonly delta: 1 | -1
  /** The action that moved the seat. */
  readonly reason: string
}

/** Writes new and changed members with their seats. */
export async function applyMembers(scope: Scope, slice: Slice, people: People, planId: Uuid): Promise<Happening[]> {
  const created = changesOf(slice.plan, 'create-member')
  const changed = changesOf(slice.plan, 'change-member')
  if (created.length + changed.length === 0) return []
  await createMembers(scope, slice, created, people)
  await changeMembers(scope, slice, changed)
  await moveSeats(scope, slice, [...created.flatMap((one) => takenBy(one, people)), ...changed.flatMap(flipOf)], {
    planId,
    created: created.length,
  })
  return [...created.map((change, index) => creation(change, index, slice, people)), ...changed.map(changing)]
}

async function createMembers(
  scope: Scope,
  { organization }: Slice,
  created: readonly ChangeOf<'create-member'>[],
  people: People,
): Promise<void> {
  if (created.length === 0) return
  await scope.tx.query(insertMembers, [
    scope.tenant,
    organization.id,
    scope.now,
    organization.nextMemberNumber,
    created.map((change) => people.memberId(change.user)),
    created.map((change) => people.userId(change.user)),
    created.map((change) => change.status),
    created.map((change) => change.statusReason),
    created.map((change) => change.roleId),
    created.map((change) => change.seated),
    created.map((change) => change.source),
  ])
}

async function changeMembers(
  scope: Scope,
  { organization }: Slice,
  changed: readonly ChangeOf<'change-member'>[],
): Promise<void> {
  if (changed.length === 0) return
  await scope.tx.query(updateMembers, [
    scope.tenant,
    organization.id,
    scope.now,
    changed.map((change) => change.memberId),
    changed.map((change) => change.to.status),
    changed.map((change) => change.to.statusReason),
    changed.map((change) => change.to.roleId),
    changed.map((change) => change.to.seated),
  ])
}

async function moveSeats(
  scope: Scope,
  { organization }: Slice,
  flips: readonly SeatFlip[],
  { planId, created }: { readonly planId: Uuid; readonly created: number },
): Promise<void> {
  const delta = flips.reduce((sum, flip) => sum + flip.delta, 0)
  if (delta !== 0 || created > 0) await scope.tx.query(countMembers, [scope.tenant, organization.id, delta, created])
  if (flips.length === 0) return
  await scope.tx.query(insertLedger, [
    scope.tenant,
    organization.id,
    scope.now,
    planId,
    flips.map((flip) => flip.memberId),
    flips.map((flip) => flip.delta),
    flips.map((flip) => flip.reason),
  ])
}

function takenBy(change: ChangeOf<'create-member'>, people: People): SeatFlip[] {
  return change.seated ? [{ memberId: people.memberId(change.user), delta: 1, reason: 'member.created' }] : []
}

function flipOf({ memberId, from, to }: ChangeOf<'change-member'>): SeatFlip[] {
  if (from.seated === to.seated) return []
  return [{ memberId, delta: to.seated ? 1 : -1, reason: actionOf(from, to) }]
}

function creation(
  change: ChangeOf<'create-member'>,
  index: number,
  { organization }: Slice,
  people: People,
): Happening {
  const { status, statusReason, roleId, seated, source } = change
  const number = organization.nextMemberNumber + index
  const after = { userId: people.userId(change.user), number, status, statusReason, roleId, seated, source }
  return {
    action: 'member.created',
    subjectKind: 'member',
    subjectId: people.memberId(change.user),
    after,
    of: change,
  }
}

function changing(change: ChangeOf<'change-member'>): Happening {
  const { memberId, from, to } = change
  return {
    ...{ action: actionOf(from, to), subjectKind: 'member', subjectId: memberId, of: change },
    ...{ before: { ...from }, after: { ...to } },
  }
}

/** What happened to a member, as the audit trail, the event feed and the seat ledger call it. */
function actionOf(from: MemberState, to: MemberState): string {
  if (from.status === to.status) return from.roleId === to.roleId ? 'member.changed' : 'member.role_changed'
  switch (to.status) {
    case 'active':
      return 'member.activated'
    case 'inactive':
      return 'member.deactivated'
    case 'removed':
      return 'member.removed'
    case 'waitlisted':
      return 'member.waitlisted'
    case 'invited':
    case 'awaiting_approval':
      return 'member.changed'
  }
}
