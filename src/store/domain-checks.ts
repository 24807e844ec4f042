// What a check of a claimed domain reads and writes. Claiming one and asking for the check is the admin's
// door; looking into DNS is work/verify-domain.ts.

import type { Uuid } from '../model/ids.ts'
import type { Scope } from './scope.ts'

export interface DomainClaim {
  readonly id: Uuid
  readonly organizationId: Uuid
  /** ASCII. */
  readonly name: string
  readonly status: 'pending' | 'verified' | 'grace' | 'lapsed' | 'failed'
  /** The whole text of the record. */
  readonly challenge: string
  /** When an unverified claim lapses. */
  readonly expiresAt: Date
}

const columns = `id, organization_id AS "organizationId", name, status, challenge, expires_at AS "expiresAt"`
const find = {
  name: 'find_domain_claim',
  text: `SELECT ${columns} FROM domains WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}
const lock = { name: 'lock_domain_claim', text: `${find.text} FOR UPDATE` }

export async function findDomainClaim(scope: Scope, id: Uuid): Promise<DomainClaim | undefined> {
  const [row] = await scope.tx.query<DomainClaim>(find, [scope.tenant, id])
  return row
}

/** The same, held against other checks and the admin until the commit. */
export async function lockDomainClaim(scope: Scope, id: Uuid): Promise<DomainClaim | undefined> {
  const [row] = await scope.tx.query<DomainClaim>(lock, [scope.tenant, id])
  return row
}

const record = {
  name: 'record_domain_check',
  text: `UPDATE domains SET checked_at = $3::timestamptz, status = $4::text, last_error = $5::text,
      verified_at = CASE WHEN $4::text = 'verified' THEN COALESCE(verified_at, $3::timestamptz) ELSE verified_at END,
      check_requested_at = CASE WHEN $6::boolean THEN check_requested_at END
    WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

/** Writes what a check found. Becoming `verified` fails on `domains_one_owner` where another organization has the domain. */
export async function recordDomainCheck(
  scope: Scope,
  id: Uuid,
  found: {
    readonly status: DomainClaim['status']
    readonly lastError: string | null
    /** The question is still open: DNS could not be asked. */
    readonly stillRequested: boolean
  },
): Promise<void> {
  await scope.tx.query(record, [scope.tenant, id, scope.now, found.status, found.lastError, found.stillRequested])
}

const parent = {
  name: 'find_other_owner_of_domain',
  text: `SELECT name FROM domains WHERE tenant_id = $1::uuid AND organization_id <> $2::uuid
    AND name = ANY ($3::text[]) AND status IN ('verified', 'grace') LIMIT 1`,
}

/** The domain above this one, or this one itself, that another organization of the tenant has verified. */
export async function findOtherOwner(scope: Scope, claim: DomainClaim): Promise<string | undefined> {
  const labels = claim.name.split('.')
  const names = labels.map((_, index) => labels.slice(index).join('.'))
  const [row] = await scope.tx.query<{ name: string }>(parent, [scope.tenant, claim.organizationId, names])
  return row?.name
}
