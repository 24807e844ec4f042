// Logins at panva's oidc-provider, walked over HTTP from the first address to the session.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcProvider, startOidcProvider } from '../../src/demo/oidc-provider.ts'
import { createPlainBrowser, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { oidcConnector, zitadelOrganization } from '../support/identity-fixture.ts'
import {
  addDirectory,
  addDirectoryUsers,
  addOrganization,
  changeDirectoryUsers,
  createWorld,
  type World,
} from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

const account = (sub: string, extra: Record<string, unknown> = {}) => ({
  sub,
  email: `${sub}@acme.test`,
  email_verified: true,
  name: `${sub} of Acme`,
  ...extra,
})
const ada: ReturnType<typeof account> & { groups?: string[] | undefined } = account('ada', {
  ...zitadelOrganization('org-1', 'Acme'),
  groups: ['staff', 'leads'],
})
const accounts = [
  ada,
  account('bob', zitadelOrganization('org-1', 'Acme')),
  account('eve', zitadelOrganization('org-2', 'Else')),
  account('nobody'),
  ...[1, 2, 3, 4, 5].map((number) => account(`first${number}`, zitadelOrganization('org-new', 'New & Co'))),
  ...Array.from({ length: 20 }, (_, number) => account(`rush${number}`)),
]

let service: TestService
let provider: OidcProvider
let world: World
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
  world = await createWorld(service.db.pool)
  service.working = true
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

function bound(config: object = {}): Promise<Uuid> {
  return connect({ tenant: world.tenant, organization: world.organization }, config)
}

function tenantWide(): Promise<Uuid> {
  return connect({ tenant: world.tenant, organization: null }, { organizationClaim: { preset: 'zitadel' } })
}

function login(connection: Uuid, hint: string, browser: PlainBrowser = createPlainBrowser(), query = '') {
  return browser.get(`${service.url}/sso/${connection}/start?login_hint=${hint}${query}`)
}

async function count(table: string): Promise<number> {
  const [row] = await service.query(`SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`, [world.tenant])
  return Number(row?.['count'])
}

function setTenant(columns: string, ...values: unknown[]) {
  return service.query(`UPDATE tenants SET ${columns} WHERE id = $1`, [world.tenant, ...values])
}

describe('a login at a connection of one organization', () => {
  test('ends on a page that says who, where, as what and how, behind a session the server keeps', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    const page = await login(connection, 'ada', browser)
    expect(page).toMatchObject({ url: `${service.url}/session`, status: 200 })
    for (const text of ['You are signed in', 'ada of Acme', 'Organization', 'Member', 'OpenID Connect']) {
      expect(page.html).toContain(text)
    }
    expect(await service.session(browser)).toMatchObject({
      status: 200,
      body: {
        user: { email: 'ada@acme.test', displayName: 'ada of Acme' },
        organization: { id: world.organization },
        member: { publicId: 'ORG1-U-1', role: { key: 'member', name: 'Member' } },
        how: { kind: 'oidc', connection: { id: connection } },
      },
    })
    const actions = await service.query('SELECT action, actor FROM audit_entries WHERE tenant_id = $1 ORDER BY id', [
      world.tenant,
    ])
    const [identity] = await service.query('SELECT id FROM identities WHERE tenant_id = $1', [world.tenant])
    expect(actions).toEqual(
      expect.arrayContaining([
        { action: 'login.accepted', actor: `person:${identity?.['id']}` },
        { action: 'session.started', actor: `person:${identity?.['id']}` },
      ]),
    )
  })

  test('is the same member the second time, and then works while no worker runs', async () => {
    const connection = await bound()
    const first = createPlainBrowser()
    await login(connection, 'ada', first)
    service.working = false
    const second = createPlainBrowser()
    expect((await login(connection, 'ada', second)).url).toBe(`${service.url}/session`)
    const publicIds = [await service.session(first), await service.session(second)]
    expect(publicIds).toEqual(Array(2).fill(expect.objectContaining({ status: 200 })))
    expect([await count('members'), await count('identities'), await count('entries')]).toEqual([1, 1, 1])
  })

  test('waits on a page of its own while nobody reconciles, and goes on by itself in this browser alone', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    service.working = false
    const waiting = await login(connection, 'ada', browser)
    expect(waiting).toMatchObject({ url: `${service.url}/session/wait`, status: 200 })
    expect(waiting.html).toContain('http-equiv="refresh"')
    expect((await service.session(browser)).status).toBe(401)
    service.working = true
    expect((await createPlainBrowser().get(waiting.url)).status).toBe(403)
    expect(await browser.get(waiting.url)).toMatchObject({ url: `${service.url}/session`, status: 200 })
    expect((await service.session(browser)).status).toBe(200)
  })

  test('goes back to a path of our own, and nowhere else', async () => {
    const connection = await bound()
    const end = (returnTo: string) =>
      login(connection, 'ada', createPlainBrowser(), `&returnTo=${encodeURIComponent(returnTo)}`)
    expect((await end('/session?from=mail')).url).toBe(`${service.url}/session?from=mail`)
    for (const elsewhere of ['https://evil.test/', '//evil.test', '/\\evil.test', '/..//evil.test', 'javascript:0']) {
      expect((await end(elsewhere)).url).toBe(`${service.url}/session`)
    }
  })

  test('gives roles by the groups it names, and keeps them when a later login names none', async () => {
    const connection = await bound({ groupsClaim: 'groups' })
    await service.query(
      `INSERT INTO mappings (tenant_id, id, organization_id, source_kind, connection_id, claim_value, role_id)
       VALUES ($1, $2, $3, 'sso_claim', $4, 'leads', $5)`,
      [world.tenant, randomUUID(), world.organization, connection, world.roles.admin],
    )
    const role = async () => {
      const browser = createPlainBrowser()
      await login(connection, 'ada', browser)
      return (await service.session(browser)).body
    }
    expect(await role()).toMatchObject({ member: { role: { key: 'admin' } } })
    const { groups } = ada
    ada.groups = undefined
    expect(await role()).toMatchObject({ member: { role: { key: 'admin' } } })
    ada.groups = ['staff']
    expect(await role()).toMatchObject({ member: { role: { key: 'member' } } })
    ada.groups = groups
  })

  test('is not offered at an unknown or disabled connection, and disabling it ends its sessions', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    await login(connection, 'ada', browser)
    expect((await service.session(browser)).status).toBe(200)
    await service.query(`UPDATE connections SET state = 'disabled' WHERE id = $1`, [connection])
    expect((await service.session(browser)).status).toBe(401)
    for (const id of [connection, randomUUID(), 'no-id']) expect((await login(id, 'ada')).status).toBe(404)
  })

  test('is answered with 503 while the identity provider is away', async () => {
    const id = await service.addOidcConnection({
      tenant: world.tenant,
      organization: world.organization,
      clientSecret: 's',
      config: { issuer: 'http://127.0.0.1:9', clientId: 'rollcall' },
    })
    const page = await login(id, 'ada')
    expect(page.status).toBe(503)
    expect(page.html).toContain('cannot be read')
  })
})

