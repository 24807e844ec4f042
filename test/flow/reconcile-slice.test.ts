import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reconcileOrganization } from '../../src/work/reconcile-organization.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addDirectory,
  addDirectoryUsers,
  addGroup,
  addGroupMapping,
  addToGroup,
  addUnit,
  addVerifiedDomain,
  changeDirectoryUsers,
  createWorld,
  type OpenDatabase,
  openDatabase,
  request,
  type World,
} from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

type Row = Record<string, unknown>

async function rows(sql: string, ...values: unknown[]): Promise<Row[]> {
  const result = await db.pool.query<Row>(sql, [world.tenant, ...values])
  return result.rows
}

async function count(sql: string, ...values: unknown[]): Promise<number> {
  const [row] = await rows(`SELECT count(*)::int AS count FROM ${sql}`, ...values)
  return Number(row?.['count'])
}

function run(options: { sliceSize?: number; maxSlices?: number } = {}) {
  return reconcileOrganization(
    db,
    { tenant: world.tenant, organization: world.organization },
    {
      sliceSize: 500,
      maxSlices: 1_000,
      shouldStop: () => false,
      onSynced: () => {},
      onFailure: ({ error }) => failures.push(error),
      ...options,
    },
  )
}

let failures: unknown[] = []
beforeEach(() => {
  failures = []
})

/** Everything that reconciling derives, without ids and times that differ from run to run. */
async function organization() {
  return {
    members: await rows(
      `SELECT u.email, m.number, m.status, m.status_reason, r.key AS role, m.seated, m.source FROM members m
       JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
       LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id WHERE m.tenant_id = $1 ORDER BY m.number`,
    ),
    grants: await rows(
      `SELECT m.number, coalesce(r.key, t.name) AS target, g.source_kind, g.reason FROM grants g
       JOIN members m ON m.tenant_id = g.tenant_id AND m.id = g.member_id
       LEFT JOIN roles r ON r.tenant_id = g.tenant_id AND r.id = g.role_id
       LEFT JOIN units t ON t.tenant_id = g.tenant_id AND t.id = g.unit_id
       WHERE g.tenant_id = $1 ORDER BY m.number, target`,
    ),
    seats: await rows(
      `SELECT seats_used, next_member_number, (SELECT coalesce(sum(delta), 0)::int FROM seat_ledger WHERE tenant_id = $1) AS ledger,
         (SELECT count(*)::int FROM members WHERE tenant_id = $1 AND seated) AS seated
       FROM organizations WHERE tenant_id = $1 AND id = $2`,
      world.organization,
    ),
    written: await rows(
      `SELECT (SELECT count(*)::int FROM users WHERE tenant_id = $1) AS users,
         (SELECT count(*)::int FROM audit_entries WHERE tenant_id = $1) AS audit,
         (SELECT count(*)::int FROM events WHERE tenant_id = $1) AS events,
         (SELECT count(*)::int FROM plans WHERE tenant_id = $1) AS plans,
         (SELECT count(*)::int FROM directory_links WHERE tenant_id = $1) AS links`,
    ),
  }
}

const nothing = {
  members: [],
  grants: [],
  seats: [{ seats_used: 0, next_member_number: 1, ledger: 0, seated: 0 }],
  written: [{ users: 0, audit: 0, events: 0, plans: 0, links: 0 }],
}

async function pushedDirectory(
  size: number,
  options: { seatLimit?: number | null; seatPolicy?: 'block' | 'waitlist' } = {},
) {
  world = await createWorld(db.pool, options)
  await addVerifiedDomain(db.pool, world, 'example.com')
  const directory = await addDirectory(db.pool, world)
  const users = await addDirectoryUsers(db.pool, world, directory, size)
  return { directory, users }
}

