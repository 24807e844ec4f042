// The groups of a directory that meet a filter, by page, with their members if they are asked for.

import { withStatement } from '../store/database.ts'
import { listGroupMembers } from '../store/directory-groups.ts'
import { type Found, type ListQuery, listDirectoryGroups } from '../store/directory-lists.ts'
import type { DirectoryCall } from './directory-call.ts'
import type { GroupAnswer } from './read-group.ts'

/** @throws RollcallError invalid_filter for a filter that the database cannot answer */
export async function listGroups(
  { database, caller, directory }: DirectoryCall,
  query: ListQuery & { readonly members: boolean },
): Promise<Found<GroupAnswer>> {
  const found = await withStatement(database, caller, (scope) => listDirectoryGroups(scope, directory, query))
  const ids = found.resources.map((group) => group.id)
  const members =
    query.members && ids.length > 0
      ? await withStatement(database, caller, (scope) => listGroupMembers(scope, directory, ids))
      : undefined
  return { ...found, resources: found.resources.map((group) => ({ ...group, members: members?.get(group.id) ?? [] })) }
}
