// Checks a claimed domain: looks for its record in DNS and writes what that means. A record that is not there
// and a DNS that does not answer are two different things. Claiming and asking for the check is the admin's
// door; watching a verified domain for its record going missing is not done here.

import { Resolver } from 'node:dns/promises'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { DomainKey } from '../queue/jobs.ts'
import { writeAudit } from '../store/audit.ts'
import { type Database, sqlState, withTransaction } from '../store/database.ts'
import {
  type DomainClaim,
  findDomainClaim,
  findOtherOwner,
  lockDomainClaim,
  recordDomainCheck,
} from '../store/domain-checks.ts'
import { requestReconcile } from '../store/outbox.ts'
import type { Scope } from '../store/scope.ts'

/** Asks for the TXT records of a name, each as one text. Rejects with the resolver's error code. */
export type LookUpTxt = (name: string) => Promise<readonly string[]>

/** A resolver that asks these servers (`address` or `address:port`); the system's when there are none. */
export function createTxtLookup(servers: readonly string[], timeoutMs = 5_000): LookUpTxt {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  // A record longer than 255 bytes comes in pieces (RFC 7208 section 3.3 joins them the same way).
  return async (name) => (await resolver.resolveTxt(name)).map((pieces) => pieces.join(''))
}

type Finding =
  | { readonly kind: 'found' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly code: string }

const actor = { id: 'domain-check', door: 'work' } as const

/** Throws `unavailable` when DNS could not be asked, so that the job is tried again; running it twice changes nothing. */
export async function verifyDomain(
  db: Database,
  deps: { readonly lookUpTxt: LookUpTxt },
  key: DomainKey,
): Promise<void> {
  const caller = { tenant: key.tenant, actor }
  const claim = await withTransaction(db, caller, (scope) => findDomainClaim(scope, key.domain))
  if (claim === undefined) return
  const finding = await look(deps.lookUpTxt, claim)
  try {
    await withTransaction(db, caller, (scope) => judge(scope, key.domain, claim.challenge, finding))
  } catch (error) {
    if (sqlState(error) !== '23505') throw error
    await withTransaction(db, caller, (scope) => lose(scope, key.domain))
  }
  if (finding.kind === 'unknown') {
    throw new RollcallError('unavailable', {
      detail: `DNS could not be asked (${finding.code}).`,
      retryAfterSeconds: 60,
    })
  }
}

/** The name under which the record is looked for. */
export function challengeName(domain: string): string {
  return `_rollcall-challenge.${domain}`
}

async function look(lookUpTxt: LookUpTxt, claim: DomainClaim): Promise<Finding> {
  try {
    const records = await lookUpTxt(challengeName(claim.name))
    return { kind: records.includes(claim.challenge) ? 'found' : 'missing' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN'
    // No such name, and no such record at it: the only two answers that say something about the record.
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'missing' } : { kind: 'unknown', code }
  }
}

/** Decides under the row's lock: the claim may have changed while DNS was asked. */
async function judge(scope: Scope, id: Uuid, challenge: string, finding: Finding): Promise<void> {
  const claim = await lockDomainClaim(scope, id)
  if (claim === undefined || claim.challenge !== challenge) return
  if (finding.kind === 'unknown') {
    const lastError = `DNS could not be asked (${finding.code}). It is tried again.`
    return recordDomainCheck(scope, id, { status: claim.status, lastError, stillRequested: true })
  }
  if (finding.kind === 'missing') return miss(scope, claim)
  const owner = await findOtherOwner(scope, claim)
  if (owner !== undefined) return fail(scope, claim, takenSentence(owner))
  if (claim.status === 'verified') {
    return recordDomainCheck(scope, id, { status: 'verified', lastError: null, stillRequested: false })
  }
  await recordDomainCheck(scope, id, { status: 'verified', lastError: null, stillRequested: false })
  const { organizationId, name } = claim
  const causeId = await writeAudit(scope, {
    organizationId,
    action: 'domain.verified',
    subjectKind: 'domain',
    subjectId: id,
    before: { status: claim.status },
    after: { status: 'verified', name },
  })
  await requestReconcile(scope, organizationId, [{ kind: 'organization', id: organizationId }], { causeId })
}

async function miss(scope: Scope, claim: DomainClaim): Promise<void> {
  const wanted = `There is no TXT record ${challengeName(claim.name)} with the value ${claim.challenge}`
  const open = claim.status === 'pending' || claim.status === 'failed'
  if (open && claim.expiresAt <= scope.now) return fail(scope, claim, `${wanted}, and the time for it is over.`)
  await recordDomainCheck(scope, claim.id, { status: claim.status, lastError: `${wanted}.`, stillRequested: false })
}

/** Another organization became the owner between the look and the write. */
async function lose(scope: Scope, id: Uuid): Promise<void> {
  const claim = await lockDomainClaim(scope, id)
  if (claim !== undefined) await fail(scope, claim, takenSentence(claim.name))
}

async function fail(scope: Scope, claim: DomainClaim, lastError: string): Promise<void> {
  await recordDomainCheck(scope, claim.id, { status: 'failed', lastError, stillRequested: false })
  if (claim.status === 'failed') return
  await writeAudit(scope, {
    organizationId: claim.organizationId,
    action: 'domain.failed',
    subjectKind: 'domain',
    subjectId: claim.id,
    before: { status: claim.status },
    after: { status: 'failed', reason: lastError },
  })
}

function takenSentence(domain: string): string {
  return `Another organization has verified ${domain}.`
}