describe('a push from a directory', () => {
  test('becomes users, members, grants, seats, ledger, audit and events, and once is enough', async () => {
    const { directory, users } = await pushedDirectory(25)
    const team = await addUnit(db.pool, world, 'Platform')
    const admins = await addGroup(db.pool, world, directory, 'Admins', users.slice(0, 2))
    const platform = await addGroup(db.pool, world, directory, 'Platform team', users.slice(0, 10))
    await addGroupMapping(db.pool, world, directory, admins, { role: world.roles.admin })
    await addGroupMapping(db.pool, world, directory, platform, { unit: team })
    const causeId = randomUUID()
    await request(db.pool, world, 'directory_user', users, { causeId })

    expect(await run({ sliceSize: 10 })).toEqual({ slices: 3, requests: 25, more: false, failing: 0 })
    expect(failures).toEqual([])
    const after = await organization()
    expect(after.members).toHaveLength(25)
    expect(after.members.slice(0, 3).map((member) => [member['email'], member['role'], member['number']])).toEqual([
      ['user1@example.com', 'admin', 1],
      ['user2@example.com', 'admin', 2],
      ['user3@example.com', 'member', 3],
    ])
    expect(
      new Set(after.members.map((member) => `${member['status']} ${member['seated']} ${member['source']}`)),
    ).toEqual(new Set(['active true directory']))
    expect(after.grants).toHaveLength(12)
    expect(after.grants.slice(0, 2)).toEqual([
      {
        number: 1,
        target: 'Platform',
        source_kind: 'directory_group',
        reason: 'member of the directory group Platform team',
      },
      { number: 1, target: 'admin', source_kind: 'directory_group', reason: 'member of the directory group Admins' },
    ])
    expect(after.seats).toEqual([{ seats_used: 25, next_member_number: 26, ledger: 25, seated: 25 }])
    expect(after.written).toEqual([{ users: 25, audit: 62, events: 62, plans: 3, links: 25 }])
    expect(await count('audit_entries WHERE tenant_id = $1 AND cause_id = $2', causeId)).toBe(62)
    const [link] = await rows('SELECT rule, observed_generation FROM directory_links WHERE tenant_id = $1 LIMIT 1')
    expect(link).toEqual({ rule: 'created', observed_generation: 1 })
    expect(await count('reconcile_requests WHERE tenant_id = $1')).toBe(0)

    await request(db.pool, world, 'directory_user', [...users, ...users])
    await request(db.pool, world, 'organization', [world.organization])
    await run()
    expect(await organization()).toEqual(after)
  })

  test('a member is suspended with their grants, and comes back with them', async () => {
    const { directory, users } = await pushedDirectory(3)
    const admins = await addGroup(db.pool, world, directory, 'Admins', users)
    await addGroupMapping(db.pool, world, directory, admins, { role: world.roles.admin })
    await request(db.pool, world, 'directory_user', users)
    await run()
    const before = await organization()
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(1, 2), { active: false })
    await request(db.pool, world, 'directory_user', users.slice(1, 2))
    await run()
    const suspended = await organization()
    expect(suspended.members[1]).toMatchObject({
      status: 'inactive',
      status_reason: 'directory_inactive',
      seated: false,
    })
    expect(suspended.grants).toEqual(before.grants)
    expect(suspended.seats).toEqual([{ seats_used: 2, next_member_number: 4, ledger: 2, seated: 2 }])
    const [plan] = await rows(
      `SELECT removals, counts FROM plans WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1`,
    )
    expect(plan).toEqual({ removals: { [directory]: 1 }, counts: { 'change-member': 1 } })
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(1, 2), { active: true })
    await request(db.pool, world, 'directory_user', users.slice(1, 2))
    await run()
    expect((await organization()).members).toEqual(before.members)
    expect(await rows(`SELECT type FROM events WHERE tenant_id = $1 AND type LIKE 'member.%' ORDER BY id`)).toEqual(
      ['created', 'created', 'created', 'deactivated', 'activated'].map((type) => ({ type: `member.${type}` })),
    )
  })

  test('a changed group takes away and gives what its mapping says', async () => {
    const { directory, users } = await pushedDirectory(2)
    const admins = await addGroup(db.pool, world, directory, 'Admins', users.slice(0, 1))
    await addGroupMapping(db.pool, world, directory, admins, { role: world.roles.admin })
    await request(db.pool, world, 'directory_user', users)
    await run()
    await rows('DELETE FROM directory_group_members WHERE tenant_id = $1')
    await addToGroup(db.pool, world.tenant, directory, admins, users.slice(1))
    await request(db.pool, world, 'directory_user', users)
    await run()
    const { members, grants } = await organization()
    expect(members.map((member) => member['role'])).toEqual(['member', 'admin'])
    expect(grants.map((grant) => grant['number'])).toEqual([2])
    const [removed] = await rows(
      `SELECT before, after FROM audit_entries WHERE tenant_id = $1 AND action = 'grant.removed'`,
    )
    expect(removed).toMatchObject({ before: { kind: 'role', source: 'directory_group', targetId: world.roles.admin } })
  })
})

