// One group of a directory. Its members are loaded only when they are asked for: there may be 100,000.

import { isUuid } from '../model/ids.ts'
import type { MemberRef } from '../scim/member.ts'
import { withStatement } from '../store/database.ts'
import { type DirectoryGroup, findDirectoryGroup, listGroupMembers } from '../store/directory-groups.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchGroup } from './refusals.ts'

export interface GroupAnswer extends DirectoryGroup {
  /** Empty where they were not asked for. */
  readonly members: readonly MemberRef[]
}

/** @throws RollcallError not_found */
export async function readGroup(
  call: DirectoryCall,
  id: string,
  options: { readonly members: boolean },
): Promise<GroupAnswer> {
  const { database, caller, directory } = call
  const group = isUuid(id)
    ? await withStatement(database, caller, (scope) => findDirectoryGroup(scope, directory, id))
    : undefined
  if (group === undefined) throw noSuchGroup()
  return withMembers(call, group, options)
}

/** The group with its members, if they are asked for. */
export async function withMembers(
  { database, caller, directory }: DirectoryCall,
  group: DirectoryGroup,
  options: { readonly members: boolean },
): Promise<GroupAnswer> {
  if (!options.members) return { ...group, members: [] }
  const members = await withStatement(database, caller, (scope) => listGroupMembers(scope, directory, [group.id]))
  return { ...group, members: members.get(group.id) ?? [] }
}
