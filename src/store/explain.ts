// What stands behind a member: what directories said of the person, the other ways in, the mappings that gave
// something, and the audit entries of it all with what caused them. Putting it together is organization/explain-member.ts.

import type { Uuid } from '../model/ids.ts'
import type { Scope } from './scope.ts'

export interface DirectoryWord {
  readonly id: Uuid
  readonly directory: { readonly id: Uuid; readonly name: string; readonly state: string }
  readonly userName: string
  readonly active: boolean
  readonly deletedAt: Date | null
  /** The rule by which it was linked to this person. */
  readonly rule: string
  readonly groups: readonly { readonly id: Uuid; readonly displayName: string }[]
}

const directoryWords = {
  name: 'admin_explain_directory_users',
  text: `SELECT fact.id, jsonb_build_object('id', d.id, 'name', d.name, 'state', d.state) AS directory,
      fact.user_name AS "userName", fact.active, fact.deleted_at AS "deletedAt", link.rule,
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', g.id, 'displayName', g.display_name) ORDER BY g.display_name)
        FROM directory_group_members gm
        JOIN directory_groups g ON g.tenant_id = gm.tenant_id AND g.id = gm.group_id AND g.deleted_at IS NULL
        WHERE gm.tenant_id = fact.tenant_id AND gm.directory_user_id = fact.id), '[]') AS groups
    FROM directory_links link
    JOIN directory_users fact ON fact.tenant_id = link.tenant_id AND fact.id = link.directory_user_id
    JOIN directories d ON d.tenant_id = fact.tenant_id AND d.id = fact.directory_id
    WHERE link.tenant_id = $1::uuid AND link.organization_id = $2::uuid AND link.user_id = $3::uuid
    ORDER BY fact.id`,
}

/** The directory users that turned out to be this person, tombstones too. */
export async function listDirectoryWords(scope: Scope, organizationId: Uuid, userId: Uuid): Promise<DirectoryWord[]> {
  return scope.tx.query<DirectoryWord>(directoryWords, [scope.tenant, organizationId, userId])
}

export interface EntryWord {
  readonly id: Uuid
  readonly kind: 'sso' | 'domain' | 'invitation' | 'manual' | 'personal'
  readonly email: string | null
  readonly connection: { readonly id: Uuid; readonly name: string } | null
  readonly joinRule: { readonly id: Uuid; readonly domain: string } | null
  readonly invitationId: Uuid | null
  readonly claimValues: readonly string[]
  readonly createdAt: Date
  readonly withdrawnAt: Date | null
}

const entryWords = {
  name: 'admin_explain_entries',
  text: `SELECT e.id, e.kind, coalesce(e.email, i.email) AS email,
      CASE WHEN c.id IS NOT NULL THEN jsonb_build_object('id', c.id, 'name', c.name) END AS connection,
      CASE WHEN j.id IS NOT NULL THEN jsonb_build_object('id', j.id, 'domain', d.name) END AS "joinRule",
      e.invitation_id AS "invitationId", coalesce(e.claim_values, '{}') AS "claimValues",
      e.created_at AS "createdAt", e.withdrawn_at AS "withdrawnAt"
    FROM (
      SELECT id FROM entries
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND user_id = $3::uuid
      UNION
      SELECT own.id FROM identities known JOIN entries own ON own.tenant_id = $1::uuid AND own.identity_id = known.id
      WHERE known.tenant_id = $1::uuid AND known.user_id = $3::uuid AND own.organization_id = $2::uuid) AS named
    JOIN entries e ON e.tenant_id = $1::uuid AND e.id = named.id
    LEFT JOIN identities i ON i.tenant_id = e.tenant_id AND i.id = e.identity_id
    LEFT JOIN connections c ON c.tenant_id = e.tenant_id AND c.id = e.connection_id
    LEFT JOIN join_rules j ON j.tenant_id = e.tenant_id AND j.id = e.join_rule_id
    LEFT JOIN domains d ON d.tenant_id = j.tenant_id AND d.id = j.domain_id
    ORDER BY e.id`,
}

/** The other ways in that this person has or had. */
export async function listEntryWords(scope: Scope, organizationId: Uuid, userId: Uuid): Promise<EntryWord[]> {
  return scope.tx.query<EntryWord>(entryWords, [scope.tenant, organizationId, userId])
}

export interface HeldWord {
  readonly planId: Uuid
  readonly kind: 'deactivate' | 'remove' | 'demote'
  readonly why: string
  readonly state: string
  readonly createdAt: Date
}

