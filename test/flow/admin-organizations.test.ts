import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AdminClient, openAdminDoor, type TestDoor } from '../support/admin-door.ts'

let door: TestDoor
let tenant: AdminClient

beforeAll(async () => {
  door = await openAdminDoor()
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})
beforeEach(async () => {
  tenant = await door.newTenant()
})

const requests = async (organization: string) =>
  (
    await door.db.pool.query(
      'SELECT subject_kind AS kind, subject_id AS id, cause_id FROM reconcile_requests WHERE organization_id = $1',
      [organization],
    )
  ).rows
const audits = async (organization: string) =>
  (
    await door.db.pool.query('SELECT id, action, subject_id, cause_id FROM audit_entries WHERE organization_id = $1', [
      organization,
    ])
  ).rows

describe('making an organization', () => {
  test('it has a number, a Default workspace, the weakest role as default, and its entry in the audit trail', async () => {
    const first = await tenant.post('/organizations', { name: 'First' })
    const second = await tenant.post('/organizations', { name: 'Second', seatLimit: 5, seatPolicy: 'waitlist' })
    expect(first).toMatchObject({ status: 201, body: { number: 1, defaultRole: 'viewer', seatLimit: null } })
    expect(second.body).toMatchObject({ number: 2, seatLimit: 5, seatPolicy: 'waitlist', brakePercent: 20 })
    const workspaces = await tenant.get(`/organizations/${first.body.id}/workspaces`)
    expect(workspaces.body.items).toMatchObject([{ name: 'Default', isDefault: true }])
    expect(await audits(first.body.id)).toMatchObject([{ action: 'organization.created', subject_id: first.body.id }])
    expect(await requests(first.body.id)).toEqual([])
  })

  test('an owner who is named becomes an entry that waits to be reconciled, with its cause', async () => {
    const { body } = await tenant.post('/organizations', {
      name: 'Owned',
      owner: { email: 'Ada@Owned.example', displayName: 'Ada' },
    })
    const { rows } = await door.db.pool.query(
      `SELECT e.id, e.kind, e.email, e.display_name, r.key FROM entries e JOIN roles r ON r.id = e.role_id
       WHERE e.organization_id = $1`,
      [body.id],
    )
    expect(rows).toMatchObject([{ kind: 'manual', email: 'Ada@Owned.example', display_name: 'Ada', key: 'owner' }])
    const [request] = await requests(body.id)
    expect(request).toMatchObject({ kind: 'entry', id: rows[0].id })
    const cause = (await audits(body.id)).find((entry) => entry.id === request.cause_id)
    expect(cause).toMatchObject({ action: 'entry.created', subject_id: rows[0].id })
  })

  test('what cannot be is refused, and nothing of it is left', async () => {
    for (const bad of [
      { name: '   ' },
      { name: 'A\u0000B' },
      { name: 'Acme', defaultRole: 'owner' },
      { name: 'Acme', defaultRole: 'unheard_of' },
      { name: 'Acme', roleSet: 'learning' },
      { name: 'Acme', seatLimit: -1 },
      { name: 'Acme', owner: { email: 'nobody' } },
    ]) {
      expect((await tenant.post('/organizations', bad)).status).toBe(400)
    }
    expect((await tenant.get('/organizations')).body.items).toEqual([])
    expect((await tenant.post('/organizations', { name: 'Acme' })).body.number).toBe(1)
  })

  test('twenty at once get twenty numbers', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => tenant.post('/organizations', { name: `Organization ${index}` })),
    )
    const numbers = made.map((one) => one.body.number).sort((one, other) => one - other)
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    const page = await tenant.get('/organizations?limit=15')
    expect(page.body.next).toBe('15')
    expect((await tenant.get('/organizations?limit=15&after=15')).body).toMatchObject({ next: null })
  })
})

