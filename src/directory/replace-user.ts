// PUT of a user: what is said now is all there is.

import { isUuid } from '../model/ids.ts'
import type { ParsedUser } from '../scim/resource.ts'
import type { DirectoryUser } from '../store/directory-users.ts'
import { changeUser } from './change-user.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchUser } from './refusals.ts'

/**
 * Replaces a user's attributes. Never creates one.
 * @throws RollcallError not_found, uniqueness
 */
export async function replaceUser(call: DirectoryCall, id: string, user: ParsedUser): Promise<DirectoryUser> {
  if (!isUuid(id)) throw noSuchUser()
  return changeUser(call, id, () => user.attributes)
}
