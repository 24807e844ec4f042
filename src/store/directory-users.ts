// Directory users: what a directory said of its people, kept verbatim. Each write is one statement
// with its audit entry and reconcile request. Lists are in directory-lists.ts, memberships in
// directory-groups.ts; which of these to call, and what a refusal means, is the use cases' (directory/).

import type { Uuid } from '../model/ids.ts'
import type { Attributes } from '../scim/json.ts'
import { storedAttributes, type UserColumns } from '../scim/resource.ts'
import { auditSql, changeValues, liveRowSql, requestSql } from './directory-change.ts'
import type { DirectoryRef } from './directory-tokens.ts'
import type { Scope } from './scope.ts'

/** A user as it is to be kept. */
export interface UserFacts {
  readonly columns: UserColumns
  readonly attributes: Attributes
}

export interface GroupOfUser {
  readonly id: Uuid
  readonly displayName: string
}

export interface DirectoryUser {
  readonly id: Uuid
  readonly attributes: Attributes
  readonly generation: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** The groups that name the user; empty where they were not asked for. */
  readonly groups: readonly GroupOfUser[]
}

/** `no_seat`: refused under the seat policy `block`; `taken`: a userName or externalId is in use, live or as a tombstone. */
export type InsertOutcome = 'created' | 'no_seat' | 'taken'

// ON CONFLICT rather than an error: two creates of one user at once are an expected outcome, and the
// loser goes on to find out who was first. A full organization is seen here and not before: one round trip.
const insertUser = {
  name: 'insert_directory_user',
  text: `WITH seats AS (
      SELECT EXISTS (
        SELECT FROM organizations WHERE tenant_id = $1::uuid AND id = $2::uuid
          AND seat_policy = 'block' AND seats_used >= seat_limit
      ) AND $11::boolean AS is_full
    ), created AS (
      INSERT INTO directory_users (tenant_id, organization_id, directory_id, id, user_name, external_id, active,
        display_name, given_name, family_name, email, title, department, manager, attributes, created_at, updated_at)
      SELECT $1::uuid, $2::uuid, $3::uuid, $8::uuid, $9::text, $10::text, $11::boolean, $12::text, $13::text,
        $14::text, $15::text, $16::text, $17::text, $18::text, $19::jsonb, $4::timestamptz, $4::timestamptz
      FROM seats WHERE NOT is_full
      ON CONFLICT DO NOTHING
      RETURNING id, attributes
    ), audited AS (${auditSql({
      from: 'created',
      action: 'directory_user.created',
      subjectKind: 'directory_user',
      after: 'attributes',
    })}), requested AS (${requestSql('SELECT id FROM created')})
    SELECT CASE WHEN is_full THEN 'no_seat' WHEN EXISTS (SELECT FROM created) THEN 'created' ELSE 'taken' END AS outcome
    FROM seats`,
}

/** Inserts a user unless somebody has its userName or externalId, or it would be active and no seat is left. */
export async function insertDirectoryUser(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
  facts: UserFacts,
): Promise<InsertOutcome> {
  const [row] = await scope.tx.query<{ outcome: InsertOutcome }>(insertUser, [
    ...changeValues(scope, directory),
    id,
    ...factValues(facts),
  ])
  const outcome = row?.outcome ?? 'taken'
  if (outcome === 'created') scope.touched.add(directory.organizationId, false)
  return outcome
}

function factValues({ columns, attributes }: UserFacts): readonly unknown[] {
  return [
    columns.userName,
    columns.externalId,
    columns.active,
    columns.displayName,
    columns.givenName,
    columns.familyName,
    columns.email,
    columns.title,
    columns.department,
    columns.managerValue,
    JSON.stringify(attributes),
  ]
}

/** Columns of a user `r` as a UserRow. The groups are a subquery: a user has few, found by index. */
export const userColumnsSql = (withGroups: boolean): string =>
  `r.id, r.attributes, r.generation, r.created_at AS "createdAt", r.updated_at AS "updatedAt", ${
    withGroups
      ? `(SELECT json_agg(json_build_object('id', g.id, 'displayName', g.display_name) ORDER BY g.id)
          FROM directory_group_members m
          JOIN directory_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL
          WHERE m.tenant_id = r.tenant_id AND m.directory_user_id = r.id)`
      : 'NULL::json'
  } AS groups`

/** A user as the database answers it. */
export interface UserRow extends Omit<DirectoryUser, 'attributes' | 'groups'> {
  readonly attributes: unknown
  readonly groups: readonly GroupOfUser[] | null
}

export function asUser(row: UserRow): DirectoryUser {
  return { ...row, attributes: storedAttributes(row.attributes), groups: row.groups ?? [] }
}

const findUserText = (withGroups: boolean) => `SELECT ${userColumnsSql(withGroups)} FROM directory_users r
  WHERE ${liveRowSql('r', '$2::uuid', '$3::uuid')}`

const findUser = { name: 'find_directory_user', text: findUserText(true) }
const findUserAlone = { name: 'find_directory_user_alone', text: findUserText(false) }
const lockUser = { name: 'lock_directory_user', text: `${findUserText(true)} FOR NO KEY UPDATE OF r` }

/** A live user; deleted ones and other directories' are undefined. */
export async function findDirectoryUser(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
  options: { readonly groups: boolean },
): Promise<DirectoryUser | undefined> {
  const statement = options.groups ? findUser : findUserAlone
  const [row] = await scope.tx.query<UserRow>(statement, [scope.tenant, directory.id, id])
  return row && asUser(row)
}

