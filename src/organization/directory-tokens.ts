// The bearer tokens of a directory: a new one while the old one still works, and taking one away.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { makeToken } from '../store/bearer-token.ts'
import {
  type DirectoryTokenView,
  expireOtherTokens,
  findDirectory,
  insertDirectoryToken,
  revokeToken,
} from '../store/directories.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { type AdminCaller, type AdminContext, Missing, write } from './context.ts'
import { requireOrganization } from './find-organization.ts'

export interface ShownDirectoryToken extends DirectoryTokenView {
  /** Shown this once. */
  readonly token: string
}

/** In the caller's transaction. */
export async function issueDirectoryToken(
  context: AdminContext,
  scope: Scope<OrmTx>,
  what: {
    readonly organizationId: Uuid
    readonly directoryId: Uuid
    readonly expiresAt: Date | null
    readonly causeId: Uuid | null
  },
): Promise<ShownDirectoryToken> {
  const { organizationId, directoryId, expiresAt, causeId } = what
  const { token, prefix, hash } = makeToken('rcd', context.randomBytes(32))
  const made = await insertDirectoryToken(scope, directoryId, { prefix, hash, expiresAt })
  await writeAudit(scope, {
    organizationId,
    action: 'directory_token.created',
    subjectKind: 'directory_token',
    subjectId: made.id,
    after: { directoryId, prefix, expiresAt },
    causeId,
  })
  return { ...made, token }
}

export interface TokenRotation {
  readonly expiresAt?: Date | undefined
  /** The other tokens work this much longer; left out, they go on as they are. */
  readonly expireOthersAfterSeconds?: number | undefined
}

/** A further token; `conflict` for a decommissioned directory. */
export async function rotateDirectoryToken(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  directoryId: Uuid,
  rotation: TokenRotation,
): Promise<ShownDirectoryToken> {
  const made = await write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const directory = await findDirectory(scope, organizationId, directoryId)
    if (directory === null) throw new Missing('directory', directoryId, organizationId)
    if (directory.state === 'decommissioned') {
      throw new RollcallError('conflict', 'A decommissioned directory takes no tokens.')
    }
    const expiresAt = rotation.expiresAt ?? null
    if (expiresAt !== null && expiresAt <= scope.now) {
      throw new RollcallError('invalid_value', 'The token would have expired already.')
    }
    const shown = await issueDirectoryToken(context, scope, { organizationId, directoryId, expiresAt, causeId: null })
    if (rotation.expireOthersAfterSeconds !== undefined) {
      const end = new Date(scope.now.getTime() + rotation.expireOthersAfterSeconds * 1_000)
      await expireOtherTokens(scope, directoryId, shown.id, end)
    }
    return shown
  })
  context.directoryChanged(directoryId)
  return made
}

export async function revokeDirectoryToken(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  directoryId: Uuid,
  id: Uuid,
): Promise<void> {
  await write(context, caller, async (scope) => {
    await requireOrganization(scope, organizationId)
    const directory = await findDirectory(scope, organizationId, directoryId)
    if (directory === null) throw new Missing('directory', directoryId, organizationId)
    if (!(await revokeToken(scope, directoryId, id))) throw new Missing('directory_token', id, organizationId)
    await writeAudit(scope, {
      organizationId,
      action: 'directory_token.revoked',
      subjectKind: 'directory_token',
      subjectId: id,
      after: { directoryId },
    })
  })
  context.directoryChanged(directoryId)
}
