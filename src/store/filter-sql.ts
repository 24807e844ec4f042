// SCIM filters as SQL: the typed filter of scim/filter.ts becomes a condition on directory_users or
// directory_groups. Nothing of the request is ever text: names choose from the tables below or
// become a parameter that walks the JSON, values are parameters. scim/filter-match.ts says in memory
// what this says in SQL; a property test holds the two together.

import { RollcallError } from '../model/errors.ts'
import { isUuid } from '../model/ids.ts'
import { enterpriseUrn } from '../scim/core-schemas.ts'
import type { Comparison, Filter, FilterPath } from '../scim/filter.ts'

/** A condition on the alias `r`, and the values of its parameters. */
export interface FilterSql {
  readonly condition: string
  readonly values: readonly unknown[]
  /** At most one resource can meet it, which an index finds: no counting, no paging. */
  readonly unique: boolean
  /** One comparison of one column: there are few of these, so the statement may be a named one. */
  readonly simple: boolean
}

interface Column {
  readonly sql: string
  readonly type: 'text' | 'uuid' | 'instant' | 'boolean'
  readonly unique?: boolean
}

/** A multi-valued attribute that is rows of another table, not part of the resource's JSON. */
interface Relation {
  readonly from: string
  readonly columns: Readonly<Record<string, Column>>
}

interface Table {
  readonly columns: Readonly<Record<string, Column>>
  readonly relations: Readonly<Record<string, Relation>>
  /** What is computed when a resource is rendered and stored nowhere. */
  readonly computed: readonly string[]
}

const common: Readonly<Record<string, Column>> = {
  id: { sql: 'r.id', type: 'uuid', unique: true },
  externalId: { sql: 'r.external_id', type: 'text', unique: true },
  'meta.created': { sql: 'r.created_at', type: 'instant' },
  'meta.lastModified': { sql: 'r.updated_at', type: 'instant' },
}

const computed = ['schemas', 'meta', 'meta.resourceType', 'meta.location', 'meta.version']

const users: Table = {
  columns: {
    ...common,
    userName: { sql: 'r.user_name', type: 'text', unique: true },
    active: { sql: 'r.active', type: 'boolean' },
    displayName: { sql: 'r.display_name', type: 'text' },
    title: { sql: 'r.title', type: 'text' },
    'name.givenName': { sql: 'r.given_name', type: 'text' },
    'name.familyName': { sql: 'r.family_name', type: 'text' },
    [`${enterpriseUrn}:department`]: { sql: 'r.department', type: 'text' },
    [`${enterpriseUrn}:manager.value`]: { sql: 'r.manager', type: 'text' },
    // As Entra ID asks for it, without the schema.
    manager: { sql: 'r.manager', type: 'text' },
    'manager.value': { sql: 'r.manager', type: 'text' },
  },
  relations: {
    groups: {
      from: `directory_group_members m
        JOIN directory_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL
        WHERE m.tenant_id = r.tenant_id AND m.directory_user_id = r.id`,
      columns: { value: { sql: 'g.id', type: 'uuid' }, display: { sql: 'g.display_name', type: 'text' } },
    },
  },
  computed,
}

const groups: Table = {
  columns: { ...common, displayName: { sql: 'r.display_name', type: 'text', unique: true } },
  relations: {
    members: {
      from: 'directory_group_members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id',
      columns: { value: { sql: 'm.member_value', type: 'text' } },
    },
  },
  computed,
}

/**
 * Compiles a filter on users. Parameters are numbered from `firstParameter`.
 * @throws RollcallError invalid_filter for what cannot be compared here
 */
export function userFilterSql(filter: Filter, firstParameter: number): FilterSql {
  return compile(users, filter, firstParameter)
}

/** The same for groups. */
export function groupFilterSql(filter: Filter, firstParameter: number): FilterSql {
  return compile(groups, filter, firstParameter)
}

type Parameter = (value: unknown, type: string) => string

/** Where the paths of a filter start: at a resource, at an element of its JSON, or at a row of a relation. */
interface Place {
  readonly columns: Readonly<Record<string, Column>>
  readonly relations: Readonly<Record<string, Relation>>
  readonly computed: readonly string[]
  /** The JSON that every other path walks into; none in a relation. */
  readonly json: string | undefined
  readonly parameter: Parameter
}

function compile(table: Table, filter: Filter, firstParameter: number): FilterSql {
  const values: unknown[] = []
  const parameter: Parameter = (value, type) => `$${values.push(value) + firstParameter - 1}::${type}`
  const condition = write(filter, { ...table, json: 'r.attributes', parameter })
  const isColumn = filter.kind === 'compare' && filter.operator === 'eq' && column(table.columns, filter.path.key)
  return { condition, values, unique: isUnique(table, filter), simple: Boolean(isColumn) }
}

/** Own properties only: a filter on `constructor` is not one on a column. */
function column<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function isUnique(table: Table, filter: Filter): boolean {
  if (filter.kind === 'and') return filter.filters.some((part) => isUnique(table, part))
  return (
    filter.kind === 'compare' && filter.operator === 'eq' && column(table.columns, filter.path.key)?.unique === true
  )
}