describe('seats', () => {
  test('whoever is one too many waits, and is promoted in order when seats become free', async () => {
    const { users } = await pushedDirectory(8, { seatLimit: 3, seatPolicy: 'waitlist' })
    for (const user of users) {
      await request(db.pool, world, 'directory_user', [user])
      await run()
    }
    const { members, seats } = await organization()
    expect(members.map((member) => member['status'])).toEqual([
      ...Array<string>(3).fill('active'),
      ...Array<string>(5).fill('waitlisted'),
    ])
    expect(seats).toEqual([{ seats_used: 3, next_member_number: 9, ledger: 3, seated: 3 }])
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(0, 2), { active: false })
    await request(db.pool, world, 'directory_user', users.slice(0, 2))
    await run()
    const next = await organization()
    expect(next.members.map((member) => member['status'])).toEqual([
      ...['inactive', 'inactive', 'active', 'active', 'active'],
      ...Array<string>(3).fill('waitlisted'),
    ])
    expect(next.seats).toEqual([{ seats_used: 3, next_member_number: 9, ledger: 3, seated: 3 }])
  })

  test('a raised limit promotes everybody whom it lets in, also where the waitlist is longer than a slice looks', async () => {
    const { users } = await pushedDirectory(1_250, { seatLimit: 0, seatPolicy: 'waitlist' })
    await request(db.pool, world, 'directory_user', users)
    await run()
    await rows('UPDATE organizations SET seat_limit = 1200 WHERE tenant_id = $1')
    await request(db.pool, world, 'organization', [world.organization])
    await run()
    expect((await organization()).seats).toEqual([
      { seats_used: 1_200, next_member_number: 1_251, ledger: 1_200, seated: 1_200 },
    ])
    expect(await count(`members WHERE tenant_id = $1 AND status = 'waitlisted' AND number <= 1200`)).toBe(0)
    expect(await count(`members WHERE tenant_id = $1 AND status = 'waitlisted'`)).toBe(50)
  })
})

