// Users whom a plan makes or knows better now.

import type { Profile } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'
import { type ChangeOf, changesOf, type Happening, type People, type Slice } from './slice.ts'

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

/** Writes new and changed users. */
export async function applyUsers(scope: Scope, slice: Slice, people: People): Promise<Happening[]> {
  const created = changesOf(slice.plan, 'create-user')
  const updated = changesOf(slice.plan, 'update-user')
  if (created.length > 0) await scope.tx.query(insertUsers, valuesOf(scope, created, people))
  if (updated.length > 0) await scope.tx.query(updateUsers, valuesOf(scope, updated, people))
  const before = new Map(slice.snapshot.users.map((user) => [user.id, user]))
  return [
    ...created.map((change) => ({
      ...{ action: 'user.created', subjectKind: 'user', subjectId: people.userId(change.user), of: change },
      after: stateOf(change),
    })),
    ...updated.map((change) => {
      const known = before.get(change.user)
      return {
        ...{ action: 'user.updated', subjectKind: 'user', subjectId: people.userId(change.user), of: change },
        before: known === undefined ? null : stateOf(known),
        after: stateOf(change),
      }
    }),
  ]
}

function valuesOf(
  scope: Scope,
  changes: readonly ChangeOf<'create-user' | 'update-user'>[],
  people: People,
): readonly unknown[] {
  const profiles = changes.map((change) => change.profile)
  return [
    scope.tenant,
    scope.now,
    changes.map((change) => people.userId(change.user)),
    profiles.map((profile) => profile.email?.address ?? null),
    profiles.map((profile) => profile.email?.key ?? null),
    changes.map((change) => change.emailVerified),
    profiles.map((profile) => profile.displayName),
    profiles.map((profile) => profile.givenName),
    profiles.map((profile) => profile.familyName),
  ]
}

function stateOf({ profile, emailVerified }: { profile: Profile; emailVerified: boolean }) {
  const { email, displayName, givenName, familyName } = profile
  return { email: email?.address ?? null, emailVerified, displayName, givenName, familyName }
}
