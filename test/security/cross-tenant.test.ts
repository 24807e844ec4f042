// Nothing that one tenant or connection has said counts for another: attempts, aliases, identities, domains.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcAccount, type OidcProvider, startOidcProvider } from '../../src/demo/oidc-provider.ts'
import { createPlainBrowser, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { oidcConnector, zitadelOrganization } from '../support/identity-fixture.ts'
import { addOrganization, addVerifiedDomain, createWorld, type World } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

const person = (sub: string, extra: Record<string, unknown> = {}): OidcAccount => ({
  sub,
  email: `${sub}@acme.test`,
  email_verified: true,
  name: sub,
  ...extra,
})
const accounts = [
  person('one', zitadelOrganization('org-1', 'One')),
  person('two', zitadelOrganization('org-2', 'Two')),
  person('none'),
  person('both', { 'urn:zitadel:iam:user:resourceowner:id': ['org-1', 'org-2'] }),
]
let service: TestService
let provider: OidcProvider
let [here, there]: World[] = []
let connect: ReturnType<typeof oidcConnector>

beforeAll(async () => {
  service = await startTestService()
  provider = await startOidcProvider({ clients: [], accounts })
  connect = oidcConnector(service, provider)
})
afterAll(async () => {
  await provider.stop()
  await service.close()
})
beforeEach(async () => {
  here = await createWorld(service.db.pool)
  there = await createWorld(service.db.pool)
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

function worlds(): [World, World] {
  if (here === undefined || there === undefined) throw new Error('no worlds')
  return [here, there]
}

const byClaim = { organizationClaim: { preset: 'zitadel' } }
const stopAtCallback = (url: URL) => url.pathname.endsWith('/callback')

function start(connection: Uuid, hint: string, browser: PlainBrowser, until?: (url: URL) => boolean) {
  return browser.get(`${service.url}/sso/${connection}/start?login_hint=${hint}`, until)
}

async function organizationAt(connection: Uuid, hint: string): Promise<unknown> {
  const browser = createPlainBrowser()
  const page = await start(connection, hint, browser)
  const { body } = await service.session(browser)
  return body === undefined ? page.status : Reflect.get(Object(Reflect.get(Object(body), 'organization')), 'id')
}

describe('a connection that is bound to an organization', () => {
  test('yields that one alone: a claim of another, of several or of none is refused once the name is known', async () => {
    const [world] = worlds()
    const other = await addOrganization(service.db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    const connection = await connect({ tenant: world.tenant, organization: world.organization }, byClaim)
    expect(await organizationAt(connection, 'both')).toBe(403)
    await service.addAlias(world.tenant, connection, world.organization, 'org-1')
    await service.addAlias(world.tenant, connection, other, 'org-2')
    for (const hint of ['two', 'none', 'both']) expect(await organizationAt(connection, hint)).toBe(403)
    expect(await organizationAt(connection, 'one')).toBe(world.organization)
    const members = await service.query('SELECT organization_id FROM members WHERE tenant_id = $1', [world.tenant])
    expect(members).toEqual([{ organization_id: world.organization }])
  })
})

describe('two tenants at one identity provider', () => {
  test('have users of their own: the same subject is two identities', async () => {
    for (const world of worlds()) {
      const connection = await connect({ tenant: world.tenant, organization: world.organization })
      expect(await organizationAt(connection, 'one')).toBe(world.organization)
    }
    const tenants = worlds().map((world) => world.tenant)
    const users = await service.query('SELECT tenant_id FROM users WHERE tenant_id = ANY ($1::uuid[])', [tenants])
    expect(users.map((row) => row['tenant_id']).sort()).toEqual(tenants.toSorted())
  })

  test('do not answer one another’s logins', async () => {
    const [one, other] = worlds()
    const mine = await connect({ tenant: one.tenant, organization: one.organization })
    const theirs = await connect({ tenant: other.tenant, organization: other.organization })
    const browser = createPlainBrowser()
    const { url } = await start(mine, 'one', browser, stopAtCallback)
    expect((await browser.get(url.replace(mine, theirs))).status).toBe(403)
    expect((await browser.get(url)).url).toBe(`${service.url}/session`)
  })

  test('do not know one another’s names of organizations', async () => {
    const [one, other] = worlds()
    const mine = await connect({ tenant: one.tenant, organization: null }, byClaim)
    const theirs = await connect({ tenant: other.tenant, organization: null }, byClaim)
    await service.addAlias(other.tenant, theirs, other.organization, 'org-1')
    expect(await organizationAt(mine, 'one')).toBe(403)
    expect(await organizationAt(theirs, 'one')).toBe(other.organization)
  })

  test('nor does one connection of a tenant know the names of another of its connections', async () => {
    const [world] = worlds()
    const [named, nameless] = [
      await connect({ tenant: world.tenant, organization: null }, byClaim),
      await connect({ tenant: world.tenant, organization: null }, byClaim),
    ]
    await service.addAlias(world.tenant, named, world.organization, 'org-1')
    expect(await organizationAt(nameless, 'one')).toBe(403)
    expect(await organizationAt(named, 'one')).toBe(world.organization)
  })
})

test('a domain that an organization of one tenant has verified lets nobody in at another', async () => {
  const [one, other] = worlds()
  const place = { tenant: one.tenant, organization: one.organization }
  const domain = await addVerifiedDomain(service.db.pool, place, 'acme.test')
  await service.query('INSERT INTO join_rules (tenant_id, id, organization_id, domain_id) VALUES ($1, $2, $3, $4)', [
    one.tenant,
    randomUUID(),
    one.organization,
    domain,
  ])
  const signUp = async (world: World) => {
    const slug = `t-${randomUUID().slice(0, 8)}`
    await service.query('UPDATE tenants SET slug = $2 WHERE id = $1', [world.tenant, slug])
    const browser = createPlainBrowser()
    const { form } = await browser.get(`${service.url}/signup/${slug}`)
    const asked = await browser.post(form?.action ?? '', { ...form?.fields, email: 'ada@acme.test' })
    const [mail] = await service.query('SELECT body FROM mails WHERE tenant_id = $1', [world.tenant])
    const code = /(\d{4} \d{4})/.exec(String(mail?.['body']))?.[1] ?? ''
    return browser.post(asked.form?.action ?? '', { ...asked.form?.fields, code })
  }
  expect((await signUp(other)).status).toBe(403)
  expect((await signUp(one)).url).toBe(`${service.url}/session`)
})

test('a cookie that no session of ours has ever had is nobody’s', async () => {
  for (const cookie of ['rollcall_session=', `rollcall_session=${'x'.repeat(43)}`, 'rollcall_session=%00; x']) {
    const answer = await fetch(`${service.url}/session`, { headers: { accept: 'application/json', cookie } })
    expect(answer.status).toBe(401)
  }
})
