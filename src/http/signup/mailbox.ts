// The local mailbox: mails that would have been sent, for whoever runs this on their own machine. Compose mounts
// it only where there is no mail server. It shows codes, so it answers under its own name only: a page of another
// site whose name was made to point here sees nothing.

import express, { type Router } from 'express'
import { readMailbox } from '../../identity/read-mailbox.ts'
import { RollcallError } from '../../model/errors.ts'
import { html } from '../pages/html.ts'
import { sendPage } from '../pages/layout.ts'
import { errorPage, type WebDoor, withBrowserHeaders } from '../pages/web-door.ts'
import { noSuchRoute } from '../problem.ts'

export const mailboxPath = '/mailbox'

/** To be mounted at `mailboxPath`. */
export function mailboxRouter(door: WebDoor): Router {
  const hosts = ownNames(new URL(door.context.publicUrl))
  const router = express.Router({ caseSensitive: true })
  router.use(withBrowserHeaders(door))
  router.get('/', async (request, response) => {
    if (!hosts.has(request.get('host') ?? '')) throw new RollcallError('not_found', 'There is nothing at this address.')
    const mails = (await readMailbox(door.context)).map(
      (mail) => html`<h2>${mail.subject}</h2>
<p class="soft small">To ${mail.recipient}, ${mail.createdAt.toISOString().slice(0, 16).replace('T', ' ')} UTC</p>
<pre>${mail.body}</pre>`,
    )
    const empty = mails.length === 0 ? html`<p>There is no mail yet.</p>` : undefined
    sendPage(response, 200, {
      title: 'Mailbox',
      wide: true,
      body: html`<h1>Mailbox</h1>
<p class="soft">No mail server is set up, so mails stay here.</p>${empty}${mails}`,
    })
  })
  router.use(noSuchRoute)
  router.use(errorPage(door))
  return router
}

/** The public name, and where that is this machine all the names that a person types for it. */
function ownNames({ host, hostname, port }: URL): ReadonlySet<string> {
  const loopback = ['localhost', '127.0.0.1', '[::1]']
  if (!loopback.includes(hostname)) return new Set([host])
  return new Set(loopback.map((name) => (port === '' ? name : `${name}:${port}`)))
}
