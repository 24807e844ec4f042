// Where in a set of claims a value stands. Claim names contain dots, colons and slashes, so a path is a
// list of keys, never a dotted string. Reading claims with it is identity/org-claim.ts.

import { RollcallError } from './errors.ts'

/** Keys from the outside in; a decimal key may also index an array. */
export type ClaimPath = readonly [string, ...string[]]

/**
 * Parses a configured path: a JSON array of keys (`["https://acme.test/org","id"]`), a JSON pointer (RFC 6901,
 * `/organization/id`), or one plain claim name, in which dots and colons mean nothing. A claim whose name begins
 * with `/` or `[` needs the array form. Throws `invalid_value`.
 */
export function parseClaimPath(text: string): ClaimPath {
  const path = text.length > 1_000 ? undefined : toClaimPath(readKeys(text))
  if (path !== undefined) return path
  throw new RollcallError(
    'invalid_value',
    'The claim path is not a claim name, a JSON pointer or a JSON array of names.',
  )
}

/** One to ten non-empty keys; undefined for anything else. */
export function toClaimPath(keys: readonly string[]): ClaimPath | undefined {
  const [first, ...rest] = keys
  return first === undefined || keys.length > 10 || keys.some((key) => key === '') ? undefined : [first, ...rest]
}

function readKeys(text: string): string[] {
  if (text.startsWith('/'))
    return text
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (!text.startsWith('[')) return [text]
  try {
    const keys: unknown = JSON.parse(text)
    return Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? keys : []
  } catch {
    return []
  }
}
