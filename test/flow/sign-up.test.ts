// Sign-ups with an e-mailed code, through the pages that people see.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPlainBrowser, type Page, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { sendMail } from '../../src/work/send-mail.ts'
import {
  addDirectory,
  addDirectoryUsers,
  addUnit,
  addVerifiedDomain,
  createWorld,
  type World,
} from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
let world: World
let slug: string

beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())
beforeEach(async () => {
  world = await createWorld(service.db.pool)
  slug = `t-${randomUUID().slice(0, 8)}`
  await service.query('UPDATE tenants SET slug = $2, name = $3, next_organization_number = 10 WHERE id = $1', [
    world.tenant,
    slug,
    'Cloud & Co',
  ])
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

async function ask(browser: PlainBrowser, email: string, name = ''): Promise<Page> {
  const page = await browser.get(`${service.url}/signup/${slug}`)
  expect(page.status).toBe(200)
  return browser.post(page.form?.action ?? '', { ...page.form?.fields, email, name })
}

/** The code in the latest mail of this tenant. */
async function sentCode(): Promise<string> {
  const [mail] = await service.query('SELECT body FROM mails WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1', [
    world.tenant,
  ])
  const found = /(\d{4}) (\d{4})/.exec(String(mail?.['body']))
  if (found === null) throw new Error('no code in the mail')
  return `${found[1]}${found[2]}`
}

function answer(browser: PlainBrowser, page: Page, code: string): Promise<Page> {
  return browser.post(page.form?.action ?? '', { ...page.form?.fields, code })
}

async function signUp(email: string, name = ''): Promise<{ browser: PlainBrowser; page: Page }> {
  const browser = createPlainBrowser()
  const asked = await ask(browser, email, name)
  return { browser, page: await answer(browser, asked, await sentCode()) }
}

async function count(table: string): Promise<number> {
  const [row] = await service.query(`SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`, [world.tenant])
  return Number(row?.['count'])
}

async function addJoinRule(
  domain: string,
  target: { role?: Uuid; unit?: Uuid } = {},
): Promise<{ domain: Uuid; rule: Uuid }> {
  const place = { tenant: world.tenant, organization: world.organization }
  const domainId = await addVerifiedDomain(service.db.pool, place, domain)
  const rule = randomUUID()
  await service.query(
    'INSERT INTO join_rules (tenant_id, id, organization_id, domain_id, role_id, unit_id) VALUES ($1, $2, $3, $4, $5, $6)',
    [world.tenant, rule, world.organization, domainId, target.role ?? null, target.unit ?? null],
  )
  return { domain: domainId, rule }
}

describe('a sign-up from a verified domain', () => {
  test('joins the organization with the role and the team of its rule', async () => {
    const unit = await addUnit(service.db.pool, { tenant: world.tenant, organization: world.organization }, 'Sales')
    await addJoinRule('acme.test', { role: world.roles.admin, unit })
    const { browser, page } = await signUp('Ada@Acme.test', 'Ada Lovelace')
    expect(page).toMatchObject({ url: `${service.url}/session`, status: 200 })
    expect(await service.session(browser)).toMatchObject({
      body: {
        user: { email: 'Ada@Acme.test', displayName: 'Ada Lovelace' },
        organization: { id: world.organization },
        member: { role: { key: 'admin' }, units: [{ id: unit, name: 'Sales', kind: 'team' }] },
        how: { kind: 'email', connection: null },
      },
    })
  })

  test('is a sign-in the second time, whatever the case of the address', async () => {
    await addJoinRule('acme.test')
    await signUp('ada@acme.test', 'Ada')
    const { page } = await signUp('ADA@acme.TEST')
    expect(page.url).toBe(`${service.url}/session`)
    expect([await count('identities'), await count('entries'), await count('members')]).toEqual([1, 1, 1])
  })

  test('joins nothing while the domain is unverified, in grace, or its rule is off', async () => {
    const { domain, rule } = await addJoinRule('acme.test')
    const refused = async () => {
      const { page } = await signUp('ada@acme.test')
      expect(page.status).toBe(403)
      expect(page.html).toContain('does not belong to an organization')
    }
    for (const status of ['pending', 'grace', 'lapsed', 'failed']) {
      await service.query('UPDATE domains SET status = $2 WHERE id = $1', [domain, status])
      await refused()
    }
    await service.query(`UPDATE domains SET status = 'verified' WHERE id = $1`, [domain])
    await service.query('UPDATE join_rules SET enabled = false WHERE id = $1', [rule])
    service.advance(3_600_000)
    await refused()
    expect([await count('identities'), await count('users')]).toEqual([0, 0])
    await service.query('UPDATE join_rules SET enabled = true WHERE id = $1', [rule])
    expect((await signUp('ada@acme.test')).page.url).toBe(`${service.url}/session`)
  })

  test('needs an active user of the directory, where one governs the organization', async () => {
    await addJoinRule('acme.test')
    const place = { tenant: world.tenant, organization: world.organization }
    const directory = await addDirectory(service.db.pool, place)
    await service.query('UPDATE directories SET first_contact_at = created_at WHERE id = $1', [directory])
    const [active = '', inactive = ''] = await addDirectoryUsers(service.db.pool, place, directory, 2, {
      domain: 'acme.test',
    })
    await service.query('UPDATE directory_users SET active = false WHERE id = $1', [inactive])
    await service.query(
      `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at)
       SELECT $1, $2, 'directory_user', id, now() FROM unnest($3::uuid[]) AS id`,
      [world.tenant, world.organization, [active, inactive]],
    )
    await service.reconcile(place)
    await service.query(`UPDATE tenants SET sign_up_policy = 'personal' WHERE id = $1`, [world.tenant])
    expect((await signUp('user1@acme.test')).page.url).toBe(`${service.url}/session`)
    for (const email of ['user2@acme.test', 'user3@acme.test']) expect((await signUp(email)).page.status).toBe(403)
    expect(await count('identities')).toBe(1)
  })
})

describe('a sign-up that no domain lets in', () => {
  test('makes a personal organization with a Default workspace, whose Owner the person is', async () => {
    await service.query(`UPDATE tenants SET sign_up_policy = 'personal' WHERE id = $1`, [world.tenant])
    const { browser } = await signUp('ada@home.test', 'Ada Lovelace')
    const { body } = await service.session(browser)
    expect(body).toMatchObject({
      organization: { name: "Ada's Organization", kind: 'personal' },
      member: { role: { key: 'owner' } },
    })
    const workspaces = await service.query('SELECT name, is_default FROM workspaces WHERE tenant_id = $1', [
      world.tenant,
    ])
    expect(workspaces).toEqual([{ name: 'Default', is_default: true }])
    await signUp('ada@home.test')
    expect([await count('organizations'), await count('members')]).toEqual([2, 1])
  })

  test('makes one organization when two codes are confirmed at once', async () => {
    await service.query(`UPDATE tenants SET sign_up_policy = 'personal' WHERE id = $1`, [world.tenant])
    const attempts = []
    for (const browser of [createPlainBrowser(), createPlainBrowser()]) {
      const page = await ask(browser, 'ada@home.test')
      attempts.push({ browser, page, code: await sentCode() })
    }
    const pages = await Promise.all(attempts.map(({ browser, page, code }) => answer(browser, page, code)))
    expect(pages.map((page) => page.url)).toEqual(Array(2).fill(`${service.url}/session`))
    expect([await count('organizations'), await count('entries'), await count('members')]).toEqual([2, 1, 1])
  })

  test('lands in the default organization as an ordinary member, or is refused, as the tenant says', async () => {
    expect((await signUp('ada@home.test')).page.status).toBe(403)
    await service.query(`UPDATE tenants SET sign_up_policy = 'default', default_organization_id = $2 WHERE id = $1`, [
      world.tenant,
      world.organization,
    ])
    const { browser } = await signUp('ada@home.test')
    expect(await service.session(browser)).toMatchObject({
      body: { organization: { id: world.organization }, member: { role: { key: 'member' } } },
    })
  })

  test('is refused in words where no seat is left', async () => {
    await service.query(`UPDATE tenants SET sign_up_policy = 'default', default_organization_id = $2 WHERE id = $1`, [
      world.tenant,
      world.organization,
    ])
    await service.query('UPDATE organizations SET seat_limit = 1 WHERE id = $1', [world.organization])
    expect((await signUp('ada@home.test')).page.url).toBe(`${service.url}/session`)
    const { page } = await signUp('bob@home.test')
    expect(page).toMatchObject({ status: 403, html: expect.stringContaining('All seats') })
  })
})

/** What a page sees whose own name was made to point at this service. */
async function statusUnderName(host: string): Promise<number | undefined> {
  const sent = request(`${service.url}/mailbox`, { headers: { host } }).end()
  const [response]: IncomingMessage[] = await once(sent, 'response')
  response?.resume()
  return response?.statusCode
}

describe('the pages', () => {
  test('complain of what is no address, and know no tenant but those there are', async () => {
    const page = await ask(createPlainBrowser(), 'not an address', '<b>Ada</b>')
    expect(page.status).toBe(400)
    expect(page.html).toContain('Enter an e-mail address.')
    expect(page.form?.fields).toMatchObject({ name: '<b>Ada</b>' })
    expect((await createPlainBrowser().get(`${service.url}/signup/unheard-of`)).status).toBe(404)
  })

  test('say the same whether or not an address is known, and send both a code', async () => {
    await addJoinRule('acme.test')
    await signUp('ada@acme.test')
    const same = async (email: string) => {
      const page = await ask(createPlainBrowser(), email)
      return { status: page.status, html: page.html.replace(/[0-9a-f-]{36}/g, 'id') }
    }
    expect(await same('ada@acme.test')).toEqual(await same('nobody@elsewhere.test'))
    expect(await count('mails')).toBe(3)
  })

  test('show the mail in the mailbox once it was sent there, under names of this machine only', async () => {
    await ask(createPlainBrowser(), 'ada@acme.test')
    const [mail] = await service.query('SELECT id FROM mails WHERE tenant_id = $1', [world.tenant])
    await sendMail(service.db, { sender: null }, { tenant: world.tenant, mail: String(mail?.['id']) })
    const page = await createPlainBrowser().get(`${service.url}/mailbox`)
    expect(page.html).toContain('Your code for Cloud &amp; Co')
    expect(page.html).toMatch(/To ada@acme.test,/)
    expect(await statusUnderName('evil.test')).toBe(404)
    expect(await statusUnderName(new URL(service.url).host)).toBe(200)
  })
})
