// What every write of a directory's facts carries in the same statement: its audit entry and the
// reconcile requests of the people it touched. As pieces of SQL, because one statement is one round
// trip and one transaction; audit.ts and outbox.ts write the same rows by themselves.

import type { DirectoryRef } from './directory-tokens.ts'
import type { Scope } from './scope.ts'

/** Parameters $1 to $7 of every statement that is made with these pieces. A statement's own start at $8. */
export function changeValues(scope: Scope, directory: DirectoryRef): readonly unknown[] {
  const { tenant, now, actor } = scope
  return [tenant, directory.organizationId, directory.id, now, actor.id, actor.door, scope.newId()]
}

interface AuditSource {
  /** A CTE with one row and a column `id`, or none when nothing happened. */
  readonly from: string
  readonly action: string
  readonly subjectKind: 'directory_user' | 'directory_group'
  /** SQL of type jsonb. */
  readonly before?: string
  readonly after?: string
}

/** SQL that writes one audit entry, with the id $7. */
export function auditSql({ from, action, subjectKind, before = 'NULL', after = 'NULL' }: AuditSource): string {
  return `INSERT INTO audit_entries
      (tenant_id, id, organization_id, at, actor, door, action, subject_kind, subject_id, before, after)
    SELECT $1::uuid, $7::uuid, $2::uuid, $4::timestamptz, $5::text, $6::text, '${action}', '${subjectKind}', id,
      ${before}, ${after} FROM ${from}`
}

/** SQL that asks for each directory user in the one column of `users` to be reconciled, because of audit entry $7. */
export function requestSql(users: string): string {
  return `INSERT INTO reconcile_requests
      (tenant_id, organization_id, subject_kind, subject_id, cause_id, requested_at)
    SELECT $1::uuid, $2::uuid, 'directory_user', subject.id, $7::uuid, $4::timestamptz
    FROM (${users}) AS subject (id)`
}

/**
 * SQL: the live row of an id. Only tenant and id are there to search by, which leaves the primary key; the rest is
 * checked on the row. With all of it PostgreSQL has five indexes to choose from that begin with tenant and directory,
 * and while it has no statistics, as during a first push, it reads a whole one for a single row.
 */
export function liveRowSql(alias: string, directory: string, id: string): string {
  return `${alias}.tenant_id = $1::uuid AND ${alias}.id = ${id}
    AND (${alias}.directory_id = ${directory} AND ${alias}.deleted_at IS NULL) IS TRUE`
}
