// The database against the model: what loading a slice answers and what applying its plan leaves
// have to be what the model says, for lives that nobody thought of.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Snapshot } from '../../src/reconcile/snapshot.ts'
import type { ClaimedRequest } from '../../src/store/claim.ts'
import { lockOrganization } from '../../src/store/claim.ts'
import { withTransaction } from '../../src/store/database.ts'
import { loadSnapshot } from '../../src/store/snapshot/load.ts'
import { reconcileOrganization } from '../../src/work/reconcile-organization.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type OpenDatabase, openDatabase, request } from '../support/organization-fixture.ts'
import { ask } from '../support/reconcile/facts.ts'
import { everything, live, picker, sayings, slices } from '../support/reconcile/lives.ts'
import { readWorld } from '../support/reconcile/read-world.ts'
import { drain } from '../support/reconcile/reconcile.ts'
import { everySubject, snapshotOf } from '../support/reconcile/snapshot-of.ts'
import { isStorable, type StoredWorld, storeWorld } from '../support/reconcile/stored-world.ts'
import { viewOf } from '../support/reconcile/view.ts'
import { copyWorld, createWorld, now, type Subject, type World } from '../support/reconcile/world.ts'

let database: TestDatabase
let db: OpenDatabase
let nowMs = 0

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url, () => new Date(nowMs))
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const runs = Number(process.env['PROPERTY_RUNS'] ?? 40)

async function load(world: World, stored: StoredWorld, subjects: readonly Subject[]): Promise<Snapshot> {
  nowMs = now(world).getTime()
  const requests = subjects.map(
    ({ kind, id }, index): ClaimedRequest => ({
      ...{ id: String(index), kind, subjectId: stored.uuid(id), urgent: false, causeId: null },
    }),
  )
  const caller = { tenant: stored.tenant, actor: { id: 'reconciler', door: 'work' } } as const
  return withTransaction(db, caller, async (scope) => {
    const organization = await lockOrganization(scope, stored.organization)
    if (organization === null) throw new Error('the organization was not stored')
    return loadSnapshot(scope, organization, requests)
  })
}

/** With the world's ids, every list in order, and without the brake's figures, which are only counted where they decide. */
function comparable(snapshot: Snapshot, name: (id: string) => string): Record<string, unknown> {
  const { directories, ...rest } = snapshot
  const known = directories.map(({ id, name, state, governsSince }) => ({ id, name, state, governsSince }))
  return Object.fromEntries(Object.entries({ directories: known, ...rest }).map(([key, one]) => [key, inOrder(one)]))

  function inOrder(value: unknown): unknown {
    if (typeof value === 'string') return value.split(' ').map(nameIn).sort().join(' ')
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    if (Array.isArray(value)) return value.map(inOrder).sort(byText)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inOrder(one)]))
  }

  function nameIn(word: string): string {
    return word.replace(/^[0-9a-f-]{36}/, name)
  }
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
}

/** Accounts that say nothing any more are only found through their user, not by an address: nobody is linked for their sake. */
function hasSilentAccounts(world: World): boolean {
  const decommissioned = [...world.directories.values()].some((directory) => directory.state === 'decommissioned')
  return decommissioned || [...world.directoryUsers.values()].some((user) => user.deletedAt !== null)
}

function expectWithin(found: Record<string, unknown>, wanted: Record<string, unknown>): void {
  for (const key of ['directoryUsers', 'entries', 'users', 'members', 'conflicts', 'heldChanges', 'invitations']) {
    const [some, all] = [found[key], wanted[key]]
    if (!Array.isArray(some) || !Array.isArray(all)) throw new Error(`${key} is no list`)
    for (const one of some) expect(all).toContainEqual(one)
  }
}

test('a slice is loaded with all that may be the same people, as the model loads it', async () => {
  await fc.assert(
    fc.asyncProperty(everything, slices, async (life, numbers) => {
      const world = live(createWorld({ seatLimit: 3 }), life)
      fc.pre(isStorable(world))
      const stored = await storeWorld(db.pool, world)
      const pick = picker(numbers)
      const all = everySubject(world)
      for (const subjects of all.length === 0 ? [[]] : numbers.map(() => pick(all))) {
        const model = snapshotOf(world, subjects)
        const loaded = await load(world, stored, subjects)
        const [found, wanted] = [comparable(loaded, stored.name), comparable(model, (id) => id)]
        if (hasSilentAccounts(world)) expectWithin(found, wanted)
        else expect(found).toEqual(wanted)
      }
    }),
    { numRuns: runs, endOnFailure: true },
  )
})

/** Who was refused tries again: of a login that fits nobody nothing is kept that could tell when it does. */
function knockAgain(world: World): void {
  drain(world)
  for (const entry of world.entries.values()) if (entry.userId === null) ask(world, 'entry', entry.id)
  drain(world)
}

/** Of several users whom a subject may be, the one that an admin is asked about first goes by ids, which no two runs share. */
function organizationOf(world: World) {
  const view = viewOf(world)
  return { ...view, conflicts: view.conflicts.map((conflict) => conflict.replace(/ → .*/, '')) }
}

test('reconciling the database ends in the same organization as reconciling the model', async () => {
  await fc.assert(
    fc.asyncProperty(sayings, fc.nat({ max: 5 }), fc.nat({ max: 1_000 }), async (life, cut, seed) => {
      const world = live(createWorld({ brake: 'off', seed }), life)
      fc.pre(isStorable(world))
      const stored = await storeWorld(db.pool, world)
      nowMs = now(world).getTime() + 1_000
      const failures: unknown[] = []
      const run = () =>
        reconcileOrganization(db, stored, {
          ...{ sliceSize: cut + 1, maxSlices: 10_000, shouldStop: () => false, onSynced: () => {} },
          onFailure: ({ error }) => failures.push(error),
        })
      await run()
      const place = { tenant: stored.tenant, organization: stored.organization }
      for (const { kind, id } of everySubject(world)) await request(db.pool, place, kind, [stored.uuid(id)])
      await run()
      expect(failures).toEqual([])
      const model = copyWorld(world)
      knockAgain(model)
      expect(organizationOf(await readWorld(db.pool, world, stored))).toEqual(organizationOf(model))
    }),
    { numRuns: runs, endOnFailure: true },
  )
})
