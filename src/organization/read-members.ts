// Reading members: the list, and one with what it holds. Why is explain-member.ts.

import { parseEmail } from '../model/email.ts'
import type { Uuid } from '../model/ids.ts'
import { type MemberStatus, memberPublicId } from '../model/words.ts'
import { findMember, type GrantRow, listGrants, listMembers, type MemberRow } from '../store/member-views.ts'
import type { Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, read } from './context.ts'
import { requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export interface MemberView extends Omit<MemberRow, 'organizationNumber'> {
  /** ORG{n}-U-{seq}. */
  readonly publicId: string
}

export function toMemberView({ organizationNumber, ...member }: MemberRow): MemberView {
  return { ...member, publicId: memberPublicId(organizationNumber, member.number) }
}

export interface MemberQuery {
  readonly status?: MemberStatus | undefined
  readonly role?: string | undefined
  readonly email?: string | undefined
}

/** An e-mail that is none is nobody's. */
export async function listMemberPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  query: MemberQuery,
  page: PageRequest<number>,
): Promise<Page<MemberView>> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const emailKey = query.email === undefined ? undefined : (parseEmail(query.email)?.key ?? '')
    const filter = { status: query.status, role: query.role, emailKey }
    const rows = await listMembers(scope, organizationId, filter, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, rows.map(toMemberView), (member) => member.number)
  })
}

export interface MemberDetail extends MemberView {
  readonly grants: readonly GrantRow[]
}

export async function readMember(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<MemberDetail> {
  return read(context, caller, async (scope) => {
    const member = await requireMember(scope, organizationId, id)
    return { ...toMemberView(member), grants: await listGrants(scope, organizationId, id) }
  })
}

/** The member, within the organization that the request names. */
export async function requireMember(scope: Scope, organizationId: Uuid, id: Uuid): Promise<MemberRow> {
  await requireOrganization(scope, organizationId)
  const member = await findMember(scope, organizationId, id)
  if (member === null) throw new Missing('member', id, organizationId)
  return member
}
