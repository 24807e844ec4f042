// The page at `/`: what is running here and where its doors are. It shows nothing of anybody's data.

import express, { type Router } from 'express'
import { html } from './pages/html.ts'
import { sendPage } from './pages/layout.ts'
import { errorPage, type WebDoor, withBrowserHeaders } from './pages/web-door.ts'
import { noSuchRoute } from './problem.ts'

/** The last door: what no other one took is answered with a page that says so. */
export function homeRouter(door: WebDoor): Router {
  const router = express.Router()
  router.use(withBrowserHeaders(door))
  router.get('/', (_request, response) => {
    sendPage(response, 200, {
      title: 'Rollcall',
      body: html`<h1>Rollcall</h1>
<p>It is running. Its doors are:</p>
<ul>
<li><code>/scim/v2/{directory}</code> for identity providers</li>
<li><code>/admin/v1</code> for administration; <a href="/admin/v1/openapi.json">its description</a></li>
<li><code>/sso/{connection}/start</code> for logins; <a href="/session">your session</a></li>
<li><code>/signup/{tenant}</code> for sign-ups</li>
<li><a href="/healthz">/healthz</a> and <a href="/readyz">/readyz</a> for whoever watches</li>
</ul>`,
    })
  })
  router.use(noSuchRoute)
  router.use(errorPage(door))
  return router
}
