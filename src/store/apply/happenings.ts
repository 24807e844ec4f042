// The audit entries and events of an applied plan, each with the entry that caused it: what a door
// wrote when it asked for the subject. Both come from one list, so that nothing is in one only.

import type { Uuid } from '../../model/ids.ts'
import type { UserKey } from '../../reconcile/change.ts'
import { column } from '../columns.ts'
import { type Applying, changesOf, type Happening, type Slice, type Step } from './slice.ts'

const insertHappenings = {
  name: 'apply_insert_happenings',
  text: `WITH happened AS MATERIALIZED (
      SELECT id, action, subject_kind, subject_id, before::jsonb AS before, after::jsonb AS after, cause_id, place
      FROM unnest($6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::uuid[])
        WITH ORDINALITY AS happening (id, action, subject_kind, subject_id, before, after, cause_id, place)),
    audited AS (
      INSERT INTO audit_entries
        (tenant_id, id, organization_id, at, actor, door, action, subject_kind, subject_id, before, after, cause_id)
      SELECT $1::uuid, id, $2::uuid, $3::timestamptz, $4::text, $5::text, action, subject_kind, subject_id,
        before, after, cause_id FROM happened)
    INSERT INTO events (tenant_id, organization_id, type, subject_id, payload, at)
    SELECT $1::uuid, $2::uuid, action, subject_id,
      jsonb_build_object('auditId', id, 'subjectKind', subject_kind, 'before', before, 'after', after), $3::timestamptz
    FROM happened ORDER BY place`,
}

/** The audit entry behind what happened, where one is known. */
export type CauseOf = (of: Happening['of']) => Uuid | null

/** One audit entry and one event for each thing that happened, with one statement. */
export function happeningSteps(
  { scope, organization }: Applying,
  causeOf: CauseOf,
  happened: readonly Happening[],
): Step[] {
  if (happened.length === 0) return []
  const values = () => {
    const ids = happened.map(() => scope.newId()).sort()
    return [
      ...[scope.tenant, organization.id, scope.now, scope.actor.id, scope.actor.door, column(ids)],
      column(happened.map((one) => one.action)),
      column(happened.map((one) => one.subjectKind)),
      column(happened.map((one) => one.subjectId)),
      column(happened.map((one) => json(one.before))),
      column(happened.map((one) => json(one.after))),
      column(happened.map((one) => causeOf(one.of))),
    ]
  }
  return [{ statement: insertHappenings, values }]
}

function json(state: Happening['after']): string | null {
  return state === undefined || state === null ? null : JSON.stringify(state)
}

/**
 * The cause of what happened to a user or a subject is that of the latest request naming it. What
 * followed for somebody whom no request names (a seat that became free) has the slice's only cause,
 * where it has only one, or that of a request for the whole organization.
 */
export function findCauses(slice: Slice): CauseOf {
  const userOf = subjectUsers(slice)
  const bySubject = new Map<Uuid, Uuid>()
  const byUser = new Map<UserKey, Uuid>()
  const distinct = new Set<Uuid>()
  let general: Uuid | null = null
  for (const { kind, subjectId, causeId } of slice.requests) {
    if (causeId === null) continue
    distinct.add(causeId)
    bySubject.set(subjectId, causeId)
    const user = userOf.get(subjectId)
    if (user !== undefined) byUser.set(user, causeId)
    if (kind === 'organization') general = causeId
  }
  const [only, another] = distinct
  const fallback = only !== undefined && another === undefined ? only : general
  return (of) => {
    if (of === null) return fallback
    return ('user' in of ? byUser.get(of.user) : bySubject.get(of.subject)) ?? fallback
  }
}

/** Whose subject each id is: as it was recorded, and as this plan links it. */
function subjectUsers({ snapshot, plan }: Slice): Map<Uuid, UserKey> {
  const users = new Map<Uuid, UserKey>()
  for (const { id, link } of snapshot.directoryUsers) if (link?.userId != null) users.set(id, link.userId)
  for (const { id, userId } of snapshot.members) users.set(id, userId)
  const links = changesOf(plan, 'link')
  for (const link of links) users.set(link.subject.id, link.user)
  for (const entry of snapshot.entries) {
    const identityUser = entry.identity === null ? null : (users.get(entry.identity.id) ?? entry.identity.userId)
    const user = users.get(entry.id) ?? identityUser ?? entry.userId
    if (user !== null) users.set(entry.id, user)
  }
  return users
}