describe('a login at a connection of the whole tenant', () => {
  test('lands in the organization that its claim is an alias of', async () => {
    const connection = await tenantWide()
    const other = await addOrganization(service.db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    await service.addAlias(world.tenant, connection, other, 'org-1')
    const browser = createPlainBrowser()
    await login(connection, 'bob', browser)
    expect(await service.session(browser)).toMatchObject({ status: 200, body: { organization: { id: other } } })
  })

  test('is refused under the policy refuse when the name is unknown or missing, and nobody is made', async () => {
    const connection = await tenantWide()
    for (const hint of ['eve', 'nobody']) {
      const browser = createPlainBrowser()
      expect(await login(connection, hint, browser)).toMatchObject({ status: 403 })
      expect((await service.session(browser)).status).toBe(401)
    }
    expect([await count('identities'), await count('entries'), await count('users')]).toEqual([0, 0, 0])
    const refusals = await service.query(
      `SELECT after FROM audit_entries WHERE tenant_id = $1 AND action = 'login.refused' ORDER BY id`,
      [world.tenant],
    )
    expect(refusals.map((row) => row['after'])).toEqual([
      { reason: 'organization_unknown' },
      { reason: 'organization_absent' },
    ])
  })

  test('makes the organization under the policy create, and five first logins at once make one', async () => {
    const connection = await tenantWide()
    await setTenant(`unknown_organization_policy = 'create', next_organization_number = 10`)
    const browsers = [1, 2, 3, 4, 5].map((number) => ({ hint: `first${number}`, browser: createPlainBrowser() }))
    await Promise.all(browsers.map(({ hint, browser }) => login(connection, hint, browser)))
    const sessions = await Promise.all(browsers.map(({ browser }) => service.session(browser)))
    const organizations = await service.query(
      `SELECT id, name FROM organizations WHERE tenant_id = $1 AND name LIKE 'New%'`,
      [world.tenant],
    )
    expect(organizations).toEqual([{ id: expect.any(String), name: 'New & Co' }])
    for (const session of sessions) {
      expect(session).toMatchObject({
        status: 200,
        body: { organization: { id: organizations[0]?.['id'] }, member: { role: { key: 'member' } } },
      })
    }
    expect(await count('members')).toBe(5)
  })

  test('lands in the default organization under the policy default, with or without a name', async () => {
    const connection = await tenantWide()
    await setTenant(`unknown_organization_policy = 'default', default_organization_id = $2`, world.organization)
    for (const hint of ['eve', 'nobody']) {
      const browser = createPlainBrowser()
      await login(connection, hint, browser)
      expect(await service.session(browser)).toMatchObject({ body: { organization: { id: world.organization } } })
    }
  })
})

describe('a login where seats are limited', () => {
  test('is refused in words under block, and on the waiting list under waitlist; who is in stays in', async () => {
    const connection = await bound()
    await service.query(`UPDATE organizations SET seat_limit = 1, seat_policy = 'block' WHERE id = $1`, [
      world.organization,
    ])
    expect((await login(connection, 'ada')).status).toBe(200)
    const late = await login(connection, 'bob')
    expect(late.status).toBe(403)
    expect(late.html).toContain('All seats of this organization are taken')
    expect(await count('identities')).toBe(1)
    await service.query(`UPDATE organizations SET seat_policy = 'waitlist' WHERE id = $1`, [world.organization])
    const waiting = await login(connection, 'bob')
    expect(waiting.status).toBe(403)
    expect(waiting.html).toContain('You are on the waiting list')
    expect((await login(connection, 'ada')).status).toBe(200)
  })

  test('gives the last seat to one of twenty who come at once, and the next place in line to the others', async () => {
    const connection = await bound()
    await service.query(`UPDATE organizations SET seat_limit = 1 WHERE id = $1`, [world.organization])
    const pages = await Promise.all(Array.from({ length: 20 }, (_, number) => login(connection, `rush${number}`)))
    expect(pages.filter((page) => page.status === 200)).toHaveLength(1)
    const [row] = await service.query(
      `SELECT seats_used, (SELECT count(*) FROM members WHERE organization_id = o.id AND seated)::int AS seated
       FROM organizations o WHERE id = $1`,
      [world.organization],
    )
    expect(row).toEqual({ seats_used: 1, seated: 1 })
  })
})

describe('a login where a directory governs', () => {
  test('lets the active user of the directory in, and neither the deactivated nor the unknown one', async () => {
    const connection = await bound()
    const place = { tenant: world.tenant, organization: world.organization }
    const directory = await addDirectory(service.db.pool, place)
    await service.query('UPDATE directories SET first_contact_at = created_at WHERE id = $1', [directory])
    const [user = ''] = await addDirectoryUsers(service.db.pool, place, directory, 1)
    await service.query('UPDATE directory_users SET user_name = $2, email = $2 WHERE id = $1', [user, 'ADA@acme.test'])
    await service.query(
      `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at)
       VALUES ($1, $2, 'directory_user', $3, now())`,
      [world.tenant, world.organization, user],
    )
    await service.reconcile(place)
    const stranger = await login(connection, 'bob')
    expect(stranger.status).toBe(403)
    expect(stranger.html).toContain('you are not in it yet')
    const browser = createPlainBrowser()
    expect((await login(connection, 'ada', browser)).url).toBe(`${service.url}/session`)
    expect([await count('users'), await count('members'), await count('identities')]).toEqual([1, 1, 1])

    await changeDirectoryUsers(service.db.pool, world.tenant, [user], { active: false })
    const deactivated = await login(connection, 'ada')
    expect(deactivated.status).toBe(403)
    expect(deactivated.html).toContain('deactivated by your organization')
  })
})

describe('a session', () => {
  test('ends on the server when its owner signs out or signs in again, and with the membership', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    const page = await login(connection, 'ada', browser)
    const live = async () => {
      const where = 'tenant_id = $1 AND revoked_at IS NULL'
      return (await service.query(`SELECT id FROM sessions WHERE ${where}`, [world.tenant])).length
    }
    await login(connection, 'ada', browser)
    expect(await live()).toBe(1)
    expect(await count('sessions')).toBe(2)
    const ended = await browser.post(page.form?.action ?? '', {})
    expect(ended.status).toBe(200)
    expect(await live()).toBe(0)
    expect((await service.session(browser)).status).toBe(401)

    await login(connection, 'ada', browser)
    await service.query(`UPDATE members SET status = 'inactive', seated = false WHERE tenant_id = $1`, [world.tenant])
    const halted = await browser.get(`${service.url}/session`)
    expect(halted.status).toBe(403)
    expect(halted.html).toContain('Your account is not active')
  })

  test('is not ended by a form of another site', async () => {
    const connection = await bound()
    const browser = createPlainBrowser()
    await login(connection, 'ada', browser)
    await browser.get(`${provider.issuer}/.well-known/openid-configuration`)
    expect((await browser.post(`${service.url}/session/end`, {})).status).toBe(403)
    expect((await service.session(browser)).status).toBe(200)
  })
})
