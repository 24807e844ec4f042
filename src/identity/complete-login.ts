// The end of every login and sign-up: waits until the entry is reconciled, reads what became of the person,
// and gives an active member a session. Everybody else gets an answer that says where they stand. Nothing
// waits inside a transaction.

import { writeAudit } from '../store/audit.ts'
import { type Membership, readMembership } from '../store/memberships.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { insertSession, revokeSession } from '../store/sessions.ts'
import type { Admitted } from './admit.ts'
import {
  afterMs,
  asPerson,
  hashKnownSecret,
  hashSecret,
  type IdentityContext,
  inTransaction,
  newSecret,
  usableSecret,
} from './context.ts'
import { openTicket, sealTicket } from './waiting-ticket.ts'

export const sessionLifetimeMs = 8 * 3_600_000

/** What a person is told when they are no active member. */
export type Standstill = 'waitlisted' | 'conflict' | 'inactive' | 'awaiting_approval' | 'not_admitted'

export type LoginOutcome =
  /** `token` goes into the session's cookie. */
  | { readonly outcome: 'session'; readonly token: string; readonly expiresAt: Date; readonly returnTo: string | null }
  /** Not reconciled yet: come back with the ticket, in the browser whose cookie is `browser`. */
  | { readonly outcome: 'waiting'; readonly ticket: string; readonly browser: string }
  | { readonly outcome: Standstill; readonly organizationName: string }

export interface Browser {
  /** The cookie that binds logins to this browser; a login that the identity provider began may come without. */
  readonly browser: string | undefined
  /** A session that this browser had before; it ends when a new one begins. */
  readonly session: string | undefined
}

export async function completeLogin(
  context: IdentityContext,
  admitted: Admitted,
  browser: Browser,
): Promise<LoginOutcome> {
  const { tenant, organizationId, entryId } = admitted
  const subject = { kind: 'entry', id: entryId } as const
  if (!(await context.awaitInSync({ tenant, organization: organizationId, subject }))) {
    const bound = usableSecret(context, browser.browser)
    const ticket = sealTicket(context.sealingKeys, admitted, bound, context.db.clock())
    return { outcome: 'waiting', ticket, browser: bound }
  }
  const door = admitted.connectionId === null ? 'signup' : 'sso'
  const actor = { id: `person:${admitted.identityId}`, door } as const
  return inTransaction(context, tenant, actor, (scope) => settle(context, scope, admitted, browser))
}

/** Takes a waiting login up again; undefined when the ticket is not this browser's, or its time is over. */
export async function resumeLogin(
  context: IdentityContext,
  ticket: string,
  browser: Browser,
): Promise<LoginOutcome | undefined> {
  const admitted = openTicket(context.sealingKeys, ticket, browser.browser ?? '', context.db.clock())
  return admitted === undefined ? undefined : completeLogin(context, admitted, browser)
}

async function settle(
  context: IdentityContext,
  scope: Scope<OrmTx>,
  admitted: Admitted,
  browser: Browser,
): Promise<LoginOutcome> {
  const { identityId, organizationId, connectionId, returnTo } = admitted
  const membership = await readMembership(scope, identityId, organizationId)
  const standstill = standstillOf(membership)
  if (standstill !== undefined) {
    return { outcome: standstill, organizationName: membership?.organization.name ?? '' }
  }
  await endSession(scope, browser.session, 'session.replaced')
  const token = newSecret(context)
  const tokenHash = hashKnownSecret(token)
  const expiresAt = afterMs(scope, sessionLifetimeMs)
  const id = await insertSession(scope, { tokenHash, identityId, organizationId, connectionId, expiresAt })
  await writeAudit(scope, { organizationId, action: 'session.started', subjectKind: 'session', subjectId: id })
  return { outcome: 'session', token, expiresAt, returnTo }
}

/** Undefined: an active member of an active organization. */
export function standstillOf(membership: Membership | undefined): Standstill | undefined {
  if (membership?.organization.active !== true) return 'not_admitted'
  const { member, conflict } = membership
  switch (member?.status) {
    case 'active':
      return undefined
    case 'waitlisted':
    case 'inactive':
    case 'awaiting_approval':
      return member.status
    default:
      return conflict ? 'conflict' : 'not_admitted'
  }
}

/** Revokes the session of a token, where it is one of this tenant's. */
export async function endSession(
  scope: Scope<OrmTx>,
  token: string | undefined,
  action: 'session.ended' | 'session.replaced',
): Promise<void> {
  const tokenHash = hashSecret(token)
  const ended = tokenHash === undefined ? undefined : await revokeSession(scope, tokenHash)
  if (ended === undefined) return
  const { id, identityId, organizationId } = ended
  await writeAudit(asPerson(scope, identityId), { organizationId, action, subjectKind: 'session', subjectId: id })
}
