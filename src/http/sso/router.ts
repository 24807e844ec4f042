// The SSO door: where a login begins, where the identity provider's answer comes back, and what its admin needs
// to know of us. What a login means is identity/; how it ends in the browser is pages/login-outcome.ts.

import express, { type Router } from 'express'
import { finishOidcLogin } from '../../identity/finish-oidc-login.ts'
import { finishSamlLogin } from '../../identity/finish-saml-login.ts'
import { readMetadata } from '../../identity/read-metadata.ts'
import { startLogin } from '../../identity/start-login.ts'
import { endAdmission, rememberBrowser } from '../pages/login-outcome.ts'
import { errorPage, limitRequests, readField, readForm, type WebDoor, withBrowserHeaders } from '../pages/web-door.ts'
import { noSuchRoute } from '../problem.ts'

export const ssoPath = '/sso'

/** To be mounted at `ssoPath`. */
export function ssoRouter(door: WebDoor): Router {
  const { context, cookies } = door
  const router = express.Router({ caseSensitive: true, strict: true })
  router.use(withBrowserHeaders(door))
  const limited = limitRequests(door.limits.loginsPerMinute, 60_000)

  router.get('/:connectionId/start', limited, async (request, response) => {
    const { redirectUrl, browser } = await startLogin(context, {
      connectionId: readField(request.params, 'connectionId'),
      browser: cookies.read(request, 'browser'),
      returnTo: readField(request.query, 'returnTo'),
      loginHint: readHint(request.query),
    })
    rememberBrowser(door, response, browser)
    response.redirect(302, redirectUrl)
  })

  router.get('/:connectionId/callback', limited, async (request, response) => {
    const admission = await finishOidcLogin(context, {
      connectionId: readField(request.params, 'connectionId'),
      search: searchOf(request.originalUrl),
      browser: cookies.read(request, 'browser'),
    })
    await endAdmission(door, request, response, admission)
  })

  // Comes from another site by its nature: what protects it is the request it answers, bound to this browser.
  router.post('/:connectionId/acs', limited, readForm(256 * 1024), async (request, response) => {
    const admission = await finishSamlLogin(context, {
      connectionId: readField(request.params, 'connectionId'),
      samlResponse: readField(request.body, 'SAMLResponse'),
      relayState: readField(request.body, 'RelayState'),
      browser: cookies.read(request, 'browser'),
    })
    await endAdmission(door, request, response, admission)
  })

  router.get('/:connectionId/metadata', limited, async (request, response) => {
    const xml = await readMetadata(context, readField(request.params, 'connectionId'))
    response.type('application/samlmetadata+xml').send(xml)
  })

  router.use(noSuchRoute)
  router.use(errorPage(door))
  return router
}

function searchOf(url: string): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start)
}

/** Passed on to the identity provider as it is, so it has to be short and printable. */
function readHint(query: unknown): string | undefined {
  const hint = readField(query, 'login_hint')
  return hint === '' || hint.length > 254 || /[\p{C}]/u.test(hint) ? undefined : hint
}
