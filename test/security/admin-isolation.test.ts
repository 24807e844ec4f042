// Two tenants, and two organizations within each: every id of one, in every place of every route where an id can
// stand, is nothing for the other. The routes come from the OpenAPI document, so a new one is covered by being there.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminClient, openAdminDoor, type TestDoor } from '../support/admin-door.ts'
import { bodiesWithForeignId, bodyOf, fill, type Ids, tenantRoutes } from '../support/openapi-bodies.ts'
import { addDirectoryUsers, addGroup, changeDirectoryUsers, request } from '../support/organization-fixture.ts'

interface Side {
  readonly client: AdminClient
  /** Of the organization that is used. */
  readonly ids: Ids
  /** Of another organization of the same tenant. */
  readonly sibling: Ids
}

let door: TestDoor
let own: Side
let other: Side

beforeAll(async () => {
  door = await openAdminDoor()
  own = await populate(await door.newTenant())
  other = await populate(await door.newTenant())
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})

async function populate(client: AdminClient): Promise<Side> {
  return { client, ids: await populateOrganization(client, 'One'), sibling: await populateOrganization(client, 'Two') }
}

/** One of everything that has an id, made through the door where it can be. */
async function populateOrganization(client: AdminClient, name: string): Promise<Ids> {
  const made = async (path: string, body: object) => {
    const answer = await client.post(path, body)
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBeLessThan(300)
    return answer.body
  }
  const organizationId: string = (await made('/organizations', { name })).id
  const base = `/organizations/${organizationId}`
  const place = { tenant: client.tenant, organization: organizationId }
  const { directory, token } = await made(`${base}/directories`, { name: 'Okta', provider: 'okta' })
  await client.patch(`${base}/directories/${directory.id}`, { state: 'active' })
  const users = await addDirectoryUsers(door.db.pool, place, directory.id, 30, { domain: `${name}.example` })
  const group = await addGroup(door.db.pool, place, directory.id, 'Everybody', users)
  const mapping = await made(`${base}/mappings`, { source: { group }, target: { role: 'developer' } })
  await request(door.db.pool, place, 'directory_user', users)
  await door.reconcile(client.tenant, organizationId)
  const [member] = (await client.get(`${base}/members`)).body.items
  await made(`${base}/members/${member.id}/grants`, { role: 'admin' })
  await door.reconcile(client.tenant, organizationId)
  await changeDirectoryUsers(door.db.pool, client.tenant, users, { active: false })
  await request(door.db.pool, place, 'directory_user', users)
  await door.reconcile(client.tenant, organizationId)
  const [plan] = (await client.get(`${base}/held-plans`)).body.items
  const { grants } = (await client.get(`${base}/members/${member.id}`)).body
  const domain = await made(`${base}/domains`, { name: `${name}.example` })
  const secret = {
    kind: 'oidc',
    name: 'IdP',
    config: { issuer: 'https://idp.example', clientId: 'c' },
    clientSecret: 's',
  }
  const unit = await made(`${base}/units`, { kind: 'team', name: 'Platform' })
  const workspace = (await client.get(`${base}/workspaces`)).body.items[0]
  return {
    tenantId: client.tenant,
    organizationId,
    directoryId: directory.id,
    tokenId: token.id,
    mappingId: mapping.id,
    memberId: member.id,
    grantId: grants.find((grant: { source: string }) => grant.source === 'manual').id,
    planId: plan.id,
    domainId: domain.id,
    joinRuleId: (await made(`${base}/join-rules`, { domain: domain.id })).id,
    connectionId: (await made(`${base}/connections`, secret)).id,
    unitId: unit.id,
    workspaceId: workspace.id,
    groupId: group,
  }
}

async function denials(tenant: string): Promise<string[]> {
  const { rows } = await door.db.pool.query(
    `SELECT subject_id FROM audit_entries WHERE tenant_id = $1 AND action = 'access.denied'`,
    [tenant],
  )
  return rows.map((row) => row.subject_id)
}

/** Everything a tenant has, but for the denials of others, which are not its own. */
async function stateOf(tenant: string): Promise<string> {
  const { rows: tables } = await door.db.pool.query(
    `SELECT table_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name`,
  )
  const states: string[] = []
  for (const { table_name: table } of tables) {
    const { rows } = await door.db.pool.query(
      `SELECT count(*)::int AS count, md5(string_agg(row::text, '' ORDER BY row::text)) AS hash
       FROM ${table} AS row WHERE tenant_id = $1`,
      [tenant],
    )
    states.push(`${table} ${rows[0].count} ${rows[0].hash}`)
  }
  return states.join('\n')
}

