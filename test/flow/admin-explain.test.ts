import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expirePlans } from '../../src/work/expire-held-plans.ts'
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

describe('explaining a member', () => {
  test('a role by a group leads to the mapping, the directory user and the request that caused it', async () => {
    const { directory, users } = await acme.pushed(2)
    const group = await addGroup(door.db.pool, acme.place, directory, 'Admins', users.slice(0, 1))
    const mapping = (await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { role: 'admin' } }))
      .body
    await acme.reconcile()
    const { id } = await acme.memberByEmail('user1@example.com')
    const why = (await acme.tenant.get(`${acme.base}/members/${id}/explain`)).body
    expect(why.member).toMatchObject({ role: 'admin', publicId: 'ORG1-U-2' })
    expect(why.grants).toHaveLength(1)
    expect(why.grants[0]).toMatchObject({
      roleKey: 'admin',
      source: 'directory_group',
      origin: {
        kind: 'mapping',
        id: mapping.id,
        mapping: { source: { displayName: 'Admins' }, target: { role: 'admin' } },
        directoryUsers: [{ id: users[0], userName: 'user1@example.com', directory: { name: 'Okta' } }],
      },
    })
    expect(why.grants[0].because.map((cause: { action: string }) => cause.action)).toEqual([
      'grant.added',
      'mapping.created',
    ])
    expect(why.grants[0].because[1].actor).toMatch(/^key:/)
    expect(Date.parse(why.grants[0].because[0].at)).toBeGreaterThanOrEqual(Date.parse(why.grants[0].because[1].at))
    expect(why.directoryUsers).toMatchObject([{ id: users[0], active: true, groups: [{ displayName: 'Admins' }] }])
    expect(why.state.because[0].action).toBe('member.created')
    expect(why.seat).toMatchObject({ seated: true, because: [{ action: 'member.created' }] })
    const other = await acme.memberByEmail('user2@example.com')
    expect((await acme.tenant.get(`${acme.base}/members/${other.id}/explain`)).body.grants).toEqual([])
  })

  test('a role by hand leads to the entry and the admin who said it', async () => {
    const ada = await acme.memberByEmail('ada@acme.example')
    const why = (await acme.tenant.get(`${acme.base}/members/${ada.id}/explain`)).body
    expect(why.entries).toMatchObject([{ kind: 'manual', email: 'ada@acme.example', withdrawnAt: null }])
    expect(why.grants[0].origin).toMatchObject({ kind: 'entry', entries: [why.entries[0].id], mapping: null })
    expect(why.grants[0].because.map((cause: { action: string }) => cause.action)).toEqual([
      'grant.added',
      'entry.created',
      'organization.created',
    ])
  })

  test('a state follows what the directory said last', async () => {
    const { users } = await acme.pushed(1)
    await changeDirectoryUsers(door.db.pool, acme.tenant.tenant, users, { active: false })
    await request(door.db.pool, acme.place, 'directory_user', users)
    await acme.reconcile()
    const { id } = await acme.memberByEmail('user1@example.com')
    const why = (await acme.tenant.get(`${acme.base}/members/${id}/explain`)).body
    expect(why.state).toMatchObject({ status: 'inactive', because: [{ action: 'member.deactivated' }] })
    expect(why.seat).toMatchObject({ seated: false, because: [{ action: 'member.deactivated' }] })
  })
})

describe('held plans', () => {
  async function heldPlan() {
    const { directory, users } = await acme.pushed(30)
    await changeDirectoryUsers(door.db.pool, acme.tenant.tenant, users, { active: false })
    await request(door.db.pool, acme.place, 'directory_user', users)
    await acme.reconcile()
    const { items } = (await acme.tenant.get(`${acme.base}/held-plans`)).body
    expect(items).toHaveLength(1)
    return { plan: items[0], directory, users }
  }
  const active = async () => (await acme.tenant.get(`${acme.base}`)).body.members.active

  test('it says who and why, and the removals wait until it is approved', async () => {
    const { plan, directory } = await heldPlan()
    expect(await active()).toBe(31)
    expect((await acme.tenant.get(acme.base)).body.attention).toEqual([{ reason: 'held', count: 1 }])
    const shown = (await acme.tenant.get(`${acme.base}/held-plans/${plan.id}?limit=20`)).body
    expect(shown.plan).toMatchObject({ state: 'held', counts: { deactivate: 30 } })
    expect(shown.changes.items).toHaveLength(20)
    expect(shown.changes.items[0]).toMatchObject({ kind: 'deactivate', directoryId: directory, state: 'held' })
    const rest = (await acme.tenant.get(`${acme.base}/held-plans/${plan.id}?limit=20&after=${shown.changes.next}`)).body
    expect(rest.changes).toMatchObject({ next: null })
    expect(rest.changes.items).toHaveLength(10)

    const stale = await acme.tenant.post(`${acme.base}/held-plans/${plan.id}/approve`, { hash: 'another' })
    expect(stale).toMatchObject({ status: 412 })
    const approved = await acme.tenant.post(`${acme.base}/held-plans/${plan.id}/approve`, { hash: plan.hash })
    expect(approved).toMatchObject({ status: 200, body: { state: 'approved' } })
    await acme.reconcile()
    expect(await active()).toBe(1)
    expect((await acme.tenant.post(`${acme.base}/held-plans/${plan.id}/reject`)).status).toBe(409)
    expect((await acme.tenant.get(`${acme.base}/held-plans`)).body.items).toEqual([])
  })

  test('rejected, the members stay', async () => {
    const { plan } = await heldPlan()
    expect((await acme.tenant.post(`${acme.base}/held-plans/${plan.id}/reject`)).body.state).toBe('rejected')
    await acme.reconcile()
    expect(await active()).toBe(31)
    expect((await acme.tenant.get(`${acme.base}/held-plans`)).body.items).toEqual([])
  })

  test('undecided for too long it ends, nobody is removed for that, and the admin is asked again', async () => {
    const { plan } = await heldPlan()
    expect(await expirePlans(door.db)).toBe(0)
    await door.db.pool.query("UPDATE plans SET expires_at = now() - interval '1 minute' WHERE id = $1", [plan.id])
    expect(await expirePlans(door.db)).toBe(1)
    await acme.reconcile()
    expect(await active()).toBe(31)
    const { items } = (await acme.tenant.get(`${acme.base}/held-plans`)).body
    expect(items).toMatchObject([{ state: 'held', counts: { deactivate: 30 } }])
    expect(items[0].id).not.toBe(plan.id)
  })
})

