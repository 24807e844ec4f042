// Reads which organization a login belongs to from OIDC claims or SAML attributes. Pure. Says what the identity
// provider said and nothing more: whether that organization exists, may be created, or fits the connection is
// decided by the use case. What a path is stands in model/claim-path.ts.

import type { ClaimPath } from '../model/claim-path.ts'
import type { OrganizationClaimPresetName } from '../model/connection.ts'

/** Where to look for one organization. `name` and `domain` are decoration: they never decide which one it is. */
export interface OrganizationClaimRule {
  readonly value: ClaimPath
  readonly name?: ClaimPath
  readonly domain?: ClaimPath
}

export interface OrganizationClaim {
  /** The identity provider's own key for the organization, verbatim. */
  readonly value: string
  readonly name?: string
  readonly domain?: string
}

const resourceOwner = 'urn:zitadel:iam:user:resourceowner'

/** What the products really send. Each list is tried in order; the first path that is present decides. */
export const organizationClaimPresets = {
  // https://zitadel.com/docs/apis/openidoauth/claims — needs the scope of the same name.
  zitadel: [
    { value: [`${resourceOwner}:id`], name: [`${resourceOwner}:name`], domain: [`${resourceOwner}:primary_domain`] },
    { value: ['urn:zitadel:iam:org:id'] },
    { value: ['org'] },
  ],
  // ["acme"] or {"acme": {"id": "…"}}: the alias, which Keycloak never changes, is the key in both forms, so that
  // switching a mapper option does not make a second organization.
  keycloak: [{ value: ['organization'] }],
  auth0: [{ value: ['org_id'], name: ['org_name'] }],
  entra: [{ value: ['tid'] }],
  google: [{ value: ['hd'], domain: ['hd'] }],
} as const satisfies Record<OrganizationClaimPresetName, readonly OrganizationClaimRule[]>

/**
 * The organization that the first present rule names; `absent` when none is present; `ambiguous` when the one
 * that is present names several or has a form that says nothing definite. An ambiguous claim is not passed over
 * in favour of a later rule: a person in two organizations must not end in a third.
 */
export function readOrganizationClaim(
  claims: Readonly<Record<string, unknown>>,
  rules: readonly OrganizationClaimRule[],
): OrganizationClaim | 'absent' | 'ambiguous' {
  for (const rule of rules) {
    const found = readOrganization(valueAt(claims, rule.value))
    if (found === 'absent') continue
    if (found === 'ambiguous') return found
    const name = found.name ?? readText(valueAt(claims, rule.name))
    const domain = found.domain ?? readText(valueAt(claims, rule.domain))
    return { value: found.value, ...(name === undefined ? {} : { name }), ...(domain === undefined ? {} : { domain }) }
  }
  return 'absent'
}

/** What stands at a path; undefined where there is nothing, or no path. */
export function valueAt(claims: unknown, path: ClaimPath | undefined): unknown {
  let value: unknown = path === undefined ? undefined : claims
  for (const key of path ?? []) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    if (Array.isArray(value) && !/^\d{1,4}$/.test(key)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function readOrganization(value: unknown): OrganizationClaim | 'absent' | 'ambiguous' {
  if (value === undefined || value === null || value === '') return 'absent'
  if (Array.isArray(value)) return readList(value)
  if (typeof value === 'object') return readRecord(value)
  const text = readText(value)
  return text === undefined ? 'ambiguous' : { value: text }
}

/** One element, or several that all name the same organization. */
function readList(values: readonly unknown[]): OrganizationClaim | 'absent' | 'ambiguous' {
  let single: OrganizationClaim | 'absent' = 'absent'
  for (const value of values) {
    if (Array.isArray(value)) return 'ambiguous'
    const found = readOrganization(value)
    if (found === 'absent') continue
    if (found === 'ambiguous' || (single !== 'absent' && single.value !== found.value)) return 'ambiguous'
    single = single === 'absent' ? found : single
  }
  return single
}

/** `{id, name?, domain?}` describes one organization; otherwise the keys are aliases and there must be one. */
function readRecord(record: object): OrganizationClaim | 'absent' | 'ambiguous' {
  const id = readText(Object.hasOwn(record, 'id') ? Reflect.get(record, 'id') : undefined)
  if (id !== undefined) {
    const name = readText(valueAt(record, ['name']))
    const domain = readText(valueAt(record, ['domain'])) ?? readText(valueAt(record, ['primary_domain']))
    return { value: id, ...(name === undefined ? {} : { name }), ...(domain === undefined ? {} : { domain }) }
  }
  const [alias, ...others] = Object.keys(record)
  if (alias === undefined) return 'absent'
  const value = readText(alias)
  return others.length > 0 || value === undefined ? 'ambiguous' : { value }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unsafeText = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/

/** A short printable string, or a whole number as some products send ids. A SAML value is a list of one. */
function readText(value: unknown): string | undefined {
  if (Array.isArray(value) && value.length === 1) return readText(value[0])
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '' || text.length > 255 || unsafeText.test(text)) return undefined
  return text
}
