// An organization's directories: making one with its first token, reading them, and the states an admin gives them.
// Their tokens are directory-tokens.ts's here.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { DirectoryState } from '../model/words.ts'
import { writeAudit } from '../store/audit.ts'
import {
  countDirectory,
  type DirectoryCounts,
  type DirectoryGroupView,
  type DirectoryProvider,
  type DirectorySync,
  type DirectoryTokenView,
  type DirectoryView,
  findDirectory,
  insertDirectory,
  listDirectories,
  listGroupsOf,
  listLiveTokens,
  lockDirectory,
  revokeAllTokens,
  setDirectoryState,
} from '../store/directories.ts'
import { requestDirectoryUsers, requestProvedEntries } from '../store/request-many.ts'
import type { Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, read, write } from './context.ts'
import { issueDirectoryToken, type ShownDirectoryToken } from './directory-tokens.ts'
import { requireLockedOrganization, requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

/** A directory and the address that its identity provider pushes to. */
export interface AddressedDirectory extends DirectoryView {
  readonly scimBaseUrl: string
}

function addressed(context: AdminContext, directory: DirectoryView): AddressedDirectory {
  return { ...directory, scimBaseUrl: `${context.publicUrl}/scim/v2/${directory.id}` }
}

export async function createDirectory(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  input: { readonly name: string; readonly provider: DirectoryProvider },
): Promise<{ readonly directory: AddressedDirectory; readonly token: ShownDirectoryToken }> {
  return write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const directory = await insertDirectory(scope, organizationId, input)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: 'directory.created',
      subjectKind: 'directory',
      subjectId: directory.id,
      after: { name: directory.name, provider: directory.provider, state: directory.state },
    })
    const token = await issueDirectoryToken(context, scope, {
      organizationId,
      directoryId: directory.id,
      expiresAt: null,
      causeId,
    })
    return { directory: addressed(context, directory), token }
  })
}

export async function listDirectoryPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<AddressedDirectory>> {
  return read(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const directories = await listDirectories(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(
      page,
      directories.map((directory) => addressed(context, directory)),
      (directory) => directory.id,
    )
  })
}

export interface DirectoryDetail extends AddressedDirectory {
  readonly counts: DirectoryCounts
  readonly sync: DirectorySync
  readonly tokens: readonly DirectoryTokenView[]
}

export async function readDirectory(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<DirectoryDetail> {
  return write(context, caller, async (scope) => {
    const directory = await requireDirectory(scope, organizationId, id)
    const { counts, sync } = await countDirectory(scope, organizationId, id)
    return { ...addressed(context, directory), counts, sync, tokens: await listLiveTokens(scope, id) }
  })
}

export async function listDirectoryGroupPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
  page: PageRequest<Uuid>,
): Promise<Page<DirectoryGroupView>> {
  return read(context, caller, async (scope) => {
    await requireDirectory(scope, organizationId, id)
    const groups = await listGroupsOf(scope, id, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, groups, (group) => group.id)
  })
}

/** The directory, within the organization that the request names. */
async function requireDirectory(scope: Scope, organizationId: Uuid, id: Uuid): Promise<DirectoryView> {
  await requireOrganization(scope, organizationId)
  const directory = await findDirectory(scope, organizationId, id)
  if (directory === null) throw new Missing('directory', id, organizationId)
  return directory
}

/**
 * Pauses a directory (its identity provider is told to come back later), lets it go on, or ends it for good: then
 * nothing it said counts any more, its tokens are revoked and its people are reconciled. `conflict` for one that has ended.
 */
export async function changeDirectoryState(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
  state: Exclude<DirectoryState, 'pending'>,
): Promise<AddressedDirectory> {
  const changed = await write(context, caller, async (scope) => {
    await requireLockedOrganization(scope, organizationId)
    const before = await lockDirectory(scope, organizationId, id)
    if (before === null) throw new Missing('directory', id, organizationId)
    if (before.state === state) return before
    if (before.state === 'decommissioned') {
      throw new RollcallError('conflict', 'A decommissioned directory does not come back. Make a new one.')
    }
    await setDirectoryState(scope, id, state)
    const causeId = await writeAudit(scope, {
      organizationId,
      action: `directory.${state === 'active' ? 'activated' : state}`,
      subjectKind: 'directory',
      subjectId: id,
      before: { state: before.state },
      after: { state },
    })
    if (state === 'decommissioned') {
      await revokeAllTokens(scope, id)
      await requestDirectoryUsers(scope, organizationId, id, causeId)
    }
    if (governs(before.state) !== governs(state)) await requestProvedEntries(scope, organizationId, causeId)
    return { ...before, state }
  })
  context.directoryChanged(id)
  return addressed(context, changed)
}

/** Whether logins and sign-ups have to match what the directory says. */
function governs(state: DirectoryState): boolean {
  return state === 'active' || state === 'paused'
}
