import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ScimReply,
  type ScimService,
  scim,
  startScimService,
  type TestDirectory,
} from '../support/scim-service.ts'

let service: ScimService
let directory: TestDirectory
let id: string
beforeAll(async () => {
  service = await startScimService()
  directory = await service.createDirectory()
  id = (await scim(directory, 'POST', '/Users', { userName: 'ann', title: 'T' })).id
})
afterAll(async () => {
  await service.stop()
})

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error'
/** Every refusal is a SCIM error, and none is a 500. */
function expectRefusal(reply: ScimReply, status: number, scimType?: string): void {
  expect(reply.body).toEqual({
    schemas: [errorUrn],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
    detail: expect.any(String),
  })
  expect(reply.status).toBe(status)
  expect(reply.headers.get('content-type')).toBe('application/scim+json')
  expect(service.errors).toEqual([])
}
const rows = () =>
  service.query(`SELECT (SELECT count(*)::int FROM directory_users) AS users, (SELECT count(*)::int FROM directory_groups) AS groups,
    (SELECT count(*)::int FROM audit_entries) AS audits, (SELECT count(*)::int FROM reconcile_requests) AS requests`)
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

describe('a body', () => {
  it.each([
    ['broken JSON', '{"userName": "x"', 400, 'invalidSyntax'],
    ['JSON that is no object', '["x"]', 400, 'invalidSyntax'],
    ['JSON that is a word', '"x"', 400, 'invalidSyntax'],
    ['nothing at all', '', 400, 'invalidValue'],
    ['51 levels', `${'{"a":'.repeat(51)}1${'}'.repeat(51)}`, 400, 'invalidSyntax'],
    ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'invalidSyntax'],
    ['no userName', '{"active": true}', 400, 'invalidValue'],
    ['a userName that is a number', '{"userName": 7}', 400, 'invalidValue'],
    ['a userName of 600 characters', JSON.stringify({ userName: 'x'.repeat(600) }), 400, 'invalidValue'],
    ['a NUL', '{"userName": "a\\u0000b"}', 400, 'invalidValue'],
    ['half a surrogate pair', '{"userName": "a\\ud800b"}', 400, 'invalidValue'],
    ['active that is neither', '{"userName": "x", "active": "maybe"}', 400, 'invalidValue'],
    [
      'two primary e-mails',
      JSON.stringify({ userName: 'x', emails: ['a', 'b'].map((value) => ({ value, primary: true })) }),
      400,
      'invalidValue',
    ],
  ])('with %s is refused, and nothing is written', async (_, body, status, scimType) => {
    const before = await rows()
    expectRefusal(await scim(directory, 'POST', '/Users', body), status, scimType)
    expect(await rows()).toEqual(before)
  })

  it('of more than 1 MB is 413, as it is or compressed; one a little smaller is read', async () => {
    const body = (size: number) => JSON.stringify({ userName: 'large', nickName: 'x'.repeat(size) })
    expectRefusal(await scim(directory, 'POST', '/Users', body(1_048_577)), 413)
    const bomb = gzipSync(body(50_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    const reply = await fetch(`${directory.baseUrl}/Users`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${directory.token}`,
        'content-type': 'application/scim+json',
        'content-encoding': 'gzip',
      },
      body: bomb,
    })
    expect(reply.status).toBe(413)
    expect((await scim(directory, 'POST', '/Users', body(1_048_000))).status).toBe(201)
  })

  it.each([
    ['text/plain', 415],
    ['application/xml', 415],
    ['application/scim+json; charset=iso-8859-1', 415],
    ['application/json', 201],
    ['application/scim+json; charset=utf-8', 201],
    ['Application/SCIM+JSON', 201],
  ])('of type %s is answered with %i', async (type, status) => {
    const reply = await scim(directory, 'POST', '/Users', { userName: `type ${type}` }, { 'content-type': type })
    expect(reply.status).toBe(status)
    if (status === 415) expectRefusal(reply, 415)
  })

  it('with unknown attributes is taken without them', async () => {
    const created = await scim(directory, 'POST', '/Users', {
      userName: 'unknowns',
      shoeSize: 44,
      'urn:x:y': { z: 1 },
      name: { spirit: 'a', givenName: 'G' },
    })
    expect(created.status).toBe(201)
    expect(created.body).toMatchObject({ userName: 'unknowns', name: { givenName: 'G' } })
    expect(created.text).not.toMatch(/shoeSize|spirit|urn:x:y/)
  })

  it.each([
    [
      'POST',
      '{"userName": "proto", "__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "name": {"__proto__": {"polluted": 1}}}',
    ],
    ['PATCH', JSON.stringify(patch({ op: 'add', path: '__proto__.polluted', value: 1 }))],
    ['PATCH', JSON.stringify(patch({ op: 'add', path: 'constructor.prototype.polluted', value: 1 }))],
    ['PATCH', '{"Operations": [{"op": "add", "value": {"__proto__": {"polluted": 1}, "name.__proto__.polluted": 1}}]}'],
  ])('that reaches for prototypes by %s reaches none', async (method, body) => {
    await scim(directory, method, method === 'POST' ? '/Users' : `/Users/${id}`, body)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await scim(directory, 'GET', `/Users/${id}`)).text).not.toContain('polluted')
    expect(service.errors).toEqual([])
  })
})

describe('a PATCH', () => {
  it.each([
    ['no Operations', { schemas: [] }, 400, 'invalidSyntax'],
    ['an unknown op', patch({ op: 'move', path: 'title' }), 400, 'invalidSyntax'],
    ['a remove without a path', patch({ op: 'remove' }), 400, 'noTarget'],
    ['an unknown attribute as path', patch({ op: 'replace', path: 'shoeSize', value: 1 }), 400, 'invalidPath'],
    [
      'a path of open brackets',
      patch({ op: 'replace', path: `emails${'['.repeat(3000)}`, value: 1 }),
      400,
      'invalidPath',
    ],
    [
      'a bad filter in its path',
      patch({ op: 'replace', path: 'emails[type foo "x"].value', value: 'x' }),
      400,
      'invalidFilter',
    ],
    ['a read-only path', patch({ op: 'replace', path: 'id', value: 'x' }), 400, 'mutability'],
    ['a userName removed', patch({ op: 'remove', path: 'userName' }), 400, 'mutability'],
    [
      '1,001 operations',
      patch(...Array.from({ length: 1001 }, () => ({ op: 'replace', path: 'title', value: 'x' }))),
      413,
      undefined,
    ],
  ])('with %s is refused as a whole', async (_, body, status, scimType) => {
    const before = await rows()
    expectRefusal(await scim(directory, 'PATCH', `/Users/${id}`, body), status, scimType)
    expect(await rows()).toEqual(before)
    expect((await scim(directory, 'GET', `/Users/${id}`)).body).toMatchObject({ title: 'T' })
  })
})

describe('a filter', () => {
  it.each([
    'userName',
    'userName eq',
    'userName eq "x',
    'userName foo "x"',
    'shoeSize eq "x"',
    'password eq "x"',
    'active gt true',
    'meta.created gt "yesterday"',
    'meta.location eq "x"',
    'userName eq "x" and',
    '(userName eq "x"',
    `${'('.repeat(2000)}userName eq "x"${')'.repeat(2000)}`,
    `userName eq "${'x'.repeat(5000)}"`,
    'emails[type eq "work"',
    'constructor pr',
    '__proto__ eq "x"',
    `userName eq "x"; DROP TABLE directory_users`,
  ])('that is none is refused, never taken for all or for none: %s', async (text) => {
    expectRefusal(await scim(directory, 'GET', `/Users?filter=${encodeURIComponent(text)}`), 400, 'invalidFilter')
  })

  it('is refused when it is there twice', async () => {
    const filter = encodeURIComponent('userName eq "ann"')
    expectRefusal(await scim(directory, 'GET', `/Users?filter=${filter}&filter=${filter}`), 400, 'invalidFilter')
    expect((await scim(directory, 'GET', `/Users?filter=${filter}`)).body).toMatchObject({ totalResults: 1 })
  })

  it.each([`ann' OR '1'='1`, 'ann"; DROP TABLE directory_users; --', '%', '_nn', '\\'])(
    'finds nobody by a value that would mean something in SQL: %s',
    async (value) => {
      const filter = encodeURIComponent(
        `userName eq ${JSON.stringify(value)} or displayName sw ${JSON.stringify(value)}`,
      )
      const reply = await scim(directory, 'GET', `/Users?filter=${filter}`)
      expect(reply.body).toMatchObject({ totalResults: 0, Resources: [] })
    },
  )

  it('on a discovery document is 403; any other parameter there is ignored', async () => {
    expectRefusal(await scim(directory, 'GET', '/Schemas?filter=id%20pr'), 403)
    expect((await scim(directory, 'GET', '/Schemas?attributes=x&count=1')).status).toBe(200)
  })
})

describe('a URL', () => {
  it.each([
    ['GET', '/Nothing', 404],
    ['GET', '/Users/not-an-id', 404],
    ['GET', `/Users/%00`, 404],
    ['GET', '/Schemas/urn:nothing', 404],
    ['GET', '/ResourceTypes/Nothing', 404],
    ['DELETE', '/Users', 405],
    ['POST', `/Users/x`, 405],
    ['PUT', '/Schemas', 405],
    ['GET', '/Me', 501],
    ['POST', '/Bulk', 404],
    ['GET', '/Users/%E0%A4%A', 400],
    ['GET', '/Users?count=many', 400],
  ])('%s %s is answered with %i as a SCIM error', async (method, path, status) => {
    const reply = await scim(directory, method, path)
    expectRefusal(reply, status, path.endsWith('many') ? 'invalidValue' : undefined)
    if (status === 405) expect(reply.headers.get('allow')).toMatch(/GET/)
  })

  it('is read without regard to the case of its endpoint', async () => {
    expect((await scim(directory, 'GET', `/users/${id.toUpperCase()}`)).body).toMatchObject({ id })
  })
})

describe('an answer', () => {
  it('never says what the server is made of, nor offers a tag it does not honour', async () => {
    for (const path of ['/Users', '/Nothing', `/Users/${id}`]) {
      const { headers } = await scim(directory, 'GET', path)
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('etag')).toBeNull()
    }
  })

  it('to HEAD is the answer to GET without its body', async () => {
    const head = await fetch(`${directory.baseUrl}/Users/${id}`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${directory.token}` },
    })
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    expect((await scim(directory, 'HEAD', '/Users/x')).status).toBe(404)
  })

  it('to a failure that nobody foresaw is a 500 that tells nothing, and the failure is reported', async () => {
    const broken = await startScimService()
    const of = await broken.createDirectory()
    expect((await scim(of, 'GET', '/Users')).status).toBe(200)
    await broken.query('ALTER TABLE directory_users RENAME TO gone')
    const reply = await scim(of, 'POST', '/Users', { userName: 'secret-name' })
    expect(reply.status).toBe(500)
    expect(reply.body).toEqual({ schemas: [errorUrn], status: '500', detail: expect.stringMatching(/went wrong/) })
    expect(reply.text).not.toMatch(/directory_users|secret-name|relation/)
    expect(broken.errors).toHaveLength(1)
    await broken.stop()
  })

  it('to a client that goes away in the middle of its body harms nobody else', async () => {
    const url = new URL(directory.baseUrl)
    const socket = connect(Number(url.port), url.hostname)
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.write(
      `POST ${url.pathname}/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${directory.token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"userName": "half`,
    )
    const before = await rows()
    await new Promise<void>((resolve) => socket.end(() => resolve()))
    expect((await scim(directory, 'GET', `/Users/${id}`)).status).toBe(200)
    expect(await rows()).toEqual(before)
  })
})
