// Changing a group that is there, by what is different about it: its members are never read for it.

import type { Uuid } from '../model/ids.ts'
import { withStatement, withTransaction } from '../store/database.ts'
import { changeDirectoryGroup, type GroupChange, lockDirectoryGroup } from '../store/directory-groups.ts'
import type { Scope } from '../store/scope.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchGroup, refusingTaken } from './refusals.ts'

/**
 * Writes a change, or nothing where nothing is different.
 * @throws RollcallError not_found, uniqueness
 */
export async function changeGroup(call: DirectoryCall, id: Uuid, change: GroupChange): Promise<void> {
  const { database, caller, directory } = call
  const write = (scope: Scope) => refusingTaken(() => changeDirectoryGroup(scope, directory, id, change))
  const isFound = isOneWay(change)
    ? await withStatement(database, caller, write)
    : await withTransaction(database, caller, async (scope) => {
        const group = await lockDirectoryGroup(scope, directory, id)
        return group !== undefined && write(scope)
      })
  if (!isFound) throw noSuchGroup()
}

/** Only adding or only removing comes to the same whatever happens beside it, and takes one round trip. */
function isOneWay({ members }: GroupChange): boolean {
  return members.kind === 'delta' && (members.add.length === 0 || members.remove.length === 0)
}
