// Reconciles one organization, slice by slice: lock, claim, load, plan, apply, commit, tell. Each
// slice is one transaction, so that whatever dies in between has done nothing; doing it twice
// changes nothing. Which job runs it, and when, is the queue's.

import { makePlan } from '../reconcile/plan.ts'
import { applyPlan } from '../store/apply/apply-plan.ts'
import {
  type ClaimedRequest,
  claimFailed,
  claimSlice,
  failedRequests,
  lockOrganization,
  recordFailure,
} from '../store/claim.ts'
import { type Caller, type Database, sqlState, withTransaction } from '../store/database.ts'
import type { OrganizationKey } from '../store/outbox.ts'
import type { Scope } from '../store/scope.ts'
import { loadSnapshot } from '../store/snapshot/load.ts'
import { analyseTables } from '../store/statistics.ts'

export interface ReconcileOptions {
  /** How many requests one transaction takes. */
  readonly sliceSize: number
  /** After so many slices others get their turn. */
  readonly maxSlices: number
  readonly shouldStop: () => boolean
  /** Told after each commit; wakes those who wait for being in sync. */
  readonly onSynced: (key: OrganizationKey) => void
  /** Told of every slice that failed; the error may hold personal data. */
  readonly onFailure: (failure: SliceFailure) => void
}

export interface SliceFailure extends OrganizationKey {
  readonly error: unknown
  readonly requests: number
  /** How many of them failed for the last time and wait for an admin. */
  readonly setAside: number
}

export interface Reconciled {
  readonly slices: number
  readonly requests: number
  /** Requests may be left that can be taken at once. */
  readonly more: boolean
  /** Requests that failed now and are to be tried again later. */
  readonly failing: number
}

/** So many failures without a success between them are not the requests' fault: trying on would only set them all aside. */
const streakMax = 10

type Claim = (scope: Scope) => Promise<ClaimedRequest[]>

/**
 * Works on an organization until nothing is left to take, `maxSlices` are done, or it should stop.
 * When a slice fails its requests are taken one by one, so that one of them cannot stop the others;
 * which fails by itself is left for a later run, and so is everything when nothing succeeds. Throws
 * when the database cannot be worked with now.
 */
export async function reconcileOrganization(
  db: Database,
  key: OrganizationKey,
  options: ReconcileOptions,
): Promise<Reconciled> {
  const tried = new Set<string>()
  const again: string[] = []
  const growth = watchGrowth()
  let [slices, requests, failing, streak] = [0, 0, 0, 0]
  while (slices < options.maxSlices && !options.shouldStop()) {
    const single = again.shift()
    const done = await runSlice(db, key, claimOf(key, single, options), growth, options)
    const [first, another] = done.claimed
    if (first === undefined) {
      if (single !== undefined) continue
      if (!done.gone) again.push(...(await failedBefore(db, key, tried)))
      if (again.length === 0) return { slices, requests, more: false, failing }
      continue
    }
    slices += 1
    if (!done.failed) {
      requests += done.claimed.length
      streak = 0
      continue
    }
    streak += 1
    const setAside = await countFailure(db, key, done, options)
    if (another !== undefined) again.push(...done.claimed.map((request) => request.id))
    else {
      tried.add(first.id)
      failing += 1 - setAside
    }
    if (streak === streakMax) return { slices, requests, more: false, failing: failing + again.length }
  }
  return { slices, requests, more: true, failing }
}

function claimOf(key: OrganizationKey, single: string | undefined, options: ReconcileOptions): Claim {
  return (scope) =>
    single === undefined
      ? claimSlice(scope, key.organization, options.sliceSize)
      : claimFailed(scope, key.organization, single)
}

/** `gone`: there is no such organization. */
type SliceOutcome = { readonly claimed: readonly ClaimedRequest[]; readonly gone: boolean } & (
  | { readonly failed: false }
  | { readonly failed: true; readonly error: unknown }
)

async function runSlice(
  db: Database,
  key: OrganizationKey,
  claim: Claim,
  growth: Growth,
  options: ReconcileOptions,
): Promise<SliceOutcome> {
  let claimed: readonly ClaimedRequest[] = []
  let gone = false
  try {
    await withTransaction(db, callerOf(key), async (scope) => {
      claimed = []
      const organization = await lockOrganization(scope, key.organization)
      gone = organization === null
      if (organization === null) return
      claimed = await claim(scope)
      if (claimed.length === 0) return
      if (claimed.length === options.sliceSize && growth.isDue(organization.nextMemberNumber))
        await analyseTables(scope)
      const snapshot = await loadSnapshot(scope, organization, claimed)
      await applyPlan(scope, { organization, requests: claimed, snapshot, plan: makePlan(snapshot) })
    })
  } catch (error) {
    if (claimed.length === 0 || isTheDatabases(error)) throw error
    return { claimed, gone, failed: true, error }
  }
  if (claimed.length > 0) options.onSynced(key)
  return { claimed, gone, failed: false }
}

async function countFailure(
  db: Database,
  key: OrganizationKey,
  { claimed, error }: SliceOutcome & { readonly failed: true },
  options: ReconcileOptions,
): Promise<number> {
  const ids = claimed.map((request) => request.id)
  const { setAside } = await withTransaction(db, callerOf(key), (scope) =>
    recordFailure(scope, key.organization, ids, error),
  )
  options.onFailure({ ...key, error, requests: ids.length, setAside })
  return setAside
}

const failedAtOnce = 1_000

async function failedBefore(db: Database, key: OrganizationKey, tried: ReadonlySet<string>): Promise<string[]> {
  const ids = await withTransaction(db, callerOf(key), (scope) => failedRequests(scope, key.organization, failedAtOnce))
  return ids.filter((id) => !tried.has(id))
}

/** Connection lost, deadlock, out of resources, lock or server not available, I/O: no request is to blame. */
function isTheDatabases(error: unknown): boolean {
  return /^(?:08|40|53|55|57|58)/.test(sqlState(error) ?? '')
}

interface Growth {
  isDue(nextMemberNumber: number): boolean
}

/** Due before the first large slice of an organization without members, then whenever it is four times as large. */
function watchGrowth(): Growth {
  let due: number | undefined
  return {
    isDue(nextMemberNumber) {
      due ??= nextMemberNumber === 1 ? 1 : nextMemberNumber * 4
      if (nextMemberNumber < due) return false
      due = Math.max(500, nextMemberNumber * 4)
      return true
    },
  }
}

function callerOf(key: OrganizationKey): Caller {
  return { tenant: key.tenant, actor: { id: 'reconciler', door: 'work' } }
}
