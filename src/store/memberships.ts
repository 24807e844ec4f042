// What a proved identity is in one organization, as the reconciler left it: read when a login is completed
// and again whenever its session is used, so that a session never outlives the membership.

import type { Uuid } from '../model/ids.ts'
import type { MemberStatus } from '../model/words.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface Membership {
  readonly organization: {
    readonly id: Uuid
    readonly number: number
    readonly name: string
    readonly kind: string
    readonly active: boolean
  }
  readonly user: { readonly id: Uuid; readonly email: string | null; readonly displayName: string | null } | null
  readonly member: {
    readonly id: Uuid
    readonly number: number
    readonly status: MemberStatus
    readonly role: { readonly key: string; readonly name: string } | null
    readonly units: readonly { readonly id: Uuid; readonly kind: string; readonly name: string }[]
    readonly workspaces: readonly { readonly id: Uuid; readonly name: string }[]
  } | null
  /** The address belongs to a known user, and an admin has to say whether that is the same person. */
  readonly conflict: boolean
}

const statuses = [
  'invited',
  'awaiting_approval',
  'waitlisted',
  'active',
  'inactive',
  'removed',
] as const satisfies MemberStatus[]

/** Undefined when identity or organization are gone. */
export async function readMembership(
  scope: Scope<OrmTx>,
  identityId: Uuid,
  organizationId: Uuid,
): Promise<Membership | undefined> {
  const { orm } = scope.tx
  const tenantId = scope.tenant
  const organization = await orm.organization.findUnique({ where: { tenantId_id: { tenantId, id: organizationId } } })
  const identity = await orm.identity.findUnique({
    where: { tenantId_id: { tenantId, id: identityId } },
    select: { user: { select: { id: true, email: true, displayName: true } } },
  })
  if (organization === null || identity === null) return undefined
  const { id, number, name, kind, status } = organization
  return {
    organization: { id, number, name, kind, active: status === 'active' },
    user: identity.user,
    member: identity.user === null ? null : await readMember(scope, organizationId, identity.user.id),
    conflict: await hasOpenConflict(scope, identityId, organizationId),
  }
}

async function readMember(scope: Scope<OrmTx>, organizationId: Uuid, userId: Uuid): Promise<Membership['member']> {
  const { orm } = scope.tx
  const tenantId = scope.tenant
  const member = await orm.member.findUnique({
    where: { tenantId_organizationId_userId: { tenantId, organizationId, userId } },
    select: { id: true, number: true, status: true, role: { select: { key: true, name: true } } },
  })
  if (member === null) return null
  const grants = { grantUnit: { some: { memberId: member.id } } }
  const units = await orm.unit.findMany({
    where: { tenantId, organizationId, ...grants },
    select: { id: true, kind: true, name: true },
    orderBy: [{ kind: 'asc' }, { name: 'asc' }],
  })
  const workspaces = await orm.workspace.findMany({
    where: { tenantId, organizationId, grantWorkspace: { some: { memberId: member.id } } },
    select: { id: true, name: true },
    orderBy: { name: 'asc' },
  })
  return { ...member, status: oneOf(statuses, member.status), units, workspaces }
}

async function hasOpenConflict(scope: Scope<OrmTx>, identityId: Uuid, organizationId: Uuid): Promise<boolean> {
  const [row] = await scope.tx.query<{ open: boolean }>(openConflict, [scope.tenant, identityId, organizationId])
  return row?.open === true
}

const openConflict = {
  name: 'membership_open_conflict',
  text: `SELECT EXISTS (
      SELECT 1 FROM entries e JOIN conflicts c ON c.tenant_id = e.tenant_id AND c.organization_id = e.organization_id
        AND c.subject_kind = 'entry' AND c.subject_id = e.id AND c.state = 'open'
      WHERE e.tenant_id = $1::uuid AND e.identity_id = $2::uuid AND e.organization_id = $3::uuid) AS open`,
}
