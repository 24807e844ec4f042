// The session's own pages: who is logged in, where, as what and how; the page that waits; the way out.

import express, { type Response, type Router } from 'express'
import { resumeLogin } from '../../identity/complete-login.ts'
import { endSession, type ReadSession, readSession } from '../../identity/session.ts'
import { RollcallError } from '../../model/errors.ts'
import { type Html, html } from '../pages/html.ts'
import { sendPage } from '../pages/layout.ts'
import { sendOutcome, sendStandstill, sendWaiting } from '../pages/login-outcome.ts'
import { errorPage, limitRequests, onlyOwnForms, type WebDoor, withBrowserHeaders } from '../pages/web-door.ts'
import { noSuchRoute, problemHandler } from '../problem.ts'

export const sessionPath = '/session'

/** To be mounted at `sessionPath`. Answers pages, or JSON to who asks for it. */
export function sessionRouter(door: WebDoor): Router {
  const { context, cookies } = door
  const router = express.Router({ caseSensitive: true })
  router.use(withBrowserHeaders(door))
  router.use(limitRequests(door.limits.loginsPerMinute * 5, 60_000))

  router.get('/', async (request, response) => {
    const found = await readSession(context, cookies.read(request, 'session'))
    if (request.accepts(['html', 'json']) === 'json') {
      if (found.state === 'none') throw new RollcallError('unauthenticated', 'Nobody is signed in here.')
      if (found.state === 'halted') throw new RollcallError('forbidden', `The member is ${found.standstill}.`)
      response.json(found.session)
      return
    }
    if (found.state === 'active') sendPage(response, 200, { title: 'You are signed in', body: describe(found.session) })
    else if (found.state === 'halted') sendStandstill(response, found.standstill, found.organizationName)
    else sendSignedOut(response, 401)
  })

  router.get('/wait', async (request, response) => {
    const ticket = cookies.read(request, 'waiting') ?? ''
    const browser = cookies.read(request, 'browser')
    const outcome = await resumeLogin(context, ticket, { browser, session: cookies.read(request, 'session') })
    if (outcome === undefined) {
      cookies.clear(response, 'waiting')
      throw new RollcallError('login_refused', 'This login has waited too long. Start again.')
    }
    if (outcome.outcome === 'waiting') sendWaiting(response)
    else sendOutcome(door, response, outcome)
  })

  router.post('/end', onlyOwnForms(door), async (request, response) => {
    await endSession(context, cookies.read(request, 'session'))
    cookies.clear(response, 'session')
    cookies.clear(response, 'waiting')
    if (request.accepts(['html', 'json']) === 'json') response.status(204).end()
    else sendSignedOut(response, 200)
  })

  router.use(noSuchRoute)
  const [asProblem, asPage] = [problemHandler(door.report), errorPage(door)]
  router.use((error: unknown, request: express.Request, response: Response, next: express.NextFunction) => {
    const handler = request.accepts(['html', 'json']) === 'json' ? asProblem : asPage
    handler(error, request, response, next)
  })
  return router
}

function sendSignedOut(response: Response, status: number): void {
  sendPage(response, status, {
    title: 'You are not signed in',
    body: html`<h1>You are not signed in</h1>
<p class="soft">Sign in through the address your organization gave you.</p>`,
  })
}

function describe(session: ReadSession): Html {
  const { user, organization, member, how } = session
  const units = member.units.map((unit) => `${unit.name} (${unit.kind})`).join(', ')
  const workspaces = member.workspaces.map((workspace) => workspace.name).join(', ')
  const rows = [
    row('Organization', organization.name),
    row('Role', member.role?.name),
    row('Units', units),
    row('Workspaces', workspaces),
    row('Member', member.publicId),
    row('E-mail', user.email ?? undefined),
    row('Signed in by', describeHow(how)),
    row('Until', `${session.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`),
  ]
  return html`<h1>You are signed in</h1>
<p>${user.displayName ?? user.email ?? member.publicId}</p>
<dl>${rows}</dl>
<form method="post" action="/session/end"><button>Sign out</button></form>`
}

function describeHow(how: ReadSession['how']): string {
  const kind = { oidc: 'OpenID Connect', saml: 'SAML', email: 'a code sent by e-mail' }[how.kind]
  return how.connection === null ? kind : `${how.connection.name} (${kind})`
}

function row(name: string, value: string | undefined): Html {
  return value === undefined || value === '' ? html`` : html`<dt>${name}</dt><dd>${value}</dd>\n`
}
