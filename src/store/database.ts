// Opens transactions and hands out scopes. The pool and the Prisma client are built once by
// compose and share their connections; nothing else in the program reaches them.

import type pg from 'pg'
import type { Clock } from '../model/clock.ts'
import type { Uuid } from '../model/ids.ts'
import type { PrismaClient } from './generated/client.ts'
import type { Wake, Waker } from './outbox.ts'
import type { Actor, OrmTx, Scope, Statement, Touched, Tx } from './scope.ts'

export interface Database {
  readonly pool: pg.Pool
  readonly prisma: PrismaClient
  readonly waker: Waker
  readonly clock: Clock
  readonly newId: () => Uuid
}

/** Whose data, and who asks. */
export interface Caller {
  readonly tenant: Uuid
  readonly actor: Actor
}

/**
 * Runs one statement that is its own transaction: a read, or a write that puts row, request and
 * audit into a single CTE. The hot paths use it; a second write would not be atomic with the first.
 */
export async function withStatement<R>(db: Database, caller: Caller, run: (scope: Scope) => Promise<R>): Promise<R> {
  const touched = collectTouched(caller.tenant)
  const result = await run(makeScope(db, caller, poolTx(db.pool), touched))
  touched.tell(db.waker)
  return result
}

/** Runs a transaction of several statements. Deadlocks and serialization failures run it again, three times at most. */
export async function withTransaction<R>(db: Database, caller: Caller, run: (scope: Scope) => Promise<R>): Promise<R> {
  return retrying(async () => {
    const touched = collectTouched(caller.tenant)
    const client = await db.pool.connect()
    let broken = false
    // A connection that ends between two statements tells so by this event, and by it only.
    const lost = () => {
      broken = true
    }
    client.on('error', lost)
    try {
      await client.query('BEGIN')
      const result = await run(makeScope(db, caller, clientTx(client), touched))
      await client.query('COMMIT')
      touched.tell(db.waker)
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(lost)
      throw error
    } finally {
      client.off('error', lost)
      client.release(broken)
    }
  })
}

/** The same through Prisma, for use cases that read and write ordinary rows. */
export async function withOrm<R>(db: Database, caller: Caller, run: (scope: Scope<OrmTx>) => Promise<R>): Promise<R> {
  return retrying(async () => {
    const touched = collectTouched(caller.tenant)
    const result = await db.prisma.$transaction(
      async (orm) => {
        const tx: OrmTx = {
          orm,
          query: async <Row>(statement: Statement, values: readonly unknown[]) =>
            orm.$queryRawUnsafe<Row[]>(statement.text, ...values),
        }
        return run(makeScope(db, caller, tx, touched))
      },
      { timeout: 30_000, maxWait: 10_000 },
    )
    touched.tell(db.waker)
    return result
  })
}

function makeScope<T extends Tx>(db: Database, caller: Caller, tx: T, touched: Touched): Scope<T> {
  return { tx, tenant: caller.tenant, actor: caller.actor, now: db.clock(), newId: db.newId, touched }
}

function poolTx(pool: pg.Pool): Tx {
  return {
    query: async <Row>(statement: Statement, values: readonly unknown[]) =>
      rows<Row>(await pool.query(config(statement, values))),
  }
}

function clientTx(client: pg.PoolClient): Tx {
  return {
    query: async <Row>(statement: Statement, values: readonly unknown[]) =>
      rows<Row>(await client.query(config(statement, values))),
  }
}

function config(statement: Statement, values: readonly unknown[]): pg.QueryConfig {
  return statement.name === undefined
    ? { text: statement.text, values: [...values] }
    : { name: statement.name, text: statement.text, values: [...values] }
}

function rows<Row>(result: pg.QueryResult): Row[] {
  return result.rows as Row[]
}

function collectTouched(tenant: Uuid): Touched & { tell(waker: Waker): void } {
  const wakes: Wake[] = []
  return {
    add: (id, urgent) => wakes.push({ kind: 'organization', tenant, id, urgent }),
    job: (kind, id) => wakes.push({ kind, tenant, id, urgent: true }),
    tell: (waker) => {
      for (const wake of wakes) waker.wake(wake)
    },
  }
}

const retryable = new Set(['40001', '40P01'])

async function retrying<R>(attempt: () => Promise<R>): Promise<R> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (tries === 3 || !retryable.has(sqlState(error) ?? '')) throw error
    }
  }
}

/** The SQLSTATE of a database error, whether it came through pg or through Prisma; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string') {
    if (/^[0-9A-Z]{5}$/.test(error.code) && !/^P\d{4}$/.test(error.code)) return error.code
    if (error.code === 'P2002') return '23505'
    if (error.code === 'P2034') return '40001'
  }
  if ('meta' in error) {
    const meta = JSON.stringify(error.meta)
    const found = /"originalCode":"([0-9A-Z]{5})"/.exec(meta)
    if (found?.[1] !== undefined) return found[1]
  }
  return 'cause' in error ? sqlState(error.cause) : undefined
}

/** The constraint or index that a database error names, so that a use case can say which value was taken. */
export function violatedConstraint(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('constraint' in error && typeof error.constraint === 'string') return error.constraint
  return 'cause' in error ? violatedConstraint(error.cause) : undefined
}
