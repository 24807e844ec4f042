// What applying does beyond what the model of reconcile-model.test.ts has: what is told of it, held
// plans, numbers, ledgers and causes.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Change, HeldRemoval, Plan } from '../../src/reconcile/change.ts'
import type { Profile } from '../../src/reconcile/snapshot.ts'
import { applyPlan } from '../../src/store/apply/apply-plan.ts'
import { type ClaimedRequest, lockOrganization } from '../../src/store/claim.ts'
import { withTransaction } from '../../src/store/database.ts'
import {
  decideHeldPlan,
  expireHeldPlans,
  listHeldChanges,
  listHeldPlans,
  readHeldPlan,
} from '../../src/store/held-plans.ts'
import type { Scope } from '../../src/store/scope.ts'
import { loadSnapshot } from '../../src/store/snapshot/load.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addDirectory,
  addDirectoryUsers,
  createWorld,
  type OpenDatabase,
  openDatabase,
  type World,
} from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let world: World
let directory: string
let users: string[]
let now = new Date('2026-05-01T08:00:00Z')

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url, () => now)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})
beforeEach(async () => {
  world = await createWorld(db.pool)
  directory = await addDirectory(db.pool, world)
  users = await addDirectoryUsers(db.pool, world, directory, 4)
})

const within = <R>(run: (scope: Scope) => Promise<R>) => withTransaction(db, world.caller, run)

function asked(kind: ClaimedRequest['kind'], subjectId: string, causeId: string | null = null): ClaimedRequest {
  return { id: '1', kind, subjectId, urgent: false, causeId }
}

/** Applies a plan made by hand to what is loaded for these requests. */
async function apply(plan: Partial<Plan>, requests: readonly ClaimedRequest[]): Promise<void> {
  await within(async (scope) => {
    const organization = await lockOrganization(scope, world.organization)
    if (organization === null) throw new Error('no organization')
    const snapshot = await loadSnapshot(scope, organization, requests)
    const observed = { directoryUsers: [], entries: [] }
    await applyPlan(scope, {
      organization,
      requests,
      snapshot,
      plan: { changes: [], held: [], superseded: [], observed, ...plan },
    })
  })
}

async function rows(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  const result = await db.pool.query<Record<string, unknown>>(text, [world.tenant, ...values])
  return result.rows
}

function profile(name: string): Profile {
  const key = `${name.toLowerCase()}@example.com`
  const email = { address: `${name}@Example.com`, key, domain: 'example.com' }
  return { email, displayName: `"${name}", \\ {x} NULL`, givenName: null, familyName: 'NULL' }
}

/** A person from the first directory user, as a member. */
function arrival(user: string, name: string, seated = true): Change[] {
  const key = `new:directory_user:${user}`
  const status = seated ? 'active' : 'waitlisted'
  const member = { status, statusReason: null, roleId: world.roles.member, seated, source: 'directory' } as const
  return [
    { kind: 'create-user', user: key, profile: profile(name), emailVerified: true },
    { kind: 'link', subject: { kind: 'directory_user', id: user }, user: key, rule: 'created' },
    { kind: 'create-member', user: key, ...member },
  ]
}

const first = () => users[0] ?? ''

async function arrive(...names: string[]): Promise<{ id: string; user: string }[]> {
  const requests = names.map((_, index) => asked('directory_user', users[index] ?? ''))
  const observed = { directoryUsers: requests.map(({ subjectId: id }) => ({ id, generation: 1 })), entries: [] }
  await apply({ changes: names.flatMap((name, index) => arrival(users[index] ?? '', name)), observed }, requests)
  const members = await rows('SELECT id, user_id AS user FROM members WHERE tenant_id = $1 ORDER BY number')
  return members as { id: string; user: string }[]
}

