// Evaluates a filter in memory: for PATCH value paths, and as the naive model that the store's SQL is tested against.
// Strings order by code point, as COLLATE "C" does. Parsing is in filter.ts.

import type { Comparison, Filter, FilterPath } from './filter.ts'
import { type AttributeValue, isAttributes, isValues, ownMember } from './json.ts'

/**
 * Whether a resource (its full SCIM JSON, with id and meta) or an element of a multi-valued attribute meets a filter.
 */
export function matchesFilter(filter: Filter, subject: AttributeValue): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((part) => matchesFilter(part, subject))
    case 'or':
      return filter.filters.some((part) => matchesFilter(part, subject))
    case 'not':
      return !matchesFilter(filter.filter, subject)
    case 'present':
      return isPresent(valueAt(filter.path, subject))
    case 'compare':
      return compares(filter.operator, filter.path, valueAt(filter.path, subject), filter.value)
    case 'some': {
      const elements = valueAt(filter.path, subject)
      return isValues(elements) && elements.some((element) => matchesFilter(filter.filter, element))
    }
  }
}

/** How many conditions a filter has: what evaluating it once costs. */
export function countConditions(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.reduce((sum, part) => sum + countConditions(part), 0)
    case 'not':
    case 'some':
      return countConditions(filter.filter)
    default:
      return 1
  }
}

function valueAt(path: FilterPath, subject: AttributeValue): AttributeValue | undefined {
  if (!isAttributes(subject)) return path.key === 'value' ? subject : undefined
  let value: AttributeValue | undefined = subject
  for (const step of path.steps) value = isAttributes(value) ? ownMember(value, step) : undefined
  return value
}

function isPresent(value: AttributeValue | undefined): boolean {
  if (value === undefined || value === '') return false
  if (isValues(value)) return value.length > 0
  return !isAttributes(value) || Object.keys(value).length > 0
}

function compares(
  operator: Comparison,
  path: FilterPath,
  actual: AttributeValue | undefined,
  expected: string | number | boolean,
): boolean {
  if (operator === 'ne') return !compares('eq', path, actual, expected)
  const left = comparable(path, actual)
  const right = comparable(path, expected)
  if (left === undefined || right === undefined) return false
  if (typeof left === 'string' && typeof right === 'string') return comparesText(operator, left, right)
  if (typeof left === 'number' && typeof right === 'number') return ordered(operator, left - right)
  return operator === 'eq' && left === right
}

function comparable(path: FilterPath, value: AttributeValue | undefined): string | number | boolean | undefined {
  if (typeof value !== 'string') return typeof value === 'number' || typeof value === 'boolean' ? value : undefined
  if (path.type === 'dateTime') {
    const instant = Date.parse(value)
    return Number.isNaN(instant) ? undefined : instant
  }
  return path.caseExact ? value : value.toLowerCase()
}

function comparesText(operator: Comparison, left: string, right: string): boolean {
  switch (operator) {
    case 'eq':
      return left === right
    case 'co':
      return left.includes(right)
    case 'sw':
      return left.startsWith(right)
    case 'ew':
      return left.endsWith(right)
    default:
      return ordered(operator, compareCodePoints(left, right))
  }
}

function ordered(operator: Comparison, difference: number): boolean {
  switch (operator) {
    case 'eq':
      return difference === 0
    case 'gt':
      return difference > 0
    case 'ge':
      return difference >= 0
    case 'lt':
      return difference < 0
    case 'le':
      return difference <= 0
    default:
      return false
  }
}

function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    if (left[index] === right[index]) continue
    return (left.codePointAt(index) ?? 0) - (right.codePointAt(index) ?? 0)
  }
  return left.length - right.length
}
