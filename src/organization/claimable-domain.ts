// Which domains an organization may claim at all: one that is registered by somebody, not one under which the world
// has its mailboxes. Whether it is theirs is proved by DNS (work/verify-domain.ts).

import freemail from 'freemail'
import { parse } from 'tldts'
import { parseDomainName } from '../model/domain-name.ts'
import { RollcallError } from '../model/errors.ts'

/**
 * The domain in its one spelling (ASCII, lower case, no trailing dot). Throws `invalid_value` with the reason for what
 * is no domain, a public suffix, a free or throw-away mail provider, or Microsoft's shared onmicrosoft.com.
 */
export function parseClaimableDomain(input: string): string {
  const name = parseDomainName(input.trim())
  if (name === null) throw refused('This is not a domain name.')
  // Private suffixes too: under github.io or vercel.app everybody can have a name.
  const { domain, publicSuffix } = parse(name, { allowPrivateDomains: true })
  if (domain === null || name === publicSuffix) throw refused('This is a public suffix, under which anybody has names.')
  if (domain === 'onmicrosoft.com') throw refused('onmicrosoft.com belongs to Microsoft. Claim a domain of your own.')
  if (freemail.isDisposable(domain)) throw refused('This domain hands out throw-away addresses.')
  if (freemail.isFree(domain)) throw refused('This domain hands out addresses to everybody.')
  return name
}

/** The domain itself and every one above it, as far as one can be claimed. */
export function domainsAbove(name: string): string[] {
  const labels = name.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

function refused(detail: string): RollcallError {
  return new RollcallError('invalid_value', detail)
}
