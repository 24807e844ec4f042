// Logins at panva's oidc-provider, walked over HTTP from the first address to the session.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcAccount, type OidcProvider, startOidcProvider } from '../../src/demo/oidc-provider.ts'
import { createPlainBrowser, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { createWorld, type World } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

const orgClaim = 'urn:zitadel:iam:user:resourceowner:id'
const orgName = 'urn:zitadel:iam:user:resourceowner:name'
const account = (sub: string, extra: Record<string, unknown> = {}): OidcAccount => ({
  sub,
  email: `${sub}@acme.test`,
  email_verified: true,
  name: `${sub} of Acme`,
  ...extra,
})
const accounts = [
  account('ada', { [orgClaim]: 'org-1', [orgName]: 'Acme', groups: ['staff', 'leads'] }),
  account('bob', { [orgClaim]: 'org-1', groups: ['staff'] }),
  account('eve', { [orgClaim]: 'org-2' }),
  account('nobody'),
]

let service: TestService
let provider: OidcProvider
let world: World

beforeAll(async () => {
  service = await startTestService()
  provider = await startOidcProvider({ clients: [], accounts })
})
afterAll(async () => {
  await provider.stop()
  await service.close()
})
beforeEach(async () => {
  world = await createWorld(service.db.pool)
})

async function connect(organization: Uuid | null, config: object = {}): Promise<Uuid> {
  const clientSecret = 'a secret'
  const id = await service.addOidcConnection({
    tenant: world.tenant,
    organization,
    clientSecret,
    config: { issuer: provider.issuer, clientId: 'placeholder', ...config },
  })
  const clientId = `rollcall-${id}`
  await service.query(
    `UPDATE connections SET config = config || jsonb_build_object('clientId', $2::text) WHERE id = $1`,
    [id, clientId],
  )
  provider.addClient({
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [`${service.url}/sso/${id}/callback`],
  })
  return id
}

function login(connection: Uuid, hint: string, browser = createPlainBrowser(), query = '') {
  return browser.get(`${service.url}/sso/${connection}/start?login_hint=${hint}${query}`)
}

async function signedIn(browser: PlainBrowser) {
  const { status, body } = await service.session(browser)
  expect(status).toBe(200)
  return body
}

describe('a login at a connection of one organization', () => {
  test('ends on a page that says who, where, as what and how, behind a session the server keeps', async () => {
    const connection = await connect(world.organization)
    const browser = createPlainBrowser()
    const page = await login(connection, 'ada', browser)
    expect(page).toMatchObject({ url: `${service.url}/session`, status: 200 })
    for (const text of ['You are signed in', 'ada of Acme', 'Organization', 'Member', 'OpenID Connect']) {
      expect(page.html).toContain(text)
    }
    expect(await signedIn(browser)).toMatchObject({
      user: { email: 'ada@acme.test', displayName: 'ada of Acme' },
      organization: { id: world.organization },
      member: { publicId: 'ORG1-U-1', role: { key: 'member', name: 'Member' } },
      how: { kind: 'oidc', connection: { id: connection } },
    })
  })
})
