// Entries of a slice, the ways in other than a directory, with the identity and rule behind each.
// An identity belongs to the tenant: two organizations may be about to link the same one, so those
// that are not linked yet are locked before they are read.

import type { Uuid } from '../../model/ids.ts'
import type { EntryKind } from '../../model/words.ts'
import type { EntryFacts, IdentityFacts } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'
import { addressOf, spellingsOf } from './addresses.ts'
import type { Ties } from './directory-users.ts'

interface EntryRow {
  readonly id: Uuid
  readonly kind: EntryKind
  readonly connectionId: Uuid | null
  readonly ownConnection: boolean
  readonly invitationId: Uuid | null
  readonly userId: Uuid | null
  readonly email: string | null
  readonly displayName: string | null
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
  readonly claimValues: string[]
  readonly createdAt: Date
  readonly generation: number
  readonly observedGeneration: number
  readonly withdrawn: boolean
  readonly ruleId: Uuid | null
  readonly ruleDomain: string
  readonly ruleRoleId: Uuid | null
  readonly ruleUnitId: Uuid | null
  readonly ruleLive: boolean
  readonly identityId: Uuid | null
  readonly identityKind: IdentityFacts['kind']
  readonly identityUserId: Uuid | null
  readonly identityEmail: string | null
  readonly identityEmailVerified: boolean
  readonly identityDisplayName: string | null
  readonly identityGivenName: string | null
  readonly identityFamilyName: string | null
}

/** FOR NO KEY UPDATE and in the order of ids: a login that adds an entry does not wait, and two slices meet in one order. */
const lockUnlinked = {
  name: 'snapshot_lock_identities',
  text: `SELECT identity.id FROM entries JOIN identities AS identity
      ON identity.tenant_id = $1::uuid AND identity.id = entries.identity_id
    WHERE entries.tenant_id = $1::uuid AND entries.organization_id = $2::uuid AND entries.id = ANY ($3::uuid[])
      AND identity.user_id IS NULL
    ORDER BY identity.id FOR NO KEY UPDATE OF identity`,
}

async function lockIdentities(scope: Scope, organizationId: Uuid, entryIds: readonly Uuid[]): Promise<void> {
  await scope.tx.query(lockUnlinked, [scope.tenant, organizationId, entryIds])
}

/** The rule's own reading: a domain in grace keeps those who came in; whether it lets in more is the door's to ask. */
const entries = {
  name: 'snapshot_entries',
  text: `SELECT entry.id, entry.kind, entry.connection_id AS "connectionId",
      coalesce(connection.organization_id = $2::uuid, false) AS "ownConnection",
      entry.invitation_id AS "invitationId", entry.user_id AS "userId", entry.email,
      entry.display_name AS "displayName", entry.role_id AS "roleId", entry.unit_id AS "unitId",
      coalesce(entry.claim_values, '{}') AS "claimValues", entry.created_at AS "createdAt", entry.generation,
      entry.observed_generation AS "observedGeneration", entry.withdrawn_at IS NOT NULL AS withdrawn,
      rule.id AS "ruleId", coalesce(domain.name, '') AS "ruleDomain", rule.role_id AS "ruleRoleId",
      rule.unit_id AS "ruleUnitId",
      coalesce(rule.enabled AND domain.status IN ('verified', 'grace'), false) AS "ruleLive",
      identity.id AS "identityId", identity.kind AS "identityKind", identity.user_id AS "identityUserId",
      identity.email AS "identityEmail", coalesce(identity.email_verified, false) AS "identityEmailVerified",
      identity.display_name AS "identityDisplayName", identity.given_name AS "identityGivenName",
      identity.family_name AS "identityFamilyName"
    FROM unnest($3::uuid[]) AS named (id)
    JOIN entries AS entry
      ON entry.tenant_id = $1::uuid AND entry.id = named.id AND entry.organization_id = $2::uuid
    LEFT JOIN identities AS identity ON identity.tenant_id = $1::uuid AND identity.id = entry.identity_id
    LEFT JOIN connections AS connection ON connection.tenant_id = $1::uuid AND connection.id = entry.connection_id
    LEFT JOIN join_rules AS rule ON rule.tenant_id = $1::uuid AND rule.id = entry.join_rule_id
    LEFT JOIN domains AS domain ON domain.tenant_id = $1::uuid AND domain.id = rule.domain_id`,
}

