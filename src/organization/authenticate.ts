// Who an admin request speaks for: the deployment (the bootstrap key) or one tenant (a key of its own). The tenant
// of everything that follows is what comes out of here.

import type { Uuid } from '../model/ids.ts'
import { findApiKeyByHash } from '../store/api-keys.ts'
import { equalHashes, hashToken } from '../store/bearer-token.ts'
import { withStatement } from '../store/database.ts'
import type { AdminCaller, AdminContext } from './context.ts'

export type AdminIdentity = { readonly kind: 'bootstrap' } | { readonly kind: 'tenant'; readonly caller: AdminCaller }

/** Names no tenant: for the look-ups that come before there is one. */
const noTenant: Uuid = '00000000-0000-0000-0000-000000000000'

export function bootstrapCaller(tenant: Uuid = noTenant): AdminCaller {
  return { tenant, actor: { id: 'bootstrap', door: 'admin' } }
}

/** Null for a key that is unknown, revoked or none: callers answer all of them alike. */
export async function authenticateAdmin(context: AdminContext, presented: string): Promise<AdminIdentity | null> {
  const hash = hashToken(presented)
  if (context.bootstrapKey !== undefined && equalHashes(hash, hashToken(context.bootstrapKey))) {
    return { kind: 'bootstrap' }
  }
  if (!presented.startsWith('rck_')) return null
  const found = await withStatement(context.db, bootstrapCaller(), (scope) =>
    findApiKeyByHash(scope.tx, hash, scope.now),
  )
  if (found === null || !equalHashes(hash, found.hash)) return null
  return { kind: 'tenant', caller: { tenant: found.tenant, actor: { id: `key:${found.id}`, door: 'admin' } } }
}
