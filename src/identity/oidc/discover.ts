// Turns a connection's settings into a client that knows the provider: discovery through the safe fetch, ID-token
// signatures switched on, the algorithm pinned. The login itself is in login.ts; keeping a discovered client for a
// while is discovery-cache.ts.

import * as client from 'openid-client'
import { RollcallError } from '../../model/errors.ts'
import { refuseLogin } from '../login-refusal.ts'
import { isSecureUrl, type SafeFetch, UnsafeFetchError } from '../safe-fetch.ts'
import { checkIssuer, type OidcSettings } from './settings.ts'

export interface DiscoverOptions {
  readonly fetch: SafeFetch['fetch']
  /** Plain http to loopback: tests and development. The fetch has to allow it as well. */
  readonly allowInsecureLoopback: boolean
}

/** A connection ready for logins. Opaque to callers. */
export interface OidcClient {
  readonly settings: OidcSettings
  readonly configuration: client.Configuration
}

/**
 * Reads the provider's metadata. Throws `invalid_value` for an issuer that is never acceptable, `login_refused` when
 * the metadata names another issuer or unsafe addresses, `unavailable` when it cannot be read.
 */
export async function discover(settings: OidcSettings, options: DiscoverOptions): Promise<OidcClient> {
  const issuer = checkIssuer(settings.issuer, options.allowInsecureLoopback)
  const configuration = await readMetadata(issuer, settings, options)
  const metadata = configuration.serverMetadata()
  // The library compares normalised URLs and makes exceptions for some hosts; `iss` is compared as it is written.
  if (metadata.issuer !== settings.issuer) refuseLogin('policy', 'issuer')
  for (const endpoint of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]) {
    // The first one is where a browser is sent, so the safe fetch never sees it.
    if (
      endpoint === undefined ||
      !URL.canParse(endpoint) ||
      !isSecureUrl(new URL(endpoint), options.allowInsecureLoopback)
    ) {
      refuseLogin('policy', 'provider_metadata')
    }
  }
  return { settings, configuration }
}

async function readMetadata(
  issuer: URL,
  settings: OidcSettings,
  options: DiscoverOptions,
): Promise<client.Configuration> {
  const authentication =
    settings.clientAuthentication === 'client_secret_post'
      ? client.ClientSecretPost(settings.clientSecret)
      : basicAuthentication(settings.clientSecret)
  const metadata = {
    id_token_signed_response_alg: settings.idTokenAlgorithm ?? 'RS256',
    [client.clockTolerance]: 60,
  }
  // Without the non-repudiation checks the library trusts TLS and never looks at the ID token's signature.
  const execute = [client.enableNonRepudiationChecks]
  if (options.allowInsecureLoopback) execute.push(client.allowInsecureRequests)
  try {
    return await client.discovery(issuer, settings.clientId, metadata, authentication, {
      algorithm: 'oidc',
      execute,
      timeout: 10,
      [client.customFetch]: (url, request) => options.fetch(url, toSafeRequest(request)),
    })
  } catch (cause) {
    if (isIssuerMismatch(cause)) return refuseLogin('policy', 'issuer', cause)
    throw new RollcallError('unavailable', { detail: 'The identity provider’s configuration cannot be read.', cause })
  }
}

/**
 * RFC 6749 section 2.3.1: id and secret are form-encoded first. The library's own version also escapes `-`, `_` and
 * `.`, which is allowed but not what providers that never decode can match, and ids are full of hyphens.
 */
function basicAuthentication(clientSecret: string): client.ClientAuth {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  return (_, { client_id }, __, headers) => {
    const credentials = Buffer.from(`${encode(client_id)}:${encode(clientSecret)}`, 'utf8').toString('base64')
    headers.set('authorization', `Basic ${credentials}`)
  }
}

function toSafeRequest(request: client.CustomFetchOptions) {
  const { body, headers, method, signal } = request
  if (body instanceof ReadableStream) throw new UnsafeFetchError('url')
  return {
    method,
    headers,
    body: body instanceof ArrayBuffer ? new Uint8Array(body) : (body ?? null),
    ...(signal === undefined ? {} : { signal }),
  }
}

function isIssuerMismatch(error: unknown): boolean {
  return error instanceof client.ClientError && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
}
