// Keeps discovered clients for a while, one per connection, so that a login does not read the provider's metadata
// and keys again. Created by compose and passed in; there is no cache of the module's own.

import { type DiscoverOptions, discover, type OidcClient } from './discover.ts'
import type { OidcSettings } from './settings.ts'

export interface DiscoveryCache {
  /** As `discover`; concurrent callers share one request, a failure is not kept, changed settings start afresh. */
  readonly discover: (settings: OidcSettings, options: DiscoverOptions, now: Date) => Promise<OidcClient>
  /** Drops a connection, for instance after it was edited or deleted. */
  readonly forget: (connectionId: string) => void
}

export interface DiscoveryCacheOptions {
  readonly ttlMs?: number
  readonly maxConnections?: number
}

interface Entry {
  readonly key: string
  readonly expiresAtMs: number
  readonly client: Promise<OidcClient>
}

/** One hour and 1,000 connections unless told otherwise; the least recently added goes first. */
export function createDiscoveryCache(options: DiscoveryCacheOptions = {}): DiscoveryCache {
  const { ttlMs = 3_600_000, maxConnections = 1_000 } = options
  const entries = new Map<string, Entry>()
  return {
    discover(settings, discoverOptions, now) {
      const key = JSON.stringify([settings, discoverOptions.allowInsecureLoopback])
      const kept = entries.get(settings.connectionId)
      if (kept !== undefined && kept.key === key && kept.expiresAtMs > now.getTime()) return kept.client
      const entry = { key, expiresAtMs: now.getTime() + ttlMs, client: discover(settings, discoverOptions) }
      entries.delete(settings.connectionId)
      entries.set(settings.connectionId, entry)
      const [oldest] = entries.keys()
      if (entries.size > maxConnections && oldest !== undefined) entries.delete(oldest)
      entry.client.catch(() => {
        if (entries.get(settings.connectionId) === entry) entries.delete(settings.connectionId)
      })
      return entry.client
    },
    forget(connectionId) {
      entries.delete(connectionId)
    },
  }
}