describe('bad days', () => {
  /** Makes PostgreSQL refuse the grants of one person, or kill the connection over them. */
  async function breakGrantsOf(email: string, how: string) {
    await db.pool.query(`CREATE FUNCTION break_grant() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM members m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
          WHERE m.id = NEW.member_id AND u.email = '${email}') THEN ${how} END IF;
        RETURN NEW;
      END $$`)
    await db.pool.query(
      'CREATE TRIGGER break_grant BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION break_grant()',
    )
    return () => db.pool.query('DROP FUNCTION break_grant CASCADE')
  }

  async function withGroup(size: number) {
    const { directory, users } = await pushedDirectory(size)
    const everybody = await addGroup(db.pool, world, directory, 'Everybody', users)
    await addGroupMapping(db.pool, world, directory, everybody, { role: world.roles.admin })
    await request(db.pool, world, 'directory_user', users)
    return users
  }

  test('a worker that dies while applying has done nothing, and the next one does it', async () => {
    await withGroup(5)
    const mend = await breakGrantsOf('user3@example.com', 'PERFORM pg_terminate_backend(pg_backend_pid());')
    await expect(run()).rejects.toThrow()
    await mend()
    expect(await organization()).toEqual(nothing)
    expect(await count('reconcile_requests WHERE tenant_id = $1 AND attempts = 0')).toBe(5)
    expect(await run()).toEqual({ slices: 1, requests: 5, more: false, failing: 0 })
    expect((await organization()).members).toHaveLength(5)
  })

  test('one poisoned request stops nobody else, is tried five times and then waits for an admin', async () => {
    const users = await withGroup(5)
    const mend = await breakGrantsOf(
      'user3@example.com',
      `RAISE EXCEPTION 'secret of %', NEW.member_id USING ERRCODE = '23514';`,
    )
    expect(await run()).toMatchObject({ requests: 4, more: false, failing: 1 })
    expect((await organization()).members.map((member) => member['email'])).toEqual(
      [1, 2, 4, 5].map((number) => `user${number}@example.com`),
    )
    const left = () =>
      rows(
        'SELECT subject_id, attempts, set_aside_at IS NOT NULL AS aside, last_error FROM reconcile_requests WHERE tenant_id = $1',
      )
    expect(await left()).toMatchObject([{ subject_id: users[2], attempts: 2, aside: false }])
    for (const failing of [1, 1, 0]) expect(await run()).toMatchObject({ requests: 0, more: false, failing })
    expect(await left()).toMatchObject([{ attempts: 5, aside: true }])
    const [row] = await left()
    expect(row?.['last_error']).toMatch(/SQLSTATE 23514/)
    expect(row?.['last_error']).not.toMatch(/secret/)
    expect(await run()).toEqual({ slices: 0, requests: 0, more: false, failing: 0 })
    await mend()
    await request(db.pool, world, 'directory_user', users.slice(2, 3))
    await run()
    expect((await organization()).members).toHaveLength(5)
  })

  test('two workers on one organization at once never do anything twice', async () => {
    const users = await withGroup(300)
    await request(db.pool, world, 'directory_user', users)
    const done = await Promise.all([run({ sliceSize: 20 }), run({ sliceSize: 30 })])
    expect(done.reduce((sum, one) => sum + one.requests, 0)).toBe(600)
    expect(failures).toEqual([])
    const { members, seats, grants, written } = await organization()
    expect(new Set(members.map((member) => member['number'])).size).toBe(300)
    expect(seats).toEqual([{ seats_used: 300, next_member_number: 301, ledger: 300, seated: 300 }])
    expect(grants).toHaveLength(300)
    expect(written).toMatchObject([{ users: 300, audit: 900, events: 900 }])
  })

  test('a run that has had its turn says that more is left', async () => {
    await withGroup(30)
    expect(await run({ sliceSize: 10, maxSlices: 2 })).toEqual({ slices: 2, requests: 20, more: true, failing: 0 })
    expect(await run({ sliceSize: 10, maxSlices: 2 })).toEqual({ slices: 1, requests: 10, more: false, failing: 0 })
  })

  test('an organization that is gone is nothing to do', async () => {
    await pushedDirectory(0)
    world = { ...world, organization: randomUUID() }
    await request(db.pool, world, 'directory_user', [randomUUID()])
    expect(await run()).toEqual({ slices: 0, requests: 0, more: false, failing: 0 })
  })
})

describe('the brake', () => {
  test('removals of most of a directory are held, decided, and then done', async () => {
    const { users } = await pushedDirectory(30)
    await request(db.pool, world, 'directory_user', users)
    await run()
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(0, 20), { active: false })
    await request(db.pool, world, 'directory_user', users.slice(0, 20))
    await run({ sliceSize: 7 })
    expect(await count(`members WHERE tenant_id = $1 AND status = 'active'`)).toBe(30)
    expect(await rows(`SELECT state, counts FROM plans WHERE tenant_id = $1 AND state = 'held'`)).toEqual([
      { state: 'held', counts: { deactivate: 20 } },
    ])
    expect(await count(`held_changes WHERE tenant_id = $1 AND state = 'held'`)).toBe(20)
    expect(await count(`events WHERE tenant_id = $1 AND type = 'plan.held'`)).toBe(3)
  })

  test('a few removals in a large directory pass', async () => {
    const { users } = await pushedDirectory(100)
    await request(db.pool, world, 'directory_user', users)
    await run()
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(0, 15), { active: false })
    await request(db.pool, world, 'directory_user', users.slice(0, 15))
    await run({ sliceSize: 7 })
    expect(await count(`members WHERE tenant_id = $1 AND status = 'inactive'`)).toBe(15)
    expect(await count('held_changes WHERE tenant_id = $1')).toBe(0)
  })
})
