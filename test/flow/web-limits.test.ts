// How often one address may knock at the doors for browsers, and what is forgotten when its time is over.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { forgetExpired } from '../../src/work/forget-expired.ts'
import { createWorld } from '../support/organization-fixture.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService({ limits: { loginsPerMinute: 3, codesPerHour: 2 } })
})
afterAll(() => service.close())

test('too many requests are answered with 429 and when to come back, and are none of the other doors’', async () => {
  const start = () => fetch(`${service.url}/sso/unknown/start`)
  for (let index = 0; index < 3; index += 1) expect((await start()).status).toBe(404)
  const refused = await start()
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refused.text()).toContain('Too many requests')
  expect(service.refused.at(-1)).toMatchObject({ code: 'rate_limited', path: 'GET /sso/:connectionId/start' })
  expect((await fetch(`${service.url}/signup/unknown`)).status).toBe(404)
})

test('what expired more than a day ago is deleted, and what is good is kept', async () => {
  const { tenant, organization } = await createWorld(service.db.pool)
  const config = { issuer: 'https://idp.test', clientId: 'c' }
  const connection = await service.addOidcConnection({ tenant, organization, clientSecret: 's', config })
  for (const [index, interval] of ['-25 hours', '-23 hours', '1 hour'].entries()) {
    await service.query(
      `INSERT INTO login_attempts (tenant_id, id, connection_id, state, browser_hash, created_at, expires_at)
       VALUES ($1, gen_random_uuid(), $2, $3, '', now(), now() + $4::interval)`,
      [tenant, connection, `state-${index}`, interval],
    )
    await service.query(
      'INSERT INTO consumed_assertions (tenant_id, connection_id, assertion_id, expires_at) VALUES ($1, $2, $3, now() + $4::interval)',
      [tenant, connection, `_${index}`, interval],
    )
  }
  expect(await forgetExpired(service.db)).toBe(2)
  expect(await forgetExpired(service.db)).toBe(0)
  expect(await service.query('SELECT state FROM login_attempts ORDER BY state')).toEqual([
    { state: 'state-1' },
    { state: 'state-2' },
  ])
})
