// One OIDC login by the code flow: the address to send the browser to, and the answer verified. Always PKCE, state
// and nonce. Stateless: what startLogin returns is kept by the use case (bound to the browser's cookie) and comes
// back as an argument. The rules on claims are in policy.ts.

import * as client from 'openid-client'
import { RollcallError } from '../../model/errors.ts'
import { refuseLogin } from '../login-refusal.ts'
import { UnsafeFetchError } from '../safe-fetch.ts'
import type { OidcClient } from './discover.ts'
import { readVerifiedClaims } from './policy.ts'
import type { VerifiedOidcLogin } from './settings.ts'

export interface StartOptions {
  /** One per connection, without a query: it is what tells two providers' answers apart. */
  readonly redirectUri: string
  /** `openid` is added when missing. */
  readonly scopes: readonly string[]
  readonly prompt?: 'login' | 'select_account' | 'consent' | 'none'
  readonly loginHint?: string
}

export interface StartedLogin {
  readonly url: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export async function startLogin(oidc: OidcClient, options: StartOptions): Promise<StartedLogin> {
  const state = client.randomState()
  const nonce = client.randomNonce()
  const codeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(oidc.configuration, {
    redirect_uri: options.redirectUri,
    scope: [...new Set(['openid', ...options.scopes])].join(' '),
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
    ...(options.loginHint === undefined ? {} : { login_hint: options.loginHint }),
  })
  return { url: url.href, state, nonce, codeVerifier }
}

export interface FinishOptions extends Omit<StartedLogin, 'url'> {
  readonly redirectUri: string
  readonly now: Date
}

/**
 * Exchanges the code and verifies who logged in. `currentUrl` is the address the browser came back to, on our public
 * origin. Throws `login_refused` with a LoginRefusal as its cause, or `unavailable` when the provider cannot be reached.
 * A code works once, so a caller need not guard against replay; the pending login must still be used up.
 */
export async function finishLogin(
  oidc: OidcClient,
  currentUrl: URL,
  options: FinishOptions,
): Promise<VerifiedOidcLogin> {
  if (`${currentUrl.origin}${currentUrl.pathname}` !== options.redirectUri) refuseLogin('form', 'redirect_uri')
  const tokens = await exchangeCode(oidc, currentUrl, options)
  const idToken = tokens.claims()
  if (idToken === undefined) return refuseLogin('library', 'library_refused')
  const userinfo =
    oidc.settings.fetchUserinfo === true ? await readUserinfo(oidc, tokens.access_token, idToken.sub) : undefined
  return readVerifiedClaims(oidc.settings, idToken, userinfo, { nonce: options.nonce, now: options.now })
}

async function exchangeCode(oidc: OidcClient, currentUrl: URL, options: FinishOptions) {
  try {
    return await client.authorizationCodeGrant(oidc.configuration, currentUrl, {
      expectedState: options.state,
      expectedNonce: options.nonce,
      pkceCodeVerifier: options.codeVerifier,
      idTokenExpected: true,
    })
  } catch (error) {
    throwUnavailable(error)
    const byProvider = error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError
    return refuseLogin('library', byProvider ? 'provider_error' : 'library_refused', error)
  }
}

async function readUserinfo(oidc: OidcClient, accessToken: string, subject: string) {
  try {
    return await client.fetchUserInfo(oidc.configuration, accessToken, subject)
  } catch (error) {
    throwUnavailable(error)
    return refuseLogin('library', 'userinfo', error)
  }
}

/** The provider being down is not the person's fault: they may try again later. */
function throwUnavailable(error: unknown) {
  const unsafe = error instanceof Error && error.cause instanceof UnsafeFetchError ? error.cause : undefined
  if (unsafe?.reason === 'timeout' || unsafe?.reason === 'unreachable') {
    throw new RollcallError('unavailable', { detail: 'The identity provider cannot be reached.', cause: error })
  }
}
