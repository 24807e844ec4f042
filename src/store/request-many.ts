// Asks for many subjects at once to be reconciled, chosen by what an admin changed and never carried through the
// program: one INSERT … SELECT each, in the caller's transaction. Single subjects are outbox.ts's.

import type { Uuid } from '../model/ids.ts'
import type { SubjectKind } from '../model/words.ts'
import type { Scope, Statement } from './scope.ts'

/** `subjects`: SELECTs one column of ids, with parameters from $5 on. */
function requesting(name: string, kind: SubjectKind, subjects: string): Statement {
  return {
    name: `admin_request_${name}`,
    text: `WITH requested AS (
        INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, cause_id, requested_at)
        SELECT $1::uuid, $2::uuid, '${kind}', subject.id, $3::uuid, $4::timestamptz FROM (${subjects}) AS subject (id)
        RETURNING 1)
      SELECT count(*)::int AS count FROM requested`,
  }
}

async function request(
  scope: Scope,
  statement: Statement,
  organizationId: Uuid,
  causeId: Uuid,
  values: readonly unknown[] = [],
): Promise<number> {
  const parameters = [scope.tenant, organizationId, causeId, scope.now, ...values]
  const [row] = await scope.tx.query<{ count: number }>(statement, parameters)
  const count = row?.count ?? 0
  if (count > 0) scope.touched.add(organizationId, false)
  return count
}

const groupUsers = requesting(
  'group_users',
  'directory_user',
  `SELECT directory_user_id FROM directory_group_members
    WHERE tenant_id = $1::uuid AND group_id = $5::uuid AND directory_user_id IS NOT NULL`,
)

/** Every directory user in a group of the organization; answers how many. */
export async function requestGroupUsers(
  scope: Scope,
  organizationId: Uuid,
  groupId: Uuid,
  causeId: Uuid,
): Promise<number> {
  return request(scope, groupUsers, organizationId, causeId, [groupId])
}

const claimEntries = requesting(
  'claim_entries',
  'entry',
  `SELECT id FROM entries
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND connection_id = $5::uuid AND kind = 'sso'
      AND $6::text = ANY (claim_values)`,
)

/** Every login into the organization through this connection that said this value. */
export async function requestClaimEntries(
  scope: Scope,
  organizationId: Uuid,
  claim: { readonly connectionId: Uuid; readonly value: string },
  causeId: Uuid,
): Promise<number> {
  return request(scope, claimEntries, organizationId, causeId, [claim.connectionId, claim.value])
}

const directoryUsers = requesting(
  'directory_users',
  'directory_user',
  `SELECT id FROM directory_users
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND directory_id = $5::uuid`,
)

/** Every user of a directory, tombstones too. */
export async function requestDirectoryUsers(
  scope: Scope,
  organizationId: Uuid,
  directoryId: Uuid,
  causeId: Uuid,
): Promise<number> {
  return request(scope, directoryUsers, organizationId, causeId, [directoryId])
}

const provedEntries = requesting(
  'proved_entries',
  'entry',
  `SELECT id FROM entries
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND kind IN ('sso', 'domain')`,
)

/** Every login and sign-up: what they count for depends on whether a directory governs. */
export async function requestProvedEntries(scope: Scope, organizationId: Uuid, causeId: Uuid): Promise<number> {
  return request(scope, provedEntries, organizationId, causeId)
}

const ruleEntries = requesting(
  'rule_entries',
  'entry',
  `SELECT id FROM entries WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND join_rule_id = $5::uuid`,
)

/** Everybody who came in by a join rule. */
export async function requestRuleEntries(
  scope: Scope,
  organizationId: Uuid,
  joinRuleId: Uuid,
  causeId: Uuid,
): Promise<number> {
  return request(scope, ruleEntries, organizationId, causeId, [joinRuleId])
}

const roleMembers = requesting(
  'role_members',
  'member',
  `SELECT id FROM members
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND role_id = $5::uuid AND status <> 'removed'`,
)

/** Every member whose effective role this is. */
export async function requestRoleMembers(
  scope: Scope,
  organizationId: Uuid,
  roleId: Uuid,
  causeId: Uuid,
): Promise<number> {
  return request(scope, roleMembers, organizationId, causeId, [roleId])
}

const allDirectoryUsers = requesting(
  'all_directory_users',
  'directory_user',
  'SELECT id FROM directory_users WHERE tenant_id = $1::uuid AND organization_id = $2::uuid',
)
const allEntries = requesting(
  'all_entries',
  'entry',
  'SELECT id FROM entries WHERE tenant_id = $1::uuid AND organization_id = $2::uuid',
)
const wholeOrganization = requesting('organization', 'organization', 'SELECT $2::uuid')

/** Every fact of the organization, and the organization itself. */
export async function requestEverything(scope: Scope, organizationId: Uuid, causeId: Uuid): Promise<number> {
  let count = 0
  for (const statement of [allDirectoryUsers, allEntries, wholeOrganization]) {
    count += await request(scope, statement, organizationId, causeId)
  }
  return count
}
