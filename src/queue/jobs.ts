// The closed list of jobs: their keys, their deduplication ids, and how they wait and retry. A job
// carries a key and never state; its handler reads the world, so that running it twice changes
// nothing. This file knows nothing of BullMQ; how the rules become options is in open-queue.ts, what
// runs the jobs in worker.ts, the handlers themselves in src/work/.

import { isUuid, type Uuid } from '../model/ids.ts'
import type { OrganizationKey } from '../store/outbox.ts'

export interface MailKey {
  readonly tenant: Uuid
  readonly mail: Uuid
}

export interface DomainKey {
  readonly tenant: Uuid
  readonly domain: Uuid
}

/** Where an organization's job waits. Somebody is waiting for the urgent one. */
export type Lane = 'urgent' | 'bulk'

export type Job =
  | { readonly name: 'reconcile-organization'; readonly key: OrganizationKey; readonly lane: Lane }
  | { readonly name: 'send-mail'; readonly key: MailKey }
  | { readonly name: 'verify-domain'; readonly key: DomainKey }

/** What a slice left behind. `urgent` says that somebody waits for what is left; without it the rest is bulk. */
export interface SliceOutcome {
  readonly more: boolean
  readonly urgent?: boolean
}

/**
 * What compose gives to `startWorkers`. A handler that throws is run again after a pause (see
 * `rulesOf`). One that returns while its row still waits is run again by the next sweep, in a second. The
 * signal is aborted when the job was lost to another worker or when stopping took too long; a handler
 * may ignore it, because a second run changes nothing.
 */
export interface Handlers {
  'reconcile-organization'(key: OrganizationKey, signal: AbortSignal): Promise<SliceOutcome>
  'send-mail'(key: MailKey, signal: AbortSignal): Promise<unknown>
  'verify-domain'(key: DomainKey, signal: AbortSignal): Promise<unknown>
}

/**
 * Jobs with the same id are one: at most one runs and one waits. An organization has an id for each
 * lane, because an urgent job must not be swallowed by a bulk one that already waits; where both run
 * at once, the lock on the organization's row puts one behind the other.
 */
export function deduplicationId(job: Job): string {
  switch (job.name) {
    case 'reconcile-organization':
      return `${job.key.tenant}/${job.key.organization}/${job.lane}`
    case 'send-mail':
      return `${job.key.tenant}/${job.key.mail}/mail`
    case 'verify-domain':
      return `${job.key.tenant}/${job.key.domain}/domain`
  }
}

export interface JobRules {
  /** Waits behind every job with a smaller number; equal ones run in the order in which they came. */
  readonly priority: number
  /** Tries in a row, the pauses doubling from `firstPauseMs`. Then the job is given up, and the next sweep adds it anew. */
  readonly attempts: number
  readonly firstPauseMs: number
}

/**
 * How a job waits and retries. While it pauses, new reasons to run it are swallowed by it, so an
 * organization and a domain do not pause long. Nothing new is ever said of a mail, and mail servers
 * want patience (greylisting): its tries, as many as src/work/send-mail.ts counts, take six minutes.
 */
export function rulesOf(job: Job): JobRules {
  switch (job.name) {
    case 'reconcile-organization':
      return { priority: job.lane === 'urgent' ? 0 : 10, attempts: 5, firstPauseMs: 1_000 }
    case 'send-mail':
      return { priority: 0, attempts: 8, firstPauseMs: 3_000 }
    case 'verify-domain':
      return { priority: 5, attempts: 6, firstPauseMs: 2_000 }
  }
}

/** What is stored in the queue: the key, and the lane, by which a job finds back to its place. */
export function encodeJob(job: Job): { name: string; data: Record<string, string> } {
  return {
    name: job.name,
    data: job.name === 'reconcile-organization' ? { ...job.key, lane: job.lane } : { ...job.key },
  }
}

/** What `encodeJob` wrote; undefined for anything else, such as a job of another version of this program. */
export function decodeJob(name: string, data: unknown): Job | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const id = (field: string): Uuid | undefined => {
    const value: unknown = Reflect.get(data, field)
    return isUuid(value) ? value : undefined
  }
  const tenant = id('tenant')
  if (tenant === undefined) return undefined
  const [organization, mail, domain] = [id('organization'), id('mail'), id('domain')]
  if (name === 'reconcile-organization' && organization !== undefined) {
    const lane = Reflect.get(data, 'lane') === 'urgent' ? 'urgent' : 'bulk'
    return { name, key: { tenant, organization }, lane }
  }
  if (name === 'send-mail' && mail !== undefined) return { name, key: { tenant, mail } }
  if (name === 'verify-domain' && domain !== undefined) return { name, key: { tenant, domain } }
  return undefined
}
