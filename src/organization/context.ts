// What the admin's use cases are given, and how they run: one transaction each, and an entry in the audit trail for
// every id that names nothing of the caller's tenant. Who the caller is comes from authenticate.ts.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { type Caller, type Database, sqlState, withOrm, withStatement, withTransaction } from '../store/database.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import type { SealingKeys } from '../store/seal.ts'

/** Built once by compose; nothing in it belongs to a request. */
export interface AdminContext {
  readonly db: Database
  /** Opens the tenants and nothing else; undefined: nobody may make tenants. */
  readonly bootstrapKey: string | undefined
  /** Where this service is reached from outside, without a slash at the end. */
  readonly publicUrl: string
  readonly sealingKeys: SealingKeys
  readonly randomBytes: (length: number) => Uint8Array
  /** A directory's state or tokens have changed here: what this process believes of them is stale. */
  readonly directoryChanged: (directoryId: Uuid) => void
}

/** Whose data, and who asks; the door only carries it from authentication to the use case. */
export type AdminCaller = Caller

/** An id that names nothing here. Another tenant's thing and no thing at all are one answer. */
export class Missing extends RollcallError {
  readonly subjectKind: string
  readonly subjectId: Uuid
  readonly organizationId: Uuid | null

  /** `organizationId`: the caller's organization in which it was looked for. */
  constructor(subjectKind: string, subjectId: Uuid, organizationId: Uuid | null = null) {
    super('not_found', `There is no ${subjectKind.replaceAll('_', ' ')} with this id here.`)
    this.subjectKind = subjectKind
    this.subjectId = subjectId
    this.organizationId = organizationId
  }
}

/** Runs a use case that writes, or reads through Prisma, in one transaction. */
export async function write<R>(
  context: AdminContext,
  caller: AdminCaller,
  run: (scope: Scope<OrmTx>) => Promise<R>,
): Promise<R> {
  try {
    return await auditingMisses(context, caller, () => withOrm(context.db, caller, run))
  } catch (cause) {
    // What was looked up a moment ago has been deleted by somebody else before the commit.
    if (sqlState(cause) === '23503') {
      throw new RollcallError('conflict', { detail: 'Something that this refers to has just gone. Try again.', cause })
    }
    throw cause
  }
}

/** Runs a use case that only reads. */
export async function read<R>(
  context: AdminContext,
  caller: AdminCaller,
  run: (scope: Scope) => Promise<R>,
): Promise<R> {
  return auditingMisses(context, caller, () => withTransaction(context.db, caller, run))
}

/**
 * Every id that names nothing of the tenant leaves an entry, whether or not it is another tenant's: looking would
 * tell the two apart by time. The use case's own transaction is rolled back, so the entry has one of its own.
 */
async function auditingMisses<R>(context: AdminContext, caller: AdminCaller, run: () => Promise<R>): Promise<R> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Missing) {
      const { subjectKind, subjectId, organizationId } = error
      await withStatement(context.db, caller, (scope) =>
        writeAudit(scope, { organizationId, action: 'access.denied', subjectKind, subjectId }),
      )
    }
    throw error
  }
}

/** Runs what may meet a unique constraint, and says in words what was taken (`uniqueness`). */
export async function refusingTaken<R>(detail: string, run: () => Promise<R>): Promise<R> {
  try {
    return await run()
  } catch (cause) {
    if (sqlState(cause) === '23505') throw new RollcallError('uniqueness', { detail, cause })
    throw cause
  }
}
