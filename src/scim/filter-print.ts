// Writes a filter back as SCIM text, in one canonical form: parsing what was printed gives the same filter again.
// Parsing is in filter.ts.

import type { Filter } from './filter.ts'

/** The filter as text, with canonical names and the fewest parentheses. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
      return filter.filters
        .map((part) => (part.kind === 'or' ? `(${printFilter(part)})` : printFilter(part)))
        .join(' and ')
    case 'or':
      return filter.filters.map(printFilter).join(' or ')
    case 'not':
      return `not (${printFilter(filter.filter)})`
    case 'present':
      return `${filter.path.key} pr`
    case 'compare':
      return `${filter.path.key} ${filter.operator} ${JSON.stringify(filter.value)}`
    case 'some':
      return `${filter.path.key}[${printFilter(filter.filter)}]`
  }
}