/** The entries with these ids; no other organization can link their identities until the transaction ends. */
export async function loadEntries(scope: Scope, organizationId: Uuid, ids: readonly Uuid[]): Promise<EntryFacts[]> {
  if (ids.length === 0) return []
  await lockIdentities(scope, organizationId, ids)
  const rows = await scope.tx.query<EntryRow>(entries, [scope.tenant, organizationId, ids])
  return rows.map(toFacts)
}

const tiedEntries = {
  name: 'snapshot_tied_entries',
  text: `SELECT id FROM entries
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND user_id = ANY ($3::uuid[])
    UNION SELECT subject_id FROM conflicts
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND candidate_user_id = ANY ($3::uuid[])
      AND state IN ('open', 'linked') AND subject_kind = 'entry' AND $6::boolean
    UNION SELECT id FROM entries
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND email IS NOT NULL AND lower(email) = ANY ($4::text[])
    UNION SELECT entry.id FROM (
        SELECT unnest($5::uuid[]) AS id
        UNION SELECT id FROM identities WHERE tenant_id = $1::uuid AND user_id = ANY ($3::uuid[])
        UNION SELECT id FROM identities
        WHERE tenant_id = $1::uuid AND email IS NOT NULL AND lower(email) = ANY ($4::text[])) AS identity
      JOIN entries AS entry ON entry.tenant_id = $1::uuid AND entry.identity_id = identity.id
    WHERE entry.organization_id = $2::uuid`,
}

/** Ids of the entries that are of these users or identities, wait in a conflict about the users, or have one of these addresses. */
export async function findEntries(
  scope: Scope,
  organizationId: Uuid,
  ties: Ties & { readonly identityIds: readonly Uuid[] },
): Promise<Uuid[]> {
  const { userIds, addresses, identityIds, conflicts } = ties
  if (userIds.length + addresses.length + identityIds.length === 0) return []
  const values = [scope.tenant, organizationId, userIds, spellingsOf(addresses), identityIds, conflicts]
  const rows = await scope.tx.query<{ id: Uuid }>(tiedEntries, values)
  return rows.map((row) => row.id)
}

function toFacts(row: EntryRow): EntryFacts {
  const { id, kind, connectionId, ownConnection, invitationId, userId, roleId, unitId, claimValues } = row
  const { createdAt, generation, observedGeneration, withdrawn, displayName } = row
  return {
    ...{ id, kind, connectionId, ownConnection, invitationId, userId, roleId, unitId, claimValues },
    ...{ createdAt, generation, observedGeneration, withdrawn },
    profile: { email: addressOf(row.email), displayName, givenName: null, familyName: null },
    identity: identityOf(row),
    joinRule: ruleOf(row),
  }
}

function identityOf(row: EntryRow): IdentityFacts | null {
  if (row.identityId === null) return null
  return {
    id: row.identityId,
    kind: row.identityKind,
    userId: row.identityUserId,
    emailVerified: row.identityEmailVerified,
    profile: {
      email: addressOf(row.identityEmail),
      displayName: row.identityDisplayName,
      givenName: row.identityGivenName,
      familyName: row.identityFamilyName,
    },
  }
}

function ruleOf(row: EntryRow): EntryFacts['joinRule'] {
  if (row.ruleId === null) return null
  return {
    id: row.ruleId,
    domain: row.ruleDomain,
    roleId: row.ruleRoleId,
    unitId: row.ruleUnitId,
    live: row.ruleLive,
  }
}
