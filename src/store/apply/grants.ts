// Grants that a plan gives and takes back. Both are told as something that happened to the member,
// because that is where anybody looks for why somebody has a role.

import type { GrantSource } from '../../model/words.ts'
import type { Target } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'
import { changesOf, type Happening, type People, type Slice } from './slice.ts'

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

/** Writes added and deletes removed grants. */
export async function applyGrants(scope: Scope, slice: Slice, people: People): Promise<Happening[]> {
  return [...(await giveGrants(scope, slice, people)), ...(await takeGrants(scope, slice))]
}

async function giveGrants(scope: Scope, { organization, plan }: Slice, people: People): Promise<Happening[]> {
  const added = changesOf(plan, 'add-grant')
  if (added.length === 0) return []
  const ids = added.map(() => scope.newId())
  const memberIds = added.map((change) => people.memberId(change.user))
  const targetIds = (kind: Target['kind']) =>
    added.map((change) => (change.target.kind === kind ? change.target.id : null))
  await scope.tx.query(insertGrants, [
    ...[scope.tenant, organization.id, scope.now, ids, memberIds],
    ...[targetIds('role'), targetIds('unit'), targetIds('workspace')],
    added.map((change) => change.source.kind),
    added.map((change) => change.source.id),
    added.map((change) => change.reason),
  ])
  return memberIds.map((subjectId, index) => {
    const change = added[index]
    if (change === undefined) throw new Error('a grant without a change')
    const after = { grantId: ids[index], ...stateOf(change.target, change.source), reason: change.reason }
    return { action: 'grant.added', subjectKind: 'member', subjectId, of: change, after }
  })
}

async function takeGrants(scope: Scope, { organization, plan, snapshot }: Slice): Promise<Happening[]> {
  const removed = changesOf(plan, 'remove-grant')
  if (removed.length === 0) return []
  await scope.tx.query(deleteGrants, [scope.tenant, organization.id, removed.map((change) => change.grantId)])
  const known = new Map(snapshot.members.flatMap((member) => member.grants).map((grant) => [grant.id, grant]))
  return removed.map((change) => ({
    ...{ action: 'grant.removed', subjectKind: 'member', subjectId: change.memberId, of: change },
    before: { grantId: change.grantId, ...stateOf(change.target, known.get(change.grantId)?.source) },
    after: { reason: change.reason },
  }))
}

function stateOf(target: Target, source: { readonly kind: GrantSource; readonly id: string | null } | undefined) {
  const from = source === undefined ? {} : { source: source.kind, sourceId: source.id }
  return { kind: target.kind, targetId: target.id, ...from }
}
