// Domain names in the one spelling that is compared: ASCII (punycode), lower case, no trailing dot.
// Whether a domain may be claimed (public suffixes, free mail) is decided where it is claimed.

/** The normal form of a domain name, or null when it is none. IP addresses are none. */
export function parseDomainName(input: string): string | null {
  const trimmed = input.endsWith('.') ? input.slice(0, -1) : input
  if (trimmed === '' || trimmed.length > 253 || /[\s/:@?#\\%[\]]/.test(trimmed)) return null
  let ascii: string
  try {
    ascii = new URL(`http://${trimmed}`).hostname
  } catch {
    return null
  }
  if (!/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/.test(ascii) || /(^|\.)\d+$/.test(ascii)) return null
  return ascii
}
