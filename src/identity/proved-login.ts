// What a login says, in one shape for both protocols: who it is about, which organization, which groups. Reads
// what the protocol layer has verified and decides nothing. Pure.

import type { ClaimPath } from '../model/claim-path.ts'
import type { OidcConnectionConfig, SamlConnectionConfig } from '../model/connection.ts'
import { parseEmail } from '../model/email.ts'
import type { IdentityProfile } from '../store/identities.ts'
import { organizationClaimRules } from './connection-settings.ts'
import type { VerifiedOidcLogin } from './oidc/settings.ts'
import { type OrganizationClaim, readOrganizationClaim, valueAt } from './org-claim.ts'
import { nameIdFormats, type VerifiedLogin } from './saml/settings.ts'

export interface ProvedLogin {
  readonly kind: 'oidc' | 'saml'
  readonly issuer: string
  /** For SAML the NameID behind its format: the same text in another format is another person. */
  readonly subject: string
  readonly profile: IdentityProfile
  /** `unread`: the connection has no rule for it. */
  readonly organization: OrganizationClaim | 'absent' | 'ambiguous' | 'unread'
  /** Undefined: the login says nothing of groups, which is not the same as being in none. */
  readonly groups: readonly string[] | undefined
}

type Claims = Readonly<Record<string, unknown>>

export function readOidcLogin(config: OidcConnectionConfig, login: VerifiedOidcLogin): ProvedLogin {
  const { issuer, subject, claims } = login
  return {
    kind: 'oidc',
    issuer,
    subject,
    profile: {
      ...readEmail(login.email, login.emailVerified),
      displayName: login.name ?? null,
      givenName: login.givenName ?? null,
      familyName: login.familyName ?? null,
    },
    organization: readOrganization(config, claims),
    groups: hasGroupsElsewhere(claims) ? undefined : readGroups(claims, config.groupsClaim),
  }
}

/** Entra leaves a link instead of the list when a person is in more groups than fit (200 in a JWT, 150 in SAML). */
function hasGroupsElsewhere(claims: Claims): boolean {
  if (claims['hasgroups'] === true || claims['hasgroups'] === 'true') return true
  const elsewhere = claims['_claim_names']
  return typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, 'groups')
}

const entraGroupsLink = 'http://schemas.microsoft.com/claims/groups.link'

/** Names under which products send them; the first that is there counts. */
const usualAttributes = {
  email: [
    'email',
    'mail',
    'Email',
    'emailAddress',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
    'urn:oid:0.9.2342.19200300.100.1.3',
  ],
  displayName: [
    'displayName',
    'name',
    'http://schemas.microsoft.com/identity/claims/displayname',
    'urn:oid:2.16.840.1.113730.3.1.241',
  ],
  givenName: [
    'givenName',
    'firstName',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname',
    'urn:oid:2.5.4.42',
  ],
  familyName: [
    'familyName',
    'lastName',
    'sn',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname',
    'urn:oid:2.5.4.4',
  ],
} as const

export function readSamlLogin(config: SamlConnectionConfig, login: VerifiedLogin): ProvedLogin {
  const { issuer, subject, attributes } = login
  const read = (name: keyof typeof usualAttributes) =>
    firstValue(attributes, config.attributes?.[name] ?? usualAttributes[name])
  const email = read('email') ?? (subject.format === nameIdFormats.emailAddress ? subject.nameId : undefined)
  return {
    kind: 'saml',
    issuer,
    subject: `${subject.format}|${subject.nameId}`,
    profile: {
      // SAML has no word for it; whether the connection may vouch for its addresses is decided elsewhere.
      ...readEmail(email, false),
      displayName: read('displayName') ?? null,
      givenName: read('givenName') ?? null,
      familyName: read('familyName') ?? null,
    },
    organization: readOrganization(config, attributes),
    groups: Object.hasOwn(attributes, entraGroupsLink) ? undefined : readGroups(attributes, config.groupsClaim),
  }
}

function readOrganization(
  config: OidcConnectionConfig | SamlConnectionConfig,
  claims: Claims,
): ProvedLogin['organization'] {
  const rules = organizationClaimRules(config)
  return rules === undefined ? 'unread' : readOrganizationClaim(claims, rules)
}

/** Text that is no address is nobody's. */
function readEmail(text: string | undefined, verified: boolean): Pick<IdentityProfile, 'email' | 'emailVerified'> {
  const email = text === undefined ? null : parseEmail(text)
  return email === null ? { email: null, emailVerified: false } : { email: email.address, emailVerified: verified }
}

function firstValue(
  attributes: Readonly<Record<string, readonly string[]>>,
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const [value] = Object.hasOwn(attributes, name) ? (attributes[name] ?? []) : []
    if (value !== undefined && isPlain(value)) return value
  }
  return undefined
}

const maxGroups = 1_000

/** A name, a list of names, or an object whose keys are the names, as Zitadel writes roles. Sorted, each once. */
function readGroups(claims: Claims, path: ClaimPath | undefined): readonly string[] | undefined {
  const value = valueAt(claims, path)
  if (value === undefined || value === null) return undefined
  const list = Array.isArray(value) ? value : typeof value === 'object' ? Object.keys(value) : [value]
  const names = list.filter((name): name is string => typeof name === 'string' && isPlain(name))
  return [...new Set(names)].sort().slice(0, maxGroups)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unsafeText = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/

function isPlain(text: string): boolean {
  return text !== '' && text.length <= 255 && !unsafeText.test(text)
}
