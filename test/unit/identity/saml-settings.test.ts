// What an admin may enter for a SAML connection.

import { expect, test } from 'vitest'
import { createSelfSignedCertificate } from '../../../src/demo/self-signed-certificate.ts'
import { checkSamlSettings } from '../../../src/identity/saml/check-settings.ts'
import type { SamlSettings } from '../../../src/identity/saml/settings.ts'

const { certificate } = createSelfSignedCertificate('idp', new Date('2026-03-01T12:00:00Z'))
const good: SamlSettings = {
  connectionId: 'c1',
  spEntityId: 'https://rollcall.test/sp',
  acsUrl: 'https://rollcall.test/acs',
  idpEntityId: 'urn:acme:idp',
  idpSsoUrl: 'https://idp.acme.test/sso?a=b',
  idpCertificates: [certificate],
  allowIdpInitiated: false,
}

test('sound settings are accepted, and the end of each certificate is told', () => {
  const [read] = checkSamlSettings(good, false)
  expect(read?.notAfter).toEqual(new Date('2027-03-01T12:00:00Z'))
})

test('plain http is accepted on loopback alone, and only where that is allowed', () => {
  const local = { ...good, idpSsoUrl: 'http://127.0.0.1:8080/sso' }
  expect(checkSamlSettings(local, true)).toHaveLength(1)
  expect(() => checkSamlSettings(local, false)).toThrow()
})

test.each<[string, Partial<SamlSettings>]>([
  ['an address that is a script', { idpSsoUrl: 'javascript:alert(1)' }],
  ['plain http', { idpSsoUrl: 'http://idp.acme.test/sso' }],
  ['no address', { idpSsoUrl: '' }],
  ['credentials in the address', { idpSsoUrl: 'https://user:secret@idp.acme.test/' }],
  ['an entity id with a space at its end', { idpEntityId: 'urn:acme:idp ' }],
  ['no entity id', { idpEntityId: '' }],
  ['an identity provider that claims to be us', { idpEntityId: good.spEntityId }],
  ['a transient NameID', { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }],
  ['no certificate', { idpCertificates: [] }],
  ['too many certificates', { idpCertificates: Array.from({ length: 11 }, () => certificate) }],
  ['a certificate that cannot be read', { idpCertificates: [certificate, 'x'] }],
])('%s is refused', (_, change) => {
  const settings = { ...good, ...change }
  expect(() => checkSamlSettings(settings, true)).toThrow(expect.objectContaining({ code: 'invalid_value' }))
})
