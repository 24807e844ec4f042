// An organization's domains: claiming one with a challenge to put into DNS, asking for the check, letting it go.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import {
  type Challenge,
  type DomainRow,
  type DomainStatus,
  deleteDomain,
  domainBroughtPeople,
  findDomain,
  findDomainByName,
  findNameOwnedElsewhere,
  insertDomain,
  lapseDomain,
  listDomains,
  renewDomain,
  requestDomainCheck,
} from '../store/domain-claims.ts'
import { requestReconcile } from '../store/outbox.ts'
import { requestRuleEntries } from '../store/request-many.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { domainsAbove, parseClaimableDomain } from './claimable-domain.ts'
import { type AdminCaller, type AdminContext, Missing, refusingTaken, write } from './context.ts'
import { requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

const claimLifetimeMs = 30 * 86_400_000

export interface DomainView {
  readonly id: Uuid
  readonly name: string
  readonly status: DomainStatus
  /** What has to stand in DNS. */
  readonly record: { readonly type: 'TXT'; readonly name: string; readonly value: string }
  readonly createdAt: Date
  /** When a claim that is not verified lapses. */
  readonly expiresAt: Date
  readonly checkRequestedAt: Date | null
  readonly checkedAt: Date | null
  readonly verifiedAt: Date | null
  readonly lastError: string | null
}

function toView({ challenge, ...domain }: DomainRow): DomainView {
  return { ...domain, record: { type: 'TXT', name: `_rollcall-challenge.${domain.name}`, value: challenge } }
}

/**
 * Claims a domain, or claims one again that came to nothing. `invalid_value` for one that nobody may claim, `conflict`
 * where another organization has verified it or one above it.
 */
export async function claimDomain(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: { readonly name: string },
): Promise<DomainView> {
  const name = parseClaimableDomain(input.name)
  const token = Buffer.from(context.randomBytes(32)).toString('base64url')
  return refusingTaken('The organization has claimed this domain already.', () =>
    write(context, caller, async (scope) => {
      await requireOrganization(scope, organizationId)
      const owned = await findNameOwnedElsewhere(scope, organizationId, domainsAbove(name))
      if (owned !== undefined) throw new RollcallError('conflict', `Another organization has verified ${owned}.`)
      const expiresAt = new Date(scope.now.getTime() + claimLifetimeMs)
      const claim = { name, challenge: `rollcall-verification=${token}`, expiresAt }
      const domain = await claimOrRenew(scope, organizationId, claim)
      await writeAudit(scope, {
        organizationId,
        action: 'domain.claimed',
        subjectKind: 'domain',
        subjectId: domain.id,
        after: { name, expiresAt },
      })
      return toView(domain)
    }),
  )
}

async function claimOrRenew(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  claim: Challenge & { readonly name: string },
): Promise<DomainRow> {
  const known = await findDomainByName(scope, organizationId, claim.name)
  if (known === null) return insertDomain(scope, organizationId, claim)
  if (!isOver(known, scope.now)) {
    throw new RollcallError('uniqueness', 'The organization has claimed this domain already.')
  }
  return renewDomain(scope, known.id, { challenge: claim.challenge, expiresAt: claim.expiresAt })
}

function isOver(domain: DomainRow, now: Date): boolean {
  if (domain.status === 'pending') return domain.expiresAt <= now
  return domain.status === 'failed' || domain.status === 'lapsed'
}

export async function listDomainPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<DomainView>> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const domains = await listDomains(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, domains.map(toView), (domain) => domain.id)
  })
}

/** Asks for the record to be looked for; the answer is in the domain's status a little later. */
export async function checkDomain(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<DomainView> {
  return write(context, caller, async (scope) => {
    const domain = await requireDomain(scope, organizationId, id)
    if (domain.status === 'lapsed' || (domain.status === 'pending' && domain.expiresAt <= scope.now)) {
      throw new RollcallError('conflict', 'This claim has lapsed. Claim the domain again.')
    }
    await requestDomainCheck(scope, id)
    await writeAudit(scope, {
      organizationId,
      action: 'domain.check_requested',
      subjectKind: 'domain',
      subjectId: id,
    })
    return toView({ ...domain, checkRequestedAt: scope.now })
  })
}

/**
 * Lets a domain go: nobody joins by it any more, and another organization may verify it. Who came in by it stays; then
 * the claim stays too, lapsed, as what explains them.
 */
export async function releaseDomain(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<void> {
  await write(context, caller, async (scope) => {
    const domain = await requireDomain(scope, organizationId, id)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: 'domain.released',
      subjectKind: 'domain',
      subjectId: id,
      before: { name: domain.name, status: domain.status },
    })
    if (await domainBroughtPeople(scope, id)) {
      const joinRuleId = await lapseDomain(scope, id)
      if (joinRuleId !== null) await requestRuleEntries(scope, organizationId, joinRuleId, causeId)
    } else {
      await deleteDomain(scope, id)
    }
    await requestReconcile(scope, organizationId, [{ kind: 'organization', id: organizationId }], { causeId })
  })
}

/** The domain, within the organization that the request names. */
export async function requireDomain(scope: Scope<OrmTx>, organizationId: Uuid, id: Uuid): Promise<DomainRow> {
  await requireOrganization(scope, organizationId)
  const domain = await findDomain(scope, organizationId, id)
  if (domain === null) throw new Missing('domain', id, organizationId)
  return domain
}