describe('people', () => {
  test('are written as they are planned, whatever is in their names', async () => {
    await arrive('Ann', 'Bob')
    const known = await rows(
      'SELECT email, email_key, email_verified, display_name, given_name, family_name FROM users WHERE tenant_id = $1 ORDER BY email',
    )
    expect(known[0]).toEqual({
      ...{ email: 'Ann@Example.com', email_key: 'ann@example.com', email_verified: true, given_name: null },
      ...{ display_name: '"Ann", \\ {x} NULL', family_name: 'NULL' },
    })
    const numbers = await rows('SELECT number FROM members WHERE tenant_id = $1 ORDER BY id')
    expect(numbers).toEqual([{ number: 1 }, { number: 2 }])
  })

  test('take seats that the ledger adds up to, and give them back', async () => {
    const [ann] = await arrive('Ann', 'Bob')
    if (ann === undefined) throw new Error('nobody came')
    const from = { status: 'active', statusReason: null, roleId: world.roles.member, seated: true } as const
    const to = { ...from, status: 'removed', statusReason: 'directory_deleted', roleId: null, seated: false } as const
    const change: Change = { kind: 'change-member', user: ann.user, memberId: ann.id, from, to, removalBy: directory }
    await apply({ changes: [change] }, [asked('member', ann.id)])
    expect(await rows('SELECT delta, reason FROM seat_ledger WHERE tenant_id = $1 ORDER BY id')).toEqual([
      { delta: 1, reason: 'member.created' },
      { delta: 1, reason: 'member.created' },
      { delta: -1, reason: 'member.removed' },
    ])
    expect(await rows('SELECT seats_used FROM organizations WHERE tenant_id = $1')).toEqual([{ seats_used: 1 }])
    const plans = await rows(`SELECT state, counts, removals FROM plans WHERE tenant_id = $1 ORDER BY id`)
    expect(plans[1]).toEqual({ state: 'applied', counts: { 'change-member': 1 }, removals: { [directory]: 1 } })
  })

  test('keep a link when a later look does not speak of it', async () => {
    const [ann] = await arrive('Ann')
    await db.pool.query('UPDATE directory_users SET generation = 2 WHERE id = $1', [first()])
    const observed = { directoryUsers: [{ id: first(), generation: 2 }], entries: [] }
    await apply({ observed }, [asked('directory_user', first())])
    expect(await rows('SELECT user_id, rule, observed_generation FROM directory_links WHERE tenant_id = $1')).toEqual([
      { user_id: ann?.user, rule: 'created', observed_generation: 2 },
    ])
  })

  test('a plan that changes nothing leaves no plan, audit entry or event', async () => {
    await apply({ observed: { directoryUsers: [{ id: first(), generation: 1 }], entries: [] } }, [
      asked('directory_user', first()),
    ])
    for (const table of ['plans', 'audit_entries', 'events'])
      expect(await rows(`SELECT 1 FROM ${table} WHERE tenant_id = $1`)).toEqual([])
    expect(await rows('SELECT user_id, rule FROM directory_links WHERE tenant_id = $1')).toEqual([
      { user_id: null, rule: 'none' },
    ])
  })
})

describe('what is told', () => {
  test('each change is one audit entry and one event, with what led to it', async () => {
    const [causeOfAnn, causeOfBob] = [randomUUID(), randomUUID()]
    const requests = [
      asked('directory_user', users[0] ?? '', causeOfAnn),
      asked('directory_user', users[1] ?? '', causeOfBob),
    ]
    const observed = { directoryUsers: requests.map(({ subjectId: id }) => ({ id, generation: 1 })), entries: [] }
    const changes = [...arrival(users[0] ?? '', 'Ann'), ...arrival(users[1] ?? '', 'Bob', false)]
    await apply({ changes, observed }, requests)
    const entries = await rows(
      `SELECT id, action, cause_id, actor, door, after ->> 'status' AS status FROM audit_entries WHERE tenant_id = $1 ORDER BY id`,
    )
    expect(entries.map(({ action, cause_id, status }) => [action, cause_id, status])).toEqual([
      ['user.created', causeOfAnn, null],
      ['user.created', causeOfBob, null],
      ['member.created', causeOfAnn, 'active'],
      ['member.created', causeOfBob, 'waitlisted'],
    ])
    expect(new Set(entries.map(({ actor, door }) => `${actor} ${door}`))).toEqual(new Set(['reconciler work']))
    const events = await rows(`SELECT type, payload FROM events WHERE tenant_id = $1 ORDER BY id`)
    expect(events.map(({ type }) => type)).toEqual(entries.map(({ action }) => action))
    expect(events.map(({ payload }) => (payload as { auditId: string }).auditId)).toEqual(entries.map(({ id }) => id))
  })

  test('what follows for somebody whom nobody asked about has the only cause there is, or none', async () => {
    const members = await arrive('Ann', 'Bob')
    const change = ({ id, user }: { id: string; user: string }): Change => {
      const from = { status: 'active', statusReason: null, roleId: world.roles.member, seated: true } as const
      return {
        kind: 'change-member',
        user,
        memberId: id,
        from,
        to: { ...from, roleId: world.roles.admin },
        removalBy: null,
      }
    }
    const [ann, bob] = members
    if (ann === undefined || bob === undefined) throw new Error('nobody came')
    const [one, other] = [randomUUID(), randomUUID()]
    await apply({ changes: [change(bob)] }, [asked('member', ann.id, one)])
    await apply({ changes: [change(bob)] }, [asked('member', ann.id, one), asked('entry', randomUUID(), other)])
    expect(
      await rows(
        `SELECT cause_id FROM audit_entries WHERE tenant_id = $1 AND action = 'member.role_changed' ORDER BY id`,
      ),
    ).toEqual([{ cause_id: one }, { cause_id: null }])
  })
})

