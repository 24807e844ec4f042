// An organization at a glance: how many members of which status, role, unit and source, and the first of them. Counted
// by the database in one statement.

import type { Uuid } from '../model/ids.ts'
import type { Scope } from './scope.ts'

export interface Tally {
  readonly name: string
  readonly members: number
}

export interface Tallies {
  /** By effective role of active members, the strongest first. */
  readonly roles: readonly Tally[]
  /** Members who are not removed, by team, department and location. */
  readonly units: readonly (Tally & { readonly kind: string })[]
  /** Members who are not removed, by the way in that made them. */
  readonly sources: readonly Tally[]
}

const tallies = {
  name: 'admin_tally_members',
  text: `SELECT
      coalesce((SELECT jsonb_agg(jsonb_build_object('name', name, 'members', members) ORDER BY rank DESC, name) FROM (
        SELECT r.name, r.rank, count(*)::int AS members FROM members m
        JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
        WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid AND m.status = 'active'
        GROUP BY r.id, r.name, r.rank) AS by_role), '[]') AS roles,
      coalesce((SELECT jsonb_agg(jsonb_build_object('name', name, 'kind', kind, 'members', members) ORDER BY kind, name)
        FROM (
          SELECT u.name, u.kind, (SELECT count(DISTINCT g.member_id)::int FROM grants g
            JOIN members m ON m.tenant_id = g.tenant_id AND m.id = g.member_id AND m.status <> 'removed'
            WHERE g.tenant_id = u.tenant_id AND g.unit_id = u.id) AS members
          FROM units u WHERE u.tenant_id = $1::uuid AND u.organization_id = $2::uuid) AS by_unit), '[]') AS units,
      coalesce((SELECT jsonb_agg(jsonb_build_object('name', source, 'members', members) ORDER BY members DESC, source)
        FROM (
          SELECT source, count(*)::int AS members FROM members
          WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND status <> 'removed'
          GROUP BY source) AS by_source), '[]') AS sources`,
}

export async function tallyMembers(scope: Scope, organizationId: Uuid): Promise<Tallies> {
  const [row] = await scope.tx.query<Tallies>(tallies, [scope.tenant, organizationId])
  return row ?? { roles: [], units: [], sources: [] }
}

export interface ConflictView {
  readonly id: Uuid
  readonly subjectKind: 'directory_user' | 'entry'
  readonly subjectId: Uuid
  /** How the newcomer calls themselves. */
  readonly subject: { readonly email: string | null; readonly displayName: string | null } | null
  readonly candidate: { readonly userId: Uuid; readonly email: string | null; readonly displayName: string | null }
  readonly reason: string
  readonly createdAt: Date
}

const conflicts = {
  name: 'admin_list_conflicts',
  text: `SELECT c.id, c.subject_kind AS "subjectKind", c.subject_id AS "subjectId",
      CASE c.subject_kind
        WHEN 'directory_user' THEN (
          SELECT jsonb_build_object('email', coalesce(f.email, f.user_name), 'displayName', f.display_name)
          FROM directory_users f WHERE f.tenant_id = c.tenant_id AND f.id = c.subject_id)
        ELSE (
          SELECT jsonb_build_object('email', coalesce(i.email, e.email),
            'displayName', coalesce(i.display_name, e.display_name))
          FROM entries e LEFT JOIN identities i ON i.tenant_id = e.tenant_id AND i.id = e.identity_id
          WHERE e.tenant_id = c.tenant_id AND e.id = c.subject_id) END AS subject,
      jsonb_build_object('userId', u.id, 'email', u.email, 'displayName', u.display_name) AS candidate,
      c.reason, c.created_at AS "createdAt"
    FROM conflicts c JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.candidate_user_id
    WHERE c.tenant_id = $1::uuid AND c.organization_id = $2::uuid AND c.state = 'open'
      AND ($3::uuid IS NULL OR c.id > $3::uuid)
    ORDER BY c.id LIMIT $4::int`,
}

/** Open ones: people who look like somebody known and were not linked. */
export async function listConflicts(
  scope: Scope,
  organizationId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<ConflictView[]> {
  return scope.tx.query<ConflictView>(conflicts, [scope.tenant, organizationId, page.after ?? null, page.limit])
}
