// Users whom a plan makes or knows better now.

import type { UserKey } from '../../reconcile/change.ts'
import type { Profile } from '../../reconcile/snapshot.ts'
import { column } from '../columns.ts'
import type { Statement } from '../scope.ts'
import { type Applying, changesOf, type Happening, type Step, type Work } from './slice.ts'

const insertUsers = {
  name: 'apply_insert_users',
  text: `INSERT INTO users (tenant_id, id, email, email_key, email_verified, display_name, given_name, family_name,
      created_at, updated_at)
    SELECT $1::uuid, id, email, email_key, email_verified, display_name, given_name, family_name,
      $2::timestamptz, $2::timestamptz
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[])
      AS made (id, email, email_key, email_verified, display_name, given_name, family_name)`,
}

const updateUsers = {
  name: 'apply_update_users',
  text: `UPDATE users SET email = known.email, email_key = known.email_key, email_verified = known.email_verified,
      display_name = known.display_name, given_name = known.given_name, family_name = known.family_name,
      updated_at = $2::timestamptz
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[])
      AS known (id, email, email_key, email_verified, display_name, given_name, family_name)
    WHERE users.tenant_id = $1::uuid AND users.id = known.id`,
}

interface Known {
  readonly user: UserKey
  readonly profile: Profile
  readonly emailVerified: boolean
}

/** New and changed users. */
export function userWork(applying: Applying): Work {
  const created = changesOf(applying.plan, 'create-user')
  const updated = changesOf(applying.plan, 'update-user')
  return {
    steps: [...stepOf(insertUsers, created, applying), ...stepOf(updateUsers, updated, applying)],
    happened: () => [...created.map((change) => creation(change, applying)), ...updatesOf(updated, applying)],
  }
}

function stepOf(statement: Statement, known: readonly Known[], { scope, people }: Applying): Step[] {
  if (known.length === 0) return []
  const values = () => [
    scope.tenant,
    scope.now,
    column(known.map(({ user }) => people.userId(user))),
    column(known.map(({ profile }) => profile.email?.address ?? null)),
    column(known.map(({ profile }) => profile.email?.key ?? null)),
    column(known.map(({ emailVerified }) => emailVerified)),
    column(known.map(({ profile }) => profile.displayName)),
    column(known.map(({ profile }) => profile.givenName)),
    column(known.map(({ profile }) => profile.familyName)),
  ]
  return [{ statement, values }]
}

function creation(known: Known, { people }: Applying): Happening {
  const subjectId = people.userId(known.user)
  return { action: 'user.created', subjectKind: 'user', subjectId, after: stateOf(known), of: known }
}

function updatesOf(updated: readonly Known[], { snapshot }: Applying): Happening[] {
  const before = new Map(snapshot.users.map((user) => [user.id, user]))
  return updated.map((known) => {
    const last = before.get(known.user)
    const states = { before: last === undefined ? null : stateOf(last), after: stateOf(known) }
    return { action: 'user.updated', subjectKind: 'user', subjectId: known.user, ...states, of: known }
  })
}

function stateOf({ profile, emailVerified }: Pick<Known, 'profile' | 'emailVerified'>) {
  const { email, displayName, givenName, familyName } = profile
  return { email: email?.address ?? null, emailVerified, displayName, givenName, familyName }
}