describe('a conflict', () => {
  const raise = (candidate: string): Change => ({
    ...{ kind: 'raise-conflict', subject: { kind: 'directory_user', id: users[1] ?? '' }, candidate, reason: 'alike' },
  })
  const state = () => rows('SELECT id, candidate_user_id, state FROM conflicts WHERE tenant_id = $1')
  const request = () => [asked('directory_user', users[1] ?? '')]

  test('can be about somebody whom the same plan makes', async () => {
    await apply({ changes: [...arrival(first(), 'Ann'), raise(`new:directory_user:${first()}`)] }, request())
    const [user] = await rows('SELECT id FROM users WHERE tenant_id = $1')
    expect(await state()).toMatchObject([{ candidate_user_id: user?.['id'], state: 'open' }])
  })

  test('closes, opens again, and stays decided', async () => {
    const [ann] = await arrive('Ann')
    const candidate = ann?.user ?? ''
    await apply({ changes: [raise(candidate)] }, request())
    const [conflict] = await state()
    await apply({ changes: [{ kind: 'close-conflict', conflictId: String(conflict?.['id']) }] }, request())
    expect(await state()).toMatchObject([{ id: conflict?.['id'], state: 'gone' }])
    await apply({ changes: [raise(candidate)] }, request())
    expect(await state()).toMatchObject([{ id: conflict?.['id'], state: 'open' }])
    await db.pool.query(`UPDATE conflicts SET state = 'separate' WHERE tenant_id = $1`, [world.tenant])
    await apply({ changes: [raise(candidate)] }, request())
    expect(await state()).toMatchObject([{ id: conflict?.['id'], state: 'separate' }])
    const told = await rows(
      `SELECT action FROM audit_entries WHERE tenant_id = $1 AND action LIKE 'conflict.%' ORDER BY id`,
    )
    expect(told.map(({ action }) => action)).toEqual(['conflict.raised', 'conflict.closed', 'conflict.raised'])
  })
})

test('a consumed invitation is an entry from then on, as old as the invitation, and consumed once', async () => {
  const [ann] = await arrive('Ann')
  const invitationId = randomUUID()
  const createdAt = new Date('2026-04-01T00:00:00Z')
  await db.pool.query(
    `INSERT INTO invitations (tenant_id, organization_id, id, email, email_key, role_id, invited_by, created_at, expires_at)
     VALUES ($1, $2, $3, 'a@example.com', 'a@example.com', $4, 'x', $5, $6)`,
    [world.tenant, world.organization, invitationId, world.roles.admin, createdAt, new Date('2027-01-01')],
  )
  const changes: Change[] = [{ kind: 'consume-invitation', invitationId, user: ann?.user ?? '' }]
  await apply({ changes }, [])
  await apply({ changes }, [])
  expect(
    await rows(
      'SELECT kind, user_id, role_id, created_at, generation, observed_generation FROM entries WHERE tenant_id = $1',
    ),
  ).toEqual([
    {
      ...{ kind: 'invitation', user_id: ann?.user, role_id: world.roles.admin, created_at: createdAt },
      ...{ generation: 1, observed_generation: 1 },
    },
  ])
  expect(
    await rows(`SELECT 1 FROM audit_entries WHERE tenant_id = $1 AND action = 'invitation.accepted'`),
  ).toHaveLength(1)
})