const heldWords = {
  name: 'admin_explain_held_changes',
  text: `SELECT plan_id AS "planId", kind, why, state, created_at AS "createdAt" FROM held_changes
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND member_id = $3::uuid AND state = 'held'
    ORDER BY created_at, id`,
}

/** What is to happen to the member and waits for an admin. */
export async function listHeldWords(scope: Scope, organizationId: Uuid, memberId: Uuid): Promise<HeldWord[]> {
  return scope.tx.query<HeldWord>(heldWords, [scope.tenant, organizationId, memberId])
}

export interface AuditRow {
  readonly id: Uuid
  readonly at: Date
  readonly actor: string
  readonly door: string
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: Uuid
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly causeId: Uuid | null
}

const auditColumns = (table: string) => `${table}.id, ${table}.at, ${table}.actor, ${table}.door, ${table}.action,
  ${table}.subject_kind AS "subjectKind", ${table}.subject_id AS "subjectId", ${table}.before, ${table}.after,
  ${table}.cause_id AS "causeId"`

/** UNION drops what was seen, so the walk along the causes ends; the depth bounds it as well. */
const auditChains = {
  name: 'admin_explain_audit',
  text: `WITH RECURSIVE chain AS (
      SELECT latest.id, latest.cause_id, 0 AS depth
      FROM unnest($2::uuid[]) AS subject (id)
      CROSS JOIN LATERAL (
        SELECT a.id, a.cause_id FROM audit_entries a
        WHERE a.tenant_id = $1::uuid AND a.subject_id = subject.id ORDER BY a.id DESC LIMIT $3::int) AS latest
      UNION
      SELECT cause.id, cause.cause_id, chain.depth + 1
      FROM chain JOIN audit_entries cause ON cause.tenant_id = $1::uuid AND cause.id = chain.cause_id
      WHERE chain.depth < 8)
    SELECT ${auditColumns('entry')}
    FROM (SELECT DISTINCT id FROM chain) AS found
    JOIN audit_entries entry ON entry.tenant_id = $1::uuid AND entry.id = found.id
    ORDER BY entry.id DESC`,
}

/** The latest entries about each of these subjects and, whatever they are about, those that caused them; newest first. */
export async function listAuditChains(
  scope: Scope,
  subjects: readonly Uuid[],
  perSubject: number,
): Promise<AuditRow[]> {
  if (subjects.length === 0) return []
  return scope.tx.query<AuditRow>(auditChains, [scope.tenant, [...new Set(subjects)], perSubject])
}

// The index on (tenant, organization, id) serves both, but not one statement for both.
const trail = (name: string, whose: string) => ({
  name,
  text: `SELECT ${auditColumns('a')} FROM audit_entries a
    WHERE a.tenant_id = $1::uuid AND ${whose} AND ($3::uuid IS NULL OR a.id < $3::uuid)
      AND ($4::uuid IS NULL OR a.subject_id = $4::uuid) AND ($5::text IS NULL OR a.action = $5::text)
    ORDER BY a.id DESC LIMIT $6::int`,
})
const organizationTrail = trail('admin_list_audit', 'a.organization_id = $2::uuid')
const tenantTrail = trail('admin_list_tenant_audit', 'a.organization_id IS NULL AND $2::uuid IS NULL')

/** The audit trail of an organization, or what belongs to none of them (null); newest first. */
export async function listAudit(
  scope: Scope,
  organizationId: Uuid | null,
  filter: { readonly subject?: Uuid | undefined; readonly action?: string | undefined },
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<AuditRow[]> {
  const { subject = null, action = null } = filter
  const values = [scope.tenant, organizationId, page.after ?? null, subject, action, page.limit]
  return scope.tx.query<AuditRow>(organizationId === null ? tenantTrail : organizationTrail, values)
}

export interface EventRow {
  readonly id: number
  readonly type: string
  readonly subjectId: Uuid
  readonly payload: Readonly<Record<string, unknown>>
  readonly at: Date
}

/** The id is a bigint and stays below 2^53 for longer than anybody counts. */
const feed = {
  name: 'admin_list_events',
  text: `SELECT id::float8 AS id, type, subject_id AS "subjectId", payload, at FROM events
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id > $3::bigint ORDER BY id LIMIT $4::int`,
}

/** What happened in an organization, oldest first. */
export async function listEvents(
  scope: Scope,
  organizationId: Uuid,
  page: { readonly after: number | undefined; readonly limit: number },
): Promise<EventRow[]> {
  return scope.tx.query<EventRow>(feed, [scope.tenant, organizationId, page.after ?? 0, page.limit])
}
