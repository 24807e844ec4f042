// Whether an organization, or one subject of it, is reconciled: a comparison of what was asked for
// with what has been observed. Logins and tests wait for it here, woken by the worker's NOTIFY with
// a slower look behind it. Asking for reconciling is outbox.ts.

import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Uuid } from '../model/ids.ts'
import { type Caller, type Database, withStatement } from './database.ts'
import { createOrganizationNotifier, type OrganizationNotifier, organizationsIn } from './notify.ts'
import type { OrganizationKey, Subject } from './outbox.ts'
import type { Scope } from './scope.ts'

const channel = 'rollcall_synced'

export interface SyncTarget {
  readonly organizationId: Uuid
  /** Without it: the whole organization. */
  readonly subject?: Subject
}

const organizationPending = {
  name: 'organization_pending',
  text: `SELECT EXISTS (SELECT 1 FROM reconcile_requests
      WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND set_aside_at IS NULL) AS pending`,
}

const subjectInSync = {
  name: 'subject_in_sync',
  text: `SELECT NOT EXISTS (SELECT 1 FROM reconcile_requests
        WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND subject_id = $4::uuid AND subject_kind = $3::text)
      AND CASE $3::text
        WHEN 'directory_user' THEN EXISTS (SELECT 1 FROM directory_users fact
          JOIN directory_links seen ON seen.tenant_id = fact.tenant_id AND seen.directory_user_id = fact.id
          WHERE fact.tenant_id = $1::uuid AND fact.organization_id = $2::uuid AND fact.id = $4::uuid
            AND seen.observed_generation = fact.generation)
        WHEN 'entry' THEN EXISTS (SELECT 1 FROM entries
          WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND id = $4::uuid
            AND observed_generation = generation)
        ELSE true END AS in_sync`,
}

/**
 * Whether everything asked for has been reconciled. For an organization, requests that were set aside
 * after failing do not count, they wait for an admin; for a subject they do: it has not been reconciled.
 */
export async function isInSync(scope: Scope, target: SyncTarget): Promise<boolean> {
  if (target.subject === undefined) {
    const [row] = await scope.tx.query<{ pending: boolean }>(organizationPending, [scope.tenant, target.organizationId])
    return row?.pending === false
  }
  const values = [scope.tenant, target.organizationId, target.subject.kind, target.subject.id]
  const [row] = await scope.tx.query<{ in_sync: boolean }>(subjectInSync, values)
  return row?.in_sync === true
}

export interface OrganizationSyncStatus {
  readonly inSync: boolean
  /** Requests that the worker still has to take; `urgent` and `failing` are part of them. */
  readonly pending: number
  readonly urgent: number
  /** Tried without success, and tried again. */
  readonly failing: number
  /** Failed too often; they wait for an admin. */
  readonly setAside: number
  readonly oldestRequestedAt: Date | null
}

const syncStatus = {
  name: 'organization_sync_status',
  text: `SELECT count(*) FILTER (WHERE set_aside_at IS NULL)::int AS pending,
      count(*) FILTER (WHERE set_aside_at IS NULL AND urgent)::int AS urgent,
      count(*) FILTER (WHERE set_aside_at IS NULL AND attempts > 0)::int AS failing,
      count(*) FILTER (WHERE set_aside_at IS NOT NULL)::int AS set_aside,
      min(requested_at) FILTER (WHERE set_aside_at IS NULL) AS oldest
    FROM reconcile_requests WHERE tenant_id = $1::uuid AND organization_id = $2::uuid`,
}

/** How far the reconciling of an organization is. An organization that does not exist has nothing pending. */
export async function organizationSyncStatus(scope: Scope, organizationId: Uuid): Promise<OrganizationSyncStatus> {
  const [row] = await scope.tx.query<{
    pending: number
    urgent: number
    failing: number
    set_aside: number
    oldest: Date | null
  }>(syncStatus, [scope.tenant, organizationId])
  return {
    inSync: (row?.pending ?? 0) === 0,
    pending: row?.pending ?? 0,
    urgent: row?.urgent ?? 0,
    failing: row?.failing ?? 0,
    setAside: row?.set_aside ?? 0,
    oldestRequestedAt: row?.oldest ?? null,
  }
}

