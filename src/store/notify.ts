// Tells other processes about organizations by NOTIFY, gathered: many keys in one notification,
// and one notification at a time from each process. It is sent outside of transactions, because a
// NOTIFY inside one makes PostgreSQL commit one at a time; so it may get lost, and whoever listens
// has a slower way to find out.

import type pg from 'pg'
import type { OrganizationKey } from './outbox.ts'

export interface OrganizationNotifier {
  tell(key: OrganizationKey): void
  /** Resolves when everything told so far has been sent. */
  idle(): Promise<void>
}

/** Gathers what is told while a notification is under way into the next one. Failures go to `onError` and are not repeated. */
export function createOrganizationNotifier(
  pool: pg.Pool,
  channel: string,
  onError: (error: unknown) => void,
): OrganizationNotifier {
  let waiting = new Set<string>()
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.size > 0) {
      const payloads = inPayloads([...waiting])
      waiting = new Set()
      try {
        await pool.query({
          name: 'notify_organizations',
          text: 'SELECT pg_notify($1::text, payload) FROM unnest($2::text[]) AS payload',
          values: [channel, payloads],
        })
      } catch (error) {
        onError(error)
      }
    }
    sending = undefined
  }

  return {
    tell(key) {
      waiting.add(`${key.tenant}/${key.organization}`)
      sending ??= send()
    },
    idle: async () => sending,
  }
}

/** PostgreSQL takes payloads below 8,000 bytes; a line has 73. */
function inPayloads(lines: readonly string[]): string[] {
  const payloads: string[] = []
  for (let start = 0; start < lines.length; start += 100) payloads.push(lines.slice(start, start + 100).join('\n'))
  return payloads
}

/** The keys of a payload; lines of another shape are dropped. */
export function organizationsIn(payload: string): OrganizationKey[] {
  return payload.split('\n').flatMap((line) => {
    const found = /^([0-9a-f-]{36})\/([0-9a-f-]{36})$/.exec(line)
    return found?.[1] === undefined || found[2] === undefined ? [] : [{ tenant: found[1], organization: found[2] }]
  })
}
