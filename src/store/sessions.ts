// Sessions: a browser has proved an identity and was let into one organization. Only the SHA-256 of a
// session's token is kept. Whether the person still belongs there is memberships.ts, asked each time.

import type { Uuid } from '../model/ids.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface StoredSession {
  readonly id: Uuid
  readonly identity: {
    readonly id: Uuid
    readonly kind: 'oidc' | 'saml' | 'email'
    readonly displayName: string | null
    readonly email: string | null
  }
  readonly connection: { readonly id: Uuid; readonly name: string } | null
  readonly organizationId: Uuid
  readonly createdAt: Date
  readonly expiresAt: Date
}

const identityKinds = ['oidc', 'saml', 'email'] as const

export async function insertSession(
  scope: Scope<OrmTx>,
  session: {
    readonly tokenHash: Uint8Array<ArrayBuffer>
    readonly identityId: Uuid
    readonly organizationId: Uuid
    readonly connectionId: Uuid | null
    readonly expiresAt: Date
  },
): Promise<Uuid> {
  const id = scope.newId()
  await scope.tx.orm.session.create({ data: { tenantId: scope.tenant, id, createdAt: scope.now, ...session } })
  return id
}

/** The session of a token; undefined when it is over, was ended, or its connection was switched off. */
export async function findSession(
  scope: Scope<OrmTx>,
  tokenHash: Uint8Array<ArrayBuffer>,
): Promise<StoredSession | undefined> {
  const row = await scope.tx.orm.session.findFirst({
    where: { tenantId: scope.tenant, tokenHash, revokedAt: null, expiresAt: { gt: scope.now } },
    select: {
      id: true,
      organizationId: true,
      createdAt: true,
      expiresAt: true,
      identity: { select: { id: true, kind: true, displayName: true, email: true } },
      connection: { select: { id: true, name: true, state: true } },
    },
  })
  if (row === null || (row.connection !== null && row.connection.state !== 'active')) return undefined
  return { ...row, identity: { ...row.identity, kind: oneOf(identityKinds, row.identity.kind) } }
}

/** Ends a session, and answers whose it was; undefined when there was nothing left to end. */
export async function revokeSession(
  scope: Scope<OrmTx>,
  tokenHash: Uint8Array<ArrayBuffer>,
): Promise<{ id: Uuid; identityId: Uuid; organizationId: Uuid } | undefined> {
  const [row] = await scope.tx.orm.session.updateManyAndReturn({
    where: { tenantId: scope.tenant, tokenHash, revokedAt: null, expiresAt: { gt: scope.now } },
    data: { revokedAt: scope.now },
    select: { id: true, identityId: true, organizationId: true },
  })
  return row
}
