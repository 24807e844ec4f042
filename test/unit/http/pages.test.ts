// The small pages: what is escaped, what their policy lets a browser do, and how cookies are set.

import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { createCookies } from '../../../src/http/pages/cookies.ts'
import { html } from '../../../src/http/pages/html.ts'
import { browserHeaders, sendPage } from '../../../src/http/pages/layout.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function answerOf(mount: (app: Express) => void, headers: Record<string, string> = {}): Promise<Response> {
  const app = express()
  mount(app)
  const server = createServer(app)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return fetch(`http://127.0.0.1:${port}/`, { headers: { ...headers, connection: 'close' } })
}

test('every value in a page is text, unless it is HTML already', () => {
  const name = `<b title="x">'&`
  expect(html`<p title="${name}">${name}</p>`.text).toBe(
    '<p title="&lt;b title=&quot;x&quot;&gt;&#39;&amp;">&lt;b title=&quot;x&quot;&gt;&#39;&amp;</p>',
  )
  expect(html`<ul>${['<', 2].map((value) => html`<li>${value}</li>`)}</ul>${undefined}`.text).toBe(
    '<ul><li>&lt;</li><li>2</li></ul>',
  )
})

test('the policy of a page lets its own style in, and nothing else', async () => {
  const response = await answerOf((app) =>
    app.get('/', (_request, reply) => {
      reply.set(browserHeaders(true))
      sendPage(reply, 200, { title: '</title><script>', body: html`<h1>Hello</h1>`, refreshSeconds: 2 })
    }),
  )
  const page = await response.text()
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style, 'utf8').digest('base64')
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  )
  expect(page).not.toMatch(/<script|style=|src=|href="http/)
  expect(page).toContain('<meta http-equiv="refresh" content="2">')
  expect(response.headers.get('strict-transport-security')).toContain('max-age=31536000')
})

describe('the cookies', () => {
  const setBy = (https: boolean) =>
    answerOf((app) =>
      app.get('/', (_request, reply) => {
        const cookies = createCookies(https)
        cookies.set(reply, 'session', 'token', 60_000)
        cookies.set(reply, 'browser', 'token', 60_000)
        cookies.clear(reply, 'waiting')
        reply.end()
      }),
    ).then((response) => response.headers.getSetCookie())

  test('belong to this host alone on https, and only the browser’s own comes with a form of another site', async () => {
    const [session, browser, waiting] = await setBy(true)
    expect(session).toMatch(/^__Host-rollcall_session=token; Max-Age=60; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/)
    expect(browser).toMatch(/^__Host-rollcall_browser=token; Max-Age=60; Path=\/; .*HttpOnly; Secure; SameSite=None$/)
    expect(waiting).toMatch(/^__Host-rollcall_waiting=; Max-Age=0; /)
  })

  test('work without https too, on a machine of one’s own', async () => {
    const [session, browser] = await setBy(false)
    expect(session).toMatch(/^rollcall_session=token; .*HttpOnly; SameSite=Lax$/)
    expect(browser).toMatch(/^rollcall_browser=token; .*HttpOnly$/)
  })

  test('are read by their whole name', async () => {
    const seen: (string | undefined)[] = []
    const cookie = 'xrollcall_session=no; rollcall_session_x=no; rollcall_session=yes; rollcall_session=late'
    await answerOf(
      (app) =>
        app.get('/', (request, reply) => {
          seen.push(createCookies(false).read(request, 'session'), createCookies(true).read(request, 'session'))
          reply.end()
        }),
      { cookie },
    )
    expect(seen).toEqual(['yes', undefined])
  })
})
