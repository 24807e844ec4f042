// The audit trail: who did what, through which door, and because of what. Entries are written in
// the transaction of the change they tell of, by use cases and by applying a plan alike; nothing
// changes them afterwards (a trigger refuses it). Reading them is the admin door's.

import type { Uuid } from '../model/ids.ts'
import type { Scope } from './scope.ts'

/** What was done; the actor, the door, the time and the id come from the scope. */
export interface Audit {
  /** Null: something of the tenant itself. */
  readonly organizationId: Uuid | null
  /** `subject.verb` in the past tense, e.g. `directory_user.created`. */
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: Uuid
  /** Only what differs, and never a secret. */
  readonly before?: AuditState | null
  readonly after?: AuditState | null
  /** The entry of what led to this. */
  readonly causeId?: Uuid | null
}

export type AuditState = Readonly<Record<string, unknown>>

const insertAudits = {
  name: 'insert_audit_entries',
  text: `INSERT INTO audit_entries
      (tenant_id, id, organization_id, at, actor, door, action, subject_kind, subject_id, before, after, cause_id)
    SELECT $1::uuid, id, organization_id, $2::timestamptz, $3::text, $4::text, action, subject_kind, subject_id,
      before::jsonb, after::jsonb, cause_id
    FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::uuid[])
      AS entry (id, organization_id, action, subject_kind, subject_id, before, after, cause_id)`,
}

/** Writes one entry in the caller's transaction and answers its id, the `causeId` of what follows from it. */
export async function writeAudit(scope: Scope, audit: Audit): Promise<Uuid> {
  const [id] = await writeAudits(scope, [audit])
  if (id === undefined) throw new Error('an audit entry without an id')
  return id
}

/** Writes any number of entries with one statement, in the caller's transaction; the ids stand in the order given. */
export async function writeAudits(scope: Scope, audits: readonly Audit[]): Promise<Uuid[]> {
  if (audits.length === 0) return []
  const ids = audits.map(() => scope.newId())
  await scope.tx.query(insertAudits, [
    scope.tenant,
    scope.now,
    scope.actor.id,
    scope.actor.door,
    ids,
    audits.map((audit) => audit.organizationId),
    audits.map((audit) => audit.action),
    audits.map((audit) => audit.subjectKind),
    audits.map((audit) => audit.subjectId),
    audits.map((audit) => json(audit.before)),
    audits.map((audit) => json(audit.after)),
    audits.map((audit) => audit.causeId ?? null),
  ])
  return ids
}

function json(state: AuditState | null | undefined): string | null {
  return state === undefined || state === null ? null : JSON.stringify(state)
}
