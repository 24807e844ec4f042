import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queueBackends } from '../support/queue-backends.ts'
import {
  type PushedOrganization,
  prepareService,
  type RunningProcess,
  type RunningService,
} from '../support/running-service.ts'

const scimError = (status: number, scimType?: string) => ({
  status,
  body: {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail: expect.any(String),
    ...(scimType === undefined ? {} : { scimType }),
  },
})

describe('against bad input, through every layer of the running service', () => {
  let service: RunningService
  let all: RunningProcess
  let acme: PushedOrganization
  let foreign: PushedOrganization
  let good = 0

  beforeAll(async () => {
    const [{ url } = { url: '' }] = queueBackends()
    service = await prepareService(url)
    all = await service.start('all')
    acme = await service.newOrganization()
    foreign = await service.newOrganization()
    expect((await foreign.createUser('eve@foreign.example')).status).toBe(201)
    await foreign.inSync()
  })
  // Whatever was refused: it left nothing behind, nobody logged an error, and the next good request is as good as ever.
  afterEach(async () => {
    good += 1
    expect((await acme.createUser(`good${good}@acme.example`)).status).toBe(201)
    await acme.inSync()
    expect(await acme.count()).toMatchObject({ said: good, members: good, active: good, seatsUsed: good })
    expect(await foreign.count()).toMatchObject({ said: 1, members: 1, active: 1 })
    expect(all.stderr()).toBe('')
    expect(all.stdout()).not.toContain('"level"')
  })
  afterAll(() => service.close())

  it.each([
    ['cut off', '{"userName": "ann'],
    ['not JSON at all', 'userName=ann'],
    ['of another type', '[1, 2, 3]'],
    ['holding NUL', '{"userName": "a\\u0000n"}'],
    ['nested a thousand deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
  ])('a body that is %s is refused as such', async (_what, body) => {
    const { status, body: answer } = await acme.scim('POST', '/Users', body)
    expect({ status, schemas: answer.schemas }).toEqual({
      status: 400,
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    })
    expect(['invalidSyntax', 'invalidValue']).toContain(answer.scimType)
  })

  it('a body of ten megabytes is refused as too large', async () => {
    const body = JSON.stringify({ userName: 'ann@acme.example', title: 'x'.repeat(10_000_000) })
    expect(await acme.scim('POST', '/Users', body)).toEqual(scimError(413))
  })

  it('a filter that is none is refused, and one that holds SQL finds nobody', async () => {
    const search = (filter: string) => acme.scim('GET', `/Users?filter=${encodeURIComponent(filter)}`)
    expect(await search('userName eq')).toMatchObject(scimError(400, 'invalidFilter'))
    expect(await search('password eq "x"')).toMatchObject({ status: 400 })
    expect(await search(`userName eq "' OR '1'='1"`)).toMatchObject({ status: 200, body: { totalResults: 0 } })
    expect(await search('userName eq "GOOD1@acme.example"')).toMatchObject({ status: 200, body: { totalResults: 1 } })
  })

  it('a token that is wrong, missing or of another tenant is refused with the same words', async () => {
    const answers = await Promise.all([
      acme.scim('GET', '/Users', undefined, `${acme.token.slice(0, -1)}${acme.token.endsWith('A') ? 'B' : 'A'}`),
      acme.scim('GET', '/Users', undefined, 'nothing'),
      acme.scim('GET', '/Users', undefined, foreign.token),
      acme.scim('POST', '/Users', { userName: 'eve@acme.example' }, foreign.token),
    ])
    for (const answer of answers) expect(answer).toEqual(scimError(401))
    expect(new Set(answers.map((answer) => answer.body.detail)).size).toBe(1)
  })

  it("another tenant's user, directory and organization are not there", async () => {
    const [eve] = (await foreign.scim('GET', '/Users')).body.Resources
    expect(await acme.scim('GET', `/Users/${eve.id}`)).toEqual(scimError(404))
    expect(await acme.setActive(eve.id, false)).toEqual(scimError(404))
    expect(await acme.scim('DELETE', `/Users/${eve.id}`)).toEqual(scimError(404))
    const anything = z.unknown()
    await expect(acme.admin.get(foreign.path, anything)).rejects.toThrow(/ 404: /)
    await expect(acme.admin.get(`${acme.path}/directories/${foreign.directory}`, anything)).rejects.toThrow(/ 404: /)
    await expect(acme.admin.patch(foreign.path, { seatLimit: 0 }, anything)).rejects.toThrow(/ 404: /)
    await expect(foreign.admin.get(foreign.path, z.object({ seatLimit: z.null() }))).resolves.toBeDefined()
  })

  it('the admin door refuses a wrong key, bad JSON and unknown members', async () => {
    const post = async (key: string, body: string) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const response = await fetch(`${service.origin}/admin/v1/tenants`, { method: 'POST', headers, body })
      return { status: response.status, type: response.headers.get('content-type')?.split(';')[0] }
    }
    const type = 'application/problem+json'
    expect(await post('x'.repeat(43), '{}')).toEqual({ status: 401, type })
    expect(await post(service.adminKey, '{')).toEqual({ status: 400, type })
    expect(await post(service.adminKey, '{"slug": "a", "name": "A", "evil": true}')).toEqual({ status: 400, type })
    expect(await post(service.adminKey, JSON.stringify({ slug: 'a', name: 'A'.repeat(300_000) }))).toEqual({
      status: 413,
      type,
    })
    expect(await post(service.adminKey, '{"slug": "fine", "name": "Fine"}')).toMatchObject({ status: 201 })
  })
})
