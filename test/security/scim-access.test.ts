import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeToken } from '../../src/store/bearer-token.ts'
import { addToken, type ScimService, scim, startScimService, type TestDirectory } from '../support/scim-service.ts'

// A clock of our own: what is believed for a second, and written once a minute, is tried without waiting.
let nowMs = Date.now()
const pass = (ms: number) => {
  nowMs += ms
}

let service: ScimService
let directory: TestDirectory
beforeAll(async () => {
  service = await startScimService({ clock: () => new Date(nowMs) })
})
beforeEach(async () => {
  directory = await service.createDirectory()
})
afterAll(async () => {
  expect(service.errors).toEqual([])
  await service.stop()
})

const userOf = async (of: TestDirectory, userName = 'u') => {
  const created = await scim(of, 'POST', '/Users', { userName })
  expect(created.status).toBe(201)
  return created.id
}
const status = async (of: Pick<TestDirectory, 'baseUrl' | 'token'>) => (await scim(of, 'GET', '/Users?count=0')).status
const setState = (state: string) =>
  service.query('UPDATE directories SET state = $2 WHERE id = $1', [directory.id, state])

describe('a request without a good token', () => {
  const unknown = makeToken('rcd', randomBytes(32)).token
  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic dTpw' }],
    ['no token', { authorization: 'Bearer ' }],
    ['a token that does not exist', { authorization: `Bearer ${unknown}` }],
    ['two tokens', { authorization: `Bearer ${unknown} ${unknown}` }],
    ['a token as long as a book', { authorization: `Bearer ${'a'.repeat(9000)}` }],
    ['a token with SQL in it', { authorization: `Bearer ' OR true; --------` }],
  ])('is answered with the same 401 for every reason: %s', async (_, headers) => {
    const reply = await fetch(`${directory.baseUrl}/Users`, { headers })
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(reply.headers.get('content-type')).toBe('application/scim+json')
    expect(await reply.json()).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '401',
      detail: 'Send a valid token of this directory as Authorization: Bearer …',
    })
  })

  it('is not parsed: its body may be anything', async () => {
    const post = (token: string) => scim({ ...directory, token }, 'POST', '/Users', '{"userName": ')
    expect((await post(unknown)).status).toBe(401)
    expect((await post(directory.token)).status).toBe(400)
  })

  it('learns nothing of which paths there are', async () => {
    for (const path of ['/Users', '/Nothing', '/Users/x/y', '/Schemas', '/Me']) {
      expect((await scim({ ...directory, token: unknown }, 'GET', path)).status).toBe(401)
    }
  })
})

describe('a token', () => {
  it('opens its own directory and no other, be it of the same organization, tenant or another tenant', async () => {
    const others = [
      await service.createDirectory({ tenant: directory.tenant, organization: directory.organization }),
      await service.createDirectory({ tenant: directory.tenant }),
      await service.createDirectory(),
    ]
    expect(await status(directory)).toBe(200)
    for (const other of others) {
      expect(await status(other)).toBe(200)
      expect(await status({ ...other, token: directory.token })).toBe(401)
      expect(await status({ ...directory, token: other.token })).toBe(401)
    }
  })

  it('tried on another directory is in the audit trail of its own organization, once a minute', async () => {
    const other = await service.createDirectory()
    const trail = () =>
      service.query(
        `SELECT organization_id, subject_id, after FROM audit_entries WHERE action = 'directory.foreign_url_refused' AND subject_id = $1`,
        [directory.id],
      )
    for (let tries = 0; tries < 3; tries += 1) await status({ ...other, token: directory.token })
    expect(await trail()).toEqual([
      { organization_id: directory.organization, subject_id: directory.id, after: { urlDirectoryId: other.id } },
    ])
    pass(60_000)
    await status({ ...other, token: directory.token })
    expect(await trail()).toHaveLength(2)
  })

  it('may be one of several, and works until it expires', async () => {
    const expiresAt = new Date(nowMs + 5000)
    const token = await addToken(service.query, directory.tenant, directory.id, { expiresAt })
    expect(await status({ ...directory, token })).toBe(200)
    expect(await status(directory)).toBe(200)
    pass(5000)
    expect(await status({ ...directory, token })).toBe(401)
    expect(await status(directory)).toBe(200)
  })

  it('that is revoked is refused within a second, or at once where the process was told', async () => {
    const revoke = () =>
      service.query('UPDATE directory_tokens SET revoked_at = now() WHERE directory_id = $1', [directory.id])
    expect(await status(directory)).toBe(200)
    await revoke()
    pass(1000)
    expect(await status(directory)).toBe(401)

    directory = await service.createDirectory()
    expect(await status(directory)).toBe(200)
    await revoke()
    service.authenticator.forget(directory.id)
    expect(await status(directory)).toBe(401)
  })

  it('is kept as its hash only', async () => {
    const rows = await service.query(`SELECT t::text AS row FROM directory_tokens t WHERE directory_id = $1`, [
      directory.id,
    ])
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(directory.token.slice(12))
  })
})

