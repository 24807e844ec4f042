// The typed settings of one SAML connection and the identity a verified response yields: the words that
// service-provider.ts, envelope.ts and policy.ts share. Nothing here is read from a database or a request;
// the use case builds the settings from the connection's row.

export interface SamlSettings {
  readonly connectionId: string
  /** Our own issuer for this connection, which is also the only audience accepted. */
  readonly spEntityId: string
  /** Where the identity provider posts its response; compared as an exact string. */
  readonly acsUrl: string
  readonly idpEntityId: string
  /** Single sign-on address for the Redirect binding. */
  readonly idpSsoUrl: string
  /** PEM or bare base64; several at once while the identity provider rolls its key over. */
  readonly idpCertificates: readonly string[]
  /** Asked for in the AuthnRequest; left to the identity provider when absent. */
  readonly nameIdFormat?: string
  /** Accept responses nobody asked for. Off unless an admin opted in: they cannot be bound to a browser. */
  readonly allowIdpInitiated: boolean
}

export interface VerifiedLogin {
  readonly issuer: string
  /** The identity together with connection and issuer. The format is always a full URN, never a transient one. */
  readonly subject: { readonly nameId: string; readonly format: string }
  readonly assertionId: string
  /**
   * Until when (clock skew included) this very assertion would be accepted again. A row (connection,
   * assertionId) inserted once and kept at least this long is the replay protection.
   */
  readonly notOnOrAfter: Date
  /** Null-prototype; values of repeated attributes are joined in document order. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly sessionIndex?: string
  /** When the identity provider wants the session to end, where it says so. */
  readonly sessionNotOnOrAfter?: Date
  readonly inResponseTo?: string
}

/** Time rules, in milliseconds. */
export const samlTimes = {
  skewMs: 60_000,
  /** How old an assertion may be, whatever its own conditions say. */
  maxAssertionAgeMs: 300_000,
} as const

export const namespaces = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const

export const nameIdFormats = {
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
  emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
} as const

const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** Milliseconds of an xs:dateTime that names its time zone; undefined for anything else. */
export function readInstantMs(value: string | undefined): number | undefined {
  if (value === undefined || !dateTime.test(value)) return undefined
  const ms = Date.parse(value)
  return Number.isNaN(ms) ? undefined : ms
}

/** Whether an instant of issue is neither ahead of `now` beyond the skew nor older than an assertion may be. */
export function isFresh(issuedAtMs: number, now: Date): boolean {
  const ageMs = now.getTime() - issuedAtMs
  return ageMs >= -samlTimes.skewMs && ageMs < samlTimes.maxAssertionAgeMs + samlTimes.skewMs
}
