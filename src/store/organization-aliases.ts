// What organizations are called in the org claims of a connection, and the lock under which a login may make
// an organization for a name that nobody knew.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

/** The organization that a connection's org claims call by this value. */
export async function findByAlias(scope: Scope<OrmTx>, connectionId: Uuid, value: string): Promise<Uuid | undefined> {
  const found = await scope.tx.orm.organizationAlias.findUnique({
    where: { tenantId_connectionId_value: { tenantId: scope.tenant, connectionId, value } },
    select: { organizationId: true },
  })
  return found?.organizationId
}

/** Whether anybody has said what organizations are called by this connection. */
export async function hasAliases(scope: Scope<OrmTx>, connectionId: Uuid): Promise<boolean> {
  const where = { tenantId: scope.tenant, connectionId }
  return (await scope.tx.orm.organizationAlias.findFirst({ where, select: { id: true } })) !== null
}

export async function insertAlias(
  scope: Scope<OrmTx>,
  alias: { readonly connectionId: Uuid; readonly organizationId: Uuid; readonly value: string },
): Promise<void> {
  await scope.tx.orm.organizationAlias.create({ data: { tenantId: scope.tenant, id: scope.newId(), ...alias } })
}

const lock = { name: 'lock_tenant', text: 'SELECT id FROM tenants WHERE id = $1::uuid FOR NO KEY UPDATE' }

/**
 * Holds the tenant's row until the commit. Whoever is about to make an organization by itself takes it and then
 * looks again, so that of several at once only the first makes one.
 */
export async function lockTenant(scope: Scope): Promise<void> {
  await scope.tx.query(lock, [scope.tenant])
}
