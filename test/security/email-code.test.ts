// A code proves an address once, in the browser that asked for it, for ten minutes, within five answers.

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPlainBrowser, type Page, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import { createWorld, type World } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
let world: World
let slug: string

beforeAll(async () => {
  service = await startTestService({ limits: { answersPerHour: 1_000 } })
})
afterAll(() => service.close())
beforeEach(async () => {
  world = await createWorld(service.db.pool)
  slug = await openToAll(world)
})
afterEach(() => {
  expect(service.reported.splice(0)).toEqual([])
})

async function openToAll({ tenant }: World): Promise<string> {
  const name = `t-${randomUUID().slice(0, 8)}`
  const columns = `slug = $2, sign_up_policy = 'personal', next_organization_number = 10`
  await service.query(`UPDATE tenants SET ${columns} WHERE id = $1`, [tenant, name])
  return name
}

async function ask(browser: PlainBrowser, email = 'ada@home.test', at = slug): Promise<Page> {
  const page = await browser.get(`${service.url}/signup/${at}`)
  return browser.post(page.form?.action ?? '', { ...page.form?.fields, email, name: 'Ada' })
}

async function sentCode(): Promise<string> {
  const [mail] = await service.query('SELECT body FROM mails WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1', [
    world.tenant,
  ])
  return (/(\d{4} \d{4})/.exec(String(mail?.['body']))?.[1] ?? '').replace(' ', '')
}

function answer(browser: PlainBrowser, page: Page, code: string): Promise<Page> {
  return browser.post(page.form?.action ?? '', { ...page.form?.fields, code })
}

/** Another code of the same shape. */
function wrong(code: string): string {
  return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10))
}

const home = () => `${service.url}/session`

test('the right code is worth nothing after five wrong ones, and in time before', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  const answers = []
  for (let tries = 0; tries < 6; tries += 1) answers.push(await answer(browser, page, wrong(code)))
  expect(answers.map((one) => one.status)).toEqual(Array(6).fill(400))
  expect(answers[0]?.html).toContain('4 tries are left')
  expect(answers[4]?.html).toContain('it was the last try')
  expect((await answer(browser, page, code)).html).toContain('no longer good')
  expect((await service.session(browser)).status).toBe(401)

  const again = await ask(browser)
  const next = await sentCode()
  for (let tries = 0; tries < 4; tries += 1) await answer(browser, again, wrong(next))
  expect((await answer(browser, again, next)).url).toBe(home())
})

test('twenty guesses at once are five', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  await Promise.all(Array.from({ length: 20 }, () => answer(browser, page, wrong(code))))
  const [row] = await service.query('SELECT attempts FROM email_codes WHERE tenant_id = $1', [world.tenant])
  expect(row).toEqual({ attempts: 5 })
  expect((await answer(browser, page, code)).status).toBe(400)
})

test('a code is taken only in the browser that asked for it', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  const thief = createPlainBrowser()
  await ask(thief, 'thief@home.test')
  await thief.get(page.url)
  const stolen = await thief.post(page.form?.action ?? '', { ...page.form?.fields, code })
  expect(stolen).toMatchObject({ status: 400, html: expect.stringContaining('no longer good') })
  expect((await service.session(thief)).status).toBe(401)
  expect((await answer(browser, page, code)).url).toBe(home())
})

test('a code is taken once, however often it is sent at the same time', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  const pages = await Promise.all([1, 2, 3].map(() => answer(browser, page, code)))
  expect(pages.filter((one) => one.url === home())).toHaveLength(1)
  const sessions = await service.query('SELECT id FROM sessions WHERE tenant_id = $1', [world.tenant])
  expect(sessions).toHaveLength(1)
})

test('a code is good for ten minutes', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  service.advance(599_000)
  const late = await ask(browser)
  const lateCode = await sentCode()
  service.advance(2_000)
  expect((await answer(browser, page, code)).status).toBe(400)
  expect((await answer(browser, late, lateCode)).url).toBe(home())
})

test('a code of one tenant is nothing at another', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  const elsewhere = await openToAll(await createWorld(service.db.pool))
  await browser.get(`${service.url}/signup/${elsewhere}`)
  const fields = { ...page.form?.fields, code }
  const crossed = await browser.post(`${service.url}/signup/${elsewhere}/confirm`, fields)
  expect(crossed).toMatchObject({ status: 400, html: expect.stringContaining('no longer good') })
  expect((await answer(browser, page, code)).url).toBe(home())
})

test('an address gets five codes an hour, also when all are asked for at once; others still get theirs', async () => {
  const asked = await Promise.all(Array.from({ length: 8 }, () => ask(createPlainBrowser(), 'ADA@home.test')))
  expect(asked.map((page) => page.status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
  expect((await ask(createPlainBrowser(), 'ada@home.test')).status).toBe(429)
  expect((await ask(createPlainBrowser(), 'bob@home.test')).status).toBe(200)
  service.advance(3_600_000)
  expect((await ask(createPlainBrowser())).status).toBe(200)
})

test('a form of another site asks for no code and confirms none', async () => {
  const browser = createPlainBrowser()
  const page = await ask(browser)
  const code = await sentCode()
  const foreign = { headers: { 'sec-fetch-site': 'cross-site' }, method: 'POST' }
  const asked = await fetch(`${service.url}/signup/${slug}`, {
    ...foreign,
    body: new URLSearchParams({ email: 'a@b.test' }),
  })
  expect(asked.status).toBe(403)
  const origin = { method: 'POST', headers: { origin: 'https://evil.test' } }
  const confirmed = await fetch(page.form?.action ?? '', { ...origin, body: new URLSearchParams({ code }) })
  expect(confirmed.status).toBe(403)
  expect((await answer(browser, page, code)).url).toBe(home())
})

test('what is kept of a code does not show it, and the log names nobody', async () => {
  const browser = createPlainBrowser()
  await ask(browser)
  const code = await sentCode()
  const [row] = await service.query('SELECT code_hash FROM email_codes WHERE tenant_id = $1', [world.tenant])
  expect(Buffer.from(row?.['code_hash'] as Uint8Array).toString('latin1')).not.toContain(code)
  const audit = await service.query('SELECT * FROM audit_entries WHERE tenant_id = $1', [world.tenant])
  expect(JSON.stringify([audit, service.refused])).not.toMatch(new RegExp(`home\\.test|${code}`))
})