/** What the worker tells after it has committed a slice. */
export function createSyncNotifier(pool: pg.Pool, onError: (error: unknown) => void): OrganizationNotifier {
  return createOrganizationNotifier(pool, channel, onError)
}

/** Hears, over one connection of its own, which organizations have moved. */
export interface SyncListener {
  /** Calls `wake` whenever a slice of the organization was committed, until the answer is called. */
  subscribe(key: OrganizationKey, wake: () => void): () => void
  /** Resolves when the connection listens for the first time; waiting works before that too, only slower. */
  readonly ready: Promise<void>
  /** Ends the connection. Whoever still waits is left to its own second look. */
  close(): Promise<void>
}

const reconnectMs = 1_000

/** Connects at once, and again after each loss; losses go to `onError`. */
export function createSyncListener(connectionString: string, onError: (error: unknown) => void): SyncListener {
  const waiters = new Map<string, Set<() => void>>()
  const closing = new AbortController()
  let becomeReady = () => {}
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve
  })

  async function listenOnce(): Promise<void> {
    const client = new pg.Client({ connectionString, keepAlive: true, application_name: 'rollcall-sync' })
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    const end = () => void client.end().catch(() => {})
    client.on('error', onError)
    client.on('notification', ({ payload }) => {
      for (const key of organizationsIn(payload ?? '')) wakeAll(waiters.get(nameOf(key)))
    })
    closing.signal.addEventListener('abort', end)
    try {
      await client.connect()
      await client.query(`LISTEN ${channel}`)
      becomeReady()
      for (const group of waiters.values()) wakeAll(group) // they may have missed something meanwhile
      await ended
    } finally {
      closing.signal.removeEventListener('abort', end)
      end()
    }
  }

  async function listen(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await listenOnce()
      } catch (error) {
        if (!closing.signal.aborted) onError(error)
      }
      await delay(reconnectMs, undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  const listening = listen()
  return {
    subscribe(key, wake) {
      const name = nameOf(key)
      const group = waiters.get(name) ?? new Set()
      waiters.set(name, group.add(wake))
      return () => {
        group.delete(wake)
        if (group.size === 0 && waiters.get(name) === group) waiters.delete(name)
      }
    },
    ready,
    async close() {
      closing.abort()
      await listening
    },
  }
}

function nameOf(key: OrganizationKey): string {
  return `${key.tenant}/${key.organization}`
}

function wakeAll(group: Iterable<() => void> | undefined): void {
  for (const wake of group ?? []) wake()
}

/**
 * Waits until the organization, or the one subject, is in sync; false when `timeoutMs` have passed
 * before. A notification wakes it; behind that it looks every `recheckMs`.
 */
export async function awaitInSync(
  db: Database,
  listener: SyncListener,
  key: OrganizationKey & { readonly subject?: Subject },
  options: { readonly timeoutMs: number; readonly recheckMs?: number },
): Promise<boolean> {
  const { tenant, organization: organizationId, subject } = key
  const target = subject === undefined ? { organizationId } : { organizationId, subject }
  const caller: Caller = { tenant, actor: { id: 'reconciler', door: 'work' } }
  const end = performance.now() + options.timeoutMs
  let wake = () => {}
  const unsubscribe = listener.subscribe(key, () => wake())
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve // before looking, so that no notification falls between the look and the wait
      })
      if (await withStatement(db, caller, (scope) => isInSync(scope, target))) return true
      const rest = end - performance.now()
      if (rest <= 0) return false
      await within(woken, Math.min(rest, options.recheckMs ?? 250))
    }
  } finally {
    unsubscribe()
  }
}

async function within(woken: Promise<void>, timeoutMs: number): Promise<void> {
  const late = new AbortController()
  await Promise.race([woken, delay(timeoutMs, undefined, { signal: late.signal }).catch(() => {})])
  late.abort()
}
