// Our own rules on the claims of an ID token whose signature, issuer, audience and nonce the library has verified:
// what it compares loosely is compared exactly here, and what it leaves to the application (age, azp, Entra's
// identity, names that poison objects) is decided. Pure.

import { type OidcRefusalReason, refuseLogin } from '../login-refusal.ts'
import { entraTenant, isEntra, type OidcSettings, type VerifiedOidcLogin } from './settings.ts'

type Claims = Record<string, unknown>

interface Expected {
  readonly nonce: string
  readonly now: Date
}

const skewSeconds = 60
const maxAgeSeconds = 300
const maxDepth = 20
const prototypeNames = new Set(['__proto__', 'constructor', 'prototype'])
/** Statements about the token and the event, which only the signed token may make. */
const idTokenOnly = new Set(
  'iss aud azp exp iat nbf jti nonce auth_time acr amr at_hash c_hash s_hash sid tid oid'.split(' '),
)

/** Refuses at the gate `policy`, or says who logged in. `userinfo` is undefined when it was not asked. */
export function readVerifiedClaims(
  settings: OidcSettings,
  idToken: object,
  userinfo: object | undefined,
  expected: Expected,
): VerifiedOidcLogin {
  const own = copyClaims(idToken)
  checkToken(settings, own, expected)
  const asked = copyClaims(userinfo ?? {})
  if (userinfo !== undefined && asked.sub !== own.sub) refuse('userinfo')
  const claims: Claims = Object.create(null)
  for (const [name, value] of Object.entries(asked)) if (!idTokenOnly.has(name)) claims[name] = value
  Object.assign(claims, own)
  const email = text(claims.email)
  // The flag counts only beside the address it was said about.
  const verified = (own.email === undefined ? asked : own).email_verified
  return {
    issuer: settings.issuer,
    subject: readSubject(settings, own),
    emailVerified: email !== undefined && (verified === true || verified === 'true'),
    ...optional('email', email),
    ...optional('name', text(claims.name)),
    ...optional('givenName', text(claims.given_name)),
    ...optional('familyName', text(claims.family_name)),
    claims,
  }
}

function refuse(reason: OidcRefusalReason): never {
  return refuseLogin('policy', reason)
}

function checkToken(settings: OidcSettings, claims: Claims, expected: Expected) {
  if (claims.iss !== settings.issuer) refuse('issuer')
  const audience = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (!audience.includes(settings.clientId)) refuse('audience')
  // Core 3.1.3.7: several audiences need azp, and azp is us or the token was made for another client.
  if (audience.length > 1 && claims.azp === undefined) refuse('azp')
  if (claims.azp !== undefined && claims.azp !== settings.clientId) refuse('azp')
  if (claims.nonce !== expected.nonce) refuse('nonce')
  const nowSeconds = expected.now.getTime() / 1000
  const { iat, exp } = claims
  if (typeof iat !== 'number' || iat > nowSeconds + skewSeconds || iat <= nowSeconds - maxAgeSeconds - skewSeconds) {
    refuse('issued_at')
  }
  if (typeof exp !== 'number' || exp <= nowSeconds - skewSeconds) refuse('expired')
}

/** Entra's `sub` is different for every application; tenant and object id together are the person. */
function readSubject(settings: OidcSettings, claims: Claims): string {
  const issuer = new URL(settings.issuer)
  if (isEntra(issuer)) {
    const oid = text(claims.oid)
    if (oid === undefined || claims.tid !== entraTenant(issuer)) return refuse('entra_identity')
    return `${claims.tid}:${oid}`
  }
  const subject = text(claims.sub)
  return subject === undefined || subject.length > 255 ? refuse('subject') : subject
}

/** A copy without prototypes at any depth, so that no later merge or lookup can meet a name of Object's own. */
function copyClaims(source: object): Claims {
  const copy: Claims = Object.create(null)
  for (const [name, value] of Object.entries(source)) {
    if (prototypeNames.has(name)) refuse('claim_name')
    copy[name] = copyValue(value, 1)
  }
  return copy
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) return refuse('claim_name')
  if (Array.isArray(value)) return value.map((element) => copyValue(element, depth + 1))
  const copy: Claims = Object.create(null)
  for (const [name, inner] of Object.entries(value)) {
    if (prototypeNames.has(name)) refuse('claim_name')
    copy[name] = copyValue(inner, depth + 1)
  }
  return copy
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unsafeText = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1024 && !unsafeText.test(value)
    ? value
    : undefined
}

function optional<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  const result: Partial<Record<Name, string>> = {}
  if (value !== undefined) result[name] = value
  return result
}
