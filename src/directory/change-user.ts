// Changing a user who is there: read, decide, write what differs. Optimistic, because two requests
// about one person at once are rare and a lock would cost two more round trips each time.

import type { Uuid } from '../model/ids.ts'
import { type Attributes, isDeepEqual } from '../scim/json.ts'
import { userColumns } from '../scim/resource.ts'
import { withStatement, withTransaction } from '../store/database.ts'
import {
  type DirectoryUser,
  findDirectoryUser,
  lockDirectoryUser,
  updateDirectoryUser,
} from '../store/directory-users.ts'
import type { Scope } from '../store/scope.ts'
import { changedAttributes } from './changed-attributes.ts'
import type { DirectoryCall } from './directory-call.ts'
import { noSuchUser, refusingTaken } from './refusals.ts'

const optimisticTries = 3

/**
 * Gives a user the attributes that `decide` makes of the present ones. Nothing is written when they are equal. `decide`
 * is called again when somebody else was faster.
 * @throws RollcallError not_found, uniqueness, and what `decide` throws
 */
export async function changeUser(
  call: DirectoryCall,
  id: Uuid,
  decide: (current: Attributes) => Attributes,
): Promise<DirectoryUser> {
  const { database, caller, directory } = call
  for (let tries = 0; tries < optimisticTries; tries += 1) {
    const user = await withStatement(database, caller, (scope) =>
      findDirectoryUser(scope, directory, id, { groups: true }),
    )
    if (user === undefined) throw noSuchUser()
    const changed = await withStatement(database, caller, (scope) => write(scope, call, user, decide))
    if (changed !== undefined) return changed
  }
  // Many at once: one after the other, so that each gets its turn.
  return withTransaction(database, caller, async (scope) => {
    const user = await lockDirectoryUser(scope, directory, id)
    const changed = user && (await write(scope, call, user, decide))
    if (changed === undefined) throw noSuchUser()
    return changed
  })
}

/** Only an explicit `active: true` lets a suspended person in again; a body that does not speak of it, or null, does not. */
function keepingSuspension(before: Attributes, after: Attributes): Attributes {
  return before['active'] === false && after['active'] === undefined ? { ...after, active: false } : after
}

/** The user as changed; undefined when the user is no longer as it was read. */
async function write(
  scope: Scope,
  { directory }: DirectoryCall,
  user: DirectoryUser,
  decide: (current: Attributes) => Attributes,
): Promise<DirectoryUser | undefined> {
  const attributes = keepingSuspension(user.attributes, decide(user.attributes))
  if (isDeepEqual(attributes, user.attributes)) return user
  const { id, generation } = user
  const facts = { attributes, columns: userColumns(attributes) }
  const change = { id, generation, facts, ...changedAttributes(user.attributes, attributes) }
  const isWritten = await refusingTaken(() => updateDirectoryUser(scope, directory, change))
  return isWritten ? { ...user, attributes, generation: generation + 1, updatedAt: scope.now } : undefined
}
