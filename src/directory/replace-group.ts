// PUT of a group: what is said now is all there is, also of its members.

import { isUuid } from '../model/ids.ts'
import type { ParsedGroup } from '../scim/resource.ts'
import { changeGroup } from './change-group.ts'
import type { DirectoryCall } from './directory-call.ts'
import { type GroupAnswer, readGroup } from './read-group.ts'
import { noSuchGroup } from './refusals.ts'

/**
 * Replaces a group's name, externalId and members; a body that does not speak of members means none, as for every other
 * attribute (RFC 7644 3.5.1). Never creates one.
 * @throws RollcallError not_found, uniqueness
 */
export async function replaceGroup(
  call: DirectoryCall,
  id: string,
  { displayName, externalId, members = [] }: ParsedGroup,
  options: { readonly members: boolean },
): Promise<GroupAnswer> {
  if (!isUuid(id)) throw noSuchGroup()
  const values = members.map(({ value }) => value)
  await changeGroup(call, id, { displayName, externalId, members: { kind: 'replace', values } })
  return readGroup(call, id, options)
}
