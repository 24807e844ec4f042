import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createPlainBrowser, type Page, type PlainBrowser } from '../../src/demo/plain-browser.ts'
import { withTransaction } from '../../src/store/database.ts'
import { requestReconcile } from '../../src/store/outbox.ts'
import { addDirectoryUsers, type OpenDatabase, openDatabase, request } from '../support/organization-fixture.ts'
import { queueBackends } from '../support/queue-backends.ts'
import {
  type PushedOrganization,
  prepareService,
  type RunningProcess,
  type RunningService,
  until,
} from '../support/running-service.ts'

const backlog = 3_000

describe.each(queueBackends())('with a backlog of thousands, the queue on $name', ({ url }) => {
  let service: RunningService
  let database: OpenDatabase
  let worker: RunningProcess | undefined
  beforeAll(async () => {
    service = await prepareService(url)
    database = openDatabase(service.databaseUrl)
    await service.start('serve')
  })
  afterEach(async () => {
    await worker?.end('SIGKILL')
    worker = undefined
    await database.pool.query('TRUNCATE reconcile_requests')
  })
  afterAll(async () => {
    await database.close()
    await service.close()
  })

  it('somebody whom one waits for is a member long before the rest of the backlog', async () => {
    const [acme, other] = [await service.newOrganization(), await service.newOrganization()]
    const [users, others] = [await pushed(acme), await pushed(other)]
    worker = await service.start('work', { SLICE_SIZE: '10', WORKER_CONCURRENCY: '1' })
    await until(async () => (await acme.count()).members + (await other.count()).members > 0)
    const last = [users.at(-1) ?? '', others.at(-1) ?? '']
    await ask(acme, last[0] ?? '')
    await ask(other, last[1] ?? '')
    await until(async () => (await links(last)) === 2)
    const left = (await acme.count()).pending + (await other.count()).pending
    // Each waited for the turn of one job at most, not for its place among six thousand.
    expect(left).toBeGreaterThan(1.5 * backlog)
  })

  it('a sign-up is let in while thousands of its organization wait', async () => {
    const acme = await service.newOrganization()
    const tenant = await acme.admin.patch(
      '/tenant',
      { signUpPolicy: 'default', defaultOrganizationId: acme.id },
      z.object({ slug: z.string() }),
    )
    await pushed(acme)
    worker = await service.start('work', { SLICE_SIZE: '10', WORKER_CONCURRENCY: '1' })
    await until(async () => (await acme.count()).members > 0)
    const browser = createPlainBrowser()
    const form = await browser.get(`${service.origin}/signup/${tenant.slug}`)
    const asked = await enter(browser, form, { email: 'ada@elsewhere.example', name: 'Ada' })
    const arrived = await enter(browser, asked, { code: await sentCode('ada@elsewhere.example') })
    if (new URL(arrived.url).pathname !== '/session')
      await until(async () => (await comeBack(browser, arrived)) === '/session')
    expect((await acme.count()).pending).toBeGreaterThan(0.5 * backlog)
    expect(await browser.getJson(`${service.origin}/session`)).toMatchObject({ organization: { id: acme.id } })
  })

  async function enter(browser: PlainBrowser, page: Page, entered: Record<string, string>): Promise<Page> {
    return browser.post(page.form?.action ?? '', { ...page.form?.fields, ...entered })
  }

  /** Where the page that waits leads to now. */
  async function comeBack(browser: PlainBrowser, waiting: Page): Promise<string> {
    return new URL((await browser.get(waiting.url)).url).pathname
  }

  async function sentCode(recipient: string): Promise<string> {
    const { rows } = await database.pool.query<{ body: string }>('SELECT body FROM mails WHERE recipient = $1', [
      recipient,
    ])
    return (
      /(\d{4}) (\d{4})/
        .exec(rows[0]?.body ?? '')
        ?.slice(1)
        .join('') ?? ''
    )
  }

  /** Users that a directory has pushed, each with its request: fast, because how they came is not in question. */
  async function pushed(organization: PushedOrganization): Promise<string[]> {
    const place = { tenant: await tenantOf(organization), organization: organization.id }
    const users = await addDirectoryUsers(database.pool, place, organization.directory, backlog)
    await request(database.pool, place, 'directory_user', users)
    return users
  }

  /** As a login asks for the person who came. */
  async function ask(organization: PushedOrganization, id: string): Promise<void> {
    const caller = {
      tenant: await tenantOf(organization),
      actor: { id: `directory:${organization.directory}`, door: 'scim' as const },
    }
    await withTransaction(database, caller, (scope) =>
      requestReconcile(scope, organization.id, [{ kind: 'directory_user', id }], { urgent: true, causeId: null }),
    )
  }

  async function tenantOf({ admin }: PushedOrganization): Promise<string> {
    return (await admin.get('/tenant', z.object({ id: z.string() }))).id
  }

  async function links(ids: readonly string[]): Promise<number> {
    const { rows } = await database.pool.query<{ count: number }>(
      'SELECT count(*)::int FROM directory_links WHERE directory_user_id = ANY ($1::uuid[]) AND user_id IS NOT NULL',
      [ids],
    )
    return rows[0]?.count ?? 0
  }
})
