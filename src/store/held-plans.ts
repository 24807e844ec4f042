// Held plans: removals that the brake kept back and that wait for an admin. They are made while
// applying (apply/plans.ts); here they are read, decided and expired. Deciding changes nobody yet:
// the members are reconciled again, and the planner finds the decision.

import type { Uuid } from '../model/ids.ts'
import type { RemovalKind } from '../reconcile/snapshot.ts'
import type { Database } from './database.ts'
import type { OrganizationKey } from './outbox.ts'
import type { Scope } from './scope.ts'

export interface HeldPlan {
  readonly id: Uuid
  readonly organizationId: Uuid
  readonly state: 'held' | 'approved' | 'rejected' | 'expired'
  /** Of what it holds; it changes when more is held. Deciding can require it. */
  readonly hash: string
  readonly reason: string | null
  /** How many removals of each kind. */
  readonly counts: Readonly<Partial<Record<RemovalKind, number>>>
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly decidedAt: Date | null
  readonly decidedBy: string | null
}

const columns = `id, organization_id AS "organizationId", state, hash, reason, counts, created_at AS "createdAt",
  expires_at AS "expiresAt", decided_at AS "decidedAt", decided_by AS "decidedBy"`

const waiting = {
  name: 'list_held_plans',
  text: `SELECT ${columns} FROM plans
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state = 'held' ORDER BY created_at DESC, id DESC`,
}

/** The plans of an organization that wait for a decision, newest first. */
export async function listHeldPlans(scope: Scope, organizationId: Uuid): Promise<HeldPlan[]> {
  return scope.tx.query<HeldPlan>(waiting, [scope.tenant, organizationId])
}

const one = {
  name: 'read_held_plan',
  text: `SELECT ${columns} FROM plans
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $3::uuid AND state <> 'applied'`,
}

/** A plan that is or was held; null when the organization has none with this id. */
export async function readHeldPlan(scope: Scope, organizationId: Uuid, planId: Uuid): Promise<HeldPlan | null> {
  const [row] = await scope.tx.query<HeldPlan>(one, [scope.tenant, organizationId, planId])
  return row ?? null
}

export interface HeldChange {
  readonly id: Uuid
  readonly memberId: Uuid
  readonly memberNumber: number
  readonly displayName: string | null
  readonly email: string | null
  readonly directoryId: Uuid
  readonly kind: RemovalKind
  readonly why: string
  readonly state: 'held' | 'approved' | 'rejected' | 'expired' | 'superseded'
}

const changes = {
  name: 'list_held_changes',
  text: `SELECT held.id, held.member_id AS "memberId", member.number AS "memberNumber",
      person.display_name AS "displayName", person.email, held.directory_id AS "directoryId", held.kind, held.why,
      held.state
    FROM held_changes AS held
    JOIN members AS member ON member.tenant_id = held.tenant_id AND member.id = held.member_id
    JOIN users AS person ON person.tenant_id = held.tenant_id AND person.id = member.user_id
    WHERE held.tenant_id = $1::uuid AND held.organization_id = $2::uuid AND held.plan_id = $3::uuid
      AND ($4::uuid IS NULL OR held.id > $4::uuid)
    ORDER BY held.id LIMIT $5::int`,
}

/** Who is kept back by a plan, and why: one page, behind the change `after`. */
export async function listHeldChanges(
  scope: Scope,
  organizationId: Uuid,
  planId: Uuid,
  page: { readonly after: Uuid | null; readonly limit: number },
): Promise<HeldChange[]> {
  return scope.tx.query<HeldChange>(changes, [scope.tenant, organizationId, planId, page.after, page.limit])
}

const decide = {
  name: 'decide_held_plan',
  text: `WITH decided AS (UPDATE plans SET state = $4::text, decided_at = $5::timestamptz, decided_by = $6::text
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $3::uuid AND state = 'held'
        AND expires_at > $5::timestamptz AND ($7::text IS NULL OR hash = $7::text)
      RETURNING id),
    changed AS (UPDATE held_changes SET state = $4::text
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND plan_id IN (SELECT id FROM decided)
        AND state = 'held'
      RETURNING member_id)
    SELECT (SELECT count(*) FROM decided)::int AS decided,
      coalesce((SELECT array_agg(DISTINCT member_id::text) FROM changed), '{}') AS "memberIds"`,
}

/**
 * Approves or rejects what a plan still holds, in the caller's transaction, and answers the members to
 * reconcile again. Null when it no longer waits, or holds something else than what `hash` was shown for.
 */
export async function decideHeldPlan(
  scope: Scope,
  organizationId: Uuid,
  planId: Uuid,
  decision: { readonly state: 'approved' | 'rejected'; readonly hash?: string },
): Promise<{ readonly memberIds: readonly Uuid[] } | null> {
  const values = [scope.tenant, organizationId, planId, decision.state, scope.now, scope.actor.id]
  const [row] = await scope.tx.query<{ decided: number; memberIds: Uuid[] }>(decide, [...values, decision.hash ?? null])
  return row === undefined || row.decided === 0 ? null : { memberIds: row.memberIds }
}

const expire = {
  name: 'expire_held_plans',
  text: `WITH expired AS (UPDATE plans SET state = 'expired', decided_at = $3::timestamptz
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state = 'held' AND expires_at <= $3::timestamptz
      RETURNING id),
    changed AS (UPDATE held_changes SET state = 'expired'
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND plan_id IN (SELECT id FROM expired)
        AND state = 'held'
      RETURNING member_id)
    SELECT coalesce((SELECT array_agg(id::text) FROM expired), '{}') AS "planIds",
      coalesce((SELECT array_agg(DISTINCT member_id::text) FROM changed), '{}') AS "memberIds"`,
}

/** Ends the plans of an organization that nobody decided in time, and answers the members to reconcile again: if the reason stands, they are held anew. */
export async function expireHeldPlans(
  scope: Scope,
  organizationId: Uuid,
): Promise<{ readonly planIds: readonly Uuid[]; readonly memberIds: readonly Uuid[] }> {
  const values = [scope.tenant, organizationId, scope.now]
  const [row] = await scope.tx.query<{ planIds: Uuid[]; memberIds: Uuid[] }>(expire, values)
  return row ?? { planIds: [], memberIds: [] }
}

/** Organizations of any tenant that hold a plan whose time is over. */
export async function findOverduePlans(db: Database): Promise<OrganizationKey[]> {
  const { rows } = await db.pool.query<OrganizationKey>(
    `SELECT DISTINCT tenant_id AS tenant, organization_id AS organization FROM plans
      WHERE state = 'held' AND expires_at <= $1::timestamptz LIMIT 1000`,
    [db.clock()],
  )
  return rows
}
