// Claims of domains as an admin sees them: made, read, asked to be checked, let go. What a check finds is written by
// domain-checks.ts.

import type { Uuid } from '../model/ids.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

const statuses = ['pending', 'verified', 'grace', 'lapsed', 'failed'] as const
export type DomainStatus = (typeof statuses)[number]

export interface DomainRow {
  readonly id: Uuid
  readonly name: string
  readonly status: DomainStatus
  /** The whole text of the TXT record. */
  readonly challenge: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly checkRequestedAt: Date | null
  readonly checkedAt: Date | null
  readonly verifiedAt: Date | null
  readonly lastError: string | null
}

const columns = {
  id: true,
  name: true,
  status: true,
  challenge: true,
  createdAt: true,
  expiresAt: true,
  checkRequestedAt: true,
  checkedAt: true,
  verifiedAt: true,
  lastError: true,
} as const

function toRow(row: Omit<DomainRow, 'status'> & { readonly status: string }): DomainRow {
  return { ...row, status: oneOf(statuses, row.status) }
}

export interface Challenge {
  readonly challenge: string
  readonly expiresAt: Date
}

/** An organization claims a name once: a unique constraint. */
export async function insertDomain(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  domain: Challenge & { readonly name: string },
): Promise<DomainRow> {
  const data = { tenantId: scope.tenant, id: scope.newId(), organizationId, ...domain, createdAt: scope.now }
  return toRow(await scope.tx.orm.domain.create({ data, select: columns }))
}

/** Starts a claim anew that had come to nothing, with another challenge. */
export async function renewDomain(scope: Scope<OrmTx>, id: Uuid, challenge: Challenge): Promise<DomainRow> {
  return toRow(
    await scope.tx.orm.domain.update({
      where: { tenantId_id: { tenantId: scope.tenant, id } },
      data: { ...challenge, status: 'pending', checkRequestedAt: null, checkedAt: null, lastError: null },
      select: columns,
    }),
  )
}

export async function findDomain(scope: Scope<OrmTx>, organizationId: Uuid, id: Uuid): Promise<DomainRow | null> {
  const where = { tenantId: scope.tenant, organizationId, id }
  const row = await scope.tx.orm.domain.findFirst({ where, select: columns })
  return row === null ? null : toRow(row)
}

export async function findDomainByName(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  name: string,
): Promise<DomainRow | null> {
  const where = { tenantId: scope.tenant, organizationId, name }
  const row = await scope.tx.orm.domain.findFirst({ where, select: columns })
  return row === null ? null : toRow(row)
}

export async function listDomains(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<DomainRow[]> {
  const rows = await scope.tx.orm.domain.findMany({
    where: { tenantId: scope.tenant, organizationId, ...(page.after === undefined ? {} : { id: { gt: page.after } }) },
    orderBy: { id: 'asc' },
    take: page.limit,
    select: columns,
  })
  return rows.map(toRow)
}

/** Which of these names another organization of the tenant has verified; undefined: none of them. */
export async function findNameOwnedElsewhere(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  names: readonly string[],
): Promise<string | undefined> {
  const row = await scope.tx.orm.domain.findFirst({
    where: {
      tenantId: scope.tenant,
      organizationId: { not: organizationId },
      name: { in: [...names] },
      status: { in: ['verified', 'grace'] },
    },
    select: { name: true },
  })
  return row?.name
}

/** Asks for a check; a worker is told after the commit, and the sweep finds it otherwise. */
export async function requestDomainCheck(scope: Scope<OrmTx>, id: Uuid): Promise<void> {
  await scope.tx.orm.domain.update({
    where: { tenantId_id: { tenantId: scope.tenant, id } },
    data: { checkRequestedAt: scope.now },
    select: { id: true },
  })
  scope.touched.job('domain', id)
}

/** Lets a claim lapse that people came in by, so that their membership can still be explained; answers its join rule. */
export async function lapseDomain(scope: Scope<OrmTx>, id: Uuid): Promise<Uuid | null> {
  const { tenant: tenantId } = scope
  await scope.tx.orm.domain.update({
    where: { tenantId_id: { tenantId, id } },
    data: { status: 'lapsed', checkRequestedAt: null },
    select: { id: true },
  })
  await scope.tx.orm.joinRule.updateMany({ where: { tenantId, domainId: id }, data: { enabled: false } })
  const rule = await scope.tx.orm.joinRule.findFirst({ where: { tenantId, domainId: id }, select: { id: true } })
  return rule?.id ?? null
}

const lockRule = {
  name: 'admin_lock_join_rule',
  text: 'SELECT id FROM join_rules WHERE tenant_id = $1::uuid AND domain_id = $2::uuid FOR UPDATE',
}

/** Whether anybody came in by this domain. Holds its rule, so that nobody comes in between the answer and the commit. */
export async function domainBroughtPeople(scope: Scope<OrmTx>, id: Uuid): Promise<boolean> {
  await scope.tx.query(lockRule, [scope.tenant, id])
  const where = { tenantId: scope.tenant, joinRule: { domainId: id } }
  return (await scope.tx.orm.entry.findFirst({ where, select: { id: true } })) !== null
}

export async function deleteDomain(scope: Scope<OrmTx>, id: Uuid): Promise<void> {
  await scope.tx.orm.domain.deleteMany({ where: { tenantId: scope.tenant, id } })
}
