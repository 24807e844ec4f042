import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openAdminDoor, type TestDoor } from '../support/admin-door.ts'
import { type AdminOrganization, openOrganization } from '../support/admin-organization.ts'
import { addGroup, changeDirectoryUsers, request } from '../support/organization-fixture.ts'

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

describe('members', () => {
  test('the owner named at the beginning is a seated member with a public id', async () => {
    const { items } = (await acme.tenant.get(`${acme.base}/members`)).body
    expect(items).toMatchObject([
      { publicId: 'ORG1-U-1', email: 'ada@acme.example', displayName: 'Ada', role: 'owner', status: 'active' },
    ])
    expect(items[0].seated).toBe(true)
    expect((await acme.tenant.get(`${acme.base}`)).body).toMatchObject({
      seatsUsed: 1,
      members: { active: 1, removed: 0 },
    })
  })

  test('somebody added by hand comes in with the role and unit that were said', async () => {
    const team = (await acme.tenant.post(`${acme.base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const added = await acme.tenant.post(`${acme.base}/members`, {
      email: 'grace@acme.example',
      role: 'developer',
      unit: team,
    })
    expect(added.status).toBe(202)
    await acme.reconcile()
    const grace = await acme.memberByEmail('Grace@ACME.example')
    expect(grace).toMatchObject({ role: 'developer', source: 'manual', units: [{ id: team, name: 'Platform' }] })
  })

  test('the same address is added once, also when it is added ten times at once', async () => {
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        acme.tenant.post(`${acme.base}/members`, { email: index % 2 === 0 ? 'eve@acme.example' : 'Eve@acme.example' }),
      ),
    )
    expect(tries.map((one) => one.status).sort()).toEqual([202, ...Array(9).fill(409)])
    await acme.reconcile()
    expect((await acme.tenant.post(`${acme.base}/members`, { email: 'EVE@acme.example' })).status).toBe(409)
    expect((await acme.tenant.get(`${acme.base}/members`)).body.items).toHaveLength(2)
  })

  test('with no seat left nobody is added under block, and under waitlist they wait', async () => {
    await acme.tenant.patch(acme.base, { seatLimit: 1 })
    const refused = await acme.tenant.post(`${acme.base}/members`, { email: 'late@acme.example' })
    expect(refused).toMatchObject({ status: 403, body: { code: 'seats_exhausted' } })
    await acme.tenant.patch(acme.base, { seatPolicy: 'waitlist' })
    expect((await acme.tenant.post(`${acme.base}/members`, { email: 'late@acme.example' })).status).toBe(202)
    await acme.reconcile()
    expect(await acme.memberByEmail('late@acme.example')).toMatchObject({ status: 'waitlisted', seated: false })
    expect((await acme.tenant.get(`${acme.base}`)).body.attention).toEqual([{ reason: 'seats_exhausted', count: 1 }])
    await acme.tenant.patch(acme.base, { seatLimit: 2 })
    await acme.reconcile()
    expect(await acme.memberByEmail('late@acme.example')).toMatchObject({ status: 'active', seated: true })
  })

  test('the list filters by status and role and pages without loss', async () => {
    await acme.pushed(7)
    const all = (await acme.tenant.get(`${acme.base}/members`)).body.items
    expect(all).toHaveLength(8)
    expect((await acme.tenant.get(`${acme.base}/members?role=owner`)).body.items).toHaveLength(1)
    expect((await acme.tenant.get(`${acme.base}/members?status=active&role=viewer`)).body.items).toHaveLength(7)
    expect((await acme.tenant.get(`${acme.base}/members?status=removed`)).body.items).toEqual([])
    expect((await acme.tenant.get(`${acme.base}/members?status=gone`)).status).toBe(400)
    const first = (await acme.tenant.get(`${acme.base}/members?limit=5`)).body
    const rest = (await acme.tenant.get(`${acme.base}/members?limit=5&after=${first.next}`)).body
    expect([...first.items, ...rest.items]).toEqual(all)
    expect(rest.next).toBeNull()
  })
})

describe('grants by hand', () => {
  test('what an admin gives is held, shown and taken back, and the member stays', async () => {
    await acme.pushed(1)
    const { id } = await acme.memberByEmail('user1@example.com')
    const grants = `${acme.base}/members/${id}/grants`
    expect((await acme.tenant.post(grants, { role: 'admin' })).status).toBe(202)
    await acme.reconcile()
    const held = (await acme.tenant.get(`${acme.base}/members/${id}`)).body
    expect(held).toMatchObject({ role: 'admin', grants: [{ kind: 'role', roleKey: 'admin', source: 'manual' }] })
    expect((await acme.tenant.post(grants, { role: 'admin' })).status).toBe(409)

    expect((await acme.tenant.delete(`${grants}/${held.grants[0].id}`)).status).toBe(204)
    await acme.reconcile()
    expect((await acme.tenant.get(`${acme.base}/members/${id}`)).body).toMatchObject({
      role: 'viewer',
      status: 'active',
      grants: [],
    })
    expect((await acme.tenant.delete(`${grants}/${held.grants[0].id}`)).status).toBe(404)
  })

  test('taking back the role of somebody who was added by hand leaves them a member', async () => {
    const team = (await acme.tenant.post(`${acme.base}/units`, { kind: 'team', name: 'Platform' })).body.id
    await acme.tenant.post(`${acme.base}/members`, { email: 'grace@acme.example', role: 'admin', unit: team })
    await acme.reconcile()
    const grace = await acme.memberByEmail('grace@acme.example')
    const { grants } = (await acme.tenant.get(`${acme.base}/members/${grace.id}`)).body
    const role = grants.find((grant: { kind: string }) => grant.kind === 'role')
    await acme.tenant.delete(`${acme.base}/members/${grace.id}/grants/${role.id}`)
    await acme.reconcile()
    const left = (await acme.tenant.get(`${acme.base}/members/${grace.id}`)).body
    expect(left).toMatchObject({ status: 'active', role: 'viewer', grants: [{ kind: 'unit' }] })
    await acme.tenant.delete(`${acme.base}/members/${grace.id}/grants/${left.grants[0].id}`)
    await acme.reconcile()
    expect(await acme.memberByEmail('grace@acme.example')).toMatchObject({ status: 'active', units: [] })
  })

  test('a grant of another source is not taken back by hand', async () => {
    const { directory, users } = await acme.pushed(1)
    const group = await addGroup(door.db.pool, acme.place, directory, 'Admins', users)
    await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { role: 'admin' } })
    await acme.reconcile()
    const { id } = await acme.memberByEmail('user1@example.com')
    const { grants } = (await acme.tenant.get(`${acme.base}/members/${id}`)).body
    const refused = await acme.tenant.delete(`${acme.base}/members/${id}/grants/${grants[0].id}`)
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } })
  })

  test('somebody whom the directory deleted comes back as the same member when added by hand', async () => {
    const { users } = await acme.pushed(1)
    const before = await acme.memberByEmail('user1@example.com')
    await changeDirectoryUsers(door.db.pool, acme.tenant.tenant, users, { deleted: true })
    await request(door.db.pool, acme.place, 'directory_user', users)
    await acme.reconcile()
    expect(await acme.memberByEmail('user1@example.com')).toMatchObject({ status: 'removed' })
    expect((await acme.tenant.post(`${acme.base}/members/${before.id}/grants`, { role: 'admin' })).status).toBe(409)

    expect((await acme.tenant.post(`${acme.base}/members`, { email: 'user1@example.com', role: 'admin' })).status).toBe(
      202,
    )
    await acme.reconcile()
    expect(await acme.memberByEmail('user1@example.com')).toMatchObject({
      id: before.id,
      status: 'active',
      role: 'admin',
    })
    expect((await acme.tenant.get(`${acme.base}/conflicts`)).body.items).toEqual([])
  })
})

describe('mappings', () => {
  test('making and deleting one reconciles exactly the people in the group', async () => {
    const { directory, users } = await acme.pushed(4)
    const team = (await acme.tenant.post(`${acme.base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const group = await addGroup(door.db.pool, acme.place, directory, 'Platform', users.slice(0, 2))
    const groups = await acme.tenant.get(`${acme.base}/directories/${directory}/groups`)
    expect(groups.body.items).toEqual([{ id: group, displayName: 'Platform', externalId: null, memberCount: 2 }])

    const made = await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { unit: team } })
    expect(made).toMatchObject({
      status: 201,
      body: { requested: 2, source: { group, displayName: 'Platform' }, target: { unit: team, name: 'Platform' } },
    })
    const asked = await door.db.pool.query(
      'SELECT subject_id, cause_id FROM reconcile_requests WHERE organization_id = $1',
      [acme.id],
    )
    expect(asked.rows.map((row) => row.subject_id).sort()).toEqual(users.slice(0, 2).sort())
    const cause = await door.db.pool.query('SELECT action, subject_id FROM audit_entries WHERE id = $1', [
      asked.rows[0].cause_id,
    ])
    expect(cause.rows).toEqual([{ action: 'mapping.created', subject_id: made.body.id }])
    await acme.reconcile()
    const inTeam = async () =>
      (await acme.tenant.get(`${acme.base}/members`)).body.items.filter(
        (one: { units: unknown[] }) => one.units.length > 0,
      )
    expect(await inTeam()).toHaveLength(2)

    expect((await acme.tenant.delete(`${acme.base}/mappings/${made.body.id}`)).status).toBe(204)
    await acme.reconcile()
    expect(await inTeam()).toEqual([])
    expect((await acme.tenant.get(`${acme.base}/mappings`)).body.items).toEqual([])
    expect((await acme.tenant.delete(`${acme.base}/mappings/${made.body.id}`)).status).toBe(404)
  })

  test('a mapping to the owner role has to be meant', async () => {
    const { directory, users } = await acme.pushed(1)
    const group = await addGroup(door.db.pool, acme.place, directory, 'Chiefs', users)
    const mapping = { source: { group }, target: { role: 'owner' } }
    expect((await acme.tenant.post(`${acme.base}/mappings`, mapping)).status).toBe(400)
    expect((await acme.tenant.post(`${acme.base}/mappings`, { ...mapping, grantsOwner: true })).status).toBe(201)
    expect((await acme.tenant.post(`${acme.base}/mappings`, { ...mapping, grantsOwner: true })).status).toBe(409)
  })

  test('a mapping whose group is gone is pointed out, and cannot be made', async () => {
    const { directory, users } = await acme.pushed(1)
    const group = await addGroup(door.db.pool, acme.place, directory, 'Gone', users)
    await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { role: 'admin' } })
    expect((await acme.tenant.get(acme.base)).body.attention).toEqual([])
    await door.db.pool.query('UPDATE directory_groups SET deleted_at = now() WHERE id = $1', [group])
    expect((await acme.tenant.get(acme.base)).body.attention).toEqual([{ reason: 'mapping_without_effect', count: 1 }])
    const again = await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { role: 'developer' } })
    expect(again.status).toBe(404)
  })
})
