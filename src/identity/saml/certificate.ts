// Reads the signing certificates an identity provider's admin pastes: PEM or bare base64, however wrapped.
// In SAML a certificate only carries a key (no chain, no revocation), so its end date is watched, not enforced.

import { X509Certificate } from 'node:crypto'
import { RollcallError } from '../../model/errors.ts'

export interface SigningCertificate {
  /** Normalised PEM. */
  readonly pem: string
  /** SHA-256 of the DER bytes, lower-case hex. */
  readonly fingerprint: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Throws `invalid_value` for anything but one X.509 certificate with an RSA key of at least 2048 bits. */
export function readCertificate(text: string): SigningCertificate {
  const body = text.replace(/-----(?:BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '')
  if (body.length > 20_000 || !/^[A-Za-z0-9+/]+={0,2}$/.test(body) || text.split('-----BEGIN').length > 2) {
    throw new RollcallError('invalid_value', 'The certificate is neither PEM nor base64.')
  }
  const certificate = parse(Buffer.from(body, 'base64'))
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    throw new RollcallError('invalid_value', 'The certificate does not hold an RSA key of at least 2048 bits.')
  }
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  }
}

function parse(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw new RollcallError('invalid_value', { detail: 'The certificate cannot be read.', cause })
  }
}
