import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrapKey, openAdminDoor, type TestDoor } from '../support/admin-door.ts'

let door: TestDoor

beforeAll(async () => {
  door = await openAdminDoor()
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})

const unknownId = '01900000-0000-7000-8000-000000000000'

describe('keys', () => {
  test('a tenant is made with the bootstrap key, and its own key then opens its own tenant', async () => {
    const bootstrap = door.client(bootstrapKey)
    const made = await bootstrap.post('/tenants', { slug: 'acme', name: 'Acme', roleSet: 'cloud' })
    expect(made.status).toBe(201)
    expect(made.body.apiKey.key).toMatch(/^rck_[\w-]{43}$/)
    const own = await door.client(made.body.apiKey.key).get('/tenant')
    expect(own.body).toMatchObject({ id: made.body.tenant.id, slug: 'acme', signUpPolicy: 'refuse' })
  })

  test('a key is stored as its SHA-256 only', async () => {
    const { key } = await door.newTenant()
    const { rows } = await door.db.pool.query('SELECT row_to_json(api_keys)::text AS row FROM api_keys')
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(key.slice(12))
  })

  test('a missing, malformed, unknown or revoked key gets one and the same 401', async () => {
    const revoked = await door.newTenant()
    expect((await revoked.get('/tenant')).status).toBe(200)
    await door.db.pool.query('UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1', [revoked.tenant])
    const headers = [
      {},
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer rck_unknown' },
      { authorization: `Bearer ${bootstrapKey}x` },
      { authorization: `Bearer ${revoked.key}` },
    ]
    const answers = await Promise.all(
      headers.map(async (header) => {
        const response = await fetch(`${door.base}/tenant`, { headers: header })
        return {
          status: response.status,
          type: response.headers.get('content-type'),
          challenge: response.headers.get('www-authenticate'),
          body: await response.text(),
        }
      }),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ status: 401, type: 'application/problem+json; charset=utf-8' })
    expect(answers[0]?.challenge).toContain('Bearer')
  })

  test('the bootstrap key opens nothing of a tenant, and a tenant key makes no tenants', async () => {
    const tenant = await door.newTenant()
    expect((await door.client(bootstrapKey).get('/tenant')).status).toBe(403)
    expect((await tenant.post('/tenants', { slug: 'more', name: 'More' })).status).toBe(403)
    expect((await tenant.get('/tenants')).status).toBe(403)
    expect((await tenant.post(`/tenants/${tenant.tenant}/api-keys`, { name: 'own' })).status).toBe(403)
  })

  test('a further key opens the tenant it was made for; a tenant that does not exist gets none', async () => {
    const tenant = await door.newTenant()
    const bootstrap = door.client(bootstrapKey)
    const further = await bootstrap.post(`/tenants/${tenant.tenant}/api-keys`, { name: 'second' })
    expect((await door.client(further.body.key).get('/tenant')).body.id).toBe(tenant.tenant)
    expect((await bootstrap.post(`/tenants/${unknownId}/api-keys`, { name: 'none' })).status).toBe(404)
  })

  test('using a key leaves a trace of when', async () => {
    const tenant = await door.newTenant()
    await tenant.get('/tenant')
    const { rows } = await door.db.pool.query('SELECT last_used_at FROM api_keys WHERE tenant_id = $1', [tenant.tenant])
    expect(rows[0].last_used_at).toBeInstanceOf(Date)
  })
})

describe('tenants', () => {
  test('every preset makes its roles, the owner strongest', async () => {
    for (const roleSet of ['learning', 'claims', 'cloud', 'reseller', 'retail']) {
      const tenant = await door.newTenant({ roleSet })
      const { items } = (await tenant.get('/roles')).body
      expect(items).toHaveLength(1)
      expect(items[0].key).toBe(roleSet)
      expect(items[0].roles[0].isOwner).toBe(true)
    }
    const cloud = await door.newTenant({ roleSet: 'cloud' })
    const names = (await cloud.get('/roles')).body.items[0].roles.map((role: { name: string }) => role.name)
    expect(names).toEqual(['Owner', 'Admin', 'Developer', 'Viewer'])
  })

  test('a role set of its own is taken when it can carry an organization, and refused when it cannot', async () => {
    const roles = [
      { key: 'chief', name: 'Chief', rank: 9, isOwner: true },
      { key: 'hand', name: 'Hand', rank: 1 },
    ]
    const tenant = await door.newTenant({ roleSet: { key: 'own', name: 'Own', roles } })
    const made = await tenant.post('/organizations', { name: 'Crew' })
    expect(made.body).toMatchObject({ roleSet: 'own', defaultRole: 'hand' })

    const bootstrap = door.client(bootstrapKey)
    const refused = [
      roles.map((role) => ({ ...role, isOwner: false })),
      roles.map((role) => ({ ...role, isOwner: true })),
      roles.map((role) => ({ ...role, key: 'same' })),
      roles.map((role) => ({ ...role, rank: 5 })),
      [roles[0], { ...roles[1], scopeKind: 'unit' }],
    ]
    for (const [index, bad] of refused.entries()) {
      const body = { slug: `bad-${index}`, name: 'Bad', roleSet: { key: 'own', name: 'Own', roles: bad } }
      expect((await bootstrap.post('/tenants', body)).status).toBe(400)
    }
  })

  test('a slug is taken once', async () => {
    const bootstrap = door.client(bootstrapKey)
    expect((await bootstrap.post('/tenants', { slug: 'once', name: 'One' })).status).toBe(201)
    const again = await bootstrap.post('/tenants', { slug: 'once', name: 'Two' })
    expect(again).toMatchObject({ status: 409, body: { code: 'uniqueness' } })
  })

  test('the list of tenants pages through all of them, each once', async () => {
    for (let count = 0; count < 3; count += 1) await door.newTenant()
    const bootstrap = door.client(bootstrapKey)
    const all = (await bootstrap.get('/tenants?limit=200')).body.items.map((tenant: { id: string }) => tenant.id)
    const paged: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const { body } = await bootstrap.get(`/tenants?limit=2${after === '' ? '' : `&after=${after}`}`)
      paged.push(...body.items.map((tenant: { id: string }) => tenant.id))
      after = body.next
    }
    expect(paged).toEqual(all)
    expect(new Set(paged).size).toBe(paged.length)
  })

  test('a policy that sends people to the default organization needs one, and one of the own tenant', async () => {
    const tenant = await door.newTenant()
    expect((await tenant.patch('/tenant', { signUpPolicy: 'default' })).status).toBe(409)
    const other = await door.newTenant()
    const foreign = await other.post('/organizations', { name: 'Foreign' })
    const stolen = await tenant.patch('/tenant', { defaultOrganizationId: foreign.body.id })
    expect(stolen.status).toBe(404)

    const organization = await tenant.post('/organizations', { name: 'Landing' })
    const changed = await tenant.patch('/tenant', {
      signUpPolicy: 'default',
      defaultOrganizationId: organization.body.id,
    })
    expect(changed).toMatchObject({
      status: 200,
      body: { signUpPolicy: 'default', defaultOrganizationId: organization.body.id },
    })
  })
})

