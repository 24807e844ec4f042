// Where a browser may be sent after a login: a path of this service and nothing else. An open redirect would
// lend our name to any page.

const base = 'http://own.invalid'

/** The path with its query as a browser reads it; undefined for anything that could lead elsewhere. Pure. */
export function ownPath(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 2_048 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text)) return undefined
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined
  // Dots may fold a path into "//elsewhere", which a browser takes for a host.
  return url === undefined || url.origin !== base || url.pathname.startsWith('//')
    ? undefined
    : `${url.pathname}${url.search}`
}