describe('held removals', () => {
  const hold = (memberId: string, fingerprint = 'f'): HeldRemoval => ({
    ...{ directoryId: directory, memberId, kind: 'deactivate', why: 'the directory says so', fingerprint },
  })
  const plans = () => within((scope) => listHeldPlans(scope, world.organization))
  const changes = (planId: string) =>
    within((scope) => listHeldChanges(scope, world.organization, planId, { after: null, limit: 10 }))

  test('of one wave gather in one plan, whose hash tells that it has grown', async () => {
    const [ann, bob] = await arrive('Ann', 'Bob')
    if (ann === undefined || bob === undefined) throw new Error('nobody came')
    await apply({ held: [hold(ann.id)] }, [])
    const [before] = await plans()
    await apply({ held: [hold(bob.id)] }, [])
    const [after, another] = await plans()
    expect(another).toBeUndefined()
    expect(after).toMatchObject({ id: before?.id, counts: { deactivate: 2 }, state: 'held', decidedAt: null })
    expect(after?.hash).not.toBe(before?.hash)
    expect(await changes(after?.id ?? '')).toMatchObject([
      { memberId: ann.id, memberNumber: 1, email: 'Ann@Example.com', kind: 'deactivate', state: 'held' },
      { memberId: bob.id, memberNumber: 2, email: 'Bob@Example.com', kind: 'deactivate', state: 'held' },
    ])
  })

  test('are given up when their reason is gone, and the plan with the last of them', async () => {
    const [ann, bob] = await arrive('Ann', 'Bob')
    if (ann === undefined || bob === undefined) throw new Error('nobody came')
    await apply({ held: [hold(ann.id), hold(bob.id)] }, [])
    const [plan] = await plans()
    const ids = (await changes(plan?.id ?? '')).map((change) => change.id)
    await apply({ superseded: ids.slice(0, 1) }, [])
    expect(await plans()).toHaveLength(1)
    await apply({ superseded: ids.slice(1), held: [hold(bob.id, 'another')] }, [])
    const [next] = await plans()
    expect(next?.id).not.toBe(plan?.id)
    expect(await within((scope) => readHeldPlan(scope, world.organization, plan?.id ?? ''))).toMatchObject({
      state: 'expired',
    })
  })

  test('are decided once, for what was shown, and by whom is kept', async () => {
    const [ann] = await arrive('Ann')
    await apply({ held: [hold(ann?.id ?? '')] }, [])
    const [plan] = await plans()
    const id = plan?.id ?? ''
    const decide = (hash?: string) =>
      within((scope) =>
        decideHeldPlan(scope, world.organization, id, { state: 'approved', ...(hash === undefined ? {} : { hash }) }),
      )
    expect(await decide('what was shown before it grew')).toBeNull()
    expect(await decide(plan?.hash)).toEqual({ memberIds: [ann?.id] })
    expect(await decide()).toBeNull()
    expect(await within((scope) => readHeldPlan(scope, world.organization, id))).toMatchObject({
      ...{ state: 'approved', decidedBy: 'reconciler', decidedAt: now },
    })
    expect(await changes(id)).toMatchObject([{ state: 'approved' }])
  })

  test('that nobody decides within seven days expire', async () => {
    const [ann] = await arrive('Ann')
    await apply({ held: [hold(ann?.id ?? '')] }, [])
    const [plan] = await plans()
    const expire = () => within((scope) => expireHeldPlans(scope, world.organization))
    const held = now
    try {
      now = new Date(held.getTime() + 7 * 24 * 3_600_000 - 1)
      expect(await expire()).toEqual({ planIds: [], memberIds: [] })
      now = new Date(held.getTime() + 7 * 24 * 3_600_000)
      expect(await expire()).toEqual({ planIds: [plan?.id], memberIds: [ann?.id] })
      expect(await plans()).toEqual([])
      expect(
        await within((scope) => decideHeldPlan(scope, world.organization, plan?.id ?? '', { state: 'rejected' })),
      ).toBeNull()
    } finally {
      now = held
    }
  })
})

test('a plan that names somebody it neither found nor makes is refused whole', async () => {
  const stranger: Change = {
    ...{ kind: 'add-grant', user: randomUUID(), target: { kind: 'role', id: world.roles.admin } },
    ...{ source: { kind: 'manual', id: randomUUID() }, reason: 'x' },
  }
  await expect(apply({ changes: [...arrival(first(), 'Ann'), stranger] }, [])).rejects.toThrow(
    /neither found nor makes/,
  )
  expect(await rows('SELECT 1 FROM users WHERE tenant_id = $1')).toEqual([])
})
