// The record of what a plan did, and the plans that wait for an admin: removals that the brake kept
// back are gathered into one held plan of the organization, however many slices the wave goes
// through. Deciding on a held plan is held-plans.ts.

import { createHash } from 'node:crypto'
import type { Uuid } from '../../model/ids.ts'
import type { Plan } from '../../reconcile/change.ts'
import type { Scope } from '../scope.ts'
import { type Applying, changesOf, type Happening, type Work } from './slice.ts'

const insertPlan = {
  name: 'apply_insert_plan',
  text: `INSERT INTO plans (tenant_id, organization_id, id, state, hash, counts, removals, reason, created_at, expires_at)
    VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::jsonb, $7::jsonb, $8::text, $9::timestamptz,
      $10::timestamptz)`,
}

/** The record of an applied plan: how many changes of each kind, and how many removals each directory caused. */
export function planWork({ scope, organization, plan, planId }: Applying): Work {
  const values = () => [
    ...[scope.tenant, organization.id, planId, 'applied', hashOf(plan.changes)],
    JSON.stringify(countBy(plan.changes.map((change) => change.kind))),
    JSON.stringify(countBy(changesOf(plan, 'change-member').flatMap((change) => change.removalBy ?? []))),
    ...[null, scope.now, null],
  ]
  return { steps: plan.changes.length === 0 ? [] : [{ statement: insertPlan, values }], happened: () => [] }
}

/** The planner writes the members of its changes in a fixed order, so that equal plans have equal texts. */
function hashOf(what: Plan['changes'] | Plan['held'], after = ''): string {
  return createHash('sha256').update(after).update(JSON.stringify(what)).digest('hex')
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

const supersede = {
  name: 'apply_supersede_held',
  text: `WITH gone AS (UPDATE held_changes SET state = 'superseded'
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = ANY ($4::uuid[]) AND state = 'held'
      RETURNING id, plan_id)
    UPDATE plans SET state = 'expired', decided_at = $3::timestamptz
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state = 'held'
      AND id IN (SELECT plan_id FROM gone)
      AND NOT EXISTS (SELECT 1 FROM held_changes AS other WHERE other.tenant_id = $1::uuid
        AND other.organization_id = $2::uuid AND other.plan_id = plans.id AND other.state = 'held'
        AND other.id NOT IN (SELECT id FROM gone))
    RETURNING id`,
}

const openPlan = {
  name: 'apply_open_held_plan',
  text: `SELECT id, hash, counts FROM plans
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state = 'held' AND expires_at > $3::timestamptz
    ORDER BY created_at DESC LIMIT 1 FOR UPDATE`,
}

const growPlan = {
  name: 'apply_grow_held_plan',
  text: `UPDATE plans SET hash = $4::text, counts = $5::jsonb, expires_at = $6::timestamptz
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $3::uuid`,
}

const insertHeldChanges = {
  name: 'apply_insert_held_changes',
  text: `INSERT INTO held_changes
      (tenant_id, organization_id, plan_id, id, directory_id, member_id, kind, why, fingerprint, created_at)
    SELECT $1::uuid, $2::uuid, $3::uuid, id, directory_id, member_id, kind, why, fingerprint, $4::timestamptz
    FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::text[])
      AS held (id, directory_id, member_id, kind, why, fingerprint)`,
}

const heldForMs = 7 * 24 * 3_600_000

/** Gives up held changes whose reason is gone and holds the new ones. A held plan's hash changes as it grows. */
export async function applyHeld({ scope, organization, plan }: Applying): Promise<Happening[]> {
  const { tenant, now, tx } = scope
  const ended =
    plan.superseded.length === 0
      ? []
      : await tx.query<{ id: Uuid }>(supersede, [tenant, organization.id, now, plan.superseded])
  const happened: Happening[] = ended.map(({ id }) => ({
    ...{ action: 'plan.superseded', subjectKind: 'plan', subjectId: id, of: null },
    ...{ before: { state: 'held' }, after: { state: 'expired' } },
  }))
  if (plan.held.length === 0) return happened
  const planId = await planToHold(scope, organization.id, plan.held)
  await tx.query(insertHeldChanges, [
    ...[tenant, organization.id, planId, now, plan.held.map(() => scope.newId())],
    plan.held.map((removal) => removal.directoryId),
    plan.held.map((removal) => removal.memberId),
    plan.held.map((removal) => removal.kind),
    plan.held.map((removal) => removal.why),
    plan.held.map((removal) => removal.fingerprint),
  ])
  const after = { state: 'held', ...heldCounts(plan.held) }
  return [...happened, { action: 'plan.held', subjectKind: 'plan', subjectId: planId, of: null, after }]
}

async function planToHold(scope: Scope, organizationId: Uuid, held: Plan['held']): Promise<Uuid> {
  const { tenant, now, tx } = scope
  const counts = countBy(held.map((removal) => removal.kind))
  const expiresAt = new Date(now.getTime() + heldForMs)
  const [open] = await tx.query<{ id: Uuid; hash: string; counts: Record<string, number> }>(openPlan, [
    ...[tenant, organizationId, now],
  ])
  if (open === undefined) {
    const id = scope.newId()
    const reason = 'more removals at once than the organization lets through without an admin'
    await tx.query(insertPlan, [
      ...[tenant, organizationId, id, 'held', hashOf(held), JSON.stringify(counts), '{}', reason, now, expiresAt],
    ])
    return id
  }
  for (const [kind, count] of Object.entries(open.counts)) counts[kind] = (counts[kind] ?? 0) + count
  await tx.query(growPlan, [
    ...[tenant, organizationId, open.id, hashOf(held, open.hash), JSON.stringify(counts), expiresAt],
  ])
  return open.id
}

function heldCounts(held: Plan['held']) {
  return {
    removals: countBy(held.map((removal) => removal.kind)),
    directories: countBy(held.map((removal) => removal.directoryId)),
  }
}
