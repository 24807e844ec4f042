// Taking work: the lock on an organization, the slice of its requests that is reconciled next, and
// what becomes of a slice that failed. The requests are deleted here and come back with the
// rollback, so a worker that dies loses nothing. Writing requests is outbox.ts.

import type { Uuid } from '../model/ids.ts'
import type { SeatPolicy, SubjectKind } from '../model/words.ts'
import { sqlState, violatedConstraint } from './database.ts'
import type { Scope } from './scope.ts'

/** The organization as it is while its row is locked. */
export interface LockedOrganization {
  readonly id: Uuid
  readonly roleSetId: Uuid
  readonly defaultRoleId: Uuid
  readonly seatLimit: number | null
  readonly seatPolicy: SeatPolicy
  readonly seatsUsed: number
  readonly nextMemberNumber: number
  readonly brakePercent: number
  readonly brakeMinimum: number
}

/** Reads by index, row for row of the slice, whatever the statistics say: the tables grow from nothing to a hundred thousand rows between two ANALYZEs. */
const readByIndex = {
  name: 'read_by_index',
  text: `SELECT set_config(name, value, true) FROM (VALUES ('plan_cache_mode', 'force_generic_plan'),
    ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off')) AS setting (name, value)`,
}

const lockRow = {
  name: 'lock_organization',
  text: `SELECT id, role_set_id AS "roleSetId", default_role_id AS "defaultRoleId", seat_limit AS "seatLimit",
      seat_policy AS "seatPolicy", seats_used AS "seatsUsed", next_member_number AS "nextMemberNumber",
      brake_percent AS "brakePercent", brake_minimum AS "brakeMinimum"
    FROM organizations WHERE tenant_id = $1::uuid AND id = $2::uuid FOR NO KEY UPDATE`,
}

/** Locks the organization until the transaction ends, so that one slice of it is worked on at a time; null when there is none. */
export async function lockOrganization(scope: Scope, organizationId: Uuid): Promise<LockedOrganization | null> {
  await scope.tx.query(readByIndex, [])
  const [row] = await scope.tx.query<LockedOrganization>(lockRow, [scope.tenant, organizationId])
  return row ?? null
}

export interface ClaimedRequest {
  /** A bigint as text. */
  readonly id: string
  readonly kind: SubjectKind
  readonly subjectId: Uuid
  readonly urgent: boolean
  readonly causeId: Uuid | null
}

const returned = `RETURNING request.id::text AS id, subject_kind AS kind, subject_id AS "subjectId", urgent,
  cause_id AS "causeId"`

/** MATERIALIZED, or a plan that reads the subquery once for each row would take more than the limit. */
const claim = {
  name: 'claim_slice',
  text: `WITH slice AS MATERIALIZED (SELECT id FROM reconcile_requests
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND set_aside_at IS NULL AND attempts = 0
      ORDER BY urgent DESC, id LIMIT $3::int FOR UPDATE SKIP LOCKED)
    DELETE FROM reconcile_requests AS request USING slice
    WHERE request.tenant_id = $1::uuid AND request.id = slice.id ${returned}`,
}

/** Takes up to `limit` requests that have not failed yet: the urgent ones first, then the oldest. */
export async function claimSlice(scope: Scope, organizationId: Uuid, limit: number): Promise<ClaimedRequest[]> {
  const rows = await scope.tx.query<ClaimedRequest>(claim, [scope.tenant, organizationId, limit])
  return rows.sort((one, other) => (BigInt(one.id) < BigInt(other.id) ? -1 : 1))
}

const claimOne = {
  name: 'claim_failed_request',
  text: `DELETE FROM reconcile_requests AS request
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $3::bigint AND set_aside_at IS NULL ${returned}`,
}

/** Takes one request that has failed before, by itself, so that it can stop nobody else. */
export async function claimFailed(scope: Scope, organizationId: Uuid, requestId: string): Promise<ClaimedRequest[]> {
  return scope.tx.query<ClaimedRequest>(claimOne, [scope.tenant, organizationId, requestId])
}

const failed = {
  name: 'failed_requests',
  text: `SELECT id::text AS id FROM reconcile_requests
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND set_aside_at IS NULL AND attempts > 0
    ORDER BY attempts, urgent DESC, id LIMIT $3::int`,
}

/** Requests that failed and may be tried again; those that failed least come first. */
export async function failedRequests(scope: Scope, organizationId: Uuid, limit: number): Promise<string[]> {
  const rows = await scope.tx.query<{ id: string }>(failed, [scope.tenant, organizationId, limit])
  return rows.map((row) => row.id)
}

/** How often a request is tried before it waits for an admin. */
const maxAttempts = 5

const countFailure = {
  name: 'count_failure',
  text: `UPDATE reconcile_requests SET attempts = attempts + 1, last_error = $4::text,
      set_aside_at = CASE WHEN attempts + 1 >= $5::int THEN $6::timestamptz END
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = ANY ($3::bigint[])
    RETURNING set_aside_at IS NOT NULL AS "setAside"`,
}

/** After the slice was rolled back, in a transaction of its own: counts the attempt. Answers how many requests were set aside. */
export async function recordFailure(
  scope: Scope,
  organizationId: Uuid,
  requestIds: readonly string[],
  error: unknown,
): Promise<{ readonly setAside: number }> {
  const values = [scope.tenant, organizationId, requestIds, describeFailure(error), maxAttempts, scope.now]
  const rows = await scope.tx.query<{ setAside: boolean }>(countFailure, values)
  return { setAside: rows.filter((row) => row.setAside).length }
}

/** What failed and where, without the message: that may quote a person's data. */
function describeFailure(error: unknown): string {
  const state = sqlState(error)
  const constraint = violatedConstraint(error)
  const kind = error instanceof Error ? error.name : typeof error
  const place = error instanceof Error ? placeIn(error.stack ?? '') : undefined
  return [
    kind,
    state === undefined ? '' : `SQLSTATE ${state}`,
    constraint === undefined ? '' : `constraint ${constraint}`,
    place === undefined ? '' : `at ${place}`,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

/** The first line of the stack that is ours. */
function placeIn(stack: string): string | undefined {
  const own = stack.split('\n').filter((line) => !line.includes('node_modules'))
  return own
    .map((line) => /[/\\](?:src|dist)[/\\]([\w./\\-]+:\d+)/.exec(line)?.[1])
    .find((place) => place !== undefined)
}
