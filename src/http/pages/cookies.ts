// The three cookies of a browser: which one it is, its session, and a login that waits. On https their names
// begin with __Host-, which keeps every other host and path from setting them.

import type { CookieOptions, Request, Response } from 'express'

export type CookieName = 'browser' | 'session' | 'waiting'

export interface Cookies {
  read(request: Request, name: CookieName): string | undefined
  set(response: Response, name: CookieName, value: string, maxAgeMs: number): void
  clear(response: Response, name: CookieName): void
}

export function createCookies(https: boolean): Cookies {
  const nameOf = (name: CookieName) => `${https ? '__Host-' : ''}rollcall_${name}`
  const optionsOf = (name: CookieName): CookieOptions => ({
    path: '/',
    httpOnly: true,
    secure: https,
    encode: String,
    ...sameSite(name, https),
  })
  return {
    read: (request, name) => readCookie(request.headers.cookie ?? '', nameOf(name)),
    set: (response, name, value, maxAgeMs) =>
      void response.cookie(nameOf(name), value, { ...optionsOf(name), maxAge: maxAgeMs }),
    clear: (response, name) => void response.cookie(nameOf(name), '', { ...optionsOf(name), maxAge: 0 }),
  }
}

/**
 * A SAML response is a form posted by another site, and the browser's own cookie has to come with it. Browsers
 * only send `None` over https; without it they fall back to rules that let a recent cookie through.
 */
function sameSite(name: CookieName, https: boolean): CookieOptions {
  if (name !== 'browser') return { sameSite: 'lax' }
  return https ? { sameSite: 'none' } : {}
}

/** Values of ours are base64url, so there is nothing to decode. */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const split = pair.indexOf('=')
    if (split > 0 && pair.slice(0, split).trim() === name) return pair.slice(split + 1).trim()
  }
  return undefined
}
