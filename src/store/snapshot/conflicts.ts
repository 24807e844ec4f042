// Conflicts about the subjects of a slice, in whatever state: what an admin was asked and has decided.

import type { Uuid } from '../../model/ids.ts'
import type { ConflictFacts } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'

const conflictsOf = {
  name: 'snapshot_conflicts',
  text: `SELECT conflict.id, subject_kind AS "subjectKind", subject_id AS "subjectId",
      candidate_user_id AS "candidateUserId", state
    FROM unnest($3::text[], $4::uuid[]) AS subject (kind, id)
    JOIN conflicts AS conflict ON conflict.tenant_id = $1::uuid AND conflict.organization_id = $2::uuid
      AND conflict.subject_kind = subject.kind AND conflict.subject_id = subject.id`,
}

interface ConflictRow {
  readonly id: Uuid
  readonly subjectKind: ConflictFacts['subject']['kind']
  readonly subjectId: Uuid
  readonly candidateUserId: Uuid
  readonly state: ConflictFacts['state']
}

export async function loadConflicts(
  scope: Scope,
  organizationId: Uuid,
  directoryUsers: readonly { readonly id: Uuid }[],
  entries: readonly { readonly id: Uuid }[],
): Promise<ConflictFacts[]> {
  if (directoryUsers.length + entries.length === 0) return []
  const kinds = [...directoryUsers.map(() => 'directory_user'), ...entries.map(() => 'entry')]
  const ids = [...directoryUsers, ...entries].map((subject) => subject.id)
  const rows = await scope.tx.query<ConflictRow>(conflictsOf, [scope.tenant, organizationId, kinds, ids])
  return rows.map(({ subjectKind, subjectId, ...row }) => ({ ...row, subject: { kind: subjectKind, id: subjectId } }))
}
