// The outbox, both of its ends: reconcile requests written with the facts, and how the relay hears of
// them. The rows are the truth; a notification only makes it quick. It is sent after the commit and
// gathered over all requests in flight: NOTIFY inside a transaction makes PostgreSQL commit one at a
// time. A lost notification is found by the sweep (docs/decisions/outbox.md). What becomes of a wake
// is src/queue/relay.ts.

import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Uuid } from '../model/ids.ts'
import type { SubjectKind } from '../model/words.ts'
import type { Scope, Statement } from './scope.ts'

/** An organization that has something to reconcile: the key a job carries. */
export interface OrganizationKey {
  readonly tenant: Uuid
  readonly organization: Uuid
}

/** Something that waits for a job. `id` is the organization, the mail or the domain. */
export interface Wake {
  readonly kind: 'organization' | 'mail' | 'domain'
  readonly tenant: Uuid
  readonly id: Uuid
  /** Somebody is waiting for it. */
  readonly urgent: boolean
}

export interface Waker {
  wake(wake: Wake): void
  /** Resolves when everything told so far has been sent. */
  idle(): Promise<void>
}

export interface Subject {
  readonly kind: SubjectKind
  readonly id: Uuid
}

const insertRequests = {
  name: 'insert_reconcile_requests',
  text: `INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, urgent, cause_id, requested_at)
    SELECT $1::uuid, $2::uuid, kind, id, $5::boolean, $6::uuid, $7::timestamptz
    FROM unnest($3::text[], $4::uuid[]) AS subject (kind, id)`,
}

/** Asks for subjects of one organization to be reconciled, in the caller's transaction. `causeId` is the audit entry of what was said. */
export async function requestReconcile(
  scope: Scope,
  organizationId: Uuid,
  subjects: readonly Subject[],
  options: { urgent?: boolean; causeId: Uuid | null },
): Promise<void> {
  if (subjects.length === 0) return
  const urgent = options.urgent ?? false
  await scope.tx.query(insertRequests, [
    scope.tenant,
    organizationId,
    subjects.map((subject) => subject.kind),
    subjects.map((subject) => subject.id),
    urgent,
    options.causeId,
    scope.now,
  ])
  scope.touched.add(organizationId, urgent)
}

const channel = 'rollcall_wake'

/**
 * How long the notifications of one process stay apart. Each is a commit of its own: without a rest a push of a
 * thousand creates a second sends two hundred, and they are a twentieth of its CPU.
 */
const usualRestMs = 25

/**
 * Gathers wakes of this process and sends at most one notification at a time: the first at once, further ones after a
 * rest, unless somebody waits for them. Failures are left to the sweep.
 */
export function createWaker(pool: pg.Pool, onError: (error: unknown) => void, restMs = usualRestMs): Waker {
  let waiting = new Map<string, Wake>()
  let sending: Promise<void> | undefined
  let resting = new AbortController()
  let hurried = false

  async function send(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.size > 0) {
      const payloads = encodeWakes([...waiting.values()])
      waiting = new Map()
      resting = new AbortController()
      try {
        await pool.query({
          name: 'notify_wake',
          text: `SELECT pg_notify('${channel}', payload) FROM unnest($1::text[]) AS payload`,
          values: [payloads],
        })
      } catch (error) {
        onError(error)
      }
      if (!hurried) await pause(restMs, undefined, { signal: resting.signal }).catch(() => {})
    }
    sending = undefined
    hurried = false
  }

  return {
    wake(wake) {
      const key = `${wake.kind}/${wake.tenant}/${wake.id}`
      waiting.set(key, { ...wake, urgent: wake.urgent || waiting.get(key)?.urgent === true })
      if (wake.urgent) resting.abort()
      sending ??= send()
    },
    async idle() {
      hurried = sending !== undefined
      resting.abort()
      await sending
    },
  }
}

/** Payloads below PostgreSQL's limit of 8,000 bytes: one `kind/tenant/id[!]` a line. */
function encodeWakes(wakes: readonly Wake[]): string[] {
  const payloads: string[] = []
  for (let start = 0; start < wakes.length; start += 80) {
    const lines = wakes
      .slice(start, start + 80)
      .map((wake) => `${wake.kind}/${wake.tenant}/${wake.id}${wake.urgent ? '!' : ''}`)
    payloads.push(lines.join('\n'))
  }
  return payloads
}

const wakeLine = /^(organization|mail|domain)\/([0-9a-f-]{36})\/([0-9a-f-]{36})(!?)$/

/** What `encodeWakes` wrote; lines of another shape are dropped. */
function decodeWakes(payload: string): Wake[] {
  return payload.split('\n').flatMap((line) => {
    const [, kind, tenant, id, mark] = wakeLine.exec(line) ?? []
    if (tenant === undefined || id === undefined) return []
    if (kind !== 'organization' && kind !== 'mail' && kind !== 'domain') return []
    return [{ kind, tenant, id, urgent: mark === '!' }]
  })
}

/** The reading end, for the relay. It sees every tenant: what it reads are keys and nothing else. */
export interface OutboxReader {
  /** Hears wakes from now on until it is closed, over a connection of its own, which it opens again whenever it breaks. */
  listen(hooks: ListenHooks): OutboxListener
  /** Everything that waits, in pages: organizations with requests that are not set aside, mails, domains to be checked. */
  sweep(): AsyncIterable<readonly Wake[]>
}