describe('a directory', () => {
  it('that is paused answers 503 with an integer Retry-After, takes nothing, and goes on when it is active again', async () => {
    await setState('paused')
    const refused = await scim(directory, 'POST', '/Users', { userName: 'later' })
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(refused.body).toMatchObject({ status: '503' })
    expect(await service.query('SELECT FROM directory_users WHERE directory_id = $1', [directory.id])).toEqual([])
    await setState('active')
    pass(1000)
    await userOf(directory, 'later')
  })

  it('that is decommissioned is no directory any more', async () => {
    await setState('decommissioned')
    expect(await status(directory)).toBe(401)
  })

  it('of an organization that is deactivated answers 503', async () => {
    await service.query(`UPDATE organizations SET status = 'inactive' WHERE id = $1`, [directory.organization])
    expect(await status(directory)).toBe(503)
  })

  it('that is pending becomes active with its first request, once, whoever comes at the same time', async () => {
    const pending = await service.createDirectory({ state: 'pending' })
    const stateOf = () =>
      service.query('SELECT state, first_contact_at, last_contact_at FROM directories WHERE id = $1', [pending.id])
    expect(await stateOf()).toEqual([{ state: 'pending', first_contact_at: null, last_contact_at: null }])
    expect(await Promise.all([1, 2, 3].map(() => status(pending)))).toEqual([200, 200, 200])
    const at = new Date(nowMs)
    expect(await stateOf()).toEqual([{ state: 'active', first_contact_at: at, last_contact_at: at }])
    expect(
      await service.query(
        `SELECT actor, before, after FROM audit_entries WHERE action = 'directory.activated' AND subject_id = $1`,
        [pending.id],
      ),
    ).toEqual([{ actor: `directory:${pending.id}`, before: { state: 'pending' }, after: { state: 'active' } }])
  })

  it('was last heard of to the minute, and its token last used', async () => {
    const heard = () =>
      service.query(
        `SELECT d.first_contact_at AS first, d.last_contact_at AS last, t.last_used_at AS used FROM directories d JOIN directory_tokens t ON t.directory_id = d.id WHERE d.id = $1`,
        [directory.id],
      )
    const first = new Date(nowMs)
    await status(directory)
    pass(59_999)
    await status(directory)
    expect(await heard()).toEqual([{ first, last: first, used: first }])
    pass(1)
    await status(directory)
    const last = new Date(nowMs)
    expect(await heard()).toEqual([{ first, last, used: last }])
  })
})

describe('an id of another directory', () => {
  it.each([
    ['the same organization', (of: TestDirectory) => ({ tenant: of.tenant, organization: of.organization })],
    ['another organization', (of: TestDirectory) => ({ tenant: of.tenant })],
    ['another tenant', () => ({})],
  ])('of %s is 404 for every method, and what it names stays as it is', async (_, place) => {
    const other = await service.createDirectory(place(directory))
    const id = await userOf(other)
    const group = await scim(other, 'POST', '/Groups', { displayName: 'Theirs', members: [{ value: id }] })
    const before = [await scim(other, 'GET', `/Users/${id}`), await scim(other, 'GET', `/Groups/${group.id}`)]
    const change = { Operations: [{ op: 'replace', path: 'displayName', value: 'Mine' }] }
    for (const path of [`/Users/${id}`, `/Groups/${group.id}`]) {
      expect((await scim(directory, 'GET', path)).status).toBe(404)
      expect((await scim(directory, 'PUT', path, { userName: 'mine', displayName: 'Mine' })).status).toBe(404)
      expect((await scim(directory, 'PATCH', path, change)).status).toBe(404)
      expect((await scim(directory, 'DELETE', path)).status).toBe(404)
      expect((await scim(other, 'GET', path)).status).toBe(200)
    }
    const after = [await scim(other, 'GET', `/Users/${id}`), await scim(other, 'GET', `/Groups/${group.id}`)]
    expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body))
    expect((await scim(other, 'PATCH', `/Users/${id}`, change)).status).toBe(200)
  })

  it('shares neither userNames nor externalIds nor group names with this one', async () => {
    const other = await service.createDirectory({ tenant: directory.tenant, organization: directory.organization })
    for (const of of [directory, other]) {
      expect((await scim(of, 'POST', '/Users', { userName: 'same', externalId: 'same' })).status).toBe(201)
      expect((await scim(of, 'POST', '/Groups', { displayName: 'Same', externalId: 'same' })).status).toBe(201)
      expect((await scim(of, 'GET', '/Users')).body).toMatchObject({ totalResults: 1 })
    }
  })
})