/** The same with the row locked until the caller's transaction ends. */
export async function lockDirectoryUser(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
): Promise<DirectoryUser | undefined> {
  const [row] = await scope.tx.query<UserRow>(lockUser, [scope.tenant, directory.id, id])
  return row && asUser(row)
}

/** A user that a POST means, or that stands in its way. */
export interface Namesake extends DirectoryUser {
  readonly active: boolean
  readonly externalId: string | null
  readonly sameExternalId: boolean
}

type NamesakeRow = UserRow & Pick<Namesake, 'active' | 'externalId' | 'sameExternalId'>

const lockNamesakes = {
  name: 'lock_directory_user_namesakes',
  text: `SELECT ${userColumnsSql(true)}, r.active, r.external_id AS "externalId",
      coalesce(r.external_id = $4::text, false) AS "sameExternalId"
    FROM directory_users r
    WHERE r.tenant_id = $1::uuid AND r.directory_id = $2::uuid
      AND (r.external_id = $4::text OR (lower(r.user_name) = lower($3::text) AND r.deleted_at IS NULL))
    ORDER BY r.id FOR NO KEY UPDATE OF r`,
}

/** Whoever has this externalId, live or tombstone, and the live user of this userName; locked until the transaction ends. */
export async function lockNamesakesOf(
  scope: Scope,
  directory: DirectoryRef,
  { userName, externalId }: UserColumns,
): Promise<Namesake[]> {
  const values = [scope.tenant, directory.id, userName, externalId]
  const rows = await scope.tx.query<NamesakeRow>(lockNamesakes, values)
  return rows.map(({ active, externalId: itsExternalId, sameExternalId, ...row }) => ({
    ...asUser(row),
    active,
    externalId: itsExternalId,
    sameExternalId,
  }))
}

export interface UserChange {
  readonly id: Uuid
  /** The generation that `facts` were made from; if it has moved on, nothing is written. */
  readonly generation: number
  readonly facts: UserFacts
  /** The attributes that differ, as they were and as they are. */
  readonly before: Attributes
  readonly after: Attributes
}

const updateText = (action: string, which: string) => `WITH updated AS (
    UPDATE directory_users u SET user_name = $9::text, external_id = $10::text, active = $11::boolean,
      display_name = $12::text, given_name = $13::text, family_name = $14::text, email = $15::text, title = $16::text,
      department = $17::text, manager = $18::text, attributes = $19::jsonb,
      generation = generation + 1, updated_at = $4::timestamptz, deleted_at = NULL
    WHERE ${which} AND generation = $20::int
    RETURNING id
  ), audited AS (${auditSql({
    from: 'updated',
    action,
    subjectKind: 'directory_user',
    before: '$21::jsonb',
    after: '$22::jsonb',
  })}), requested AS (${requestSql('SELECT id FROM updated')})
  SELECT id FROM updated`

const updateUser = {
  name: 'update_directory_user',
  text: updateText('directory_user.updated', liveRowSql('u', '$3::uuid', '$8::uuid')),
}
// Dead or alive.
const reviveUser = {
  name: 'revive_directory_user',
  text: updateText(
    'directory_user.returned',
    'u.tenant_id = $1::uuid AND u.id = $8::uuid AND (u.directory_id = $3::uuid) IS TRUE',
  ),
}

/** Changes a live user, or answers false when it has changed or gone meanwhile. A taken name is the database's error 23505. */
export async function updateDirectoryUser(scope: Scope, directory: DirectoryRef, change: UserChange): Promise<boolean> {
  return changeUser(scope, directory, change, updateUser)
}

/** The same for a user who comes back: also out of a tombstone. */
export async function reviveDirectoryUser(scope: Scope, directory: DirectoryRef, change: UserChange): Promise<boolean> {
  return changeUser(scope, directory, change, reviveUser)
}

async function changeUser(
  scope: Scope,
  directory: DirectoryRef,
  change: UserChange,
  statement: typeof updateUser,
): Promise<boolean> {
  const rows = await scope.tx.query(statement, [
    ...changeValues(scope, directory),
    change.id,
    ...factValues(change.facts),
    change.generation,
    JSON.stringify(change.before),
    JSON.stringify(change.after),
  ])
  if (rows.length > 0) scope.touched.add(directory.organizationId, false)
  return rows.length > 0
}

const deleteUser = {
  name: 'delete_directory_user',
  text: `WITH deleted AS (
      UPDATE directory_users u SET deleted_at = $4::timestamptz, active = false, generation = generation + 1,
        updated_at = $4::timestamptz
      WHERE ${liveRowSql('u', '$3::uuid', '$8::uuid')}
      RETURNING id
    ), left_groups AS (
      DELETE FROM directory_group_members m USING deleted
      WHERE m.tenant_id = $1::uuid AND m.directory_user_id = deleted.id
    ), audited AS (${auditSql({
      from: 'deleted',
      action: 'directory_user.deleted',
      subjectKind: 'directory_user',
    })}), requested AS (${requestSql('SELECT id FROM deleted')})
    SELECT id FROM deleted`,
}

/** Makes a live user a tombstone that belongs to no group; false when there is none. */
export async function deleteDirectoryUser(scope: Scope, directory: DirectoryRef, id: Uuid): Promise<boolean> {
  const rows = await scope.tx.query(deleteUser, [...changeValues(scope, directory), id])
  if (rows.length > 0) scope.touched.add(directory.organizationId, false)
  return rows.length > 0
}
