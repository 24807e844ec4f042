// Looking at an organization as a whole: at a glance, its audit trail, its events, its conflicts, how far it is
// reconciled; and asking for all of it to be reconciled again, which is harmless.

import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { type AuditRow, type EventRow, listAudit, listEvents } from '../store/explain.ts'
import { listMembers } from '../store/member-views.ts'
import type { OrganizationView } from '../store/organizations.ts'
import { requestEverything } from '../store/request-many.ts'
import { type ConflictView, listConflicts, type Tallies, tallyMembers } from '../store/summary.ts'
import { type OrganizationSyncStatus, organizationSyncStatus } from '../store/sync.ts'
import { type AdminCaller, type AdminContext, read, write } from './context.ts'
import { readOrganizationView, requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'
import { type MemberView, toMemberView } from './read-members.ts'

const shownMembers = 100

export interface OrganizationSummary extends Tallies {
  readonly organization: OrganizationView
  readonly sync: OrganizationSyncStatus
  /** The first hundred by number. */
  readonly members: readonly MemberView[]
}

export async function summarizeOrganization(
  context: AdminContext,
  caller: AdminCaller,
  id: Uuid,
): Promise<OrganizationSummary> {
  return read(context, caller, async (scope) => {
    const organization = await readOrganizationView(scope, id)
    const members = await listMembers(scope, id, {}, { after: undefined, limit: shownMembers })
    return {
      organization,
      ...(await tallyMembers(scope, id)),
      sync: await organizationSyncStatus(scope, id),
      members: members.map(toMemberView),
    }
  })
}

export async function readSync(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
): Promise<OrganizationSyncStatus> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    return organizationSyncStatus(scope, organizationId)
  })
}

/** Answers how many subjects were asked for. */
export async function resyncOrganization(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
): Promise<{ readonly requested: number }> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: 'organization.resync_requested',
      subjectKind: 'organization',
      subjectId: organizationId,
    })
    return { requested: await requestEverything(scope, organizationId, causeId) }
  })
}

/** Newest first; null for what belongs to none of the tenant's organizations. */
export async function listAuditPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid | null,
  filter: { readonly subject?: Uuid | undefined; readonly action?: string | undefined },
  page: PageRequest<Uuid>,
): Promise<Page<AuditRow>> {
  return read(context, caller, async (scope) => {
    if (organizationId !== null) await requireOrganization(scope, organizationId)
    const rows = await listAudit(scope, organizationId, filter, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, rows, (entry) => entry.id)
  })
}

/** Oldest first, so that a reader can go on where it stopped. */
export async function listEventPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<number>,
): Promise<Page<EventRow>> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const rows = await listEvents(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, rows, (event) => event.id)
  })
}

export async function listConflictPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<ConflictView>> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const rows = await listConflicts(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, rows, (conflict) => conflict.id)
  })
}
