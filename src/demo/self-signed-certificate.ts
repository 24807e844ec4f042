// Makes an RSA key and a self-signed X.509 certificate at start, for the identity providers of the
// demonstration and the tests. A few lines of DER instead of a dependency. Not for production use.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface KeyAndCertificate {
  /** PKCS#8 PEM. */
  readonly privateKey: string
  /** PEM. */
  readonly certificate: string
}

/** RSA-2048, sha256WithRSAEncryption, valid from a day before `now` for a year (RFC 5280 section 4.1). */
export function createSelfSignedCertificate(commonName: string, now: Date): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dayMs = 86_400_000
  const algorithm = sequence(objectId('2a864886f70d01010b'), der(0x05, Buffer.alloc(0)))
  const name = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(commonName, 'utf8')))))
  const validity = sequence(utcTime(new Date(now.getTime() - dayMs)), utcTime(new Date(now.getTime() + 365 * dayMs)))
  // The leading byte keeps the INTEGER positive and non-zero.
  const serial = der(0x02, Buffer.concat([Buffer.from([0x4a]), randomBytes(15)]))
  const version3 = der(0xa0, der(0x02, Buffer.from([2])))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const toBeSigned = sequence(version3, serial, algorithm, name, validity, name, key)
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]))
  const body =
    sequence(toBeSigned, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${body.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

function der(tag: number, content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content])
  const hex = content.length.toString(16)
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function utcTime(at: Date): Buffer {
  return der(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`, 'ascii'))
}
