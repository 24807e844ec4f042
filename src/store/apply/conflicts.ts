// Conflicts: people who look like a known user but may not be linked silently. They are raised and
// closed here; deciding one is an admin's use case.

import type { Uuid } from '../../model/ids.ts'
import { type Applying, changesOf, type Happening } from './slice.ts'

/** One row per subject and candidate: one that had gone opens again, one that was decided stays decided. */
const raiseConflicts = {
  name: 'apply_raise_conflicts',
  text: `INSERT INTO conflicts AS known (tenant_id, organization_id, id, subject_kind, subject_id, candidate_user_id,
      reason, state, created_at)
    SELECT $1::uuid, $2::uuid, id, subject_kind, subject_id, candidate_user_id, reason, 'open', $3::timestamptz
    FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::text[])
      AS raised (id, subject_kind, subject_id, candidate_user_id, reason)
    ON CONFLICT (tenant_id, organization_id, subject_kind, subject_id, candidate_user_id) DO UPDATE
      SET state = 'open', reason = excluded.reason, created_at = excluded.created_at, decided_at = NULL
      WHERE known.state = 'gone'
    RETURNING id, subject_kind AS "subjectKind", subject_id AS "subjectId",
      candidate_user_id AS "candidateUserId", reason`,
}

const closeConflicts = {
  name: 'apply_close_conflicts',
  text: `UPDATE conflicts SET state = 'gone', decided_at = $3::timestamptz
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = ANY ($4::uuid[]) AND state = 'open'
    RETURNING id, subject_id AS "subjectId"`,
}

/** Opens and closes conflicts. */
export async function applyConflicts(applying: Applying): Promise<Happening[]> {
  return [...(await raise(applying)), ...(await close(applying))]
}

async function raise({ scope, organization, plan, people }: Applying): Promise<Happening[]> {
  const raised = changesOf(plan, 'raise-conflict')
  if (raised.length === 0) return []
  const rows = await scope.tx.query<{
    id: Uuid
    subjectKind: string
    subjectId: Uuid
    candidateUserId: Uuid
    reason: string
  }>(raiseConflicts, [
    ...[scope.tenant, organization.id, scope.now, raised.map(() => scope.newId())],
    raised.map((change) => change.subject.kind),
    raised.map((change) => change.subject.id),
    raised.map((change) => people.userId(change.candidate)),
    raised.map((change) => change.reason),
  ])
  return rows.map(({ id, ...after }) => ({
    ...{ action: 'conflict.raised', subjectKind: 'conflict', subjectId: id, of: { subject: after.subjectId } },
    after,
  }))
}

async function close({ scope, organization, plan }: Applying): Promise<Happening[]> {
  const ids = changesOf(plan, 'close-conflict').map((change) => change.conflictId)
  if (ids.length === 0) return []
  const values = [scope.tenant, organization.id, scope.now, ids]
  const rows = await scope.tx.query<{ id: Uuid; subjectId: Uuid }>(closeConflicts, values)
  return rows.map(({ id, subjectId }) => ({
    ...{ action: 'conflict.closed', subjectKind: 'conflict', subjectId: id, of: { subject: subjectId } },
    before: { state: 'open' },
    after: { state: 'gone' },
  }))
}
