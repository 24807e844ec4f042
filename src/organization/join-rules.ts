// Join rules: who proves an address in one of the organization's domains comes in, with this role and into this unit.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { endJoinRule, insertJoinRule, type JoinRuleView, listJoinRules } from '../store/join-rules.ts'
import { findUnit } from '../store/places.ts'
import { requestRuleEntries } from '../store/request-many.ts'
import { type AdminCaller, type AdminContext, Missing, refusingTaken, write } from './context.ts'
import { requireDomain } from './domains.ts'
import { requireOrganization, requireRole } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export interface NewJoinRule {
  /** A domain that this organization has claimed; the rule lets people in once it is verified. */
  readonly domain: Uuid
  /** Key; the default role when left out. */
  readonly role?: string | undefined
  readonly unit?: Uuid | undefined
}

export async function createJoinRule(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: NewJoinRule,
): Promise<JoinRuleView> {
  return refusingTaken('The domain has a join rule already.', () =>
    write(context, caller, async (scope) => {
      const domain = await requireDomain(scope, organizationId, input.domain)
      const role = input.role === undefined ? null : await requireRole(scope, organizationId, input.role)
      if (role?.isOwner === true) {
        throw new RollcallError('invalid_value', 'A join rule makes nobody an owner. Give that role by hand.')
      }
      const unitId = input.unit ?? null
      if (unitId !== null && (await findUnit(scope, organizationId, unitId)) === null) {
        throw new Missing('unit', unitId, organizationId)
      }
      const made = await insertJoinRule(scope, organizationId, {
        domainId: domain.id,
        roleId: role?.id ?? null,
        unitId,
      })
      if (made === null) throw new RollcallError('uniqueness', 'The domain has a join rule already.')
      const causeId = await writeAudit(scope, {
        organizationId,
        action: 'join_rule.created',
        subjectKind: 'join_rule',
        subjectId: made.rule.id,
        after: { domain: domain.name, role: role?.key ?? null, unitId },
      })
      if (made.revived) await requestRuleEntries(scope, organizationId, made.rule.id, causeId)
      return made.rule
    }),
  )
}

export async function listJoinRulePage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<JoinRuleView>> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const rules = await listJoinRules(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, rules, (rule) => rule.id)
  })
}

/** Nobody comes in by the rule any more. Who did stays a member, without what the rule gave. */
export async function removeJoinRule(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<void> {
  await write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    if (!(await endJoinRule(scope, organizationId, id))) throw new Missing('join_rule', id, organizationId)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: 'join_rule.ended',
      subjectKind: 'join_rule',
      subjectId: id,
    })
    await requestRuleEntries(scope, organizationId, id, causeId)
  })
}
