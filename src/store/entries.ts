// Entries that people make themselves by proving who they are: a way into an organization by SSO, by a
// verified domain, or into an organization of their own. A fact; member and grants follow from it in the
// reconciler. Entries by an admin's word or an invitation are written by those use cases.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

/** One entry is one row for each of these. */
export interface EntryKey {
  readonly organizationId: Uuid
  readonly identityId: Uuid
  readonly kind: 'sso' | 'domain' | 'personal'
  readonly connectionId: Uuid | null
  readonly joinRuleId: Uuid | null
}

export interface StoredEntry {
  readonly id: Uuid
  readonly organizationId: Uuid
  readonly claimValues: readonly string[]
  readonly createdAt: Date
  /** Reconciled as it stands. */
  readonly observed: boolean
  readonly withdrawn: boolean
}

const columns = {
  id: true,
  organizationId: true,
  claimValues: true,
  createdAt: true,
  generation: true,
  observedGeneration: true,
  withdrawnAt: true,
} as const

export async function findEntry(scope: Scope<OrmTx>, key: EntryKey): Promise<StoredEntry | undefined> {
  const row = await scope.tx.orm.entry.findFirst({ where: { tenantId: scope.tenant, ...key }, select: columns })
  return row === null ? undefined : fromRow(row)
}

/** The entry into an organization of one's own, or the default one, that an earlier sign-up made. */
export async function findPersonalEntry(scope: Scope<OrmTx>, identityId: Uuid): Promise<StoredEntry | undefined> {
  const where = { tenantId: scope.tenant, identityId, kind: 'personal' }
  const row = await scope.tx.orm.entry.findFirst({ where, select: columns, orderBy: { id: 'asc' } })
  return row === null ? undefined : fromRow(row)
}

function fromRow(row: {
  id: Uuid
  organizationId: Uuid
  claimValues: string[]
  createdAt: Date
  generation: number
  observedGeneration: number
  withdrawnAt: Date | null
}): StoredEntry {
  const { id, organizationId, claimValues, createdAt, generation, observedGeneration, withdrawnAt } = row
  const observed = observedGeneration === generation
  return { id, organizationId, claimValues, createdAt, observed, withdrawn: withdrawnAt !== null }
}

const upsert = {
  name: 'upsert_entry',
  text: `INSERT INTO entries (tenant_id, id, organization_id, kind, identity_id, connection_id, join_rule_id,
      role_id, claim_values, created_at, updated_at)
    VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::uuid, $6::uuid, $7::uuid,
      $8::uuid, COALESCE($9::text[], '{}'), $10::timestamptz, $10::timestamptz)
    ON CONFLICT (tenant_id, organization_id, identity_id, kind, connection_id, join_rule_id)
      WHERE identity_id IS NOT NULL
    DO UPDATE SET claim_values = COALESCE($9::text[], entries.claim_values),
      generation = entries.generation + 1, updated_at = EXCLUDED.updated_at
    RETURNING id`,
}

/**
 * Makes the entry or says it again, which raises its generation. `claimValues` undefined: the login said
 * nothing of groups, so what an earlier one said stays. `roleId` counts only when the entry is made.
 */
export async function upsertEntry(
  scope: Scope,
  key: EntryKey,
  values: { readonly claimValues?: readonly string[]; readonly roleId?: Uuid },
): Promise<Uuid> {
  const [row] = await scope.tx.query<{ id: Uuid }>(upsert, [
    scope.tenant,
    scope.newId(),
    key.organizationId,
    key.kind,
    key.identityId,
    key.connectionId,
    key.joinRuleId,
    values.roleId ?? null,
    values.claimValues ?? null,
    scope.now,
  ])
  if (row === undefined) throw new Error('an entry without a row')
  return row.id
}
