// PATCH of a user: the operations hold as a whole or not at all. What they mean is scim/patch-user.ts's.

import { isUuid } from '../model/ids.ts'
import type { Reading } from '../scim/dialects.ts'
import type { PatchOperation } from '../scim/patch.ts'
import { applyUserPatch } from '../scim/patch-user.ts'
import type { DirectoryUser } from '../store/directory-users.ts'
import { changeUser } from './change-user.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchUser } from './refusals.ts'

/**
 * Applies operations to a user. Never refused for want of a seat: whoever reactivates a person is told the truth, and
 * the reconciler gives the seat or the place in the queue.
 * @throws RollcallError not_found, uniqueness, and what applyUserPatch throws
 */
export async function patchUser(
  call: DirectoryCall,
  id: string,
  operations: readonly PatchOperation[],
  reading: Reading,
): Promise<DirectoryUser> {
  if (!isUuid(id)) throw noSuchUser()
  return changeUser(call, id, (current) => applyUserPatch(current, operations, reading).attributes)
}