describe('an organization as a whole', () => {
  test('the summary counts members by role, unit and source', async () => {
    const { directory, users } = await acme.pushed(3)
    const team = (await acme.tenant.post(`${acme.base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const group = await addGroup(door.db.pool, acme.place, directory, 'Platform', users)
    await acme.tenant.post(`${acme.base}/mappings`, { source: { group }, target: { unit: team } })
    await acme.reconcile()
    const { body } = await acme.tenant.get(`${acme.base}/summary`)
    expect(body).toMatchObject({
      organization: { seatsUsed: 4 },
      roles: [
        { name: 'Owner', members: 1 },
        { name: 'Viewer', members: 3 },
      ],
      units: [{ name: 'Platform', kind: 'team', members: 3 }],
      sources: [
        { name: 'directory', members: 3 },
        { name: 'manual', members: 1 },
      ],
      sync: { inSync: true, pending: 0 },
    })
    expect(body.members).toHaveLength(4)
  })

  test('a resync asks for every fact and the organization, and changes nothing', async () => {
    await acme.pushed(3)
    const before = (await acme.tenant.get(`${acme.base}/members`)).body
    expect((await acme.tenant.post(`${acme.base}/resync`)).body).toEqual({ requested: 5 })
    expect((await acme.tenant.get(`${acme.base}/sync`)).body).toMatchObject({ inSync: false, pending: 5 })
    await acme.reconcile()
    expect((await acme.tenant.get(`${acme.base}/sync`)).body).toMatchObject({ inSync: true, pending: 0 })
    expect((await acme.tenant.get(`${acme.base}/members`)).body).toEqual(before)
  })

  test('the audit trail reads from the latest back, the events from the first on', async () => {
    await acme.pushed(3)
    const audit = (await acme.tenant.get(`${acme.base}/audit?limit=200`)).body
    const ids = audit.items.map((entry: { id: string }) => entry.id)
    expect(ids).toEqual([...ids].sort().reverse())
    const created = (await acme.tenant.get(`${acme.base}/audit?action=organization.created`)).body.items
    expect(created).toMatchObject([{ subjectId: acme.id, before: null, after: { name: 'Acme' } }])
    expect((await acme.tenant.get(`${acme.base}/audit?subject=${acme.id}`)).body.items.length).toBeGreaterThan(0)

    const events = (await acme.tenant.get(`${acme.base}/events?limit=3`)).body
    expect(events.items).toHaveLength(3)
    const on = (await acme.tenant.get(`${acme.base}/events?after=${events.next}`)).body
    expect(on.items[0].id).toBeGreaterThan(events.items[2].id)
    expect(on.items.some((event: { type: string }) => event.type === 'member.created')).toBe(true)
  })

  test('a conflict is shown with both who came and whom they look like', async () => {
    await acme.tenant.post(`${acme.base}/members`, { email: 'user1@example.com', displayName: 'Known' })
    await acme.reconcile()
    const { users } = await acme.pushed(1)
    expect((await acme.tenant.get(`${acme.base}/conflicts`)).body.items).toMatchObject([
      {
        subjectKind: 'directory_user',
        subjectId: users[0],
        subject: { email: 'user1@example.com' },
        candidate: { email: 'user1@example.com', displayName: 'Known' },
      },
    ])
    expect((await acme.tenant.get(acme.base)).body.attention).toContainEqual({ reason: 'conflict', count: 1 })
  })
})
