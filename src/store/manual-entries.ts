// Manual entries: an admin's word that somebody belongs to an organization, or has a role or a unit there. One that
// names a person by address is a way in; one that names a user adds to what they are.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface NewManualEntry {
  readonly organizationId: Uuid
  /** At least one of user and e-mail. */
  readonly userId: Uuid | null
  readonly email: string | null
  readonly displayName: string | null
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
}

/** Two live ones that say the same of a user meet a unique index. */
export async function insertManualEntry(scope: Scope<OrmTx>, entry: NewManualEntry): Promise<Uuid> {
  const id = scope.newId()
  const { tenant: tenantId, now } = scope
  await scope.tx.orm.entry.create({
    data: { tenantId, id, kind: 'manual', ...entry, createdAt: now, updatedAt: now },
    select: { id: true },
  })
  return id
}

export interface ManualEntryRow {
  readonly id: Uuid
  readonly userId: Uuid | null
  readonly email: string | null
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
}

const columns = { id: true, userId: true, email: true, roleId: true, unitId: true } as const

/** A live one, by id; null for any other entry. */
export async function findManualEntry(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  id: Uuid,
): Promise<ManualEntryRow | null> {
  return scope.tx.orm.entry.findFirst({
    where: { tenantId: scope.tenant, organizationId, id, kind: 'manual', withdrawnAt: null },
    select: columns,
  })
}

/** Ends an entry. It stays, so that what came of it can be explained. */
export async function withdrawManualEntry(scope: Scope<OrmTx>, id: Uuid): Promise<void> {
  await scope.tx.orm.entry.update({
    where: { tenantId_id: { tenantId: scope.tenant, id } },
    data: { withdrawnAt: scope.now, updatedAt: scope.now, generation: { increment: 1 } },
    select: { id: true },
  })
}

/** Leaves an entry a way in and takes the role or the unit out of it. */
export async function reduceManualEntry(scope: Scope<OrmTx>, id: Uuid, what: 'role' | 'unit'): Promise<void> {
  await scope.tx.orm.entry.update({
    where: { tenantId_id: { tenantId: scope.tenant, id } },
    data: {
      ...(what === 'role' ? { roleId: null } : { unitId: null }),
      updatedAt: scope.now,
      generation: { increment: 1 },
    },
    select: { id: true },
  })
}

const lockAddress = {
  name: 'admin_lock_manual_address',
  text: `SELECT pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2::text || '/' || $3::text, 0)) IS NULL AS taken`,
}
const known = {
  name: 'admin_find_known_address',
  text: `SELECT
      (SELECT e.id FROM entries e
        WHERE e.tenant_id = $1::uuid AND e.organization_id = $2::uuid AND e.kind = 'manual'
          AND e.withdrawn_at IS NULL AND lower(e.email) = $4::text LIMIT 1) AS "entryId",
      (SELECT m.id FROM members m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
        WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid AND m.status <> 'removed'
          AND u.email_key = $3::text LIMIT 1) AS "memberId",
      (SELECT CASE WHEN count(*) = 1 THEN min(m.user_id::text) END
        FROM members m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
        WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid AND m.status = 'removed'
          AND u.email_key = $3::text) AS "formerUserId"`,
}

export interface KnownAddress {
  readonly entryId: Uuid | null
  readonly memberId: Uuid | null
  /** The one user with this address who was a member here before. */
  readonly formerUserId: Uuid | null
}

/**
 * Who in the organization goes by this address already. Holds the address against another admin who adds it at the
 * same time. `key` is the folded spelling of model/email.ts, `address` the one that was given.
 */
export async function lockKnownAddress(
  scope: Scope,
  organizationId: Uuid,
  email: { readonly address: string; readonly key: string },
): Promise<KnownAddress> {
  await scope.tx.query(lockAddress, [scope.tenant, organizationId, email.key])
  const values = [scope.tenant, organizationId, email.key, email.address.toLowerCase()]
  const [row] = await scope.tx.query<KnownAddress>(known, values)
  return row ?? { entryId: null, memberId: null, formerUserId: null }
}

/** Ends every manual entry of a user in an organization: what was said before somebody was removed. */
export async function withdrawEntriesOfUser(scope: Scope<OrmTx>, organizationId: Uuid, userId: Uuid): Promise<void> {
  await scope.tx.orm.entry.updateMany({
    where: { tenantId: scope.tenant, organizationId, userId, kind: 'manual', withdrawnAt: null },
    data: { withdrawnAt: scope.now, updatedAt: scope.now, generation: { increment: 1 } },
  })
}
