// Reading and ending a session. The membership is read with it each time: a person who was deactivated a
// moment ago has no session any more, whatever their cookie says.

import { memberPublicId } from '../model/words.ts'
import { readMembership } from '../store/memberships.ts'
import { findSession } from '../store/sessions.ts'
import { tenantOfSession } from '../store/tenant-of.ts'
import { endSession as end, type Standstill, standstillOf } from './complete-login.ts'
import { hashSecret, type IdentityContext, inTransaction } from './context.ts'

/** Who is logged in, where, as what, and how they came. */
export interface ReadSession {
  readonly user: { readonly id: string; readonly email: string | null; readonly displayName: string | null }
  readonly organization: { readonly id: string; readonly name: string; readonly kind: string }
  readonly member: {
    readonly id: string
    /** `ORG{n}-U-{seq}` */
    readonly publicId: string
    readonly role: { readonly key: string; readonly name: string } | null
    readonly units: readonly { readonly id: string; readonly kind: string; readonly name: string }[]
    readonly workspaces: readonly { readonly id: string; readonly name: string }[]
  }
  readonly how: {
    readonly kind: 'oidc' | 'saml' | 'email'
    readonly connection: { readonly id: string; readonly name: string } | null
  }
  readonly startedAt: Date
  readonly expiresAt: Date
}

export type SessionState =
  | { readonly state: 'active'; readonly session: ReadSession }
  /** The session is fine, the membership is not. */
  | { readonly state: 'halted'; readonly standstill: Standstill; readonly organizationName: string }
  | { readonly state: 'none' }

const anonymous = { id: 'person:unknown', door: 'sso' } as const

export async function readSession(context: IdentityContext, token: string | undefined): Promise<SessionState> {
  const tokenHash = hashSecret(token)
  const tenant = tokenHash === undefined ? undefined : await tenantOfSession(context.db, tokenHash)
  if (tokenHash === undefined || tenant === undefined) return { state: 'none' }
  return inTransaction(context, tenant, anonymous, async (scope): Promise<SessionState> => {
    const session = await findSession(scope, tokenHash)
    if (session === undefined) return { state: 'none' }
    const { identity, connection, organizationId, createdAt, expiresAt } = session
    const membership = await readMembership(scope, identity.id, organizationId)
    const standstill = standstillOf(membership)
    if (
      membership === undefined ||
      membership.user === null ||
      membership.member === null ||
      standstill !== undefined
    ) {
      const organizationName = membership?.organization.name ?? ''
      return { state: 'halted', standstill: standstill ?? 'not_admitted', organizationName }
    }
    const { organization, user, member } = membership
    const { id, number, role, units, workspaces } = member
    return {
      state: 'active',
      session: {
        user,
        organization: { id: organization.id, name: organization.name, kind: organization.kind },
        member: { id, publicId: memberPublicId(organization.number, number), role, units, workspaces },
        how: { kind: identity.kind, connection },
        startedAt: createdAt,
        expiresAt,
      },
    }
  })
}

/** Ends it on the server, so that a copy of the cookie is worth nothing either. */
export async function endSession(context: IdentityContext, token: string | undefined): Promise<void> {
  const tokenHash = hashSecret(token)
  const tenant = tokenHash === undefined ? undefined : await tenantOfSession(context.db, tokenHash)
  if (tenant === undefined) return
  await inTransaction(context, tenant, anonymous, (scope) => end(scope, token, 'session.ended'))
}
