// A tenant's keys for the admin API. Finding one by its hash is where the tenant of a request comes from.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope, Tx } from './scope.ts'

export interface ApiKeyView {
  readonly id: Uuid
  readonly name: string
  readonly prefix: string
  readonly createdAt: Date
}

export async function insertApiKey(
  scope: Scope<OrmTx>,
  key: { readonly name: string; readonly prefix: string; readonly hash: Uint8Array<ArrayBuffer> },
): Promise<ApiKeyView> {
  return scope.tx.orm.apiKey.create({
    data: { tenantId: scope.tenant, id: scope.newId(), ...key, createdAt: scope.now },
    select: { id: true, name: true, prefix: true, createdAt: true },
  })
}

/** Says when a key was last used, to the minute: not every request has to write. */
const findByHash = {
  name: 'admin_find_api_key',
  text: `WITH found AS (
      SELECT tenant_id, id, hash, last_used_at FROM api_keys WHERE hash = $1::bytea AND revoked_at IS NULL),
    used AS (
      UPDATE api_keys SET last_used_at = $2::timestamptz FROM found
      WHERE api_keys.tenant_id = found.tenant_id AND api_keys.id = found.id
        AND (found.last_used_at IS NULL OR found.last_used_at < $2::timestamptz - interval '1 minute'))
    SELECT tenant_id, id, hash FROM found`,
}

/** The live key with this SHA-256, of whichever tenant. The only look-up here without a scope: it makes one. */
export async function findApiKeyByHash(
  tx: Tx,
  hash: Uint8Array,
  now: Date,
): Promise<{ readonly tenant: Uuid; readonly id: Uuid; readonly hash: Uint8Array } | null> {
  const [row] = await tx.query<{ tenant_id: Uuid; id: Uuid; hash: Uint8Array }>(findByHash, [Buffer.from(hash), now])
  return row === undefined ? null : { tenant: row.tenant_id, id: row.id, hash: row.hash }
}