export interface ListenHooks {
  onWakes(wakes: readonly Wake[]): void
  /** Now it hears. What was sent before may not have been heard: a sweep is due. */
  onListening(): void
  /** It hears nothing, and tries again. */
  onLost(error: unknown): void
}

export interface OutboxListener {
  close(): Promise<void>
}

/** `connectionString` has to lead to the server itself: a pooler in transaction mode does not carry notifications. */
export function createOutboxReader(options: { pool: pg.Pool; connectionString: string }): OutboxReader {
  return {
    listen: (hooks) => listen(options.connectionString, hooks),
    sweep: () => sweep(options.pool),
  }
}

function listen(connectionString: string, hooks: ListenHooks): OutboxListener {
  const closing = new AbortController()
  const { signal } = closing

  /** One connection's life; resolves with the reason of its end. */
  async function hear(heard: () => void): Promise<unknown> {
    const client = new pg.Client({
      connectionString,
      application_name: 'rollcall-relay',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
    const ended = new Promise<unknown>((resolve) => {
      client.on('error', resolve)
      client.on('end', () => resolve(new Error('The connection was closed')))
      signal.addEventListener('abort', resolve, { once: true })
    })
    try {
      client.on('notification', ({ payload }) => {
        const wakes = decodeWakes(payload ?? '')
        if (wakes.length > 0) hooks.onWakes(wakes)
      })
      const listening = client.connect().then(() => client.query(`LISTEN ${channel}`))
      await Promise.race([listening.then(heard), ended])
      return await ended
    } catch (error) {
      return error
    } finally {
      // The other side may be gone without a word: nobody waits for its goodbye.
      void client.end().catch(() => {})
    }
  }

  async function keepHearing(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const reason = await hear(() => {
        failures = 0
        if (!signal.aborted) hooks.onListening()
      })
      if (signal.aborted) return
      hooks.onLost(reason)
      await pause(Math.min(100 * 2 ** failures, 5_000), undefined, { signal }).catch(() => {})
    }
  }

  const running = keepHearing()
  return {
    async close() {
      closing.abort()
      await running
    },
  }
}

// A loose index scan over reconcile_requests_claim: one step per organization, however many requests
// each of them has. The first row of an organization says whether anything urgent is among them.
const pendingOrganizations = {
  name: 'sweep_organizations',
  text: `WITH RECURSIVE pending AS (
      (SELECT tenant_id, organization_id, urgent, 1 AS number FROM reconcile_requests
        WHERE set_aside_at IS NULL AND (tenant_id, organization_id) > ($1::uuid, $2::uuid)
        ORDER BY tenant_id, organization_id, urgent DESC, id LIMIT 1)
      UNION ALL
      SELECT following.*, pending.number + 1 FROM pending CROSS JOIN LATERAL (
        SELECT tenant_id, organization_id, urgent FROM reconcile_requests AS request
          WHERE set_aside_at IS NULL
            AND (request.tenant_id, request.organization_id) > (pending.tenant_id, pending.organization_id)
          ORDER BY tenant_id, organization_id, urgent DESC, id LIMIT 1) AS following
        WHERE pending.number < $3::int)
    SELECT tenant_id AS tenant, organization_id AS id, urgent, tenant_id::text AS "from", organization_id AS "fromId"
    FROM pending ORDER BY number`,
}
const pendingMails = {
  name: 'sweep_mails',
  text: `SELECT tenant_id AS tenant, id, true AS urgent, created_at::text AS "from", id AS "fromId" FROM mails
    WHERE sent_at IS NULL AND failed_at IS NULL AND (created_at, id) > ($1::timestamptz, $2::uuid)
    ORDER BY created_at, id LIMIT $3`,
}
const pendingDomains = {
  name: 'sweep_domains',
  text: `SELECT tenant_id AS tenant, id, true AS urgent, check_requested_at::text AS "from", id AS "fromId" FROM domains
    WHERE check_requested_at IS NOT NULL AND (check_requested_at, id) > ($1::timestamptz, $2::uuid)
    ORDER BY check_requested_at, id LIMIT $3`,
}
const zeroId = '00000000-0000-0000-0000-000000000000'
const sources = [
  { kind: 'organization', statement: pendingOrganizations, start: zeroId },
  { kind: 'mail', statement: pendingMails, start: '-infinity' },
  { kind: 'domain', statement: pendingDomains, start: '-infinity' },
] as const
const pageSize = 500

interface Position {
  readonly from: string
  readonly fromId: Uuid
}

interface Found extends Position {
  readonly tenant: Uuid
  readonly id: Uuid
  readonly urgent: boolean
}

async function* sweep(pool: pg.Pool): AsyncGenerator<readonly Wake[]> {
  for (const { kind, statement, start } of sources) {
    let next: Position | undefined = { from: start, fromId: zeroId }
    while (next !== undefined) {
      const rows = await readPage(pool, statement, next)
      if (rows.length > 0) yield rows.map(({ tenant, id, urgent }) => ({ kind, tenant, id, urgent }))
      next = rows.length < pageSize ? undefined : rows.at(-1)
    }
  }
}

async function readPage(pool: pg.Pool, statement: Statement, after: Position): Promise<Found[]> {
  const values = [after.from, after.fromId, pageSize]
  return (await pool.query<Found>({ ...statement, values })).rows
}
