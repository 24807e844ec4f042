// A directory says that there is a user. Usually it is a new one, and one statement. Otherwise the user
// has been here before and comes back under the same id, or the name is taken.

import { RollcallError } from '../model/errors.ts'
import type { ParsedUser } from '../scim/resource.ts'
import { withStatement, withTransaction } from '../store/database.ts'
import {
  type DirectoryUser,
  insertDirectoryUser,
  lockNamesakesOf,
  type Namesake,
  reviveDirectoryUser,
} from '../store/directory-users.ts'
import type { Scope } from '../store/scope.ts'
import { changedAttributes } from './changed-attributes.ts'
import type { DirectoryCall } from './directory-call.ts'
import { refusingTaken, taken } from './refusals.ts'

// A namesake can be deleted between being met and being looked at; then the name is free.
const maxTries = 3

/**
 * Creates the user, or takes an inactive or deleted one of the same externalId (or an inactive one of the same
 * userName, unless both have an externalId) back in place: Okta sends a returning person as a new POST.
 * @throws RollcallError uniqueness, seats_exhausted
 */
export async function createUser(call: DirectoryCall, user: ParsedUser): Promise<DirectoryUser> {
  for (let tries = 1; ; tries += 1) {
    const created = await insert(call, user)
    if (typeof created !== 'string') return created
    const returned = await withTransaction(call.database, call.caller, (scope) => takeBack(scope, call, user))
    if (returned !== undefined) return returned
    if (created === 'no_seat') throw noSeat()
    if (tries === maxTries) throw taken('userName or externalId', 'user')
  }
}

async function insert({ database, caller, directory }: DirectoryCall, user: ParsedUser) {
  return withStatement(database, caller, async (scope) => {
    const id = scope.newId()
    const outcome = await insertDirectoryUser(scope, directory, id, user)
    if (outcome !== 'created') return outcome
    return { id, attributes: user.attributes, generation: 1, createdAt: scope.now, updatedAt: scope.now, groups: [] }
  })
}

/** The user who was meant, changed in place; undefined when nobody was. */
async function takeBack(
  scope: Scope,
  { directory }: DirectoryCall,
  user: ParsedUser,
): Promise<DirectoryUser | undefined> {
  const namesakes = await lockNamesakesOf(scope, directory, user.columns)
  const meant = namesakes.find((one) => one.sameExternalId) ?? namesakes[0]
  if (meant === undefined) return undefined
  if (!isReturning(meant, user)) throw taken(meant.sameExternalId ? 'externalId' : 'userName', 'user')
  const { id, attributes, generation } = meant
  const change = { id, generation, facts: user, ...changedAttributes(attributes, user.attributes) }
  await refusingTaken(() => reviveDirectoryUser(scope, directory, change))
  return { ...meant, attributes: user.attributes, generation: generation + 1, updatedAt: scope.now }
}

/** An active namesake is a duplicate; one known by another externalId is somebody else. */
function isReturning(meant: Namesake, { columns }: ParsedUser): boolean {
  if (meant.active) return false
  return meant.sameExternalId || meant.externalId === null || columns.externalId === null
}

function noSeat(): RollcallError {
  return new RollcallError('seats_exhausted', {
    detail:
      'The organization has no seat left. Raise its seat limit or free a seat, then push this user again; nothing was changed',
  })
}
