// A login is good once, for the browser and the connection that began it. Each negative has its positive twin in
// the same test: what was refused did not use the login up.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcProvider, startOidcProvider } from '../../src/demo/oidc-provider.ts'
import { createPlainBrowser, type Page, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import { type SamlProvider, startSamlProvider } from '../../src/demo/saml-provider.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { oidcConnector, samlConnector } from '../support/identity-fixture.ts'
import { addVerifiedDomain, createWorld, type World } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
let oidc: OidcProvider
let saml: SamlProvider
let world: World

beforeAll(async () => {
  service = await startTestService()
  const ada = { sub: 'ada', email: 'ada@acme.test', email_verified: true, name: 'Ada' }
  oidc = await startOidcProvider({ clients: [], accounts: [ada] })
  saml = await startSamlProvider({
    entityId: 'https://idp.acme.test/metadata',
    users: [{ nameId: 'ada-7f3a', attributes: { email: 'ada@acme.test' } }],
  })
})
afterAll(async () => {
  await Promise.all([oidc.stop(), saml.stop()])
  await service.close()
})
beforeEach(async () => {
  world = await createWorld(service.db.pool)
  // So that a person may come by any connection of the organization.
  await addVerifiedDomain(service.db.pool, place(), 'acme.test')
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

const place = () => ({ tenant: world.tenant, organization: world.organization })
const oidcConnection = () => oidcConnector(service, oidc)(place())
const samlConnection = (config: object = {}) => samlConnector(service, saml)(place(), config)

function start(connection: Uuid, browser: PlainBrowser): Promise<Page> {
  const url = `${service.url}/sso/${connection}/start?login_hint=ada@acme.test`
  return browser.get(url, (next) => next.pathname.endsWith('/callback'))
}

async function sessions(): Promise<number> {
  return (await service.query('SELECT id FROM sessions WHERE tenant_id = $1', [world.tenant])).length
}

const home = () => `${service.url}/session`

describe('a SAML response', () => {
  test('that is posted five times at once logs in once', async () => {
    const browser = createPlainBrowser()
    const { form } = await start(await samlConnection(), browser)
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => browser.post(form?.action ?? '', form?.fields ?? {})))
    expect(pages.map((page) => page.status).sort()).toEqual([200, 403, 403, 403, 403])
    expect(await sessions()).toBe(1)
  })

  test('that nobody asked for logs in once as well, from however many browsers it is posted', async () => {
    const connection = await samlConnection({ allowIdpInitiated: true })
    const sp = encodeURIComponent(`${service.url}/sso/${connection}/metadata`)
    const { form } = await createPlainBrowser().get(`${saml.ssoUrl}?sp=${sp}`)
    const post = () => createPlainBrowser().post(form?.action ?? '', form?.fields ?? {})
    const pages = await Promise.all([post(), post(), post(), post(), post()])
    expect(pages.map((page) => page.status).sort()).toEqual([200, 403, 403, 403, 403])
    expect(await sessions()).toBe(1)
    expect((await post()).status).toBe(403)
    expect(service.refused.at(-1)).toMatchObject({ gate: 'once', reason: 'assertion_replayed' })
  })

  test('is refused from another browser, and taken from its own afterwards', async () => {
    const browser = createPlainBrowser()
    const { form } = await start(await samlConnection(), browser)
    const { action = '', fields = {} } = form ?? {}
    const victim = createPlainBrowser()
    await start(await samlConnection(), victim)
    expect((await victim.post(action, fields)).status).toBe(403)
    expect((await createPlainBrowser().post(action, fields)).status).toBe(403)
    expect((await victim.get(home())).status).toBe(401)
    expect((await browser.post(action, fields)).url).toBe(home())
  })

  test('does not answer the request of another connection', async () => {
    const [one, other] = [await samlConnection(), await samlConnection()]
    const browser = createPlainBrowser()
    const first = await start(one, browser)
    const second = await start(other, browser)
    const SAMLResponse = first.form?.fields['SAMLResponse'] ?? ''
    const RelayState = second.form?.fields['RelayState'] ?? ''
    const crossed = await browser.post(second.form?.action ?? '', { SAMLResponse, RelayState })
    expect(crossed.status).toBe(403)
    const borrowed = await browser.post(first.form?.action ?? '', { SAMLResponse, RelayState })
    expect(borrowed.status).toBe(403)
    for (const { form } of [first, second]) {
      expect((await browser.post(form?.action ?? '', form?.fields ?? {})).url).toBe(home())
    }
  })
})

describe('the answer of an OpenID provider', () => {
  test('that comes five times at once logs in once', async () => {
    const browser = createPlainBrowser()
    const { url } = await start(await oidcConnection(), browser)
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => browser.get(url)))
    expect(pages.map((page) => page.status).sort()).toEqual([200, 403, 403, 403, 403])
    expect(await sessions()).toBe(1)
  })

  test('is refused in another browser, and taken in its own afterwards', async () => {
    const browser = createPlainBrowser()
    const { url } = await start(await oidcConnection(), browser)
    const victim = createPlainBrowser()
    await start(await oidcConnection(), victim)
    expect((await victim.get(url)).status).toBe(403)
    expect(service.refused.at(-1)).toMatchObject({ gate: 'once', reason: 'attempt_unknown' })
    expect((await createPlainBrowser().get(url)).status).toBe(403)
    expect((await browser.get(url)).url).toBe(home())
  })

  test('is not taken at another connection', async () => {
    const [one, other] = [await oidcConnection(), await oidcConnection()]
    const browser = createPlainBrowser()
    const [first, second] = [await start(one, browser), await start(other, browser)]
    expect((await browser.get(first.url.replace(one, other))).status).toBe(403)
    for (const page of [first, second]) expect((await browser.get(page.url)).url).toBe(home())
  })

  test('with a made-up state uses nothing up', async () => {
    const browser = createPlainBrowser()
    const { url } = await start(await oidcConnection(), browser)
    const forged = new URL(url)
    forged.searchParams.set('state', 'x'.repeat(43))
    expect((await browser.get(forged.href)).status).toBe(403)
    expect((await browser.get(url)).url).toBe(home())
  })

  test('is refused when ten minutes have passed since the login was begun', async () => {
    const browser = createPlainBrowser()
    const connection = await oidcConnection()
    const { url } = await start(connection, browser)
    service.advance(600_000)
    expect((await browser.get(url)).status).toBe(403)
    service.advance(-600_000)
    expect((await browser.get((await start(connection, browser)).url)).url).toBe(home())
  })
})

describe('a login that waits', () => {
  test('goes on for ten minutes and in the browser that it was begun in', async () => {
    const browser = createPlainBrowser()
    service.working = false
    const { url } = await start(await oidcConnection(), browser)
    const waiting = await browser.get(url)
    expect(waiting.url).toBe(`${home()}/wait`)
    service.working = true
    service.advance(600_000)
    expect((await browser.get(waiting.url)).status).toBe(403)
    service.advance(-600_000)
  })
})
