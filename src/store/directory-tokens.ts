// Directories as the SCIM door meets them: who a bearer token speaks for, and when it was last
// heard of. Making and revoking tokens is the admin's (organization/). What a directory says about
// people is in directory-users.ts and directory-groups.ts.

import type pg from 'pg'
import type { Uuid } from '../model/ids.ts'
import type { DirectoryState } from '../model/words.ts'
import type { Scope } from './scope.ts'

/** The directory that store functions work in; its tenant is the scope's. */
export interface DirectoryRef {
  readonly id: Uuid
  readonly organizationId: Uuid
}

/** A token that exists, and the state of what it belongs to. Whether it may be used is the use case's to say. */
export interface DirectoryToken {
  readonly id: Uuid
  readonly tenant: Uuid
  readonly directoryId: Uuid
  readonly organizationId: Uuid
  readonly directoryState: DirectoryState
  readonly organizationActive: boolean
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

const findToken = {
  name: 'find_directory_token',
  text: `SELECT t.id, t.tenant_id AS "tenant", t.directory_id AS "directoryId", d.organization_id AS "organizationId",
      d.state AS "directoryState", o.status = 'active' AS "organizationActive",
      t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt"
    FROM directory_tokens t
    JOIN directories d ON d.tenant_id = t.tenant_id AND d.id = t.directory_id
    JOIN organizations o ON o.tenant_id = d.tenant_id AND o.id = d.organization_id
    WHERE t.hash = $1::bytea`,
}

/** The token with this hash (bearer-token.ts). It takes the pool and no scope: who asks, and of which tenant, is what it finds out. */
export async function findDirectoryToken(pool: pg.Pool, hash: Uint8Array): Promise<DirectoryToken | undefined> {
  const { rows } = await pool.query<DirectoryToken>({ ...findToken, values: [hash] })
  return rows[0]
}

// The state is read under the row lock: of two processes that hear a new directory first, one says so.
const recordContact = {
  name: 'record_directory_contact',
  text: `WITH before AS (
      SELECT id, organization_id, state FROM directories
      WHERE tenant_id = $1::uuid AND id = $3::uuid
      FOR NO KEY UPDATE
    ), used AS (
      UPDATE directory_tokens SET last_used_at = $4::timestamptz WHERE tenant_id = $1::uuid AND id = $2::uuid
    ), heard AS (
      UPDATE directories d SET last_contact_at = $4::timestamptz,
        first_contact_at = coalesce(d.first_contact_at, $4::timestamptz),
        state = CASE d.state WHEN 'pending' THEN 'active' ELSE d.state END
      FROM before WHERE d.tenant_id = $1::uuid AND d.id = before.id
    ), requested AS (
      INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, cause_id, requested_at)
      SELECT $1::uuid, e.organization_id, 'entry', e.id, $5::uuid, $4::timestamptz
      FROM before JOIN entries e ON e.tenant_id = $1::uuid AND e.organization_id = before.organization_id
      WHERE before.state = 'pending' AND e.kind IN ('sso', 'domain')
    )
    INSERT INTO audit_entries
      (tenant_id, id, organization_id, at, actor, door, action, subject_kind, subject_id, before, after)
    SELECT $1::uuid, $5::uuid, organization_id, $4::timestamptz, $6::text, $7::text, 'directory.activated', 'directory',
      id, '{"state": "pending"}', '{"state": "active"}'
    FROM before WHERE state = 'pending'
    RETURNING organization_id AS "organizationId"`,
}

/**
 * Notes that a directory was heard of through a token now. The first time makes a pending directory active: from then
 * on it governs, so every login and sign-up of the organization is looked at again. One statement.
 */
export async function recordDirectoryContact(scope: Scope, tokenId: Uuid, directoryId: Uuid): Promise<void> {
  const { tenant, now, actor } = scope
  const values = [tenant, tokenId, directoryId, now, scope.newId(), actor.id, actor.door]
  const [activated] = await scope.tx.query<{ organizationId: Uuid }>(recordContact, values)
  if (activated !== undefined) scope.touched.add(activated.organizationId, false)
}
