// Builds the one pool and the Prisma client on it. Called by compose, and by tests in its place.

import { randomFillSync } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Clock } from '../model/clock.ts'
import { uuidV7 } from '../model/ids.ts'
import type { Database } from './database.ts'
import { PrismaClient } from './generated/client.ts'
import { createWaker } from './outbox.ts'

export interface DatabaseSettings {
  readonly connectionString: string
  /** Connections at most. */
  readonly poolSize: number
  readonly clock: Clock
  /** Told of lost connections and of notifications that could not be sent; neither loses anything. */
  readonly onError: (error: unknown) => void
}

export interface OpenDatabase extends Database {
  /** Sends what is still to be notified and gives every connection back. */
  close(): Promise<void>
}

/** Connects lazily: the first statement shows whether the server is there. */
export function openDatabase({ connectionString, poolSize, clock, onError }: DatabaseSettings): OpenDatabase {
  const pool = new pg.Pool({
    connectionString,
    max: poolSize,
    connectionTimeoutMillis: 10_000,
    application_name: 'rollcall',
  })
  let closing = false
  // While closing, a connection that the server ends first is nothing to tell.
  const lost = (error: unknown) => (closing ? undefined : onError(error))
  pool.on('error', lost)
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  const waker = createWaker(pool, lost)
  const random = createRandomSource()
  return {
    pool,
    prisma,
    waker,
    clock,
    newId: () => uuidV7(clock().getTime(), random()),
    async close() {
      closing = true
      await waker.idle()
      await prisma.$disconnect()
      await pool.end()
    },
  }
}

/** Sixteen fresh random bytes at a time, drawn a page at a time: each draw costs as much as a hundred ids. */
function createRandomSource(): () => Uint8Array {
  const page = new Uint8Array(4_096)
  let at = page.length
  return () => {
    if (at === page.length) {
      randomFillSync(page)
      at = 0
    }
    at += 16
    return page.subarray(at - 16, at)
  }
}