test('what belongs to no organization is in the audit trail of the tenant, attempts at others included', async () => {
  const tenant = await door.newTenant()
  const other = await door.newTenant()
  const foreign = (await other.post('/organizations', { name: 'Foreign' })).body.id
  await tenant.get(`/organizations/${foreign}`)
  const { items } = (await tenant.get('/audit')).body
  expect(items.map((entry: { action: string }) => entry.action)).toEqual([
    'access.denied',
    'api_key.created',
    'tenant.created',
  ])
  expect(items[0]).toMatchObject({ subjectKind: 'organization', subjectId: foreign })
  expect((await other.get('/audit?action=access.denied')).body.items).toEqual([])
})

describe('what comes in', () => {
  test('an unknown member is refused by its name, and the same body without it is taken', async () => {
    const tenant = await door.newTenant()
    const refused = await tenant.post('/organizations', {
      name: 'Acme',
      seats: 5,
      owner: { email: 'a@b.example', x: 1 },
    })
    expect(refused.status).toBe(400)
    expect(refused.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/owner/x',
      '/seats',
    ])
    expect((await tenant.post('/organizations', { name: 'Acme' })).status).toBe(201)
  })

  test('a body that is not JSON, not in bounds or not said to be JSON is refused, each with its own answer', async () => {
    const tenant = await door.newTenant()
    const send = async (body: string | Uint8Array, type = 'application/json', more = {}) => {
      const headers = { authorization: `Bearer ${tenant.key}`, 'content-type': type, ...more }
      const response = await fetch(`${door.base}/organizations`, { method: 'POST', headers, body })
      const { code } = (await response.json()) as { code?: string }
      return { status: response.status, code }
    }
    expect(await send('{"name":"ok"}', 'application/json; charset=utf-8')).toMatchObject({ status: 201 })
    expect(await send('{"name":')).toEqual({ status: 400, code: 'invalid_syntax' })
    expect(await send(new Uint8Array([0x22, 0xff, 0x22]))).toEqual({ status: 400, code: 'invalid_syntax' })
    expect(await send(`{"name":${'['.repeat(100)}${']'.repeat(100)}}`)).toEqual({ status: 400, code: 'invalid_syntax' })
    expect(await send('{"name":"x"}', 'text/plain')).toEqual({ status: 415, code: 'unsupported_media_type' })
    expect(await send('{"name":"x"}', 'application/json', { 'content-encoding': 'gzip' })).toEqual({
      status: 415,
      code: 'unsupported_media_type',
    })
    expect(await send(`{"name":"${'x'.repeat(300_000)}"}`)).toEqual({ status: 413, code: 'too_large' })
    expect(await send('[]')).toEqual({ status: 400, code: 'invalid_value' })
  })

  test('an unknown address is 404, and a known one with another method 405 with what it takes', async () => {
    const tenant = await door.newTenant()
    expect((await tenant.get('/nothing')).status).toBe(404)
    const wrong = await tenant.delete('/organizations')
    expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
    expect(wrong.headers.get('allow')).toBe('POST, GET')
    expect((await tenant.get('/organizations/%ff')).status).toBe(400)
    expect((await tenant.get('/organizations?limit=0')).status).toBe(400)
    expect((await tenant.get('/organizations?page=2')).status).toBe(400)
    expect((await tenant.get('/organizations?after=2147483647')).status).toBe(200)
    expect((await tenant.get('/organizations?after=2147483648')).status).toBe(400)
    expect((await tenant.get('/audit?action=a%00b')).status).toBe(400)
  })

  test('the document is OpenAPI 3.1 and can be read without a key', async () => {
    expect(door.document.openapi).toBe('3.1.0')
    const ids = Object.values(door.document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId))
    expect(ids.length).toBeGreaterThan(5)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
