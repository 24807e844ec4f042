// Codes sent to an address to prove it. A code is found only with the cookie of the browser that asked for
// it; wrong answers are counted here, so that no number of API processes gives a guesser more of them.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

/** How often a code may be answered; a CHECK holds the same number. */
export const maxCodeAttempts = 5

export interface StoredEmailCode {
  readonly id: Uuid
  readonly email: string
  readonly emailKey: string
  readonly codeHash: Uint8Array
  readonly displayName: string | null
  readonly attempts: number
}

const lockAddress = {
  name: 'lock_email_address',
  text: `SELECT pg_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 20261121))::text AS locked`,
}

/** How many codes this address was sent since then. Holds a lock on the address until the commit, so that requests at once cannot all find room. */
export async function countRecentCodes(scope: Scope<OrmTx>, emailKey: string, since: Date): Promise<number> {
  await scope.tx.query(lockAddress, [scope.tenant, emailKey])
  return scope.tx.orm.emailCode.count({ where: { tenantId: scope.tenant, emailKey, createdAt: { gt: since } } })
}

export async function insertEmailCode(
  scope: Scope<OrmTx>,
  code: {
    readonly id: Uuid
    readonly email: string
    readonly emailKey: string
    readonly codeHash: Uint8Array<ArrayBuffer>
    readonly displayName: string | null
    readonly browserHash: Uint8Array<ArrayBuffer>
    readonly expiresAt: Date
  },
): Promise<void> {
  await scope.tx.orm.emailCode.create({ data: { tenantId: scope.tenant, createdAt: scope.now, ...code } })
}

const takeAttempt = {
  name: 'take_email_code_attempt',
  text: `UPDATE email_codes SET attempts = attempts + 1
    WHERE tenant_id = $1::uuid AND id = $2::uuid AND browser_hash = $3::bytea AND consumed_at IS NULL
      AND expires_at > $4::timestamptz AND attempts < ${maxCodeAttempts}
    RETURNING id, email, email_key AS "emailKey", code_hash AS "codeHash", display_name AS "displayName", attempts`,
}

/** Counts one answer and gives the code to compare it with; undefined when there is none for this browser, or no answer is left. */
export async function takeCodeAttempt(
  scope: Scope,
  id: Uuid,
  browserHash: Uint8Array<ArrayBuffer>,
): Promise<StoredEmailCode | undefined> {
  const [row] = await scope.tx.query<StoredEmailCode>(takeAttempt, [scope.tenant, id, browserHash, scope.now])
  return row
}

/** Uses the code up. Its row is locked by the attempt that was taken, so nobody else can have done so. */
export async function consumeEmailCode(scope: Scope<OrmTx>, id: Uuid): Promise<void> {
  await scope.tx.orm.emailCode.update({
    where: { tenantId_id: { tenantId: scope.tenant, id } },
    data: { consumedAt: scope.now },
  })
}