describe('another tenant', () => {
  test('there are routes to look at, and each with ids works with the own ones', async () => {
    const routes = tenantRoutes(door.document)
    expect(routes.length).toBeGreaterThan(35)
    for (const route of routes.filter(({ method, params }) => method === 'get' && params.length > 0)) {
      const answer = await own.client.call('get', fill(route.path, own.ids))
      expect(answer.status, route.operation.operationId).toBe(200)
    }
  })

  test('its ids are 404 in every path of every route, one at a time, and the attempt is audited', async () => {
    const before = await stateOf(other.client.tenant)
    for (const route of tenantRoutes(door.document)) {
      for (const param of route.params) {
        const ids = { ...own.ids, [param]: other.ids[param] ?? '' }
        const known = (await denials(own.client.tenant)).length
        const answer = await own.client.call(route.method, fill(route.path, ids), bodyOf(route.operation, own.ids))
        const what = `${route.operation.operationId} with a foreign ${param}`
        expect(answer.status, what).toBe(404)
        expect(answer.body.code, what).toBe('not_found')
        const denied = await denials(own.client.tenant)
        expect(denied.length, what).toBe(known + 1)
        expect(denied, what).toContain(other.ids[param])
      }
    }
    expect(await stateOf(other.client.tenant)).toBe(before)
  })

  test('its ids are 404 in every body of every route, and the same body with own ids is taken or refused as such', async () => {
    const before = await stateOf(other.client.tenant)
    let bodies = 0
    for (const route of tenantRoutes(door.document)) {
      const path = fill(route.path, own.ids)
      for (const { member, body } of bodiesWithForeignId(door.document, route.operation, own.ids, other.ids)) {
        bodies += 1
        const known = (await denials(own.client.tenant)).length
        const answer = await own.client.call(route.method, path, body)
        expect(answer.status, `${route.operation.operationId} with a foreign ${member}: ${JSON.stringify(body)}`).toBe(
          404,
        )
        expect((await denials(own.client.tenant)).length, member).toBe(known + 1)
      }
      for (const { member, body } of bodiesWithForeignId(door.document, route.operation, own.ids, own.ids)) {
        const answer = await own.client.call(route.method, path, body)
        expect([200, 201, 202, 409], `${route.operation.operationId} with an own ${member}`).toContain(answer.status)
      }
    }
    expect(bodies).toBeGreaterThan(8)
    expect(await stateOf(other.client.tenant)).toBe(before)
  })

  test('its key lists nothing of ours', async () => {
    for (const route of tenantRoutes(door.document).filter(
      ({ method, params }) => method === 'get' && params.length === 0,
    )) {
      const { body } = await other.client.call('get', route.path)
      const text = JSON.stringify(body)
      for (const id of Object.values(own.ids)) expect(text, route.operation.operationId).not.toContain(id)
    }
  })
})

describe('another organization of the same tenant', () => {
  test('its ids are 404 below an organization that they do not belong to', async () => {
    const below = tenantRoutes(door.document).filter(
      ({ params }) => params.length > 1 && params[0] === 'organizationId',
    )
    expect(below.length).toBeGreaterThan(15)
    for (const route of below) {
      for (const param of route.params.slice(1)) {
        const ids = { ...own.ids, [param]: own.sibling[param] ?? '' }
        const answer = await own.client.call(route.method, fill(route.path, ids), bodyOf(route.operation, own.ids))
        expect(answer.status, `${route.operation.operationId} with a sibling's ${param}`).toBe(404)
      }
    }
  })

  test('its ids are 404 in the body of a request for another organization', async () => {
    for (const route of tenantRoutes(door.document).filter(({ params }) => params[0] === 'organizationId')) {
      for (const { member, body } of bodiesWithForeignId(door.document, route.operation, own.ids, own.sibling)) {
        const answer = await own.client.call(route.method, fill(route.path, own.ids), body)
        expect(answer.status, `${route.operation.operationId} with a sibling's ${member}`).toBe(404)
      }
    }
  })
})

test('an id that is none is 404 and leaves no entry, because it can name nothing', async () => {
  const known = (await denials(own.client.tenant)).length
  expect((await own.client.get('/organizations/1')).status).toBe(404)
  expect((await own.client.get(`/organizations/${own.ids['organizationId']?.toUpperCase()}`)).status).toBe(200)
  expect((await denials(own.client.tenant)).length).toBe(known)
})

test('no answer of any route holds a stored secret or its hash', async () => {
  const texts: string[] = []
  for (const route of tenantRoutes(door.document).filter(({ method }) => method === 'get')) {
    texts.push(JSON.stringify((await own.client.call('get', fill(route.path, own.ids))).body))
  }
  const { rows } = await door.db.pool.query(
    `SELECT encode(hash, 'hex') AS hash FROM directory_tokens UNION ALL SELECT encode(hash, 'hex') FROM api_keys
     UNION ALL SELECT encode(sealed_secret, 'hex') FROM connections WHERE sealed_secret IS NOT NULL`,
  )
  expect(rows.length).toBeGreaterThan(4)
  for (const { hash } of rows) {
    const forms = [hash, Buffer.from(hash, 'hex').toString('base64'), Buffer.from(hash, 'hex').toString('base64url')]
    for (const form of forms) for (const text of texts) expect(text).not.toContain(form)
  }
})
