// When a directory was last heard of, for the admin who asks whether it still pushes. Written at most
// once a minute for each token and process, so that a push of thousands of requests writes it once.

import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { withStatement } from '../store/database.ts'
import { type DirectoryToken, recordDirectoryContact } from '../store/directory-tokens.ts'
import type { DirectoryCall } from './directory-call.ts'

const everyMs = 60_000
const maxRemembered = 10_000

export type ContactRecorder = (call: DirectoryCall, token: DirectoryToken, urlDirectoryId: Uuid) => Promise<void>

/**
 * The first contact makes a pending directory active. A token used on another directory's URL goes to the audit trail
 * of the token's own organization: it is a mistake or an attack, and only there somebody can tell.
 */
export function createContactRecorder(): ContactRecorder {
  const recordedAtMs = new Map<string, number>()

  return async ({ database, caller, directory }, token, urlDirectoryId) => {
    const isOwn = urlDirectoryId === token.directoryId
    const key = isOwn ? token.id : `${token.id} elsewhere`
    const nowMs = database.clock().getTime()
    const last = recordedAtMs.get(key)
    if (last !== undefined && nowMs - last < everyMs) return
    if (recordedAtMs.size >= maxRemembered) recordedAtMs.clear()
    recordedAtMs.set(key, nowMs)
    try {
      await withStatement(database, caller, async (scope) => {
        if (isOwn) return recordDirectoryContact(scope, token.id, token.directoryId)
        await writeAudit(scope, {
          organizationId: directory.organizationId,
          action: 'directory.foreign_url_refused',
          subjectKind: 'directory',
          subjectId: token.directoryId,
          after: { urlDirectoryId },
        })
      })
    } catch (error) {
      recordedAtMs.delete(key)
      throw error
    }
  }
}
