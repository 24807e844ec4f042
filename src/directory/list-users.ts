// The users of a directory that meet a filter, by page. Inactive ones too; deleted ones are gone.

import { withStatement } from '../store/database.ts'
import { type Found, type ListQuery, listDirectoryUsers } from '../store/directory-lists.ts'
import type { DirectoryUser } from '../store/directory-users.ts'
import type { DirectoryCall } from './directory-call.ts'

/** @throws RollcallError invalid_filter for a filter that the database cannot answer */
export async function listUsers(
  { database, caller, directory }: DirectoryCall,
  query: ListQuery & { readonly groups: boolean },
): Promise<Found<DirectoryUser>> {
  return withStatement(database, caller, (scope) => listDirectoryUsers(scope, directory, query))
}
