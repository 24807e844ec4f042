// Finishes a SAML login. The response is verified first, which changes nothing, so that junk uses up no
// pending request; then one transaction uses up the request and the assertion and lets the person in. Of one
// response posted many times at once, one gets through.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { StoredConnection } from '../store/connections.ts'
import { consumeAssertion, consumeLoginAttempt, findLoginAttempt, type LoginAttempt } from '../store/login-attempts.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import type { Admission } from './admit.ts'
import { admitLogin } from './admit-login.ts'
import { samlSettings } from './connection-settings.ts'
import { hashSecret, type IdentityContext, inTransaction } from './context.ts'
import { refuseLogin } from './login-refusal.ts'
import { readSamlLogin } from './proved-login.ts'
import { verifyResponse } from './saml/service-provider.ts'
import type { VerifiedLogin } from './saml/settings.ts'
import { openConnection, speaker } from './start-login.ts'

export interface SamlAnswer {
  readonly connectionId: string
  /** The form field, base64. */
  readonly samlResponse: string
  readonly relayState: string
  readonly browser: string | undefined
}

/** Throws `login_refused` with a LoginRefusal as its cause, or `not_found`. */
export async function finishSamlLogin(context: IdentityContext, answer: SamlAnswer): Promise<Admission> {
  const { tenant, connection } = await openConnection(context, answer.connectionId)
  if (connection.kind !== 'saml') throw new RollcallError('not_found', 'There is no sign-in at this address.')
  const attempt = await findAttempt(context, tenant, connection.id, answer)
  const verified = await verifyResponse(samlSettings(context.publicUrl, connection.id, connection.config), {
    samlResponse: answer.samlResponse,
    expectedRequestId: attempt?.requestId ?? undefined,
    now: context.db.clock(),
  })
  const login = readSamlLogin(connection.config, verified)
  return inTransaction(context, tenant, speaker(connection), async (scope) => {
    await useUp(scope, connection, attempt, verified)
    return admitLogin(scope, connection, login, attempt?.returnTo ?? null)
  })
}

/** Undefined where this browser began no such login: only a connection that opted in accepts that. */
async function findAttempt(
  context: IdentityContext,
  tenant: Uuid,
  connectionId: Uuid,
  answer: SamlAnswer,
): Promise<LoginAttempt | undefined> {
  const browserHash = hashSecret(answer.browser)
  if (browserHash === undefined || answer.relayState === '') return undefined
  const key = { connectionId, state: answer.relayState, browserHash }
  return inTransaction(context, tenant, speaker({ id: connectionId }), (scope) => findLoginAttempt(scope, key))
}

async function useUp(
  scope: Scope<OrmTx>,
  connection: StoredConnection,
  attempt: LoginAttempt | undefined,
  { assertionId, notOnOrAfter }: VerifiedLogin,
): Promise<void> {
  const assertion = { connectionId: connection.id, assertionId, expiresAt: notOnOrAfter }
  if (!(await consumeAssertion(scope, assertion))) refuseLogin('once', 'assertion_replayed')
  if (attempt !== undefined && !(await consumeLoginAttempt(scope, attempt.id))) refuseLogin('once', 'attempt_used')
}
