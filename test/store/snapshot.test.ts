// What loading a slice does beyond what the model of reconcile-model.test.ts has: how much it reads,
// spellings of addresses, other tenants, and the figures of the brake.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/reconcile/snapshot.ts'
import { type ClaimedRequest, lockOrganization } from '../../src/store/claim.ts'
import { withTransaction } from '../../src/store/database.ts'
import type { Scope, Statement } from '../../src/store/scope.ts'
import { loadSnapshot } from '../../src/store/snapshot/load.ts'
import { reconcileOrganization } from '../../src/work/reconcile-organization.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addDirectory,
  addDirectoryUsers,
  addGroup,
  addGroupMapping,
  changeDirectoryUsers,
  createWorld,
  type OpenDatabase,
  openDatabase,
  request,
  type World,
} from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

async function load(
  world: World,
  kind: ClaimedRequest['kind'],
  ids: readonly string[],
  told: (statement: Statement) => void = () => {},
): Promise<Snapshot> {
  return withTransaction(db, world.caller, async (scope) => {
    const organization = await lockOrganization(scope, world.organization)
    if (organization === null) throw new Error('no organization')
    const tx: Scope['tx'] = {
      query: (statement, values) => {
        told(statement)
        return scope.tx.query(statement, values)
      },
    }
    const requests = ids.map((subjectId) => ({ id: '1', kind, subjectId, urgent: false, causeId: null }))
    return loadSnapshot({ ...scope, tx }, organization, requests)
  })
}

async function reconcile(world: World, sliceSize = 500): Promise<void> {
  await reconcileOrganization(db, world, {
    ...{ sliceSize, maxSlices: 100, shouldStop: () => false, onSynced: () => {} },
    onFailure: ({ error }) => {
      throw error
    },
  })
}

/** Reconciled, with a mapped group of everybody. */
async function directoryOf(size: number): Promise<{ world: World; directory: string; users: string[] }> {
  const world = await createWorld(db.pool)
  const directory = await addDirectory(db.pool, world)
  const users = await addDirectoryUsers(db.pool, world, directory, size)
  const group = await addGroup(db.pool, world, directory, 'Everybody', users)
  await addGroupMapping(db.pool, world, directory, group, { role: world.roles.admin })
  await request(db.pool, world, 'directory_user', users)
  await reconcile(world)
  return { world, directory, users }
}

test('two hundred people are loaded with the statements that two are loaded with', async () => {
  const { world, users } = await directoryOf(200)
  const statementsFor = async (ids: readonly string[]) => {
    const names: (string | undefined)[] = []
    const snapshot = await load(world, 'directory_user', ids, (statement) => names.push(statement.name))
    expect(snapshot.members).toHaveLength(ids.length)
    return names
  }
  const few = await statementsFor(users.slice(0, 2))
  expect(await statementsFor(users)).toEqual(few)
  expect(few.every((name) => name?.startsWith('snapshot_'))).toBe(true)
})

test("ids of another tenant's subjects load nothing", async () => {
  const { users } = await directoryOf(2)
  const { world } = await directoryOf(1)
  const snapshot = await load(world, 'directory_user', users)
  expect([snapshot.directoryUsers, snapshot.users, snapshot.members, snapshot.entries]).toEqual([[], [], [], []])
})

