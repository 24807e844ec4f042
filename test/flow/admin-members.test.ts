import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AdminClient, openAdminDoor, type TestDoor } from '../support/admin-door.ts'
import {
  addDirectoryUsers,
  addGroup,
  addToGroup,
  changeDirectoryUsers,
  request,
} from '../support/organization-fixture.ts'

let door: TestDoor
let tenant: AdminClient
let organization: string
let base: string

beforeAll(async () => {
  door = await openAdminDoor()
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})
beforeEach(async () => {
  tenant = await door.newTenant()
  await newOrganization({ name: 'Acme', owner: { email: 'ada@acme.example', displayName: 'Ada' } })
})

async function newOrganization(body: object) {
  organization = (await tenant.post('/organizations', body)).body.id
  base = `/organizations/${organization}`
  await reconcile()
}

const reconcile = () => door.reconcile(tenant.tenant, organization)
const place = () => ({ tenant: tenant.tenant, organization })
const memberByEmail = async (email: string) => (await tenant.get(`${base}/members?email=${email}`)).body.items[0]

/** A directory whose users were pushed, reconciled once. */
async function pushed(count: number) {
  const directory = (await tenant.post(`${base}/directories`, { name: 'Okta', provider: 'okta' })).body.directory.id
  await tenant.patch(`${base}/directories/${directory}`, { state: 'active' })
  const users = await addDirectoryUsers(door.db.pool, place(), directory, count)
  await request(door.db.pool, place(), 'directory_user', users)
  await reconcile()
  return { directory, users }
}

