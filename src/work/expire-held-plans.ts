// Ends held plans that nobody decided in time. The people in them are looked at again: where the
// reason for holding still stands they are held anew, so that an admin is asked again and nothing
// happens behind their back.

import { writeAudit } from '../store/audit.ts'
import { type Database, withTransaction } from '../store/database.ts'
import { expireHeldPlans, findOverduePlans } from '../store/held-plans.ts'
import { requestReconcile } from '../store/outbox.ts'

const actor = { id: 'reconciler', door: 'work' } as const

/** For all tenants; one transaction for each organization. Answers how many plans ended. */
export async function expirePlans(db: Database): Promise<number> {
  let ended = 0
  for (const { tenant, organization } of await findOverduePlans(db)) {
    ended += await withTransaction(db, { tenant, actor }, async (scope) => {
      const { planIds, memberIds } = await expireHeldPlans(scope, organization)
      const [planId] = planIds
      if (planId === undefined) return 0
      const causeId = await writeAudit(scope, {
        organizationId: organization,
        action: 'plan.expired',
        subjectKind: 'plan',
        subjectId: planId,
        after: { members: memberIds.length },
      })
      const subjects = memberIds.map((id) => ({ kind: 'member', id }) as const)
      await requestReconcile(scope, organization, subjects, { causeId })
      return planIds.length
    })
  }
  return ended
}
