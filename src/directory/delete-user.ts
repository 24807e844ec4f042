// DELETE of a user: a tombstone remains, so that the same externalId comes back as the same person.

import { isUuid } from '../model/ids.ts'
import { withStatement } from '../store/database.ts'
import { deleteDirectoryUser } from '../store/directory-users.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchUser } from './refusals.ts'

/** @throws RollcallError not_found */
export async function deleteUser({ database, caller, directory }: DirectoryCall, id: string): Promise<void> {
  const isDeleted =
    isUuid(id) && (await withStatement(database, caller, (scope) => deleteDirectoryUser(scope, directory, id)))
  if (!isDeleted) throw noSuchUser()
}
