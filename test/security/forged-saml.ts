// Makes SAML responses that samlp itself would never send: takes a genuine, unsigned response of samlp, changes it,
// and signs it with the identity provider's real key, so that only the change can be what is refused.

import { signXml } from '@node-saml/node-saml/lib/xml.js'
import samlp from 'samlp'
import { createSelfSignedCertificate, type KeyAndCertificate } from '../../src/demo/self-signed-certificate.ts'
import { refusalOf } from '../../src/identity/login-refusal.ts'
import { verifyResponse } from '../../src/identity/saml/service-provider.ts'
import type { SamlSettings } from '../../src/identity/saml/settings.ts'

export interface ForgeOptions {
  readonly keys: KeyAndCertificate
  readonly entityId: string
  readonly audience: string
  readonly acsUrl: string
  readonly inResponseTo: string | undefined
  readonly signatureAlgorithm?: 'rsa-sha256' | 'rsa-sha1'
  readonly digestAlgorithm?: 'sha256' | 'sha1'
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>
  readonly lifetimeInSeconds?: number
}

export type Change = (xml: string) => string

/** A genuine response with the unsigned text changed before signing and, if asked, the signed text after it. */
export async function forgeResponse(options: ForgeOptions, beforeSigning: Change, afterSigning: Change = same) {
  const unsigned = beforeSigning(await genuine(options, { signAssertion: false }))
  return toForm(afterSigning(signElement(unsigned, 'Assertion', options.keys)))
}

/** Straight from samlp, signed by it. */
export function genuineResponse(options: ForgeOptions, sign: { signResponse?: boolean; signAssertion?: boolean } = {}) {
  return genuine(options, sign)
}

/** Signs one element in place, after its Issuer, as SAML has it; `keys` may be anybody's. */
export function signElement(xml: string, name: 'Assertion' | 'Response', keys: KeyAndCertificate): string {
  const path = `//*[local-name(.)='${name}']`
  const location = { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' } as const
  return signXml(xml, path, location, {
    privateKey: keys.privateKey,
    publicCert: keys.certificate,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
  })
}

export function toForm(xml: string): string {
  return Buffer.from(xml, 'utf8').toString('base64')
}

export const same: Change = (xml) => xml

/** Replaces and insists that there was something to replace: a forgery that changes nothing proves nothing. */
export function swap(from: string | RegExp, to: string): Change {
  return (xml) => {
    const changed = xml.replace(from, to)
    if (changed === xml) throw new Error(`nothing to change: ${from}`)
    return changed
  }
}

export const envelopeEnd = '<samlp:Status>'

/** One connection with its identity provider's keys, somebody else's keys, and the two ways to try a response. */
export function createSamlFixture() {
  const now = new Date()
  const requestId = '_4fee3b046395c4e751011e97f8900b5273d56685'
  const keys = createSelfSignedCertificate('idp.acme.test', now)
  const settings: SamlSettings = {
    connectionId: 'c1',
    spEntityId: 'https://rollcall.test/saml/c1',
    acsUrl: 'https://rollcall.test/saml/c1/acs',
    idpEntityId: 'https://idp.acme.test/metadata',
    idpSsoUrl: 'https://idp.acme.test/sso?tenant=7',
    idpCertificates: [keys.certificate],
    allowIdpInitiated: false,
  }
  const base: ForgeOptions = {
    keys,
    entityId: settings.idpEntityId,
    audience: settings.spEntityId,
    acsUrl: settings.acsUrl,
    inResponseTo: requestId,
  }
  const verify = (samlResponse: string, over: Partial<SamlSettings> = {}, expectedRequestId = requestId) =>
    verifyResponse({ ...settings, ...over }, { samlResponse, expectedRequestId, now })
  const refused = (samlResponse: string, over: Partial<SamlSettings> = {}) =>
    verify(samlResponse, over).then(() => 'accepted', refusalOf)
  return {
    now,
    requestId,
    keys,
    foreign: createSelfSignedCertificate('idp.evil.test', now),
    settings,
    base,
    verify,
    refused,
  }
}

function genuine(options: ForgeOptions, sign: { signResponse?: boolean; signAssertion?: boolean }) {
  return new Promise<string>((resolve, reject) => {
    samlp.getSamlResponse(
      {
        issuer: options.entityId,
        cert: options.keys.certificate,
        key: options.keys.privateKey,
        audience: options.audience,
        recipient: options.acsUrl,
        destination: options.acsUrl,
        ...(options.inResponseTo === undefined ? {} : { inResponseTo: options.inResponseTo }),
        lifetimeInSeconds: options.lifetimeInSeconds ?? 300,
        sessionIndex: '_s1',
        signatureAlgorithm: options.signatureAlgorithm ?? 'rsa-sha256',
        digestAlgorithm: options.digestAlgorithm ?? 'sha256',
        ...sign,
        profileMapper: () => ({
          getClaims: () => ({
            ...(options.attributes ?? { email: 'ada@acme.test', groups: ['staff', 'engineering'] }),
          }),
          getNameIdentifier: () => ({
            nameIdentifier: 'ada-7f3a',
            nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          }),
        }),
      },
      {},
      (error, xml) => (error ? reject(error) : resolve(xml)),
    )
  })
}
