// Begins an SSO login: where to send the browser, and the attempt that only this browser can finish. Leaves no
// audit entry: anybody may begin a login, and nothing follows from it until it is finished.

import { RollcallError } from '../model/errors.ts'
import { isUuid, type Uuid } from '../model/ids.ts'
import { readActiveConnection, type StoredConnection } from '../store/connections.ts'
import { insertLoginAttempt, type NewLoginAttempt } from '../store/login-attempts.ts'
import { tenantOfConnection } from '../store/tenant-of.ts'
import { connectionAddresses, oidcScopes, oidcSettings, samlSettings } from './connection-settings.ts'
import { afterMs, hashKnownSecret, type IdentityContext, inTransaction, newSecret, usableSecret } from './context.ts'
import { startLogin as startOidcLogin } from './oidc/login.ts'
import { ownPath } from './own-path.ts'
import { createAuthnRequest, samlRequestLifetimeMs } from './saml/service-provider.ts'

export interface LoginStart {
  readonly connectionId: string
  /** The browser's cookie, where it has a usable one. */
  readonly browser: string | undefined
  /** Where to go afterwards; anything but a path of our own is left out. */
  readonly returnTo: string | undefined
  /** Which account the person means; passed on to the identity provider. */
  readonly loginHint: string | undefined
}

export interface StartedLogin {
  readonly redirectUrl: string
  /** To be kept in the browser's cookie: as it came, or newly made. */
  readonly browser: string
}

export interface OpenConnection {
  readonly tenant: Uuid
  readonly connection: StoredConnection
}

/** Throws `not_found` for an unknown or disabled connection, `unavailable` when the identity provider cannot be reached. */
export async function startLogin(context: IdentityContext, start: LoginStart): Promise<StartedLogin> {
  const { tenant, connection } = await openConnection(context, start.connectionId)
  const browser = usableSecret(context, start.browser)
  const { redirectUrl, ...pending } = await prepare(context, tenant, connection, start.loginHint)
  const returnTo = ownPath(start.returnTo)
  await inTransaction(context, tenant, speaker(connection), async (scope) =>
    insertLoginAttempt(scope, {
      ...pending,
      connectionId: connection.id,
      browserHash: hashKnownSecret(browser),
      expiresAt: afterMs(scope, samlRequestLifetimeMs),
      ...(returnTo === undefined ? {} : { returnTo }),
    }),
  )
  return { redirectUrl, browser }
}

/** The connection that an address names, with its tenant. */
export async function openConnection(context: IdentityContext, connectionId: string): Promise<OpenConnection> {
  const tenant = isUuid(connectionId) ? await tenantOfConnection(context.db, connectionId) : undefined
  const actor = { id: `connection:${connectionId}`, door: 'sso' } as const
  const connection =
    tenant === undefined
      ? undefined
      : await inTransaction(context, tenant, actor, (scope) => readActiveConnection(scope, connectionId))
  if (tenant === undefined || connection === undefined) {
    throw new RollcallError('not_found', 'There is no sign-in at this address.')
  }
  return { tenant, connection }
}

/** Until it is known who the person is, it is the identity provider that speaks. */
export function speaker(connection: { readonly id: Uuid }): { readonly id: string; readonly door: 'sso' } {
  return { id: `connection:${connection.id}`, door: 'sso' }
}

type Prepared = Pick<NewLoginAttempt, 'state' | 'requestId' | 'nonce' | 'codeVerifier'> & {
  readonly redirectUrl: string
}

async function prepare(
  context: IdentityContext,
  tenant: Uuid,
  connection: StoredConnection,
  loginHint: string | undefined,
): Promise<Prepared> {
  if (connection.kind === 'saml') {
    const settings = samlSettings(context.publicUrl, connection.id, connection.config)
    const state = newSecret(context)
    const { requestId, redirectUrl } = await createAuthnRequest(settings, state)
    return { state, requestId, redirectUrl: withHint(redirectUrl, loginHint) }
  }
  const { callback } = connectionAddresses(context.publicUrl, connection.id)
  const settings = oidcSettings(context.sealingKeys, tenant, { ...connection, config: connection.config })
  const oidc = await context.discovery.discover(settings, context, context.db.clock())
  const { url, state, nonce, codeVerifier } = await startOidcLogin(oidc, {
    redirectUri: callback,
    scopes: oidcScopes(connection.config),
    ...(connection.config.prompt === undefined ? {} : { prompt: connection.config.prompt }),
    ...(loginHint === undefined ? {} : { loginHint }),
  })
  return { state, nonce, codeVerifier, redirectUrl: url }
}

/** Not of the standard, but Entra, Google and others read it beside an AuthnRequest as well. */
function withHint(redirectUrl: string, loginHint: string | undefined): string {
  if (loginHint === undefined) return redirectUrl
  const url = new URL(redirectUrl)
  url.searchParams.set('login_hint', loginHint)
  return url.href
}
