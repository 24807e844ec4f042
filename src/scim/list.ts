// Lists: which page was asked for, and the ListResponse that answers it (RFC 7644 3.4.2). Counting and loading are the
// store's.

import { RollcallError } from '../model/errors.ts'

const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** The page without a `count`, and the largest there is; a larger count is answered with this many. */
export const pageSize = { default: 100, max: 200 } as const

export interface Page {
  /** From 1. */
  readonly startIndex: number
  /** 0 to 200; 0 asks for the total only. */
  readonly count: number
}

// PostgreSQL's OFFSET takes more, but no directory has as many.
const maxStartIndex = 2_000_000_000

/**
 * Reads startIndex and count as query parameters (or a search body) have them. Below 1 means 1, below 0 means 0.
 * @throws RollcallError invalid_value for what is no whole number
 */
export function parsePage(query: { readonly startIndex?: unknown; readonly count?: unknown }): Page {
  const startIndex = readWhole('startIndex', query.startIndex) ?? 1
  const count = readWhole('count', query.count) ?? pageSize.default
  return {
    startIndex: Math.min(Math.max(startIndex, 1), maxStartIndex),
    count: Math.min(Math.max(count, 0), pageSize.max),
  }
}

function readWhole(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const number = typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value.trim()) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw new RollcallError('invalid_value', `${name} must be a whole number`)
  }
  return number
}

export interface ListResponse<Resource> {
  readonly schemas: readonly [typeof listUrn]
  readonly totalResults: number
  readonly startIndex: number
  readonly itemsPerPage: number
  readonly Resources: readonly Resource[]
}

/** The answer to a query; itemsPerPage is what this page holds. Resources is there even when empty: Okta reads it. */
export function renderList<Resource>(
  resources: readonly Resource[],
  { totalResults, startIndex }: { readonly totalResults: number; readonly startIndex: number },
): ListResponse<Resource> {
  return { schemas: [listUrn], totalResults, startIndex, itemsPerPage: resources.length, Resources: resources }
}
