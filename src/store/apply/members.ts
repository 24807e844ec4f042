// Members and their seats: new and changed ones, and the organization's own two counters. Each time
// a member takes or leaves a seat the ledger gets a row; the sum of an organization's rows is
// `seats_used`, which changes here and nowhere else, under the organization's lock.

import type { Uuid } from '../../model/ids.ts'
import type { Change, MemberState } from '../../reconcile/change.ts'
import { column } from '../columns.ts'
import { type Applying, changesOf, type Happening, type Step, type Work } from './slice.ts'

type Created = Extract<Change, { kind: 'create-member' }>
type Changed = Extract<Change, { kind: 'change-member' }>

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

/** New and changed members with their seats. */
export function memberWork(applying: Applying): Work {
  const created = changesOf(applying.plan, 'create-member')
  const changed = changesOf(applying.plan, 'change-member')
  const flips = [...created.flatMap((one) => takenBy(one, applying)), ...changed.flatMap(flipOf)]
  return {
    steps: [
      ...creationSteps(applying, created),
      ...changeSteps(applying, changed),
      ...seatSteps(applying, flips, created.length),
    ],
    happened: () => [...created.map((change, index) => creation(change, index, applying)), ...changed.map(changing)],
  }
}

function creationSteps({ scope, organization, people }: Applying, created: readonly Created[]): Step[] {
  if (created.length === 0) return []
  const values = () => [
    scope.tenant,
    organization.id,
    scope.now,
    organization.nextMemberNumber,
    column(created.map((change) => people.memberId(change.user))),
    column(created.map((change) => people.userId(change.user))),
    column(created.map((change) => change.status)),
    column(created.map((change) => change.statusReason)),
    column(created.map((change) => change.roleId)),
    column(created.map((change) => change.seated)),
    column(created.map((change) => change.source)),
  ]
  return [{ statement: insertMembers, values }]
}

function changeSteps({ scope, organization }: Applying, changed: readonly Changed[]): Step[] {
  if (changed.length === 0) return []
  const values = () => [
    scope.tenant,
    organization.id,
    scope.now,
    column(changed.map((change) => change.memberId)),
    column(changed.map((change) => change.to.status)),
    column(changed.map((change) => change.to.statusReason)),
    column(changed.map((change) => change.to.roleId)),
    column(changed.map((change) => change.to.seated)),
  ]
  return [{ statement: updateMembers, values }]
}

interface SeatFlip {
  readonly memberId: Uuid
  readonly delta: 1 | -1
  /** The action that moved the seat. */
  readonly reason: string
}

function seatSteps({ scope, organization, planId }: Applying, flips: readonly SeatFlip[], created: number): Step[] {
  const delta = flips.reduce((sum, flip) => sum + flip.delta, 0)
  const count = { statement: countMembers, values: () => [scope.tenant, organization.id, delta, created] }
  const ledger = () => [
    scope.tenant,
    organization.id,
    scope.now,
    planId,
    column(flips.map((flip) => flip.memberId)),
    column(flips.map((flip) => flip.delta)),
    column(flips.map((flip) => flip.reason)),
  ]
  return [
    ...(delta !== 0 || created > 0 ? [count] : []),
    ...(flips.length > 0 ? [{ statement: insertLedger, values: ledger }] : []),
  ]
}

function takenBy(change: Created, { people }: Applying): SeatFlip[] {
  return change.seated ? [{ memberId: people.memberId(change.user), delta: 1, reason: 'member.created' }] : []
}

function flipOf({ memberId, from, to }: Changed): SeatFlip[] {
  if (from.seated === to.seated) return []
  return [{ memberId, delta: to.seated ? 1 : -1, reason: actionOf(from, to) }]
}

function creation(change: Created, index: number, { organization, people }: Applying): Happening {
  const { status, statusReason, roleId, seated, source } = change
  const number = organization.nextMemberNumber + index
  const after = { userId: people.userId(change.user), number, status, statusReason, roleId, seated, source }
  const subjectId = people.memberId(change.user)
  return { action: 'member.created', subjectKind: 'member', subjectId, after, of: change }
}

function changing(change: Changed): Happening {
  const { memberId, from, to } = change
  const action = actionOf(from, to)
  return { action, subjectKind: 'member', subjectId: memberId, before: { ...from }, after: { ...to }, of: change }
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
