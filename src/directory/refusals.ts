// How this door refuses, in the same words wherever it does.

import { RollcallError } from '../model/errors.ts'
import { sqlState, violatedConstraint } from '../store/database.ts'

export function noSuchUser(): RollcallError {
  return new RollcallError('not_found', 'There is no such user in this directory')
}

export function noSuchGroup(): RollcallError {
  return new RollcallError('not_found', 'There is no such group in this directory')
}

export function taken(attribute: string, kind: 'user' | 'group'): RollcallError {
  return new RollcallError('uniqueness', `Another ${kind} of this directory has this ${attribute}`)
}

const uniqueAttributes: Readonly<Record<string, readonly [string, 'user' | 'group']>> = {
  directory_users_user_name: ['userName', 'user'],
  directory_users_external_id: ['externalId', 'user'],
  directory_groups_display_name: ['displayName', 'group'],
  directory_groups_external_id: ['externalId', 'group'],
}

/** Runs a write, with a taken name as the refusal it is. */
export async function refusingTaken<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    const unique = sqlState(error) === '23505' ? uniqueAttributes[violatedConstraint(error) ?? ''] : undefined
    throw unique === undefined ? error : taken(...unique)
  }
}
