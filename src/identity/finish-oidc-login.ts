// Finishes an OIDC login: uses the attempt up, exchanges the code outside of any transaction, and then lets
// the person in within one. The attempt goes first, so that of two answers at once one is taken; an exchange
// that fails has to be begun again.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { consumeLoginAttempt, findLoginAttempt, type LoginAttempt } from '../store/login-attempts.ts'
import type { Admission } from './admit.ts'
import { admitLogin } from './admit-login.ts'
import { connectionAddresses, oidcSettings } from './connection-settings.ts'
import { hashSecret, type IdentityContext, inTransaction } from './context.ts'
import { refuseLogin } from './login-refusal.ts'
import { finishLogin } from './oidc/login.ts'
import { readOidcLogin } from './proved-login.ts'
import { openConnection, speaker } from './start-login.ts'

export interface OidcAnswer {
  readonly connectionId: string
  /** The query of the address the browser came back to, with its question mark. */
  readonly search: string
  readonly browser: string | undefined
}

/** Throws `login_refused` with a LoginRefusal as its cause, `not_found`, or `unavailable`. */
export async function finishOidcLogin(context: IdentityContext, answer: OidcAnswer): Promise<Admission> {
  const { tenant, connection } = await openConnection(context, answer.connectionId)
  if (connection.kind !== 'oidc') throw new RollcallError('not_found', 'There is no sign-in at this address.')
  const { callback } = connectionAddresses(context.publicUrl, connection.id)
  const currentUrl = new URL(`${callback}${answer.search}`)
  const state = currentUrl.searchParams.get('state') ?? ''
  const attempt = await takeAttempt(context, tenant, connection.id, state, answer.browser)
  const settings = oidcSettings(context.sealingKeys, tenant, connection)
  const oidc = await context.discovery.discover(settings, context, context.db.clock())
  const verified = await finishLogin(oidc, currentUrl, {
    redirectUri: callback,
    state,
    nonce: attempt.nonce ?? '',
    codeVerifier: attempt.codeVerifier ?? '',
    now: context.db.clock(),
  })
  const login = readOidcLogin(connection.config, verified)
  return inTransaction(context, tenant, speaker(connection), (scope) =>
    admitLogin(scope, connection, login, attempt.returnTo),
  )
}

async function takeAttempt(
  context: IdentityContext,
  tenant: Uuid,
  connectionId: Uuid,
  state: string,
  browser: string | undefined,
): Promise<LoginAttempt> {
  const browserHash = hashSecret(browser)
  if (browserHash === undefined) return refuseLogin('once', 'attempt_unknown')
  return inTransaction(context, tenant, speaker({ id: connectionId }), async (scope) => {
    const attempt = await findLoginAttempt(scope, { connectionId, state, browserHash })
    if (attempt === undefined) return refuseLogin('once', 'attempt_unknown')
    return (await consumeLoginAttempt(scope, attempt.id)) ? attempt : refuseLogin('once', 'attempt_used')
  })
}
