// Lists of directory users and groups: filtered, counted and cut into pages (RFC 7644 3.4.2). A probe
// for one resource, which is what identity providers ask before every create, is one indexed statement.

import type { Uuid } from '../model/ids.ts'
import type { Filter } from '../scim/filter.ts'
import type { Page } from '../scim/list.ts'
import { type DirectoryGroup, groupColumnsSql } from './directory-groups.ts'
import type { DirectoryRef } from './directory-tokens.ts'
import { asUser, type DirectoryUser, type UserRow, userColumnsSql } from './directory-users.ts'
import { type FilterSql, groupFilterSql, userFilterSql } from './filter-sql.ts'
import type { Scope, Statement } from './scope.ts'

export interface ListQuery {
  readonly filter: Filter | undefined
  readonly page: Page
}

export interface Found<Resource> {
  /** All that meet the filter. */
  readonly total: number
  /** Those of the page, in the order of their ids, which is that of creation. */
  readonly resources: readonly Resource[]
}

/** Live users. Their groups are loaded only when asked for. */
export async function listDirectoryUsers(
  scope: Scope,
  directory: DirectoryRef,
  query: ListQuery & { readonly groups: boolean },
): Promise<Found<DirectoryUser>> {
  const filter = query.filter && userFilterSql(query.filter, 3)
  const source = query.groups ? users : usersAlone
  const found = await list<UserRow>(scope, directory, source, query.page, filter)
  return { total: found.total, resources: found.resources.map(asUser) }
}

/** Live groups, without their members. */
export async function listDirectoryGroups(
  scope: Scope,
  directory: DirectoryRef,
  query: ListQuery,
): Promise<Found<DirectoryGroup>> {
  const filter = query.filter && groupFilterSql(query.filter, 3)
  return list<DirectoryGroup>(scope, directory, groups, query.page, filter)
}

interface Source {
  readonly name: string
  readonly table: string
  /** Of the table's alias `r`. */
  readonly columns: string
}

const users: Source = { name: 'users', table: 'directory_users', columns: userColumnsSql(true) }
const usersAlone: Source = { name: 'users_alone', table: 'directory_users', columns: userColumnsSql(false) }
const groups: Source = { name: 'groups', table: 'directory_groups', columns: groupColumnsSql }

async function list<Row extends { readonly id: Uuid }>(
  scope: Scope,
  directory: DirectoryRef,
  source: Source,
  { startIndex, count }: Page,
  filter: FilterSql | undefined,
): Promise<Found<Row>> {
  const values = [scope.tenant, directory.id, ...(filter?.values ?? [])]
  const skip = startIndex - 1
  if (filter?.unique) {
    const rows = await scope.tx.query<Row>(probe(source, filter), values)
    return { total: rows.length, resources: rows.slice(skip, skip + count) }
  }
  const statement = pageOf(source, filter, values.length + 1)
  const rows = await scope.tx.query<PageRow<Row>>(statement, [...values, count, skip])
  return { total: rows[0]?.total ?? 0, resources: rows.filter(hasResource<Row>) }
}

/** A page beyond the end is one row with the total and nothing else. */
type PageRow<Row> = { readonly total: number } & (Row | { readonly id: null })

function hasResource<Row extends { readonly id: Uuid }>(row: PageRow<Row>): row is { readonly total: number } & Row {
  return row.id !== null
}

const live = (filter: FilterSql | undefined) =>
  `r.tenant_id = $1::uuid AND r.directory_id = $2::uuid AND r.deleted_at IS NULL${filter ? ` AND ${filter.condition}` : ''}`

function probe(source: Source, filter: FilterSql): Statement {
  return named(`probe_${source.name}`, filter, `SELECT ${source.columns} FROM ${source.table} r WHERE ${live(filter)}`)
}

// The page is found on the index of ids alone, and only its rows are fetched: without that, each row
// that OFFSET skips would be read from the table.
function pageOf({ name, table, columns }: Source, filter: FilterSql | undefined, next: number): Statement {
  const total = `SELECT count(*)::int FROM ${table} r WHERE ${live(filter)}`
  const ids = `SELECT r.id FROM ${table} r WHERE ${live(filter)} ORDER BY r.id LIMIT $${next}::int OFFSET $${next + 1}::int`
  return named(
    `page_${name}`,
    filter,
    `SELECT (${total}) AS total, page.* FROM (VALUES (1)) AS always
    LEFT JOIN LATERAL (
      SELECT ${columns} FROM ${table} r WHERE r.tenant_id = $1::uuid AND r.id = ANY (ARRAY(${ids}))
    ) AS page ON true
    ORDER BY page.id`,
  )
}

/** Only texts of which there are few get a name: PostgreSQL keeps the plan of each for as long as the connection lives. */
function named(name: string, filter: FilterSql | undefined, text: string): Statement {
  if (filter === undefined) return { name, text }
  // A simple condition is one column and one operator; its letters tell it from every other.
  return filter.simple ? { name: `${name}_${filter.condition.replace(/[^a-z_]+/g, '_')}`, text } : { text }
}