// A condition may be NULL where a value is absent. WHERE, AND, OR and EXISTS take that for false;
// what negates says IS NOT TRUE.
function write(filter: Filter, place: Place): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.filters.map((part) => write(part, place)).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`
    case 'not':
      return `(${write(filter.filter, place)}) IS NOT TRUE`
    case 'present':
      return present(filter.path, place)
    case 'compare':
      return compare(filter.operator, filter.path, filter.value, place)
    case 'some':
      return some(filter.path, filter.filter, place)
  }
}

function present(path: FilterPath, place: Place): string {
  const relation = column(place.relations, path.key)
  if (relation !== undefined) return `EXISTS (SELECT FROM ${relation.from})`
  const known = column(place.columns, path.key)
  if (known !== undefined) return known.type === 'text' ? `${known.sql} <> ''` : `${known.sql} IS NOT NULL`
  return `coalesce(${walk(path, place)}, 'null') NOT IN ('null', '""', '[]', '{}')`
}

function some(path: FilterPath, filter: Filter, place: Place): string {
  const relation = column(place.relations, path.key)
  if (relation !== undefined) {
    const row = write(filter, { ...place, columns: relation.columns, relations: {}, json: undefined })
    return `EXISTS (SELECT FROM ${relation.from} AND (${row}))`
  }
  const array = walk(path, place)
  const element = write(filter, { ...place, columns: {}, relations: {}, json: 'e.element' })
  const exact = `EXISTS (SELECT FROM jsonb_array_elements(${array}) AS e (element) WHERE ${element})`
  const value = path.key === 'emails' && place.json === 'r.attributes' ? requiredValue(filter) : undefined
  return value === undefined ? exact : `(${containsEmail(value, place)} AND ${exact})`
}

/** The value that every element meeting the filter has. */
function requiredValue(filter: Filter): Value | undefined {
  if (filter.kind === 'and') return filter.filters.map(requiredValue).find((value) => value !== undefined)
  return filter.kind === 'compare' && filter.operator === 'eq' && filter.path.key === 'value' ? filter.value : undefined
}

/** As the index directory_users_emails has it. Folding the whole JSON text folds the values in it. */
function containsEmail(value: Value, place: Place): string {
  const wanted = place.parameter(JSON.stringify([{ value }]), 'text')
  return `lower((r.attributes -> 'emails')::text)::jsonb @> lower(${wanted})::jsonb`
}

/** The JSON at a path, NULL where there is none. */
function walk(path: FilterPath, place: Place): string {
  if (place.json === undefined || place.computed.includes(path.key)) throw unsupported(path)
  return `(${place.json} #> ${place.parameter(path.steps, 'text[]')})`
}

function unsupported(path: FilterPath): RollcallError {
  return new RollcallError('invalid_filter', `Filtering by ${path.key} is not offered`)
}

type Value = string | number | boolean

function compare(operator: Comparison, path: FilterPath, value: Value, place: Place): string {
  if (operator === 'ne') return `(${compare('eq', path, value, place)}) IS NOT TRUE`
  const known = column(place.columns, path.key)
  if (known === undefined) return compareJson(operator, path, value, place)
  switch (known.type) {
    case 'instant':
      return `${known.sql} ${symbol(operator, path)} ${place.parameter(value, 'timestamptz')}`
    case 'boolean':
      return `${known.sql} = ${place.parameter(value, 'boolean')}`
    case 'uuid':
      // An id is compared as one, so that its index is used; no row has one that is no UUID.
      if (operator !== 'eq') return compareText(operator, `${known.sql}::text`, path, value, place)
      return isUuid(value) ? `${known.sql} = ${place.parameter(value, 'uuid')}` : 'false'
    case 'text':
      return compareText(operator, known.sql, path, value, place)
  }
}

function compareJson(operator: Comparison, path: FilterPath, value: Value, place: Place): string {
  switch (path.type) {
    case 'string':
    case 'reference':
    case 'binary':
      return compareText(operator, `(${walk(path, place)} #>> '{}')`, path, value, place)
    case 'boolean':
      return `${walk(path, place)} = to_jsonb(${place.parameter(value, 'boolean')})`
    default:
      throw unsupported(path)
  }
}

/** `lower(…)` as the indexes have it. The order is that of code points, whatever the database's collation. */
function compareText(operator: Comparison, sql: string, path: FilterPath, value: Value, place: Place): string {
  const fold = (text: string) => (path.caseExact ? text : `lower(${text})`)
  const left = fold(sql)
  const right = fold(place.parameter(value, 'text'))
  switch (operator) {
    case 'eq':
      return `${left} = ${right}`
    case 'co':
      return `strpos(${left}, ${right}) > 0`
    case 'sw':
      return `starts_with(${left}, ${right})`
    case 'ew':
      return `right(${left}, length(${right})) = ${right}`
    default:
      return `${left} COLLATE "C" ${symbol(operator, path)} ${right} COLLATE "C"`
  }
}

const symbols: Partial<Record<Comparison, string>> = { eq: '=', gt: '>', ge: '>=', lt: '<', le: '<=' }

function symbol(operator: Comparison, path: FilterPath): string {
  const found = symbols[operator]
  if (found === undefined) throw unsupported(path)
  return found
}
