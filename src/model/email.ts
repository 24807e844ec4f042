// E-mail addresses as words: what is one, which domain it is in, and the key under which two
// spellings count as the same mailbox. Whether an address may link anybody is the planner's.

import { parseDomainName } from './domain-name.ts'

export interface EmailAddress {
  /** As it was given. */
  readonly address: string
  /** The spelling under which the same mailbox is found again. */
  readonly key: string
  /** ASCII domain, lower case. */
  readonly domain: string
}

/**
 * Parses an address, or answers null. Only ASCII letters are folded: a look-alike outside ASCII is
 * another mailbox, and folding it (K as in Kelvin to k) would hand one person's account to another.
 */
export function parseEmail(input: string): EmailAddress | null {
  if (input.length > 254 || /[\s\p{C}<>()[\],;:\\"]/u.test(input)) return null
  const at = input.lastIndexOf('@')
  if (at < 1 || at > 64) return null
  const local = input.slice(0, at)
  if (local.includes('@')) return null
  const domain = parseDomainName(input.slice(at + 1))
  if (domain === null) return null
  return { address: input, key: `${foldAscii(local)}@${domain}`, domain }
}

function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
