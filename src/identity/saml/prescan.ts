// The first gate a SAML response passes: the form value is decoded strictly and read once by a streaming
// parser with hard limits, in milliseconds, before the XML signature stack (which is quadratic in places)
// may touch it. Knows nothing of SAML; what the elements mean is read in envelope.ts and policy.ts.

import { refuseLogin } from '../login-refusal.ts'
import { parseStrictXml, type XmlElement, xmlLimits } from './strict-xml.ts'

export interface ScannedMessage {
  /** Exactly the text that was scanned; hand on this and never the form value again. */
  readonly xml: string
  readonly root: XmlElement
}

const base64Alphabet = /^[A-Za-z0-9+/]+={0,2}$/
/** Base64 of the largest document, with room for line breaks. */
const maxFormLength = Math.ceil((xmlLimits.bytes * 4) / 3 / 64) * 66 + 66

/**
 * Decodes and scans the form field `SAMLResponse` (base64; line breaks are tolerated, as some identity
 * providers wrap it). Refuses the login at the gates `form` and `prescan`.
 */
export function prescan(samlResponse: string): ScannedMessage {
  if (samlResponse.length > maxFormLength) refuseLogin('form', 'too_large')
  const base64 = samlResponse.replace(/[\r\n\t ]+/g, '')
  if (base64.length % 4 !== 0 || !base64Alphabet.test(base64)) refuseLogin('form', 'not_base64')
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length > xmlLimits.bytes) refuseLogin('form', 'too_large')
  const xml = decodeUtf8(bytes)
  return { xml, root: parseStrictXml(xml) }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    return refuseLogin('form', 'not_utf8', error)
  }
}
