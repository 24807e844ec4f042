import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { RollcallError } from '../../src/model/errors.ts'
import { claimFailed, claimSlice, failedRequests, lockOrganization, recordFailure } from '../../src/store/claim.ts'
import { withTransaction } from '../../src/store/database.ts'
import type { Scope } from '../../src/store/scope.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addOrganization,
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
beforeEach(async () => {
  world = await createWorld(db.pool, { seatLimit: 7, seatPolicy: 'waitlist' })
})

const within = <R>(run: (scope: Scope) => Promise<R>) => withTransaction(db, world.caller, run)

const claim = (limit: number) =>
  within(async (scope) => (await claimSlice(scope, world.organization, limit)).map((one) => one.subjectId))

const newIds = (count: number) => Array.from({ length: count }, () => randomUUID())

describe('the lock', () => {
  test('gives what is counted and decided under it', async () => {
    expect(await within((scope) => lockOrganization(scope, world.organization))).toEqual({
      ...{ id: world.organization, roleSetId: expect.any(String), defaultRoleId: world.roles.member },
      ...{ seatLimit: 7, seatPolicy: 'waitlist', seatsUsed: 0, nextMemberNumber: 1 },
      ...{ brakePercent: 20, brakeMinimum: 10 },
    })
  })

  test('lets one at a time work on an organization, and others on other ones', async () => {
    const other = await addOrganization(db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    const order: string[] = []
    let second: Promise<void> | undefined
    await within(async (scope) => {
      await lockOrganization(scope, world.organization)
      second = within(async (late) => {
        await lockOrganization(late, world.organization)
        order.push('second')
      })
      await within(async (third) => {
        await lockOrganization(third, other)
        order.push('elsewhere')
      })
      order.push('first')
    })
    await second
    expect(order).toEqual(['elsewhere', 'first', 'second'])
  })

  test("does not hold up a door's facts", async () => {
    await within(async (scope) => {
      await lockOrganization(scope, world.organization)
      await db.pool.query(
        `INSERT INTO directories (tenant_id, organization_id, id, name) VALUES ($1, $2, $3, 'while it is locked')`,
        [world.tenant, world.organization, randomUUID()],
      )
    })
  })

  test('finds no organization of another tenant, and none that does not exist', async () => {
    const { tenant } = await createWorld(db.pool)
    const foreign = withTransaction(db, { ...world.caller, tenant }, (scope) =>
      lockOrganization(scope, world.organization),
    )
    expect(await foreign).toBeNull()
    expect(await within((scope) => lockOrganization(scope, randomUUID()))).toBeNull()
  })
})

describe('a slice', () => {
  test('takes whoever is waited for first, then the oldest, and no more than it may', async () => {
    const bulk = newIds(5)
    const urgent = newIds(2)
    await request(db.pool, world, 'directory_user', bulk)
    await request(db.pool, world, 'entry', urgent, { urgent: true })
    expect(new Set(await claim(3))).toEqual(new Set([...urgent, ...bulk.slice(0, 1)]))
    expect(await claim(3)).toEqual(bulk.slice(1, 4))
    expect(await claim(3)).toEqual(bulk.slice(4))
    expect(await claim(3)).toEqual([])
  })

  test('comes back whole when its transaction fails', async () => {
    const ids = newIds(3)
    await request(db.pool, world, 'member', ids)
    const failed = within(async (scope) => {
      await claimSlice(scope, world.organization, 10)
      throw new Error('died')
    })
    await expect(failed).rejects.toThrow('died')
    expect(await claim(10)).toEqual(ids)
  })

  test('leaves other organizations and other tenants their requests', async () => {
    const other = await addOrganization(db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    await request(db.pool, { ...world, organization: other }, 'member', newIds(2))
    const { tenant } = await createWorld(db.pool)
    await request(db.pool, { tenant, organization: world.organization }, 'member', newIds(2))
    expect(await claim(10)).toEqual([])
  })

  test('says what is asked for and why', async () => {
    const [subject = '', causeId = ''] = newIds(2)
    await request(db.pool, world, 'directory_user', [subject], { urgent: true, causeId })
    expect(await within((scope) => claimSlice(scope, world.organization, 1))).toEqual([
      { id: expect.stringMatching(/^\d+$/), kind: 'directory_user', subjectId: subject, urgent: true, causeId },
    ])
  })
})

describe('a request that failed', () => {
  const rows = async () =>
    (
      await db.pool.query<{ id: string; attempts: number; aside: boolean; last_error: string }>(
        `SELECT id::text, attempts, set_aside_at IS NOT NULL AS aside, last_error FROM reconcile_requests
         WHERE tenant_id = $1 ORDER BY id`,
        [world.tenant],
      )
    ).rows

  const fail = (ids: readonly string[], error: unknown) =>
    within((scope) => recordFailure(scope, world.organization, ids, error))

  test('is taken by itself only, those that failed least first', async () => {
    await request(db.pool, world, 'member', newIds(3))
    const [first, second, third] = (await rows()).map((row) => row.id)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were asked for')
    await fail([first, second], new Error('x'))
    await fail([first], new Error('x'))
    expect(await claim(10)).toHaveLength(1)
    expect(await within((scope) => failedRequests(scope, world.organization, 10))).toEqual([second, first])
    expect(await within((scope) => claimFailed(scope, world.organization, second))).toMatchObject([{ id: second }])
    expect(await within((scope) => claimFailed(scope, world.organization, second))).toEqual([])
    expect((await rows()).map((row) => row.id)).toEqual([first])
  })

  test('waits for an admin after the fifth time, and is taken no more', async () => {
    await request(db.pool, world, 'member', newIds(1))
    const [id = ''] = (await rows()).map((row) => row.id)
    for (const setAside of [0, 0, 0, 0, 1]) expect(await fail([id], new Error('x'))).toEqual({ setAside })
    expect(await rows()).toMatchObject([{ attempts: 5, aside: true }])
    expect(await within((scope) => failedRequests(scope, world.organization, 10))).toEqual([])
    expect(await within((scope) => claimFailed(scope, world.organization, id))).toEqual([])
    expect(await claim(10)).toEqual([])
  })

  test.each([
    [
      'an error of the program',
      new TypeError('ann@example.com is not a function'),
      /^TypeError, at store\/claim.js:7$/,
    ],
    ['an error of the database', Object.assign(new Error('Key (email)=(ann@example.com)'), { code: '23505' }), /23505/],
    ['one of ours', new RollcallError('conflict', 'ann@example.com'), /^RollcallError/],
    ['no error at all', 'ann@example.com', /^string$/],
  ])('keeps what failed and nobody’s data: %s', async (_name, error, says) => {
    if (error instanceof TypeError)
      error.stack =
        'TypeError: ann\n    at x (/app/node_modules/y/dist/z.js:1:1)\n    at plan (/app/dist/store/claim.js:7:1)'
    await request(db.pool, world, 'member', newIds(1))
    await fail([(await rows())[0]?.id ?? ''], error)
    const [row] = await rows()
    expect(row?.last_error).toMatch(says)
    expect(row?.last_error).not.toMatch(/ann/)
  })
})
