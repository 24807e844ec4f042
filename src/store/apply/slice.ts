// What all the groups of changes share while one plan is applied: the slice, the ids of people who
// did not exist before, the statements to run, and what is to be written to the audit trail and the
// event feed about it.

import type { Uuid } from '../../model/ids.ts'
import type { Change, Plan, UserKey } from '../../reconcile/change.ts'
import type { Snapshot } from '../../reconcile/snapshot.ts'
import type { AuditState } from '../audit.ts'
import type { ClaimedRequest, LockedOrganization } from '../claim.ts'
import type { Scope, Statement } from '../scope.ts'

export interface Slice {
  readonly organization: LockedOrganization
  readonly requests: readonly ClaimedRequest[]
  readonly snapshot: Snapshot
  readonly plan: Plan
}

/** A slice while its plan is applied. */
export interface Applying extends Slice {
  readonly scope: Scope
  readonly people: People
  /** The row of `plans` that this becomes. */
  readonly planId: Uuid
}

/** One statement. Its values are made while the one before it runs. */
export interface Step {
  readonly statement: Statement
  readonly values: () => readonly unknown[]
}

/** What a group of changes does, and what is told of it. */
export interface Work {
  readonly steps: readonly Step[]
  readonly happened: () => readonly Happening[]
}

/** One thing that applying did: an audit entry and an event. */
export interface Happening {
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: Uuid
  readonly before?: AuditState | null
  readonly after?: AuditState | null
  /** Whose request caused it: a user's, or a subject's. */
  readonly of: { readonly user: UserKey } | { readonly subject: Uuid } | null
}

type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>

/** The changes of one kind, in the plan's order. */
export function changesOf<K extends Change['kind']>(plan: Plan, kind: K): ChangeOf<K>[] {
  return plan.changes.filter((change): change is ChangeOf<K> => change.kind === kind)
}

/** Where a plan's people are in the database. */
export interface People {
  userId(key: UserKey): Uuid
  memberId(key: UserKey): Uuid
}

/** Gives everybody whom the plan makes an id. Ids are sorted before they are given out, so that their order is the plan's. */
export function identify(scope: Scope, { plan, snapshot }: Slice): People {
  const users = new Map<UserKey, Uuid>()
  const members = new Map<UserKey, Uuid>(snapshot.members.map((member) => [member.userId, member.id]))
  const created = changesOf(plan, 'create-user')
  const joined = changesOf(plan, 'create-member')
  const userIds = created.map(() => scope.newId()).sort()
  const memberIds = joined.map(() => scope.newId()).sort()
  for (const [index, { user }] of created.entries()) users.set(user, given(userIds[index]))
  for (const [index, { user }] of joined.entries()) members.set(user, given(memberIds[index]))
  return {
    userId: (key) => (key.startsWith('new:') ? given(users.get(key)) : key),
    memberId: (key) => given(members.get(key)),
  }
}

function given(id: Uuid | undefined): Uuid {
  if (id === undefined) throw new Error('a plan names somebody whom it neither found nor makes')
  return id
}
