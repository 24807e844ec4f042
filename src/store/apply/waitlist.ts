// The rest of the waitlist: a slice looks at its head only, so where seats are left after promoting
// it, the organization is asked for once more.

import { requestReconcile } from '../outbox.ts'
import { type Applying, changesOf } from './slice.ts'

const someoneCouldSit = {
  name: 'apply_someone_could_sit',
  text: `SELECT (seat_limit IS NULL OR seats_used < seat_limit) AND EXISTS (SELECT 1 FROM members
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND status = 'waitlisted') AS more
    FROM organizations WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

/** Asks for the organization when this slice promoted somebody or freed a seat and others still wait before a free one. */
export async function requestWaitlist({ scope, organization, plan, requests }: Applying): Promise<void> {
  const moved = changesOf(plan, 'change-member').some(
    ({ from, to }) => from.seated !== to.seated || (from.status === 'waitlisted' && to.status !== 'waitlisted'),
  )
  if (!moved) return
  const [row] = await scope.tx.query<{ more: boolean }>(someoneCouldSit, [scope.tenant, organization.id])
  if (row?.more !== true) return
  const causeId = requests.find((request) => request.causeId !== null)?.causeId ?? null
  await requestReconcile(scope, organization.id, [{ kind: 'organization', id: organization.id }], { causeId })
}
