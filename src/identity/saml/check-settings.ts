// The rules on a SAML connection's settings that hold before any message is made, for the door where an admin enters
// them. Verifying a response does not depend on them.

import { RollcallError } from '../../model/errors.ts'
import { isSecureUrl } from '../safe-fetch.ts'
import { readCertificate, type SigningCertificate } from './certificate.ts'
import { nameIdFormats, type SamlSettings } from './settings.ts'

const maxCertificates = 10

/**
 * Throws `invalid_value` with a sentence for the admin; otherwise returns the certificates as they were read, whose
 * end dates are worth watching. Plain http is accepted for loopback alone and only where allowed.
 */
export function checkSamlSettings(settings: SamlSettings, allowInsecureLoopback: boolean): SigningCertificate[] {
  const url = URL.canParse(settings.idpSsoUrl) ? new URL(settings.idpSsoUrl) : undefined
  if (url === undefined || url.username !== '' || !isSecureUrl(url, allowInsecureLoopback)) {
    invalid('The single sign-on address is not an https address.')
  }
  for (const entityId of [settings.idpEntityId, settings.spEntityId]) {
    // Core 8.3.6: a URI of at most 1024 characters; white space never is part of one, but often of what was pasted.
    if (entityId === '' || entityId.length > 1024 || /\s/.test(entityId)) invalid('An entity id is not a URI.')
  }
  if (settings.idpEntityId === settings.spEntityId) invalid('The identity provider cannot have our own entity id.')
  if (settings.nameIdFormat === nameIdFormats.transient) {
    invalid('A transient NameID changes with every login, so it cannot name a person.')
  }
  const { length } = settings.idpCertificates
  if (length < 1 || length > maxCertificates) invalid(`Give between 1 and ${maxCertificates} signing certificates.`)
  return settings.idpCertificates.map(readCertificate)
}

function invalid(detail: string): never {
  throw new RollcallError('invalid_value', detail)
}
