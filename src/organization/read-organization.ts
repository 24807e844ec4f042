// Reading organizations: the list, and one with what an admin should look at.

import type { Uuid } from '../model/ids.ts'
import type { MemberStatus } from '../model/words.ts'
import { type Attention, countMembersByStatus, listAttention } from '../store/attention.ts'
import { listOrganizations, type OrganizationView } from '../store/organizations.ts'
import { type AdminCaller, type AdminContext, read } from './context.ts'
import { readOrganizationView } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

export async function listOrganizationPage(
  context: AdminContext,
  caller: AdminCaller,
  page: PageRequest<number>,
): Promise<Page<OrganizationView>> {
  return read(context, caller, async (scope) =>
    pageOf(page, await listOrganizations(scope, { after: page.after, limit: page.limit + 1 }), (one) => one.number),
  )
}

export interface OrganizationDetail extends OrganizationView {
  readonly members: Readonly<Record<MemberStatus, number>>
  readonly attention: readonly Attention[]
}

export async function readOrganization(
  context: AdminContext,
  caller: AdminCaller,
  id: Uuid,
): Promise<OrganizationDetail> {
  return read(context, caller, async (scope) => {
    const organization = await readOrganizationView(scope, id)
    return {
      ...organization,
      members: await countMembersByStatus(scope, id),
      attention: await listAttention(scope, id),
    }
  })
}
