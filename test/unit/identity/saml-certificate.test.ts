// Certificates as admins paste them, and the self-signed ones that the demonstration's providers make.

import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSelfSignedCertificate } from '../../../src/demo/self-signed-certificate.ts'
import { readCertificate } from '../../../src/identity/saml/certificate.ts'

const now = new Date('2026-03-01T12:00:00Z')
const made = createSelfSignedCertificate('idp.acme.test', now)
const bare = made.certificate.replace(/-----[A-Z ]+-----|\n/g, '')

test('a self-signed certificate is valid X.509, verifies with its own key and names its validity', () => {
  const certificate = new X509Certificate(made.certificate)
  expect(certificate.subject).toBe('CN=idp.acme.test')
  expect(certificate.verify(createPublicKey(made.privateKey))).toBe(true)
  expect(new Date(certificate.validFrom)).toEqual(new Date('2026-02-28T12:00:00Z'))
  expect(new Date(certificate.validTo)).toEqual(new Date('2027-03-01T12:00:00Z'))
})

test.each([
  ['PEM', made.certificate],
  ['PEM with Windows line ends and spaces around', `  ${made.certificate.replaceAll('\n', '\r\n')}\n`],
  ['bare base64', bare],
  ['base64 wrapped as in metadata', bare.replace(/.{76}/g, '$&\n      ')],
])('%s reads as the same certificate', (_, text) => {
  const read = readCertificate(text)
  expect(read.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(read).toEqual(readCertificate(made.certificate))
  expect(read.notAfter).toEqual(new Date('2027-03-01T12:00:00Z'))
})

test.each([
  ['nothing', ''],
  ['text', 'certificate'],
  ['base64 of something else', Buffer.from('hello').toString('base64')],
  ['a private key', made.privateKey],
  ['two certificates at once', made.certificate + made.certificate],
  [
    'a public key',
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ],
])('%s is refused', (_, text) => {
  expect(() => readCertificate(text)).toThrow(expect.objectContaining({ code: 'invalid_value' }))
})
