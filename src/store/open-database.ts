// Builds the one pool and the Prisma client on it. Called by compose, and by tests in its place.

import { randomBytes } from 'node:crypto'
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
  pool.on('error', onError)
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  const waker = createWaker(pool, onError)
  return {
    pool,
    prisma,
    waker,
    clock,
    newId: () => uuidV7(clock().getTime(), randomBytes(16)),
    async close() {
      await waker.idle()
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