describe('addresses', () => {
  async function address(email: string | null, userName: string) {
    const world = await createWorld(db.pool)
    const directory = await addDirectory(db.pool, world)
    const [id = ''] = await addDirectoryUsers(db.pool, world, directory, 1)
    await db.pool.query('UPDATE directory_users SET email = $2, user_name = $3 WHERE id = $1', [id, email, userName])
    return (await load(world, 'directory_user', [id])).directoryUsers[0]?.profile.email?.key
  }

  test.each([
    ['the e-mail', 'Ann@Example.com', 'ann', 'ann@example.com'],
    ['the userName, where there is no e-mail and it is one', null, 'Ann@Example.com', 'ann@example.com'],
    ['none, where neither is one', null, 'EXAMPLE\\ann', undefined],
    ["none, where it is Entra's name for the deleted", null, `${'0a'.repeat(16)}ann@example.com`, undefined],
    ['one that begins like that and is shorter', null, 'abc0ann@example.com', 'abc0ann@example.com'],
  ])('a directory user has %s', async (_name, email, userName, key) => {
    expect(await address(email, userName)).toBe(key)
  })

  test('in another spelling find the same person: case, and the script of the domain', async () => {
    const world = await createWorld(db.pool)
    const directory = await addDirectory(db.pool, world)
    const [account = ''] = await addDirectoryUsers(db.pool, world, directory, 1)
    await db.pool.query(`UPDATE directory_users SET email = 'Ann@MÜNCHEN.example' WHERE id = $1`, [account])
    const [identity, entry] = [randomUUID(), randomUUID()]
    await db.pool.query(
      `INSERT INTO identities (tenant_id, id, kind, issuer, subject, email, created_at, last_seen_at)
       VALUES ($1, $2, 'email', 'code', 'ann', 'ann@xn--mnchen-3ya.example', now(), now())`,
      [world.tenant, identity],
    )
    await db.pool.query(
      `INSERT INTO entries (tenant_id, organization_id, id, kind, identity_id, created_at, updated_at)
       VALUES ($1, $2, $3, 'personal', $4, now(), now())`,
      [world.tenant, world.organization, entry, identity],
    )
    expect((await load(world, 'entry', [entry])).directoryUsers.map(({ id }) => id)).toEqual([account])
    expect((await load(world, 'directory_user', [account])).entries.map(({ id }) => id)).toEqual([entry])
  })
})

describe('the figures of the brake', () => {
  const figures = async (world: World, ids: readonly string[]) => {
    const [directory] = (await load(world, 'directory_user', ids)).directories
    const { activeMembers, removedLastHour, removalsElsewhere } = directory ?? {}
    return { activeMembers, removedLastHour, removalsElsewhere }
  }

  test('are not counted where the slice takes nothing away', async () => {
    const { world, users } = await directoryOf(30)
    expect(await figures(world, users)).toEqual({ activeMembers: 0, removedLastHour: 0, removalsElsewhere: 0 })
  })

  test('count what waits, what was done within the hour, and everybody, where it comes near the brake', async () => {
    const { world, users } = await directoryOf(100)
    const leave = async (ids: readonly string[]) => {
      await changeDirectoryUsers(db.pool, world.tenant, ids, { active: false })
      await request(db.pool, world, 'directory_user', ids)
    }
    await leave(users.slice(0, 8))
    await reconcile(world)
    await leave(users.slice(8, 12))
    await request(db.pool, world, 'directory_user', users.slice(8, 12)) // asked for twice, and one person
    expect(await figures(world, users.slice(8, 9))).toEqual({
      ...{ removedLastHour: 8, removalsElsewhere: 3 },
      // Far enough to tell that twelve are not too many: more than 60.
      activeMembers: 61,
    })
    await leave(users.slice(12, 40))
    const { removalsElsewhere = 0, removedLastHour = 0, activeMembers = 0 } = await figures(world, users.slice(8, 9))
    expect((1 + removedLastHour + removalsElsewhere) * 100).toBeGreaterThan((activeMembers + removedLastHour) * 20)
  })

  test('a wave that ebbed more than an hour ago does not count', async () => {
    const { world, users } = await directoryOf(40)
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(0, 8), { active: false })
    await request(db.pool, world, 'directory_user', users.slice(0, 8))
    await reconcile(world)
    await changeDirectoryUsers(db.pool, world.tenant, users.slice(8, 9), { active: false })
    expect(await figures(world, users.slice(8, 9))).toMatchObject({ removedLastHour: 8 })
    await db.pool.query(`UPDATE plans SET created_at = created_at - interval '61 minutes' WHERE tenant_id = $1`, [
      world.tenant,
    ])
    expect(await figures(world, users.slice(8, 9))).toMatchObject({ removedLastHour: 0 })
  })
})
