// The typed settings of one OIDC connection, the rules on issuers that hold before any request is made, and the
// identity that a finished login yields. Nothing here is read from a database; the use case builds the settings.

import { RollcallError } from '../../model/errors.ts'
import { isSecureUrl } from '../safe-fetch.ts'

export type IdTokenAlgorithm = 'RS256' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA' | 'Ed25519'

export interface OidcSettings {
  readonly connectionId: string
  /** Exactly as the provider writes it in `iss`, trailing slash included. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** `client_secret_basic` when left out. */
  readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post'
  /** The only algorithm an ID token may be signed with; RS256 when left out. */
  readonly idTokenAlgorithm?: IdTokenAlgorithm
  /** Ask the userinfo endpoint as well, where the provider keeps claims out of the ID token. */
  readonly fetchUserinfo?: boolean
}

export interface VerifiedOidcLogin {
  readonly issuer: string
  /** `sub`, or for Entra `tid:oid`: its `sub` differs for each application, the object id does not. */
  readonly subject: string
  readonly email?: string
  /** What the provider says; never enough by itself to link an account. */
  readonly emailVerified: boolean
  readonly name?: string
  readonly givenName?: string
  readonly familyName?: string
  /** Null-prototype at every depth: the ID token's claims, with userinfo's beneath where it was asked. */
  readonly claims: Readonly<Record<string, unknown>>
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** The tenant in which Microsoft keeps everybody's personal accounts: as open to the world as `common`. */
const personalAccounts = '9188040d-6c67-4c5b-b112-36a304b66dad'
const entraHosts = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.windows.net',
  'sts.windows.net',
])

/**
 * Parses a connection's issuer and refuses with `invalid_value` what no connection may trust: plain http (except
 * loopback where allowed), query or fragment, and Entra's shared issuers (`common`, `organizations`, `consumers`),
 * behind which anyone can own a tenant.
 */
export function checkIssuer(issuer: string, allowInsecureLoopback: boolean): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || !isSecureUrl(url, allowInsecureLoopback)) invalid('The issuer is not an https address.')
  if (issuer.includes('?') || issuer.includes('#') || url.username !== '' || url.password !== '') {
    invalid('The issuer must not have a query, a fragment or credentials.')
  }
  if (issuer.includes('/.well-known/')) invalid('Enter the issuer itself, not the address of its configuration.')
  if (isEntra(url) && entraTenant(url) === undefined) {
    invalid(
      'Enter the issuer of one Microsoft Entra tenant, with the tenant id in it; shared issuers are not accepted.',
    )
  }
  return url
}

function invalid(detail: string): never {
  throw new RollcallError('invalid_value', detail)
}

export function isEntra(issuer: URL): boolean {
  return entraHosts.has(issuer.hostname) || issuer.hostname.endsWith('.ciamlogin.com')
}

/** The tenant id in an Entra issuer; undefined for shared issuers and names. */
export function entraTenant(issuer: URL): string | undefined {
  const tenant = issuer.pathname.split('/')[1]
  return tenant !== undefined && guid.test(tenant) && tenant !== personalAccounts ? tenant : undefined
}
