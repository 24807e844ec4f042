// What the use cases of logins and sign-ups are given, how they run in one transaction, and the few things
// that all of them do with a browser's cookie. Built once by compose; nothing in it belongs to a request.

import type { Uuid } from '../model/ids.ts'
import { hashToken } from '../store/bearer-token.ts'
import { type Database, withOrm } from '../store/database.ts'
import type { OrganizationKey, Subject } from '../store/outbox.ts'
import type { Actor, OrmTx, Scope } from '../store/scope.ts'
import type { SealingKeys } from '../store/seal.ts'
import type { DiscoveryCache } from './oidc/discovery-cache.ts'
import type { SafeFetch } from './safe-fetch.ts'

export interface IdentityContext {
  readonly db: Database
  /** Where this service is reached from outside, without a slash at the end. */
  readonly publicUrl: string
  readonly sealingKeys: SealingKeys
  readonly randomBytes: (length: number) => Uint8Array
  readonly discovery: DiscoveryCache
  /** For everything that an identity provider's metadata names. */
  readonly fetch: SafeFetch['fetch']
  /** Plain http to loopback, where the safe fetch allows it too: tests and development. */
  readonly allowInsecureLoopback: boolean
  /** Waits a few seconds for a subject to be reconciled; false when it took longer. */
  readonly awaitInSync: (key: OrganizationKey & { readonly subject: Subject }) => Promise<boolean>
}

export function inTransaction<R>(
  context: IdentityContext,
  tenant: Uuid,
  actor: Actor,
  run: (scope: Scope<OrmTx>) => Promise<R>,
): Promise<R> {
  return withOrm(context.db, { tenant, actor }, run)
}

/** The same transaction, once it is known who the person is. */
export function asPerson(scope: Scope<OrmTx>, identityId: Uuid): Scope<OrmTx> {
  return { ...scope, actor: { ...scope.actor, id: `person:${identityId}` } }
}

/** 256 random bits for a cookie or an address: what opens something must not be guessed. */
export function newSecret(context: IdentityContext): string {
  return Buffer.from(context.randomBytes(32)).toString('base64url')
}

const secretShape = /^[A-Za-z0-9_-]{43}$/

/** What the store keeps of a cookie; undefined for text that no cookie of ours ever had. */
export function hashSecret(secret: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  return secret !== undefined && secretShape.test(secret) ? hashToken(secret) : undefined
}

/** The cookie a browser came with, or a new one where it has none of ours. */
export function usableSecret(context: IdentityContext, presented: string | undefined): string {
  return presented !== undefined && secretShape.test(presented) ? presented : newSecret(context)
}

/** What the store keeps of a secret that `newSecret` or `usableSecret` answered. */
export function hashKnownSecret(secret: string): Uint8Array<ArrayBuffer> {
  return hashToken(secret)
}

export function afterMs(scope: { readonly now: Date }, ms: number): Date {
  return new Date(scope.now.getTime() + ms)
}
