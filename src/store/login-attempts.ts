// Logins that were sent to an identity provider, and assertions that came back: each is good for one
// login. An attempt is found only with the cookie of the browser that began it, and only under its own
// connection. Rows that have served are deleted by work/forget-expired.ts.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface NewLoginAttempt {
  readonly connectionId: Uuid
  /** OIDC `state` or SAML RelayState. */
  readonly state: string
  readonly requestId?: string
  readonly nonce?: string
  readonly codeVerifier?: string
  /** SHA-256 of the cookie. */
  readonly browserHash: Uint8Array<ArrayBuffer>
  readonly returnTo?: string
  readonly expiresAt: Date
}

export interface LoginAttempt {
  readonly id: Uuid
  readonly requestId: string | null
  readonly nonce: string | null
  readonly codeVerifier: string | null
  readonly returnTo: string | null
}

export interface AttemptKey {
  readonly connectionId: Uuid
  readonly state: string
  readonly browserHash: Uint8Array<ArrayBuffer>
}

export async function insertLoginAttempt(scope: Scope<OrmTx>, attempt: NewLoginAttempt): Promise<void> {
  const id = scope.newId()
  await scope.tx.orm.loginAttempt.create({ data: { tenantId: scope.tenant, id, createdAt: scope.now, ...attempt } })
}

/** The pending attempt of this browser; undefined when there is none, or it is over. Uses nothing up. */
export async function findLoginAttempt(scope: Scope<OrmTx>, key: AttemptKey): Promise<LoginAttempt | undefined> {
  const found = await scope.tx.orm.loginAttempt.findFirst({
    where: { tenantId: scope.tenant, ...key, consumedAt: null, expiresAt: { gt: scope.now } },
    select: { id: true, requestId: true, nonce: true, codeVerifier: true, returnTo: true },
  })
  return found ?? undefined
}

/** Uses an attempt up; false when somebody else has just done so. */
export async function consumeLoginAttempt(scope: Scope<OrmTx>, id: Uuid): Promise<boolean> {
  const { count } = await scope.tx.orm.loginAttempt.updateMany({
    where: { tenantId: scope.tenant, id, consumedAt: null },
    data: { consumedAt: scope.now },
  })
  return count === 1
}

/** Records that an assertion was accepted; false when it was before, which is a replay. Kept until it could not be accepted anyway. */
export async function consumeAssertion(
  scope: Scope<OrmTx>,
  assertion: { readonly connectionId: Uuid; readonly assertionId: string; readonly expiresAt: Date },
): Promise<boolean> {
  const data = [{ tenantId: scope.tenant, ...assertion }]
  const { count } = await scope.tx.orm.consumedAssertion.createMany({ data, skipDuplicates: true })
  return count === 1
}