describe('changing an organization', () => {
  test('a change asks for the organization to be reconciled and says what was before', async () => {
    const { body } = await tenant.post('/organizations', { name: 'Acme', seatLimit: 5 })
    const changed = await tenant.patch(`/organizations/${body.id}`, { seatLimit: 9, name: 'Acme Ltd' })
    expect(changed.body).toMatchObject({ seatLimit: 9, name: 'Acme Ltd', seatPolicy: 'block' })
    expect(await requests(body.id)).toMatchObject([{ kind: 'organization', id: body.id }])
    const { rows } = await door.db.pool.query(
      `SELECT before, after FROM audit_entries WHERE organization_id = $1 AND action = 'organization.changed'`,
      [body.id],
    )
    expect(rows).toEqual([{ before: { name: 'Acme', seatLimit: 5 }, after: { name: 'Acme Ltd', seatLimit: 9 } }])
  })

  test('a seat limit below use is refused unless it is said to be meant', async () => {
    const { body } = await tenant.post('/organizations', { name: 'Full', seatLimit: 5 })
    await door.db.pool.query('UPDATE organizations SET seats_used = 4 WHERE id = $1', [body.id])
    const refused = await tenant.patch(`/organizations/${body.id}`, { seatLimit: 3 })
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect((await tenant.patch(`/organizations/${body.id}`, { seatLimit: 4 })).status).toBe(200)
    const meant = await tenant.patch(`/organizations/${body.id}`, { seatLimit: 3, allowBelowUse: true })
    expect(meant.body).toMatchObject({ seatLimit: 3, seatsUsed: 4 })
    expect((await tenant.patch(`/organizations/${body.id}`, { name: 'Still full' })).status).toBe(200)
    expect((await tenant.get(`/organizations/${body.id}`)).body.attention).toEqual([
      { reason: 'seats_exhausted', count: 1 },
    ])
  })

  test('another default role asks for everybody who has the old one', async () => {
    const { body } = await tenant.post('/organizations', { name: 'Roles' })
    const user = await door.db.pool.query(
      `INSERT INTO users (tenant_id, created_at, updated_at) VALUES ($1, now(), now()) RETURNING id`,
      [tenant.tenant],
    )
    const member = await door.db.pool.query(
      `INSERT INTO members (tenant_id, organization_id, user_id, number, status, status_reason, source, role_id,
         created_at, changed_at)
       SELECT $1, $2, $3, 1, 'active', '', 'manual', default_role_id, now(), now() FROM organizations WHERE id = $2
       RETURNING id`,
      [tenant.tenant, body.id, user.rows[0].id],
    )
    expect((await tenant.patch(`/organizations/${body.id}`, { defaultRole: 'developer' })).status).toBe(200)
    expect((await requests(body.id)).map((request) => [request.kind, request.id]).sort()).toEqual([
      ['member', member.rows[0].id],
      ['organization', body.id],
    ])
  })
})

describe('units and workspaces', () => {
  test('units form a tree, and a name is taken once per kind and parent', async () => {
    const { body: organization } = await tenant.post('/organizations', { name: 'Tree' })
    const units = `/organizations/${organization.id}/units`
    const sales = await tenant.post(units, { kind: 'department', name: 'Sales' })
    const north = await tenant.post(units, { kind: 'team', name: 'North', parent: sales.body.id })
    expect(north).toMatchObject({ status: 201, body: { parentId: sales.body.id } })
    expect((await tenant.post(units, { kind: 'team', name: 'NORTH', parent: sales.body.id })).status).toBe(409)
    expect((await tenant.post(units, { kind: 'team', name: 'North' })).status).toBe(201)
    expect((await tenant.get(units)).body.items).toHaveLength(3)
  })

  test('a workspace name is taken once', async () => {
    const { body: organization } = await tenant.post('/organizations', { name: 'Spaces' })
    const workspaces = `/organizations/${organization.id}/workspaces`
    expect((await tenant.post(workspaces, { name: 'Production' })).status).toBe(201)
    expect((await tenant.post(workspaces, { name: 'production' })).status).toBe(409)
    expect((await tenant.post(workspaces, { name: 'default' })).status).toBe(409)
  })
})