describe('members', () => {
  test('the owner named at the beginning is a seated member with a public id', async () => {
    const { items } = (await tenant.get(`${base}/members`)).body
    expect(items).toMatchObject([
      { publicId: 'ORG1-U-1', email: 'ada@acme.example', displayName: 'Ada', role: 'owner', status: 'active' },
    ])
    expect(items[0].seated).toBe(true)
    expect((await tenant.get(`${base}`)).body).toMatchObject({ seatsUsed: 1, members: { active: 1, removed: 0 } })
  })

  test('somebody added by hand comes in with the role and unit that were said', async () => {
    const team = (await tenant.post(`${base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const added = await tenant.post(`${base}/members`, { email: 'grace@acme.example', role: 'developer', unit: team })
    expect(added.status).toBe(202)
    await reconcile()
    const grace = await memberByEmail('Grace@ACME.example')
    expect(grace).toMatchObject({ role: 'developer', source: 'manual', units: [{ id: team, name: 'Platform' }] })
  })

  test('the same address is added once, also when it is added ten times at once', async () => {
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        tenant.post(`${base}/members`, { email: index % 2 === 0 ? 'eve@acme.example' : 'Eve@acme.example' }),
      ),
    )
    expect(tries.map((one) => one.status).sort()).toEqual([202, ...Array(9).fill(409)])
    await reconcile()
    expect((await tenant.post(`${base}/members`, { email: 'EVE@acme.example' })).status).toBe(409)
    expect((await tenant.get(`${base}/members`)).body.items).toHaveLength(2)
  })

  test('with no seat left nobody is added under block, and under waitlist they wait', async () => {
    await tenant.patch(base, { seatLimit: 1 })
    const refused = await tenant.post(`${base}/members`, { email: 'late@acme.example' })
    expect(refused).toMatchObject({ status: 403, body: { code: 'seats_exhausted' } })
    await tenant.patch(base, { seatPolicy: 'waitlist' })
    expect((await tenant.post(`${base}/members`, { email: 'late@acme.example' })).status).toBe(202)
    await reconcile()
    expect(await memberByEmail('late@acme.example')).toMatchObject({ status: 'waitlisted', seated: false })
    expect((await tenant.get(`${base}`)).body.attention).toEqual([{ reason: 'seats_exhausted', count: 1 }])
    await tenant.patch(base, { seatLimit: 2 })
    await reconcile()
    expect(await memberByEmail('late@acme.example')).toMatchObject({ status: 'active', seated: true })
  })

  test('the list filters by status and role and pages without loss', async () => {
    await pushed(7)
    const all = (await tenant.get(`${base}/members`)).body.items
    expect(all).toHaveLength(8)
    expect((await tenant.get(`${base}/members?role=owner`)).body.items).toHaveLength(1)
    expect((await tenant.get(`${base}/members?status=active&role=viewer`)).body.items).toHaveLength(7)
    expect((await tenant.get(`${base}/members?status=removed`)).body.items).toEqual([])
    expect((await tenant.get(`${base}/members?status=gone`)).status).toBe(400)
    const first = (await tenant.get(`${base}/members?limit=5`)).body
    const rest = (await tenant.get(`${base}/members?limit=5&after=${first.next}`)).body
    expect([...first.items, ...rest.items]).toEqual(all)
    expect(rest.next).toBeNull()
  })
})

describe('grants by hand', () => {
  test('what an admin gives is held, shown and taken back, and the member stays', async () => {
    await pushed(1)
    const { id } = await memberByEmail('user1@example.com')
    const grants = `${base}/members/${id}/grants`
    expect((await tenant.post(grants, { role: 'admin' })).status).toBe(202)
    await reconcile()
    const held = (await tenant.get(`${base}/members/${id}`)).body
    expect(held).toMatchObject({ role: 'admin', grants: [{ kind: 'role', roleKey: 'admin', source: 'manual' }] })
    expect((await tenant.post(grants, { role: 'admin' })).status).toBe(409)

    expect((await tenant.delete(`${grants}/${held.grants[0].id}`)).status).toBe(204)
    await reconcile()
    expect((await tenant.get(`${base}/members/${id}`)).body).toMatchObject({
      role: 'viewer',
      status: 'active',
      grants: [],
    })
    expect((await tenant.delete(`${grants}/${held.grants[0].id}`)).status).toBe(404)
  })

  test('taking back the role of somebody who was added by hand leaves them a member', async () => {
    const team = (await tenant.post(`${base}/units`, { kind: 'team', name: 'Platform' })).body.id
    await tenant.post(`${base}/members`, { email: 'grace@acme.example', role: 'admin', unit: team })
    await reconcile()
    const grace = await memberByEmail('grace@acme.example')
    const { grants } = (await tenant.get(`${base}/members/${grace.id}`)).body
    const role = grants.find((grant: { kind: string }) => grant.kind === 'role')
    await tenant.delete(`${base}/members/${grace.id}/grants/${role.id}`)
    await reconcile()
    const left = (await tenant.get(`${base}/members/${grace.id}`)).body
    expect(left).toMatchObject({ status: 'active', role: 'viewer', grants: [{ kind: 'unit' }] })
    await tenant.delete(`${base}/members/${grace.id}/grants/${left.grants[0].id}`)
    await reconcile()
    expect(await memberByEmail('grace@acme.example')).toMatchObject({ status: 'active', units: [] })
  })

  test('a grant of another source is not taken back by hand', async () => {
    const { directory, users } = await pushed(1)
    const group = await addGroup(door.db.pool, place(), directory, 'Admins', users)
    await tenant.post(`${base}/mappings`, { source: { group }, target: { role: 'admin' } })
    await reconcile()
    const { id } = await memberByEmail('user1@example.com')
    const { grants } = (await tenant.get(`${base}/members/${id}`)).body
    const refused = await tenant.delete(`${base}/members/${id}/grants/${grants[0].id}`)
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } })
  })

  test('somebody whom the directory deleted comes back as the same member when added by hand', async () => {
    const { users } = await pushed(1)
    const before = await memberByEmail('user1@example.com')
    await changeDirectoryUsers(door.db.pool, tenant.tenant, users, { deleted: true })
    await request(door.db.pool, place(), 'directory_user', users)
    await reconcile()
    expect(await memberByEmail('user1@example.com')).toMatchObject({ status: 'removed' })
    expect((await tenant.post(`${base}/members/${before.id}/grants`, { role: 'admin' })).status).toBe(409)

    expect((await tenant.post(`${base}/members`, { email: 'user1@example.com', role: 'admin' })).status).toBe(202)
    await reconcile()
    expect(await memberByEmail('user1@example.com')).toMatchObject({ id: before.id, status: 'active', role: 'admin' })
    expect((await tenant.get(`${base}/conflicts`)).body.items).toEqual([])
  })
})

describe('mappings', () => {
  test('making and deleting one reconciles exactly the people in the group', async () => {
    const { directory, users } = await pushed(4)
    const team = (await tenant.post(`${base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const group = await addGroup(door.db.pool, place(), directory, 'Platform', users.slice(0, 2))
    const groups = await tenant.get(`${base}/directories/${directory}/groups`)
    expect(groups.body.items).toEqual([{ id: group, displayName: 'Platform', externalId: null, memberCount: 2 }])

    const made = await tenant.post(`${base}/mappings`, { source: { group }, target: { unit: team } })
    expect(made).toMatchObject({
      status: 201,
      body: { requested: 2, source: { group, displayName: 'Platform' }, target: { unit: team, name: 'Platform' } },
    })
    const asked = await door.db.pool.query(
      'SELECT subject_id, cause_id FROM reconcile_requests WHERE organization_id = $1',
      [organization],
    )
    expect(asked.rows.map((row) => row.subject_id).sort()).toEqual(users.slice(0, 2).sort())
    const cause = await door.db.pool.query('SELECT action, subject_id FROM audit_entries WHERE id = $1', [
      asked.rows[0].cause_id,
    ])
    expect(cause.rows).toEqual([{ action: 'mapping.created', subject_id: made.body.id }])
    await reconcile()
    const inTeam = async () =>
      (await tenant.get(`${base}/members`)).body.items.filter((one: { units: unknown[] }) => one.units.length > 0)
    expect(await inTeam()).toHaveLength(2)

    expect((await tenant.delete(`${base}/mappings/${made.body.id}`)).status).toBe(204)
    await reconcile()
    expect(await inTeam()).toEqual([])
    expect((await tenant.get(`${base}/mappings`)).body.items).toEqual([])
    expect((await tenant.delete(`${base}/mappings/${made.body.id}`)).status).toBe(404)
  })

  test('a mapping to the owner role has to be meant', async () => {
    const { directory, users } = await pushed(1)
    const group = await addGroup(door.db.pool, place(), directory, 'Chiefs', users)
    const mapping = { source: { group }, target: { role: 'owner' } }
    expect((await tenant.post(`${base}/mappings`, mapping)).status).toBe(400)
    expect((await tenant.post(`${base}/mappings`, { ...mapping, grantsOwner: true })).status).toBe(201)
    expect((await tenant.post(`${base}/mappings`, { ...mapping, grantsOwner: true })).status).toBe(409)
  })

  test('a mapping whose group is gone is pointed out, and cannot be made', async () => {
    const { directory, users } = await pushed(1)
    const group = await addGroup(door.db.pool, place(), directory, 'Gone', users)
    await tenant.post(`${base}/mappings`, { source: { group }, target: { role: 'admin' } })
    expect((await tenant.get(base)).body.attention).toEqual([])
    await door.db.pool.query('UPDATE directory_groups SET deleted_at = now() WHERE id = $1', [group])
    expect((await tenant.get(base)).body.attention).toEqual([{ reason: 'mapping_without_effect', count: 1 }])
    const again = await tenant.post(`${base}/mappings`, { source: { group }, target: { role: 'developer' } })
    expect(again.status).toBe(404)
  })
})

describe('explaining a member', () => {
  test('a role by a group leads to the mapping, the directory user and the request that caused it', async () => {
    const { directory, users } = await pushed(2)
    const group = await addGroup(door.db.pool, place(), directory, 'Admins', users.slice(0, 1))
    const mapping = (await tenant.post(`${base}/mappings`, { source: { group }, target: { role: 'admin' } })).body
    await reconcile()
    const { id } = await memberByEmail('user1@example.com')
    const why = (await tenant.get(`${base}/members/${id}/explain`)).body
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
    const other = await memberByEmail('user2@example.com')
    expect((await tenant.get(`${base}/members/${other.id}/explain`)).body.grants).toEqual([])
  })

  test('a role by hand leads to the entry and the admin who said it', async () => {
    const ada = await memberByEmail('ada@acme.example')
    const why = (await tenant.get(`${base}/members/${ada.id}/explain`)).body
    expect(why.entries).toMatchObject([{ kind: 'manual', email: 'ada@acme.example', withdrawnAt: null }])
    expect(why.grants[0].origin).toMatchObject({ kind: 'entry', entries: [why.entries[0].id], mapping: null })
    expect(why.grants[0].because.map((cause: { action: string }) => cause.action)).toEqual([
      'grant.added',
      'entry.created',
      'organization.created',
    ])
  })

  test('a state follows what the directory said last', async () => {
    const { users } = await pushed(1)
    await changeDirectoryUsers(door.db.pool, tenant.tenant, users, { active: false })
    await request(door.db.pool, place(), 'directory_user', users)
    await reconcile()
    const { id } = await memberByEmail('user1@example.com')
    const why = (await tenant.get(`${base}/members/${id}/explain`)).body
    expect(why.state).toMatchObject({ status: 'inactive', because: [{ action: 'member.deactivated' }] })
    expect(why.seat).toMatchObject({ seated: false, because: [{ action: 'member.deactivated' }] })
  })
})

describe('held plans', () => {
  async function heldPlan() {
    const { directory, users } = await pushed(30)
    await changeDirectoryUsers(door.db.pool, tenant.tenant, users, { active: false })
    await request(door.db.pool, place(), 'directory_user', users)
    await reconcile()
    const { items } = (await tenant.get(`${base}/held-plans`)).body
    expect(items).toHaveLength(1)
    return { plan: items[0], directory, users }
  }
  const active = async () => (await tenant.get(`${base}`)).body.members.active

  test('it says who and why, and the removals wait until it is approved', async () => {
    const { plan, directory } = await heldPlan()
    expect(await active()).toBe(31)
    expect((await tenant.get(base)).body.attention).toEqual([{ reason: 'held', count: 1 }])
    const shown = (await tenant.get(`${base}/held-plans/${plan.id}?limit=20`)).body
    expect(shown.plan).toMatchObject({ state: 'held', counts: { deactivate: 30 } })
    expect(shown.changes.items).toHaveLength(20)
    expect(shown.changes.items[0]).toMatchObject({ kind: 'deactivate', directoryId: directory, state: 'held' })
    const rest = (await tenant.get(`${base}/held-plans/${plan.id}?limit=20&after=${shown.changes.next}`)).body
    expect(rest.changes).toMatchObject({ next: null })
    expect(rest.changes.items).toHaveLength(10)

    const stale = await tenant.post(`${base}/held-plans/${plan.id}/approve`, { hash: 'another' })
    expect(stale).toMatchObject({ status: 412 })
    const approved = await tenant.post(`${base}/held-plans/${plan.id}/approve`, { hash: plan.hash })
    expect(approved).toMatchObject({ status: 200, body: { state: 'approved' } })
    await reconcile()
    expect(await active()).toBe(1)
    expect((await tenant.post(`${base}/held-plans/${plan.id}/reject`)).status).toBe(409)
    expect((await tenant.get(`${base}/held-plans`)).body.items).toEqual([])
  })

  test('rejected, the members stay', async () => {
    const { plan } = await heldPlan()
    expect((await tenant.post(`${base}/held-plans/${plan.id}/reject`)).body.state).toBe('rejected')
    await reconcile()
    expect(await active()).toBe(31)
    expect((await tenant.get(`${base}/held-plans`)).body.items).toEqual([])
  })
})

describe('an organization as a whole', () => {
  test('the summary counts members by role, unit and source', async () => {
    const { directory, users } = await pushed(3)
    const team = (await tenant.post(`${base}/units`, { kind: 'team', name: 'Platform' })).body.id
    const group = await addGroup(door.db.pool, place(), directory, 'Platform', users)
    await tenant.post(`${base}/mappings`, { source: { group }, target: { unit: team } })
    await reconcile()
    const { body } = await tenant.get(`${base}/summary`)
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
    await pushed(3)
    const before = (await tenant.get(`${base}/members`)).body
    expect((await tenant.post(`${base}/resync`)).body).toEqual({ requested: 5 })
    expect((await tenant.get(`${base}/sync`)).body).toMatchObject({ inSync: false, pending: 5 })
    await reconcile()
    expect((await tenant.get(`${base}/sync`)).body).toMatchObject({ inSync: true, pending: 0 })
    expect((await tenant.get(`${base}/members`)).body).toEqual(before)
  })

  test('the audit trail reads from the latest back, the events from the first on', async () => {
    await pushed(3)
    const audit = (await tenant.get(`${base}/audit?limit=200`)).body
    const ids = audit.items.map((entry: { id: string }) => entry.id)
    expect(ids).toEqual([...ids].sort().reverse())
    const created = (await tenant.get(`${base}/audit?action=organization.created`)).body.items
    expect(created).toMatchObject([{ subjectId: organization, before: null, after: { name: 'Acme' } }])
    expect((await tenant.get(`${base}/audit?subject=${organization}`)).body.items.length).toBeGreaterThan(0)

    const events = (await tenant.get(`${base}/events?limit=3`)).body
    expect(events.items).toHaveLength(3)
    const on = (await tenant.get(`${base}/events?after=${events.next}`)).body
    expect(on.items[0].id).toBeGreaterThan(events.items[2].id)
    expect(on.items.some((event: { type: string }) => event.type === 'member.created')).toBe(true)
  })

  test('a conflict is shown with both who came and whom they look like', async () => {
    await tenant.post(`${base}/members`, { email: 'user1@example.com', displayName: 'Known' })
    await reconcile()
    const { users } = await pushed(1)
    expect((await tenant.get(`${base}/conflicts`)).body.items).toMatchObject([
      {
        subjectKind: 'directory_user',
        subjectId: users[0],
        subject: { email: 'user1@example.com' },
        candidate: { email: 'user1@example.com', displayName: 'Known' },
      },
    ])
    expect((await tenant.get(base)).body.attention).toContainEqual({ reason: 'conflict', count: 1 })
  })
})

describe('directories', () => {
  test('what it counts and how far it is reconciled', async () => {
    const { directory, users } = await pushed(3)
    const shown = async () => (await tenant.get(`${base}/directories/${directory}`)).body
    expect(await shown()).toMatchObject({
      scimBaseUrl: `https://rollcall.test/scim/v2/${directory}`,
      counts: { users: 3, activeUsers: 3, groups: 0 },
      sync: { inSync: true, pending: 0, behind: 0 },
    })
    await changeDirectoryUsers(door.db.pool, tenant.tenant, users.slice(0, 1), { active: false })
    await request(door.db.pool, place(), 'directory_user', users.slice(0, 1))
    expect(await shown()).toMatchObject({ counts: { activeUsers: 2 }, sync: { inSync: false, pending: 1, behind: 1 } })
  })

  test('a decommissioned directory ends its people and its tokens, and does not come back', async () => {
    const { directory } = await pushed(3)
    const changed = await tenant.patch(`${base}/directories/${directory}`, { state: 'decommissioned' })
    expect(changed.body.state).toBe('decommissioned')
    await reconcile()
    expect((await tenant.get(`${base}/members?status=active`)).body.items).toHaveLength(1)
    expect((await tenant.get(`${base}/directories/${directory}`)).body.tokens).toEqual([])
    expect((await tenant.patch(`${base}/directories/${directory}`, { state: 'active' })).status).toBe(409)
    expect((await tenant.post(`${base}/directories/${directory}/tokens`, {})).status).toBe(409)
    expect(door.changedDirectories).toContain(directory)
  })

  test('pausing takes nobody away', async () => {
    const { directory, users } = await pushed(3)
    await tenant.patch(`${base}/directories/${directory}`, { state: 'paused' })
    await addToGroup(
      door.db.pool,
      tenant.tenant,
      directory,
      await addGroup(door.db.pool, place(), directory, 'G', []),
      users,
    )
    await reconcile()
    expect((await tenant.get(`${base}/members?status=active`)).body.items).toHaveLength(4)
    expect((await tenant.patch(`${base}/directories/${directory}`, { state: 'active' })).body.state).toBe('active')
  })

  test('tokens rotate with an overlap, are shown once, and are revoked', async () => {
    const made = (await tenant.post(`${base}/directories`, { name: 'Entra', provider: 'entra' })).body
    expect(made.token.token).toMatch(/^rcd_[\w-]{43}$/)
    const path = `${base}/directories/${made.directory.id}`
    const next = (await tenant.post(`${path}/tokens`, { expireOthersAfterSeconds: 3600 })).body
    const { tokens } = (await tenant.get(path)).body
    expect(tokens.map((token: { id: string }) => token.id)).toEqual([made.token.id, next.id])
    const leftMs = Date.parse(tokens[0].expiresAt) - Date.now()
    expect(leftMs).toBeGreaterThan(3_500_000)
    expect(leftMs).toBeLessThan(3_700_000)
    expect(tokens[1].expiresAt).toBeNull()
    expect(JSON.stringify(tokens)).not.toContain(next.token)

    expect((await tenant.delete(`${path}/tokens/${made.token.id}`)).status).toBe(204)
    expect((await tenant.get(path)).body.tokens).toHaveLength(1)
    const past = await tenant.post(`${path}/tokens`, { expiresAt: '2020-01-01T00:00:00Z' })
    expect(past.status).toBe(400)
    expect((await tenant.post(`${path}/tokens`, { expiresAt: '2099-01-01T00:00:00+02:00' })).status).toBe(201)
  })
})
