// Where a proved address leads: the organization that has verified its domain and lets people in from there.
// Editing domains and their rules is the admin's door; checking DNS is domain-checks.ts.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface OpenJoinRule {
  readonly id: Uuid
  readonly organizationId: Uuid
}

/** The enabled rule of a verified domain. Nobody joins by a domain whose record has gone missing (`grace`) or was never seen. */
export async function findOpenJoinRule(scope: Scope<OrmTx>, domain: string): Promise<OpenJoinRule | undefined> {
  const found = await scope.tx.orm.joinRule.findFirst({
    where: { tenantId: scope.tenant, enabled: true, domain: { name: domain, status: 'verified' } },
    select: { id: true, organizationId: true },
  })
  return found ?? undefined
}
