// Directory groups and who belongs to them. Members are changed by set-wise deltas and never loaded
// for it, so one more member costs the same in a group of ten and of 100,000. Writes carry their
// audit entry and the requests of those who really joined or left. Lists are in directory-lists.ts.

import { isUuid, type Uuid } from '../model/ids.ts'
import type { MemberRef } from '../scim/member.ts'
import { auditSql, changeValues, liveRowSql, requestSql } from './directory-change.ts'
import type { DirectoryRef } from './directory-tokens.ts'
import type { Scope } from './scope.ts'

export interface DirectoryGroup {
  readonly id: Uuid
  readonly displayName: string
  readonly externalId: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

// A value is a member's id. What is nobody's id here stays as a value that resolves to nothing.
// Tombstones count: who comes back, comes back under the same id. Sorted, so that two writers of one
// set do not wait for each other crosswise.
const known = (alias: string) =>
  `${alias}.tenant_id = $1::uuid AND ${alias}.id = named.id AND (${alias}.directory_id = $3::uuid) IS TRUE`
const addMembers = (group: string, values: string, ids: string) => `INSERT INTO directory_group_members
    (tenant_id, directory_id, group_id, member_value, directory_user_id, child_group_id)
  SELECT $1::uuid, $3::uuid, ${group}.id, named.value,
    (SELECT u.id FROM directory_users u WHERE ${known('u')}),
    (SELECT c.id FROM directory_groups c WHERE ${known('c')})
  FROM ${group} CROSS JOIN unnest(${values}::text[], ${ids}::uuid[]) AS named (value, id)
  ORDER BY named.value
  ON CONFLICT DO NOTHING
  RETURNING member_value, directory_user_id`

const touchedUsers = (...changes: readonly string[]) =>
  changes.map((change) => `SELECT directory_user_id FROM ${change} WHERE directory_user_id IS NOT NULL`).join(' UNION ')

/** The first hundred say what it was about; a set of 100,000 is not written twice. */
const valuesOf = (change: string) =>
  `(SELECT jsonb_agg(member_value) FROM (SELECT member_value FROM ${change} LIMIT 100) AS first_ones)`

/** Members' values as parameters: text, and the id it is if it can be one. An id has one spelling. */
function memberValues(values: readonly string[]): readonly [readonly string[], readonly (Uuid | null)[]] {
  const spelt = values.map((value) => (isUuid(value) ? value.toLowerCase() : value))
  return [spelt, spelt.map((value) => (isUuid(value) ? value : null))]
}

const insertGroup = {
  name: 'insert_directory_group',
  text: `WITH created AS (
      INSERT INTO directory_groups
        (tenant_id, organization_id, directory_id, id, display_name, external_id, attributes, created_at, updated_at)
      VALUES ($1::uuid, $2::uuid, $3::uuid, $8::uuid, $9::text, $10::text, '{}', $4::timestamptz, $4::timestamptz)
      ON CONFLICT DO NOTHING
      RETURNING id, display_name
    ), added AS (${addMembers('created', '$11', '$12')}
    ), audited AS (${auditSql({
      from: 'created',
      action: 'directory_group.created',
      subjectKind: 'directory_group',
      after: `jsonb_strip_nulls(jsonb_build_object('displayName', display_name, 'externalId', $10::text,
        'added', (SELECT count(*) FROM added), 'addedMembers', ${valuesOf('added')}))`,
    })}), requested AS (${requestSql(touchedUsers('added'))} RETURNING id)
    SELECT (SELECT count(*)::int FROM requested) AS requested FROM created`,
}

export interface NewGroup {
  readonly id: Uuid
  readonly displayName: string
  readonly externalId: string | null
  readonly members: readonly string[]
}

/** Inserts a group with its members; false when a live group has its name or externalId. */
export async function insertDirectoryGroup(scope: Scope, directory: DirectoryRef, group: NewGroup): Promise<boolean> {
  const rows = await scope.tx.query<{ requested: number }>(insertGroup, [
    ...changeValues(scope, directory),
    group.id,
    group.displayName,
    group.externalId,
    ...memberValues(group.members),
  ])
  if (rows[0] !== undefined && rows[0].requested > 0) scope.touched.add(directory.organizationId, false)
  return rows.length > 0
}

/** What is to become of a group; what is undefined stays. No value is both added and removed. */
export interface GroupChange {
  readonly displayName?: string
  readonly externalId?: string | null
  readonly members:
    | { readonly kind: 'delta'; readonly add: readonly string[]; readonly remove: readonly string[] }
    | { readonly kind: 'replace'; readonly values: readonly string[] }
}

const removeNamed = 'm.member_value = ANY ($14::text[])'
// NOT IN is a hash table whatever the statistics say; as a join, 100,000 values against as many may be compared each with each.
const removeOthers = 'm.member_value NOT IN (SELECT unnest($12::text[]))'

// The group's row is locked first, whatever else happens: members of one group change one request
// after the other, and two of them cannot deadlock.
const changeText = (removes: string) => `WITH before AS (
    SELECT id, display_name, external_id FROM directory_groups g
    WHERE ${liveRowSql('g', '$3::uuid', '$8::uuid')}
    FOR NO KEY UPDATE
  ), added AS (${addMembers('before', '$12', '$13')}
  ), removed AS (
    DELETE FROM directory_group_members m USING before
    WHERE m.tenant_id = $1::uuid AND m.group_id = before.id AND ${removes}
    RETURNING m.member_value, m.directory_user_id
  ), updated AS (
    UPDATE directory_groups g SET display_name = coalesce($9::text, g.display_name),
      external_id = CASE WHEN $10::boolean THEN $11::text ELSE g.external_id END,
      generation = g.generation + 1, updated_at = $4::timestamptz
    FROM before
    WHERE g.tenant_id = $1::uuid AND g.id = before.id
      AND (before.display_name <> $9::text OR ($10::boolean AND before.external_id IS DISTINCT FROM $11::text)
        OR EXISTS (SELECT FROM added) OR EXISTS (SELECT FROM removed))
    RETURNING g.id, before.display_name AS old_name, g.display_name AS new_name,
      before.external_id AS old_external_id, g.external_id AS new_external_id
  ), audited AS (${auditSql({
    from: 'updated',
    action: 'directory_group.updated',
    subjectKind: 'directory_group',
    before: `jsonb_strip_nulls(jsonb_build_object('displayName', nullif(old_name, new_name),
      'externalId', nullif(old_external_id, new_external_id)))`,
    after: `jsonb_strip_nulls(jsonb_build_object('displayName', nullif(new_name, old_name),
      'externalId', nullif(new_external_id, old_external_id),
      'added', nullif((SELECT count(*) FROM added), 0), 'addedMembers', ${valuesOf('added')},
      'removed', nullif((SELECT count(*) FROM removed), 0), 'removedMembers', ${valuesOf('removed')}))`,
  })}), requested AS (${requestSql(touchedUsers('added', 'removed'))} RETURNING id)
  SELECT (SELECT count(*)::int FROM requested) AS requested FROM before`

const changeGroup = { name: 'change_directory_group', text: changeText(removeNamed) }
// $14 has to appear so that both statements take the same values.
const replaceMembers = {
  name: 'replace_directory_group_members',
  text: changeText(`$14::text[] IS NOT NULL AND ${removeOthers}`),
}

/**
 * Changes a live group; false when there is none. A taken name is the database's error 23505. Safe as a single
 * statement while it only adds or only removes; for anything else lock the group first (lockDirectoryGroup) in the
 * same transaction, so that it sees what those before it did.
 */
export async function changeDirectoryGroup(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
  { displayName, externalId, members }: GroupChange,
): Promise<boolean> {
  const replaces = members.kind === 'replace'
  const rows = await scope.tx.query<{ requested: number }>(replaces ? replaceMembers : changeGroup, [
    ...changeValues(scope, directory),
    id,
    displayName ?? null,
    externalId !== undefined,
    externalId ?? null,
    ...memberValues(replaces ? members.values : members.add),
    replaces ? [] : memberValues(members.remove)[0],
  ])
  if (rows[0] !== undefined && rows[0].requested > 0) scope.touched.add(directory.organizationId, false)
  return rows.length > 0
}

/** Columns of a group `r` as a DirectoryGroup. */
export const groupColumnsSql = `r.id, r.display_name AS "displayName", r.external_id AS "externalId",
  r.created_at AS "createdAt", r.updated_at AS "updatedAt"`

const findGroupText = `SELECT ${groupColumnsSql} FROM directory_groups r
  WHERE ${liveRowSql('r', '$2::uuid', '$3::uuid')}`
const findGroup = { name: 'find_directory_group', text: findGroupText }
const lockGroup = { name: 'lock_directory_group', text: `${findGroupText} FOR NO KEY UPDATE` }

/** A live group without its members; undefined when it is deleted or another directory's. */
export async function findDirectoryGroup(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
): Promise<DirectoryGroup | undefined> {
  const [row] = await scope.tx.query<DirectoryGroup>(findGroup, [scope.tenant, directory.id, id])
  return row
}

/** The same with the row locked until the caller's transaction ends. */
export async function lockDirectoryGroup(
  scope: Scope,
  directory: DirectoryRef,
  id: Uuid,
): Promise<DirectoryGroup | undefined> {
  const [row] = await scope.tx.query<DirectoryGroup>(lockGroup, [scope.tenant, directory.id, id])
  return row
}

// Names are looked up one by one, by primary key: the same join took 76 s for 18,000 members while
// the tables had no statistics yet, and this takes 0.07.
const nameOf = (table: string, id: string) =>
  `(SELECT named.display_name FROM ${table} named WHERE named.tenant_id = m.tenant_id AND named.id = ${id})`
const listMembers = {
  name: 'list_directory_group_members',
  text: `SELECT m.group_id AS "groupId", m.member_value AS value,
      CASE WHEN m.directory_user_id IS NOT NULL THEN ${nameOf('directory_users', 'm.directory_user_id')}
        WHEN m.child_group_id IS NOT NULL THEN ${nameOf('directory_groups', 'm.child_group_id')} END AS display,
      CASE WHEN m.directory_user_id IS NOT NULL THEN 'User' WHEN m.child_group_id IS NOT NULL THEN 'Group' END AS type
    FROM directory_group_members m
    WHERE m.tenant_id = $1::uuid AND m.directory_id = $2::uuid AND m.group_id = ANY ($3::uuid[])
    ORDER BY m.group_id, m.member_value`,
}

interface MemberRow {
  readonly groupId: Uuid
  readonly value: string
  readonly display: string | null
  readonly type: string | null
}

/** The members of groups, by group; one statement. A group without any is not in it. */
export async function listGroupMembers(
  scope: Scope,
  directory: DirectoryRef,
  groupIds: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, readonly MemberRef[]>> {
  const rows = await scope.tx.query<MemberRow>(listMembers, [scope.tenant, directory.id, groupIds])
  const members = new Map<Uuid, MemberRef[]>()
  for (const { groupId, value, display, type } of rows) {
    const list = members.get(groupId) ?? []
    list.push({ value, ...(display !== null && { display }), ...(type !== null && { type }) })
    members.set(groupId, list)
  }
  return members
}

const deleteGroup = {
  name: 'delete_directory_group',
  text: `WITH deleted AS (
      UPDATE directory_groups g SET deleted_at = $4::timestamptz, generation = generation + 1,
        updated_at = $4::timestamptz
      WHERE ${liveRowSql('g', '$3::uuid', '$8::uuid')}
      RETURNING id, display_name
    ), removed AS (
      DELETE FROM directory_group_members m USING deleted
      WHERE m.tenant_id = $1::uuid AND m.group_id = deleted.id
      RETURNING m.directory_user_id
    ), left_parents AS (
      DELETE FROM directory_group_members m USING deleted
      WHERE m.tenant_id = $1::uuid AND m.child_group_id = deleted.id AND m.group_id <> deleted.id
    ), audited AS (${auditSql({
      from: 'deleted',
      action: 'directory_group.deleted',
      subjectKind: 'directory_group',
      before: `jsonb_build_object('displayName', display_name)`,
      after: `jsonb_build_object('removed', (SELECT count(*) FROM removed))`,
    })}), requested AS (${requestSql(touchedUsers('removed'))} RETURNING id)
    SELECT (SELECT count(*)::int FROM requested) AS requested FROM deleted`,
}

/** Makes a live group a tombstone without members; false when there is none. Mappings keep pointing at it. */
export async function deleteDirectoryGroup(scope: Scope, directory: DirectoryRef, id: Uuid): Promise<boolean> {
  const rows = await scope.tx.query<{ requested: number }>(deleteGroup, [...changeValues(scope, directory), id])
  if (rows[0] !== undefined && rows[0].requested > 0) scope.touched.add(directory.organizationId, false)
  return rows.length > 0
}
