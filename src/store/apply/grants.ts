// Grants that a plan gives and takes back. Both are told as something that happened to the member,
// because that is where anybody looks for why somebody has a role.

import type { Uuid } from '../../model/ids.ts'
import type { GrantSource } from '../../model/words.ts'
import type { Change } from '../../reconcile/change.ts'
import type { Target } from '../../reconcile/snapshot.ts'
import { column } from '../columns.ts'
import { type Applying, changesOf, type Happening, type Step, type Work } from './slice.ts'

type Removed = Extract<Change, { kind: 'remove-grant' }>

interface Added {
  readonly id: Uuid
  readonly memberId: Uuid
  readonly change: Extract<Change, { kind: 'add-grant' }>
}

const insertGrants = {
  name: 'apply_insert_grants',
  text: `INSERT INTO grants (tenant_id, organization_id, id, member_id, role_id, unit_id, workspace_id, source_kind,
      source_id, reason, created_at)
    SELECT $1::uuid, $2::uuid, id, member_id, role_id, unit_id, workspace_id, source_kind, source_id, reason,
      $3::timestamptz
    FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::uuid[], $11::text[])
      AS given (id, member_id, role_id, unit_id, workspace_id, source_kind, source_id, reason)`,
}

const deleteGrants = {
  name: 'apply_delete_grants',
  text: `DELETE FROM grants
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = ANY ($3::uuid[])`,
}

/** Added and removed grants. */
export function grantWork(applying: Applying): Work {
  const { scope, people, plan } = applying
  const removed = changesOf(plan, 'remove-grant')
  const added = changesOf(plan, 'add-grant').map((change): Added => {
    return { id: scope.newId(), memberId: people.memberId(change.user), change }
  })
  return {
    steps: [...additionSteps(applying, added), ...removalSteps(applying, removed)],
    happened: () => [...added.map(addition), ...removals(applying, removed)],
  }
}

function additionSteps({ scope, organization }: Applying, added: readonly Added[]): Step[] {
  if (added.length === 0) return []
  const targets = (kind: Target['kind']) =>
    column(added.map(({ change }) => (change.target.kind === kind ? change.target.id : null)))
  const values = () => [
    scope.tenant,
    organization.id,
    scope.now,
    column(added.map(({ id }) => id)),
    column(added.map(({ memberId }) => memberId)),
    targets('role'),
    targets('unit'),
    targets('workspace'),
    column(added.map(({ change }) => change.source.kind)),
    column(added.map(({ change }) => change.source.id)),
    column(added.map(({ change }) => change.reason)),
  ]
  return [{ statement: insertGrants, values }]
}

function removalSteps({ scope, organization }: Applying, removed: readonly Removed[]): Step[] {
  if (removed.length === 0) return []
  const values = () => [scope.tenant, organization.id, column(removed.map((change) => change.grantId))]
  return [{ statement: deleteGrants, values }]
}

function addition({ id, memberId, change }: Added): Happening {
  const after = { grantId: id, ...stateOf(change.target, change.source), reason: change.reason }
  return { action: 'grant.added', subjectKind: 'member', subjectId: memberId, of: change, after }
}

function removals({ snapshot }: Applying, removed: readonly Removed[]): Happening[] {
  if (removed.length === 0) return []
  const known = new Map(snapshot.members.flatMap((member) => member.grants).map((grant) => [grant.id, grant]))
  return removed.map((change) => ({
    ...{ action: 'grant.removed', subjectKind: 'member', subjectId: change.memberId, of: change },
    before: { grantId: change.grantId, ...stateOf(change.target, known.get(change.grantId)?.source) },
    after: { reason: change.reason },
  }))
}

function stateOf(target: Target, source: { readonly kind: GrantSource; readonly id: Uuid | null } | undefined) {
  return { kind: target.kind, targetId: target.id, source: source?.kind ?? null, sourceId: source?.id ?? null }
}
