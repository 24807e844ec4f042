// What of an organization an admin should look at, derived from the rows each time it is asked: nothing has to be
// kept in step, and a reason is gone with its cause.

import type { Uuid } from '../model/ids.ts'
import type { MemberStatus } from '../model/words.ts'
import type { Scope } from './scope.ts'

export type AttentionReason =
  | 'seats_exhausted'
  | 'held'
  | 'last_owner_protected'
  | 'conflict'
  | 'mapping_without_effect'
  | 'set_aside'

export interface Attention {
  readonly reason: AttentionReason
  /** How many rows stand behind it: held plans, open conflicts, members without a seat, … */
  readonly count: number
}

/**
 * A mapping has no effect where its group is gone or its directory decommissioned, its connection is disabled, or
 * its claims are passed over because a directory governs.
 */
const attention = {
  name: 'admin_attention',
  text: `WITH o AS (SELECT * FROM organizations WHERE tenant_id = $1::uuid AND id = $2::uuid),
    governing AS (
      SELECT EXISTS (SELECT 1 FROM directories d
        WHERE d.tenant_id = $1::uuid AND d.organization_id = $2::uuid AND d.state IN ('active', 'paused')) AS here),
    found (reason, count) AS (
      SELECT 'seats_exhausted', greatest(1, (SELECT count(*) FROM members m
          WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid AND m.status = 'waitlisted'))
        FROM o WHERE o.seats_used >= o.seat_limit
      UNION ALL
      SELECT 'held', count(*) FROM plans p
        WHERE p.tenant_id = $1::uuid AND p.organization_id = $2::uuid AND p.state = 'held'
      UNION ALL
      SELECT 'last_owner_protected', count(*) FROM grants g
        WHERE g.tenant_id = $1::uuid AND g.organization_id = $2::uuid AND g.source_kind = 'system'
      UNION ALL
      SELECT 'conflict', count(*) FROM conflicts c
        WHERE c.tenant_id = $1::uuid AND c.organization_id = $2::uuid AND c.state = 'open'
      UNION ALL
      SELECT 'mapping_without_effect', count(*) FROM mappings m
        LEFT JOIN directory_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
        LEFT JOIN directories d ON d.tenant_id = m.tenant_id AND d.id = m.directory_id
        LEFT JOIN connections c ON c.tenant_id = m.tenant_id AND c.id = m.connection_id
        CROSS JOIN governing
        WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid
          AND (g.deleted_at IS NOT NULL OR d.state = 'decommissioned' OR c.state = 'disabled'
            OR (m.source_kind = 'sso_claim' AND governing.here))
      UNION ALL
      SELECT 'set_aside', count(*) FROM reconcile_requests r
        WHERE r.tenant_id = $1::uuid AND r.organization_id = $2::uuid AND r.set_aside_at IS NOT NULL)
    SELECT reason, count::int FROM found WHERE count > 0`,
}

export async function listAttention(scope: Scope, organizationId: Uuid): Promise<Attention[]> {
  return scope.tx.query<Attention>(attention, [scope.tenant, organizationId])
}

const counts = {
  name: 'admin_count_members_by_status',
  text: `SELECT status, count(*)::int AS count FROM members
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid GROUP BY status`,
}

/** How many members there are in each status; statuses without members are 0. */
export async function countMembersByStatus(scope: Scope, organizationId: Uuid): Promise<Record<MemberStatus, number>> {
  const rows = await scope.tx.query<{ status: MemberStatus; count: number }>(counts, [scope.tenant, organizationId])
  const count = (status: MemberStatus) => rows.find((row) => row.status === status)?.count ?? 0
  return {
    invited: count('invited'),
    awaiting_approval: count('awaiting_approval'),
    waitlisted: count('waitlisted'),
    active: count('active'),
    inactive: count('inactive'),
    removed: count('removed'),
  }
}
