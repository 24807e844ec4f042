// Attempts to become somebody else: Mallory administers organization A and its identity provider, and can make
// that say anything. Vera belongs to organization B, which has verified b.test. Every refusal has a twin that
// gets in, so that the refusal is for the reason it seems.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OidcAccount, type OidcProvider, startOidcProvider } from '../../src/demo/oidc-provider.ts'
import { createPlainBrowser, type Page, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { oidcConnector } from '../support/identity-fixture.ts'
import {
  addDirectory,
  addDirectoryUsers,
  addOrganization,
  addVerifiedDomain,
  changeDirectoryUsers,
  createWorld,
  request,
  type World,
} from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

const [malloryPeople, veraPeople]: [OidcAccount[], OidcAccount[]] = [[], []]
let service: TestService
let malloryProvider: OidcProvider
let veraProvider: OidcProvider
let world: World
let [orgA, orgB, connectionA, connectionB]: Uuid[] = []

beforeAll(async () => {
  service = await startTestService()
  malloryProvider = await startOidcProvider({ clients: [], accounts: malloryPeople })
  veraProvider = await startOidcProvider({ clients: [], accounts: veraPeople })
})
afterAll(async () => {
  await Promise.all([malloryProvider.stop(), veraProvider.stop()])
  await service.close()
})
beforeEach(async () => {
  world = await createWorld(service.db.pool)
  orgA = world.organization
  orgB = await addOrganization(service.db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
  await addVerifiedDomain(service.db.pool, { tenant: world.tenant, organization: orgB }, 'b.test')
  connectionA = await oidcConnector(service, malloryProvider)({ tenant: world.tenant, organization: orgA })
  connectionB = await oidcConnector(service, veraProvider)({ tenant: world.tenant, organization: orgB })
  malloryPeople.length = 0
  veraPeople.length = 0
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

interface Outcome {
  readonly browser: PlainBrowser
  readonly page: Page
  /** Undefined: nobody is signed in. */
  readonly user: string | undefined
  readonly organization: string | undefined
  readonly role: string | undefined
}

/** Logs in as an account that the provider is made to have. */
async function logIn(
  connection: Uuid | undefined,
  people: OidcAccount[],
  sub: string,
  email: string,
): Promise<Outcome> {
  people.splice(0, people.length, { sub, email, email_verified: true, name: sub })
  const browser = createPlainBrowser()
  const page = await browser.get(`${service.url}/sso/${connection}/start?login_hint=${sub}`)
  const { body } = await service.session(browser)
  const session = body as
    | { user: { id: string }; organization: { id: string }; member: { role: { key: string } } }
    | undefined
  return {
    browser,
    page,
    user: session?.user.id,
    organization: session?.organization.id,
    role: session?.member.role.key,
  }
}

const atA = (sub: string, email: string) => logIn(connectionA, malloryPeople, sub, email)
const atB = (sub: string, email: string) => logIn(connectionB, veraPeople, sub, email)

function expectStandstill({ page, user }: Outcome, title: string) {
  expect(page.status).toBe(403)
  expect(page.html).toContain(title)
  expect(user).toBeUndefined()
}

async function organizationsOf(user: string | undefined): Promise<unknown[]> {
  const rows = await service.query(`SELECT organization_id FROM members WHERE user_id = $1 AND status = 'active'`, [
    user,
  ])
  return rows.map((row) => row['organization_id'])
}

async function emailOf(user: string | undefined): Promise<unknown> {
  const [row] = await service.query('SELECT email FROM users WHERE id = $1', [user])
  return row?.['email']
}

const undecided = 'An administrator has to look at this'

test('an identity provider that asserts an address of another organization’s domain gets nowhere', async () => {
  const vera = await atB('vera', 'vera@b.test')
  expect(vera).toMatchObject({ organization: orgB })
  expectStandstill(await atA('mallory', 'vera@b.test'), undecided)
  expect(await organizationsOf(vera.user)).toEqual([orgB])
  const conflicts = await service.query(
    `SELECT organization_id, candidate_user_id FROM conflicts WHERE tenant_id = $1 AND state = 'open'`,
    [world.tenant],
  )
  expect(conflicts).toEqual([{ organization_id: orgA, candidate_user_id: vera.user }])
  expect(await atA('mallory2', 'mallory@a.test')).toMatchObject({ organization: orgA, user: expect.any(String) })
  expect(await atB('vera', 'vera@b.test')).toMatchObject({ user: vera.user })
})

test('an address of a member in nobody’s domain is nobody’s to assert', async () => {
  const vera = await atB('vera', 'vera@mail.test')
  expectStandstill(await atA('mallory', 'vera@mail.test'), undecided)
  expect(await organizationsOf(vera.user)).toEqual([orgB])
  expect(await atB('vera', 'vera@mail.test')).toMatchObject({ user: vera.user })
})

describe('a connection that was pointed at another identity provider', () => {
  async function repoint() {
    const [{ config } = {}] = await service.query('SELECT config FROM connections WHERE id = $1', [connectionB])
    const clientId = String(Reflect.get(Object(config), 'clientId'))
    malloryProvider.addClient({
      client_id: clientId,
      client_secret: 'a secret: with/odd %characters',
      redirect_uris: [`${service.url}/sso/${connectionB}/callback`],
    })
    await service.query(
      `UPDATE connections SET config = config || jsonb_build_object('issuer', $2::text) WHERE id = $1`,
      [connectionB, malloryProvider.issuer],
    )
  }

  test('does not make the new provider’s subjects the old one’s, nor hand over addresses outside its domain', async () => {
    const vera = await atB('vera', 'vera@mail.test')
    await repoint()
    expectStandstill(await logIn(connectionB, malloryPeople, 'mallory', 'vera@mail.test'), undecided)
    const sameSubject = await logIn(connectionB, malloryPeople, 'vera', 'mallory@mail.test')
    expect(sameSubject.user).toEqual(expect.any(String))
    expect(sameSubject.user).not.toBe(vera.user)
    expect(await emailOf(vera.user)).toBe('vera@mail.test')
  })

  test('knows people again by their address within the organization’s own verified domain', async () => {
    const vera = await atB('vera', 'vera@b.test')
    await repoint()
    expect(await logIn(connectionB, malloryPeople, 'another-subject', 'vera@b.test')).toMatchObject({ user: vera.user })
  })
})

describe('a directory', () => {
  async function directoryIn(organization: Uuid | undefined, address: string): Promise<Uuid> {
    const place = { tenant: world.tenant, organization: organization ?? '' }
    const directory = await addDirectory(service.db.pool, place)
    await service.query(`UPDATE directories SET first_contact_at = created_at WHERE id = $1`, [directory])
    const [user = ''] = await addDirectoryUsers(service.db.pool, place, directory, 1)
    await say(place.organization, user, address)
    return user
  }

  /** What a SCIM PATCH of userName and e-mail leaves. */
  async function say(organization: Uuid | undefined, user: Uuid, address: string) {
    await service.query(
      'UPDATE directory_users SET user_name = $2, email = $2, generation = generation + 1 WHERE id = $1',
      [user, address],
    )
    await settle(organization, user)
  }

  async function settle(organization: Uuid | undefined, user: Uuid) {
    const place = { tenant: world.tenant, organization: organization ?? '' }
    await request(service.db.pool, place, 'directory_user', [user])
    await service.reconcile(place)
  }

  test('that renames its user to a victim’s address does not make that user the victim', async () => {
    const vera = await atB('vera', 'vera@b.test')
    const directoryUser = await directoryIn(orgA, 'mallory@a.test')
    const mallory = await atA('mallory', 'mallory@a.test')
    expect(mallory.organization).toBe(orgA)
    await say(orgA, directoryUser, 'vera@b.test')
    for (const subject of ['mallory', 'somebody-new']) {
      const after = await atA(subject, 'vera@b.test')
      expect(after.user).not.toBe(vera.user)
      expect([undefined, mallory.user]).toContain(after.user)
    }
    expect(await organizationsOf(vera.user)).toEqual([orgB])
    expect(await emailOf(vera.user)).toBe('vera@b.test')
    expect(await atB('vera', 'vera@b.test')).toMatchObject({ user: vera.user, organization: orgB })
  })

  test('that has deactivated or deleted a person keeps them out by SSO, and ends their session', async () => {
    const directoryUser = await directoryIn(orgB, 'vera@b.test')
    const vera = await atB('vera', 'vera@b.test')
    expect(vera.organization).toBe(orgB)
    const [before] = await service.query('SELECT count(*)::int AS users FROM users WHERE tenant_id = $1', [
      world.tenant,
    ])
    for (const change of [{ active: false }, { deleted: true }]) {
      await changeDirectoryUsers(service.db.pool, world.tenant, [directoryUser], change)
      for (const settled of [false, true]) {
        if (settled) await settle(orgB, directoryUser)
        if (settled) expect((await service.session(vera.browser)).status).toBe(403)
        expectStandstill(await atB('vera', 'vera@b.test'), 'You cannot come in')
        expectStandstill(await atB('vera-again', 'vera@b.test'), 'You cannot come in')
      }
      expect(await organizationsOf(vera.user)).toEqual([])
    }
    const [after] = await service.query('SELECT count(*)::int AS users FROM users WHERE tenant_id = $1', [world.tenant])
    expect(after).toEqual(before)
    await service.query(
      'UPDATE directory_users SET deleted_at = NULL, active = true, generation = generation + 1 WHERE id = $1',
      [directoryUser],
    )
    await settle(orgB, directoryUser)
    expect(await atB('vera', 'vera@b.test')).toMatchObject({ user: vera.user })
  })
})

test('an invitation is not taken by whoever asserts its address, and is by who proves it', async () => {
  await service.query(
    `INSERT INTO invitations (tenant_id, id, organization_id, email, email_key, role_id, invited_by, created_at, expires_at)
     VALUES ($1, $2, $3, 'carol@mail.test', 'carol@mail.test', $4, 'key:1', now(), now() + interval '1 day')`,
    [world.tenant, randomUUID(), orgB, world.roles.admin],
  )
  const state = async () =>
    (await service.query('SELECT state FROM invitations WHERE tenant_id = $1', [world.tenant]))[0]
  const wide = await oidcConnector(service, malloryProvider)(
    { tenant: world.tenant, organization: null },
    { organizationClaim: { value: 'sub' } },
  )
  await service.addAlias(world.tenant, wide, orgB ?? '', 'mallory')
  expect(await logIn(wide, malloryPeople, 'mallory', 'carol@mail.test')).toMatchObject({
    organization: orgB,
    role: 'member',
  })
  expect(await state()).toEqual({ state: 'pending' })

  const slug = `t-${randomUUID().slice(0, 8)}`
  await service.query(
    `UPDATE tenants SET slug = $2, sign_up_policy = 'default', default_organization_id = $3 WHERE id = $1`,
    [world.tenant, slug, orgB],
  )
  const browser = createPlainBrowser()
  const { form } = await browser.get(`${service.url}/signup/${slug}`)
  const asked = await browser.post(form?.action ?? '', { ...form?.fields, email: 'carol@mail.test' })
  const [mail] = await service.query('SELECT body FROM mails WHERE tenant_id = $1', [world.tenant])
  const code = /(\d{4} \d{4})/.exec(String(mail?.['body']))?.[1] ?? ''
  await browser.post(asked.form?.action ?? '', { ...asked.form?.fields, code })
  expect(await service.session(browser)).toMatchObject({ body: { member: { role: { key: 'admin' } } } })
  expect(await state()).toEqual({ state: 'accepted' })
})

test('somebody who took an address before its domain was verified does not get what comes to it afterwards', async () => {
  await service.query('DELETE FROM domains WHERE tenant_id = $1', [world.tenant])
  const planted = await atA('mallory', 'dora@b.test')
  expect(planted.organization).toBe(orgA)
  await addVerifiedDomain(service.db.pool, { tenant: world.tenant, organization: orgB ?? '' }, 'b.test')
  const dora = await atB('dora', 'dora@b.test')
  expect(dora.user).not.toBe(planted.user)
  expect(await organizationsOf(planted.user)).toEqual([orgA])
  expect((await atA('mallory', 'dora@b.test')).organization).toBe(orgA)
  expect(await atB('vera', 'vera@b.test')).toMatchObject({ organization: orgB, user: expect.any(String) })
})

test('another case of an address is the same mailbox, and a letter that only looks the same is another', async () => {
  const kate = await atB('kate', 'kate@b.test')
  for (const [index, spelling] of ['KATE@B.TEST', 'kate@ｂ.test', 'Kate@b.test'].entries()) {
    expectStandstill(await atA(`mallory${index}`, spelling), undecided)
    expect(await atB(`kate${index}`, spelling)).toMatchObject({ user: kate.user })
  }
  for (const [index, lookAlike] of ['\u212Aate@b.test', 'k\u0430te@b.test', 'kate\u200D@b.test'].entries()) {
    const other = await atB(`other${index}`, lookAlike)
    expect(other.user).toEqual(expect.any(String))
    expect(other.user).not.toBe(kate.user)
  }
  expect(await organizationsOf(kate.user)).toEqual([orgB])
})
