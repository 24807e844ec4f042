// Logins at auth0's samlp, walked over HTTP from the first address to the session.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPlainBrowser, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import { type SamlProvider, startSamlProvider } from '../../src/demo/saml-provider.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { samlConnector } from '../support/identity-fixture.ts'
import { addOrganization, createWorld, type World } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

const users = [
  {
    nameId: 'ada-7f3a',
    attributes: { email: 'ada@acme.test', displayName: 'Ada Lovelace', org: 'acme', groups: ['staff', 'leads'] },
  },
  { nameId: 'bob-22', attributes: { mail: 'bob@acme.test', org: 'other' } },
  {
    nameId: 'cyd@acme.test',
    nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    attributes: { name: 'Cyd' },
  },
]

let service: TestService
let provider: SamlProvider
let world: World
let connect: ReturnType<typeof samlConnector>

beforeAll(async () => {
  service = await startTestService()
  provider = await startSamlProvider({ entityId: 'https://idp.acme.test/metadata', users })
  connect = samlConnector(service, provider)
})
afterAll(async () => {
  await provider.stop()
  await service.close()
})
beforeEach(async () => {
  world = await createWorld(service.db.pool)
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

function bound(config: object = {}): Promise<Uuid> {
  return connect({ tenant: world.tenant, organization: world.organization }, config)
}

async function login(connection: Uuid, hint: string, browser: PlainBrowser = createPlainBrowser(), query = '') {
  const page = await browser.get(`${service.url}/sso/${connection}/start?login_hint=${hint}${query}`)
  if (page.form === undefined) throw new Error(`no form to post: ${page.status}`)
  return browser.post(page.form.action, page.form.fields)
}

describe('a SAML login', () => {
  test('ends in a session of the organization, with the names and the address that the assertion gives', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    expect(await login(connection, 'ada-7f3a', browser)).toMatchObject({ url: `${service.url}/session`, status: 200 })
    expect(await service.session(browser)).toMatchObject({
      status: 200,
      body: {
        user: { email: 'ada@acme.test', displayName: 'Ada Lovelace' },
        organization: { id: world.organization },
        how: { kind: 'saml', connection: { id: connection } },
      },
    })
    const [identity] = await service.query('SELECT issuer, subject FROM identities WHERE tenant_id = $1', [
      world.tenant,
    ])
    expect(identity).toEqual({
      issuer: 'https://idp.acme.test/metadata',
      subject: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent|ada-7f3a',
    })
  })

  test('takes the address from the NameID where that is one, and another attribute where the connection says so', async () => {
    const connection = await bound({ attributes: { displayName: ['nick', 'name'] } })
    const browser = createPlainBrowser()
    await login(connection, 'cyd@acme.test', browser)
    expect(await service.session(browser)).toMatchObject({
      body: { user: { email: 'cyd@acme.test', displayName: 'Cyd' } },
    })
  })

  test('goes back to the path that the login was begun with', async () => {
    const connection = await bound()
    const page = await login(connection, 'ada-7f3a', createPlainBrowser(), '&returnTo=%2Fsession%3Ffrom%3Dmail')
    expect(page.url).toBe(`${service.url}/session?from=mail`)
  })

  test('picks the organization by an attribute at a connection of the whole tenant', async () => {
    const connection = await connect(
      { tenant: world.tenant, organization: null },
      { organizationClaim: { value: 'org' } },
    )
    const other = await addOrganization(service.db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    await service.addAlias(world.tenant, connection, other, 'acme')
    const browser = createPlainBrowser()
    await login(connection, 'ada-7f3a', browser)
    expect(await service.session(browser)).toMatchObject({ body: { organization: { id: other } } })
    expect((await login(connection, 'bob-22')).status).toBe(403)
  })

  test('that the identity provider began is refused, unless the connection opted in', async () => {
    const unsolicited = async (connection: Uuid, browser: PlainBrowser) => {
      const sp = encodeURIComponent(`${service.url}/sso/${connection}/metadata`)
      const page = await browser.get(`${provider.ssoUrl}?sp=${sp}&login_hint=ada-7f3a`)
      return browser.post(page.form?.action ?? '', page.form?.fields ?? {})
    }
    const strict = createPlainBrowser()
    expect((await unsolicited(await bound(), strict)).status).toBe(403)
    expect((await service.session(strict)).status).toBe(401)
    expect(service.refused.at(-1)).toMatchObject({ gate: 'envelope', reason: 'unsolicited' })
    const open = createPlainBrowser()
    expect((await unsolicited(await bound({ allowIdpInitiated: true }), open)).url).toBe(`${service.url}/session`)
    expect((await service.session(open)).status).toBe(200)
  })

  test('leaves a pending login as it was when junk is posted to it', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    const page = await browser.get(`${service.url}/sso/${connection}/start?login_hint=ada-7f3a`)
    const { action, fields } = page.form ?? { action: '', fields: {} }
    expect((await browser.post(action, { ...fields, SAMLResponse: 'PGE+' })).status).toBe(403)
    expect((await browser.post(action, { SAMLResponse: 'x'.repeat(300_000) })).status).toBe(413)
    expect((await browser.post(action, fields)).url).toBe(`${service.url}/session`)
  })
})

test('the metadata of a connection says what to enter at the identity provider', async () => {
  const connection = await bound()
  const response = await fetch(`${service.url}/sso/${connection}/metadata`)
  expect(response.headers.get('content-type')).toContain('application/samlmetadata+xml')
  const xml = await response.text()
  expect(xml).toContain(`entityID="${service.url}/sso/${connection}/metadata"`)
  expect(xml).toContain(`Location="${service.url}/sso/${connection}/acs"`)
})

test('a page has no script, lets nothing be loaded, and tells why only to the log', async () => {
  const connection = await bound()
  const response = await fetch(`${service.url}/sso/${connection}/acs`, {
    method: 'POST',
    body: new URLSearchParams({ SAMLResponse: '<script>', RelayState: '"><b>' }),
  })
  const page = await response.text()
  expect(response.status).toBe(403)
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(page).not.toMatch(/<script|not_base64/)
  const logged = service.refused.at(-1)
  expect(logged).toMatchObject({ code: 'login_refused', gate: 'form', reason: 'not_base64' })
  expect(page).toContain(logged?.correlationId)
})
