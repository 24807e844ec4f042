// DELETE of a group: a tombstone remains for the mappings that name it, without members.

import { isUuid } from '../model/ids.ts'
import { withStatement } from '../store/database.ts'
import { deleteDirectoryGroup } from '../store/directory-groups.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchGroup } from './refusals.ts'

/** @throws RollcallError not_found */
export async function deleteGroup({ database, caller, directory }: DirectoryCall, id: string): Promise<void> {
  const isDeleted =
    isUuid(id) && (await withStatement(database, caller, (scope) => deleteDirectoryGroup(scope, directory, id)))
  if (!isDeleted) throw noSuchGroup()
}
