// Makes a key for a tenant's admin API. What is kept of it is in store/bearer-token.ts.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { type ApiKeyView, insertApiKey } from '../store/api-keys.ts'
import { writeAudit } from '../store/audit.ts'
import { makeToken } from '../store/bearer-token.ts'
import { withOrm } from '../store/database.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { findTenant } from '../store/tenants.ts'
import { bootstrapCaller } from './authenticate.ts'
import type { AdminContext } from './context.ts'

export interface ShownApiKey extends ApiKeyView {
  /** Shown this once. */
  readonly key: string
}

/** In the caller's transaction. */
export async function issueApiKey(
  context: AdminContext,
  scope: Scope<OrmTx>,
  name: string,
  causeId: Uuid | null,
): Promise<ShownApiKey> {
  const { token, prefix, hash } = makeToken('rck', context.randomBytes(32))
  const key = await insertApiKey(scope, { name, prefix, hash })
  await writeAudit(scope, {
    organizationId: null,
    action: 'api_key.created',
    subjectKind: 'api_key',
    subjectId: key.id,
    after: { name, prefix },
    causeId,
  })
  return { ...key, key: token }
}

/** A further key of a tenant, for the bootstrap key; `not_found` where there is no such tenant. */
export async function createApiKey(
  context: AdminContext,
  tenant: Uuid,
  input: { readonly name: string },
): Promise<ShownApiKey> {
  return withOrm(context.db, bootstrapCaller(tenant), async (scope) => {
    if ((await findTenant(scope)) === null) throw new RollcallError('not_found', 'There is no tenant with this id.')
    return issueApiKey(context, scope, input.name, null)
  })
}
