// A directory says that there is a group, with or without its members.

import type { ParsedGroup } from '../scim/resource.ts'
import { withStatement } from '../store/database.ts'
import { insertDirectoryGroup } from '../store/directory-groups.ts'
import type { DirectoryCall } from './directory-call.ts'
import { type GroupAnswer, withMembers } from './read-group.ts'
import { taken } from './refusals.ts'

/**
 * Creates the group. Members that nobody is yet are kept as they were named.
 * @throws RollcallError uniqueness
 */
export async function createGroup(
  call: DirectoryCall,
  { displayName, externalId, members = [] }: ParsedGroup,
  options: { readonly members: boolean },
): Promise<GroupAnswer> {
  const { database, caller, directory } = call
  const group = await withStatement(database, caller, async (scope) => {
    const id = scope.newId()
    const values = members.map(({ value }) => value)
    const isCreated = await insertDirectoryGroup(scope, directory, { id, displayName, externalId, members: values })
    if (!isCreated) throw taken(externalId === null ? 'displayName' : 'displayName or externalId', 'group')
    return { id, displayName, externalId, createdAt: scope.now, updatedAt: scope.now }
  })
  return members.length === 0 ? { ...group, members: [] } : withMembers(call, group, options)
}
