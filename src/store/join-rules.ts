// Join rules as an admin sees them: who may come in from a domain of the organization, and as what. A rule that was
// ended stays, because entries name it; which rule a sign-up finds is sign-up-rules.ts.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface JoinRuleView {
  readonly id: Uuid
  readonly domain: { readonly id: Uuid; readonly name: string; readonly status: string }
  /** Key. */
  readonly role: string | null
  readonly unit: { readonly id: Uuid; readonly name: string } | null
  readonly createdAt: Date
}

// By SQL: Prisma reads each of several relations with a query of its own, all at once on the one connection.
const view = `SELECT j.id, jsonb_build_object('id', d.id, 'name', d.name, 'status', d.status) AS domain, r.key AS role,
    CASE WHEN u.id IS NOT NULL THEN jsonb_build_object('id', u.id, 'name', u.name) END AS unit,
    j.created_at AS "createdAt"
  FROM join_rules j
  JOIN domains d ON d.tenant_id = j.tenant_id AND d.id = j.domain_id
  LEFT JOIN roles r ON r.tenant_id = j.tenant_id AND r.id = j.role_id
  LEFT JOIN units u ON u.tenant_id = j.tenant_id AND u.id = j.unit_id
  WHERE j.tenant_id = $1::uuid AND j.organization_id = $2::uuid AND j.enabled`
const find = { name: 'admin_find_join_rule', text: `${view} AND j.id = $3::uuid` }
const list = {
  name: 'admin_list_join_rules',
  text: `${view} AND ($3::uuid IS NULL OR j.id > $3::uuid) ORDER BY j.id LIMIT $4::int`,
}

interface RuleInput {
  readonly domainId: Uuid
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
}

/** Makes the domain's rule, or the one again that was ended; null where it has one. `revived`: there may be people behind it. */
export async function insertJoinRule(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  { domainId, roleId, unitId }: RuleInput,
): Promise<{ readonly rule: JoinRuleView; readonly revived: boolean } | null> {
  const { tenant: tenantId } = scope
  const known = await scope.tx.orm.joinRule.findUnique({
    where: { tenantId_domainId: { tenantId, domainId } },
    select: { id: true, enabled: true },
  })
  if (known?.enabled === true) return null
  const id = known?.id ?? scope.newId()
  if (known === null) {
    const data = { tenantId, id, organizationId, domainId, roleId, unitId, createdAt: scope.now }
    await scope.tx.orm.joinRule.create({ data, select: { id: true } })
  } else {
    const where = { tenantId_id: { tenantId, id } }
    await scope.tx.orm.joinRule.update({ where, data: { roleId, unitId, enabled: true }, select: { id: true } })
  }
  const [rule] = await scope.tx.query<JoinRuleView>(find, [tenantId, organizationId, id])
  if (rule === undefined) throw new Error('a join rule without a row')
  return { rule, revived: known !== null }
}

/** Those that hold. */
export async function listJoinRules(
  scope: Scope,
  organizationId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<JoinRuleView[]> {
  return scope.tx.query<JoinRuleView>(list, [scope.tenant, organizationId, page.after ?? null, page.limit])
}

/** False where the organization has no such rule that holds. */
export async function endJoinRule(scope: Scope<OrmTx>, organizationId: Uuid, id: Uuid): Promise<boolean> {
  const { count } = await scope.tx.orm.joinRule.updateMany({
    where: { tenantId: scope.tenant, organizationId, id, enabled: true },
    data: { enabled: false },
  })
  return count > 0
}
