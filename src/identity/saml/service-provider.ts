// The SAML service provider of one connection: makes the AuthnRequest, verifies a response through all gates
// (form, prescan, envelope, node-saml, policy) and describes itself as metadata. Stateless: the pending
// request comes in as an argument, consuming the assertion once and the session are the use case's half.

import { createHash, randomBytes } from 'node:crypto'
import { type CacheProvider, generateServiceProviderMetadata, SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import { RollcallError } from '../../model/errors.ts'
import { refuseLogin } from '../login-refusal.ts'
import { readCertificate } from './certificate.ts'
import { checkEnvelope } from './envelope.ts'
import { readVerifiedAssertion } from './policy.ts'
import { prescan } from './prescan.ts'
import { type SamlSettings, samlTimes, type VerifiedLogin } from './settings.ts'

/** How long a pending request may wait for its answer. The store expires its rows by this. */
export const samlRequestLifetimeMs = 600_000

export interface AuthnRequest {
  /** Keep it with the pending login of this very connection; it comes back as `expectedRequestId`. */
  readonly requestId: string
  readonly redirectUrl: string
}

/**
 * An AuthnRequest for the Redirect binding. `relayState` must be an opaque id of our own (Bindings 3.4.3:
 * at most 80 bytes); a URL or anything else readable is refused with `invalid_value`.
 */
export async function createAuthnRequest(settings: SamlSettings, relayState: string): Promise<AuthnRequest> {
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(relayState))
    throw new RollcallError('invalid_value', 'RelayState is not an opaque id.')
  const requestId = `_${randomBytes(20).toString('hex')}`
  const saml = createLibrary(settings, { pending: undefined, responseSigned: false, newId: () => requestId })
  const redirectUrl = await saml.getAuthorizeUrlAsync(relayState, undefined, {})
  return { requestId, redirectUrl }
}

export interface PostedResponse {
  /** The form field, base64. */
  readonly samlResponse: string
  /** The pending request that the browser's cookie names; undefined when there is none. */
  readonly expectedRequestId: string | undefined
  readonly now: Date
}

/**
 * Verifies a posted response and reads the login out of it. Throws `login_refused` with a LoginRefusal as its
 * cause. Changes nothing anywhere: a junk response leaves the pending request as it was, and the same response
 * verifies again until it expires, so the caller must consume (connection, assertionId) exactly once.
 */
export async function verifyResponse(settings: SamlSettings, posted: PostedResponse): Promise<VerifiedLogin> {
  const { xml, root } = prescan(posted.samlResponse)
  const { responseSigned } = checkEnvelope(root, settings, posted.expectedRequestId, posted.now)
  const verified = await verifySignature(settings, xml, { pending: posted, responseSigned })
  const login = readVerifiedAssertion(verified.assertionXml, settings, posted.expectedRequestId, posted.now)
  // Two readings of one signed assertion must agree on who it is about.
  if (verified.nameId !== login.subject.nameId) refuseLogin('policy', 'name_id_value')
  return login
}

/** SP metadata (EntityDescriptor) to hand to the identity provider's admin; the same bytes for the same settings. */
export function spMetadata(settings: SamlSettings): string {
  const id = `_${createHash('sha256').update(`${settings.spEntityId} ${settings.acsUrl}`).digest('hex').slice(0, 40)}`
  return generateServiceProviderMetadata({
    issuer: settings.spEntityId,
    callbackUrl: settings.acsUrl,
    identifierFormat: settings.nameIdFormat ?? null,
    wantAssertionsSigned: true,
    generateUniqueId: () => id,
  })
}

async function verifySignature(settings: SamlSettings, xml: string, call: LibraryCall) {
  const saml = createLibrary(settings, call)
  try {
    // Encoded again from the scanned text, so that the library reads those bytes and no others.
    const samlResponse = Buffer.from(xml, 'utf8').toString('base64')
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: samlResponse })
    const assertionXml = profile?.getAssertionXml?.()
    if (profile === null || assertionXml === undefined) throw new Error('no verified assertion')
    return { assertionXml, nameId: profile.nameID }
  } catch (error) {
    return refuseLogin('library', 'library_refused', error)
  }
}

interface LibraryCall {
  /** The request that may be answered, and the instant at which to vouch for it. */
  readonly pending: Pick<PostedResponse, 'expectedRequestId' | 'now'> | undefined
  readonly responseSigned: boolean
  readonly newId?: () => string
}

/**
 * One library object per call, because its request cache is where it would otherwise share state between
 * connections: one tenant's identity provider could answer another's request, and any junk response would use
 * a pending request up. This cache knows one id, the expected one, and forgets nothing.
 */
function createLibrary(settings: SamlSettings, call: LibraryCall): SAML {
  const { pending, responseSigned, newId } = call
  return new SAML({
    issuer: settings.spEntityId,
    audience: settings.spEntityId,
    callbackUrl: settings.acsUrl,
    entryPoint: settings.idpSsoUrl,
    idpIssuer: settings.idpEntityId,
    idpCert: settings.idpCertificates.map((certificate) => readCertificate(certificate).pem),
    wantAssertionsSigned: true,
    // Not demanded, but where the Response carries a signature it has to hold: left to itself the library
    // would pass over a broken one when the assertion's is good.
    wantAuthnResponseSigned: responseSigned,
    validateInResponseTo:
      pending?.expectedRequestId === undefined ? ValidateInResponseTo.ifPresent : ValidateInResponseTo.always,
    cacheProvider: onlyRequest(pending),
    requestIdExpirationPeriodMs: samlRequestLifetimeMs,
    acceptedClockSkewMs: samlTimes.skewMs,
    maxAssertionAgeMs: samlTimes.maxAssertionAgeMs,
    identifierFormat: settings.nameIdFormat ?? null,
    disableRequestedAuthnContext: true,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    ...(newId === undefined ? {} : { generateUniqueId: newId }),
  })
}

function onlyRequest(pending: LibraryCall['pending']): CacheProvider {
  return {
    saveAsync: async () => null,
    // The library wants the instant of the request and compares it with its own clock; whether the request has
    // expired is the pending row's to say.
    getAsync: async (id) =>
      pending !== undefined && pending.expectedRequestId === id ? pending.now.toISOString() : null,
    removeAsync: async () => null,
  }
}
