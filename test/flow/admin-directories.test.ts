import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openAdminDoor, type TestDoor } from '../support/admin-door.ts'
import { type AdminOrganization, openOrganization } from '../support/admin-organization.ts'
import { addGroup, addToGroup, changeDirectoryUsers, request } from '../support/organization-fixture.ts'

let door: TestDoor
let acme: AdminOrganization

beforeAll(async () => {
  door = await openAdminDoor()
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})
beforeEach(async () => {
  acme = await openOrganization(door)
})

describe('directories', () => {
  test('what it counts and how far it is reconciled', async () => {
    const { directory, users } = await acme.pushed(3)
    const shown = async () => (await acme.tenant.get(`${acme.base}/directories/${directory}`)).body
    expect(await shown()).toMatchObject({
      scimBaseUrl: `https://rollcall.test/scim/v2/${directory}`,
      counts: { users: 3, activeUsers: 3, groups: 0 },
      sync: { inSync: true, pending: 0, behind: 0 },
    })
    await changeDirectoryUsers(door.db.pool, acme.tenant.tenant, users.slice(0, 1), { active: false })
    await request(door.db.pool, acme.place, 'directory_user', users.slice(0, 1))
    expect(await shown()).toMatchObject({ counts: { activeUsers: 2 }, sync: { inSync: false, pending: 1, behind: 1 } })
  })

  test('a decommissioned directory ends its people and its tokens, and does not come back', async () => {
    const { directory } = await acme.pushed(3)
    const changed = await acme.tenant.patch(`${acme.base}/directories/${directory}`, { state: 'decommissioned' })
    expect(changed.body.state).toBe('decommissioned')
    await acme.reconcile()
    expect((await acme.tenant.get(`${acme.base}/members?status=active`)).body.items).toHaveLength(1)
    expect((await acme.tenant.get(`${acme.base}/directories/${directory}`)).body.tokens).toEqual([])
    expect((await acme.tenant.patch(`${acme.base}/directories/${directory}`, { state: 'active' })).status).toBe(409)
    expect((await acme.tenant.post(`${acme.base}/directories/${directory}/tokens`, {})).status).toBe(409)
    expect(door.changedDirectories).toContain(directory)
  })

  test('pausing takes nobody away', async () => {
    const { directory, users } = await acme.pushed(3)
    await acme.tenant.patch(`${acme.base}/directories/${directory}`, { state: 'paused' })
    await addToGroup(
      door.db.pool,
      acme.tenant.tenant,
      directory,
      await addGroup(door.db.pool, acme.place, directory, 'G', []),
      users,
    )
    await acme.reconcile()
    expect((await acme.tenant.get(`${acme.base}/members?status=active`)).body.items).toHaveLength(4)
    expect((await acme.tenant.patch(`${acme.base}/directories/${directory}`, { state: 'active' })).body.state).toBe(
      'active',
    )
  })

  test('tokens rotate with an overlap, are shown once, and are revoked', async () => {
    const made = (await acme.tenant.post(`${acme.base}/directories`, { name: 'Entra', provider: 'entra' })).body
    expect(made.token.token).toMatch(/^rcd_[\w-]{43}$/)
    const path = `${acme.base}/directories/${made.directory.id}`
    const next = (await acme.tenant.post(`${path}/tokens`, { expireOthersAfterSeconds: 3600 })).body
    const { tokens } = (await acme.tenant.get(path)).body
    expect(tokens.map((token: { id: string }) => token.id)).toEqual([made.token.id, next.id])
    const leftMs = Date.parse(tokens[0].expiresAt) - Date.now()
    expect(leftMs).toBeGreaterThan(3_500_000)
    expect(leftMs).toBeLessThan(3_700_000)
    expect(tokens[1].expiresAt).toBeNull()
    expect(JSON.stringify(tokens)).not.toContain(next.token)

    expect((await acme.tenant.delete(`${path}/tokens/${made.token.id}`)).status).toBe(204)
    expect((await acme.tenant.get(path)).body.tokens).toHaveLength(1)
    const past = await acme.tenant.post(`${path}/tokens`, { expiresAt: '2020-01-01T00:00:00Z' })
    expect(past.status).toBe(400)
    expect((await acme.tenant.post(`${path}/tokens`, { expiresAt: '2099-01-01T00:00:00+02:00' })).status).toBe(201)
  })
})
