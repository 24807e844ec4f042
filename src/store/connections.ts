// Reads SSO connections for logins. Creating and editing them is the admin's door; opening the sealed
// secret is seal.ts, with keys that the store does not have.

import { type ConnectionConfig, parseConnectionConfig } from '../model/connection.ts'
import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export type StoredConnection = ConnectionConfig & {
  readonly id: Uuid
  /** Null: the connection is the whole tenant's, and the org claim picks the organization. */
  readonly organizationId: Uuid | null
  readonly name: string
  readonly sealedSecret: Uint8Array | null
}

/** A connection that logins may use; undefined when there is none of this id, or it is switched off. */
export async function readActiveConnection(scope: Scope<OrmTx>, id: Uuid): Promise<StoredConnection | undefined> {
  const row = await scope.tx.orm.connection.findUnique({
    where: { tenantId_id: { tenantId: scope.tenant, id } },
    select: { id: true, organizationId: true, name: true, kind: true, config: true, state: true, sealedSecret: true },
  })
  if (row === null || row.state !== 'active') return undefined
  const { id: connectionId, organizationId, name, sealedSecret } = row
  return { id: connectionId, organizationId, name, sealedSecret, ...parseConnectionConfig(row.kind, row.config) }
}
