// Invitations that a person's arrival answers. What the invitation gave stands from now on as an
// entry of its own, so that it outlives the invitation's date and goes when an admin withdraws it.

import type { Uuid } from '../../model/ids.ts'
import { type Applying, changesOf, type Happening } from './slice.ts'

/**
 * The entry is observed at once: the plan that consumes an invitation has looked at what it gives. It
 * is as old as the invitation: it must not outlive a deletion only because it was looked at later.
 */
const consumeInvitations = {
  name: 'apply_consume_invitations',
  text: `WITH accepted AS (
      UPDATE invitations SET state = 'accepted', accepted_at = $3::timestamptz
      FROM unnest($4::uuid[], $5::uuid[], $6::uuid[]) AS consumed (id, entry_id, user_id)
      WHERE invitations.tenant_id = $1::uuid AND invitations.organization_id = $2::uuid
        AND invitations.id = consumed.id AND state = 'pending'
      RETURNING invitations.id, consumed.entry_id, consumed.user_id, email, role_id, unit_id, created_at),
    entered AS (
      INSERT INTO entries (tenant_id, organization_id, id, kind, invitation_id, user_id, email, role_id, unit_id,
        claim_values, generation, observed_generation, created_at, updated_at)
      SELECT $1::uuid, $2::uuid, entry_id, 'invitation', id, user_id, email, role_id, unit_id,
        '{}', 1, 1, created_at, $3::timestamptz FROM accepted
      ON CONFLICT DO NOTHING)
    SELECT id, user_id AS "userId" FROM accepted`,
}

/** Marks invitations accepted and writes the entries that stand for them. */
export async function applyInvitations({ scope, organization, plan, people }: Applying): Promise<Happening[]> {
  const consumed = changesOf(plan, 'consume-invitation')
  if (consumed.length === 0) return []
  const rows = await scope.tx.query<{ id: Uuid; userId: Uuid }>(consumeInvitations, [
    ...[scope.tenant, organization.id, scope.now],
    consumed.map((change) => change.invitationId),
    consumed.map(() => scope.newId()),
    consumed.map((change) => people.userId(change.user)),
  ])
  const userOf = new Map(consumed.map((change) => [change.invitationId, change.user]))
  return rows.map(({ id, userId }) => ({
    ...{ action: 'invitation.accepted', subjectKind: 'invitation', subjectId: id },
    ...{ of: { user: userOf.get(id) ?? userId }, before: { state: 'pending' }, after: { state: 'accepted', userId } },
  }))
}
