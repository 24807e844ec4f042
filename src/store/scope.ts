// What every store function is given first: the transaction it runs in, whose data it may touch,
// and the time, identity and ids of the request. Opening and committing is database.ts.

import type { Uuid } from '../model/ids.ts'
import type { Door } from '../model/words.ts'
import type { Prisma } from './generated/client.ts'

/** A named statement; the name lets PostgreSQL keep its plan. Leave it out for text built per request. */
export interface Statement {
  readonly name?: string
  readonly text: string
}

/** Parameterised SQL inside one transaction. Cast bigint and numeric results to int or text. */
export interface Tx {
  query<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
}

/** A transaction that Prisma opened: ordinary reads and writes through `orm`, and SQL beside them. */
export interface OrmTx extends Tx {
  readonly orm: Prisma.TransactionClient
}

/** Who speaks, through which door; `id` is written to the audit trail, e.g. `directory:<uuid>`. */
export interface Actor {
  readonly id: string
  readonly door: Door
}

export interface Scope<T extends Tx = Tx> {
  readonly tx: T
  readonly tenant: Uuid
  readonly now: Date
  readonly actor: Actor
  readonly newId: () => Uuid
  /** What is told to the relay after the commit. */
  readonly touched: Touched
}

export interface Touched {
  /** An organization with new reconcile requests. */
  add(organizationId: Uuid, urgent: boolean): void
  /** A mail that waits to be sent, or a domain whose check was asked for. */
  job(kind: 'mail' | 'domain', id: Uuid): void
}
