// One user of a directory, as it was said. Inactive ones too; deleted ones are gone.

import { isUuid } from '../model/ids.ts'
import { withStatement } from '../store/database.ts'
import { type DirectoryUser, findDirectoryUser } from '../store/directory-users.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchUser } from './refusals.ts'

/** @throws RollcallError not_found */
export async function readUser(
  { database, caller, directory }: DirectoryCall,
  id: string,
  options: { readonly groups: boolean },
): Promise<DirectoryUser> {
  if (!isUuid(id)) throw noSuchUser()
  const user = await withStatement(database, caller, (scope) => findDirectoryUser(scope, directory, id, options))
  if (user === undefined) throw noSuchUser()
  return user
}
