// The outbox: reconcile requests written with the facts, and how the relay hears of them. The
// rows are the truth; a notification only makes it quick. It is sent after the commit and
// gathered over all requests in flight: NOTIFY inside a transaction makes PostgreSQL commit one
// at a time. A lost notification is found by the sweep (docs/decisions/outbox.md).

import type pg from 'pg'
import type { Uuid } from '../model/ids.ts'
import type { SubjectKind } from '../model/words.ts'
import type { Scope } from './scope.ts'

/** An organization that has something to reconcile: the key a job carries. */
export interface OrganizationKey {
  readonly tenant: Uuid
  readonly organization: Uuid
}

export interface Wake extends OrganizationKey {
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

/** Gathers wakes of this process and sends at most one notification at a time. Failures are left to the sweep. */
export function createWaker(pool: pg.Pool, onError: (error: unknown) => void): Waker {
  let waiting = new Map<string, Wake>()
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.size > 0) {
      const payloads = encodeWakes([...waiting.values()])
      waiting = new Map()
      try {
        await pool.query({
          name: 'notify_wake',
          text: `SELECT pg_notify('${channel}', payload) FROM unnest($1::text[]) AS payload`,
          values: [payloads],
        })
      } catch (error) {
        onError(error)
      }
    }
    sending = undefined
  }

  return {
    wake(wake) {
      const key = `${wake.tenant}/${wake.organization}`
      waiting.set(key, { ...wake, urgent: wake.urgent || waiting.get(key)?.urgent === true })
      sending ??= send()
    },
    idle: async () => sending,
  }
}

/** Payloads below PostgreSQL's limit of 8,000 bytes: one `tenant/organization[!]` a line. */
function encodeWakes(wakes: readonly Wake[]): string[] {
  const payloads: string[] = []
  for (let start = 0; start < wakes.length; start += 100) {
    const lines = wakes
      .slice(start, start + 100)
      .map((wake) => `${wake.tenant}/${wake.organization}${wake.urgent ? '!' : ''}`)
    payloads.push(lines.join('\n'))
  }
  return payloads
}

/** What `encodeWakes` wrote; lines of another shape are dropped. */
export function decodeWakes(payload: string): Wake[] {
  return payload.split('\n').flatMap((line) => {
    const found = /^([0-9a-f-]{36})\/([0-9a-f-]{36})(!?)$/.exec(line)
    if (found?.[1] === undefined || found[2] === undefined) return []
    return [{ tenant: found[1], organization: found[2], urgent: found[3] === '!' }]
  })
}

export { channel as wakeChannel }
