// An OpenID provider that says whatever a test wants: metadata, keys, tokens and userinfo are all changeable. By
// default it tells the truth, which is the positive twin of everything it can be made to say.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { listenOnLoopback } from '../../src/demo/loopback-server.ts'
import { refusalOf } from '../../src/identity/login-refusal.ts'
import { type DiscoverOptions, discover } from '../../src/identity/oidc/discover.ts'
import { finishLogin, startLogin } from '../../src/identity/oidc/login.ts'
import type { OidcSettings } from '../../src/identity/oidc/settings.ts'
import { createSafeFetch } from '../../src/identity/safe-fetch.ts'

type Json = Record<string, unknown>

export interface Lies {
  metadata?: Json
  claims?: Json
  header?: Json
  /** Instead of a token made from the claims. */
  idToken?: (claims: Json) => string | Promise<string>
  /** After signing. */
  tamper?: (idToken: string) => string
  userinfo?: Json
  tokenResponse?: Json
  settings?: Partial<OidcSettings>
  /** Query of the address the browser comes back to; null leaves a parameter out. */
  callback?: Record<string, string | null>
  redirectUri?: string
  now?: Date
}

export const clientSecret = 'correct-horse-battery-staple-0123456789'

export async function startHostileOp() {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' }
  const answers = new Map<string, (response: ServerResponse) => void>()
  const requests: { path: string; body: string; authorization: string | undefined }[] = []
  async function handle(request: IncomingMessage, response: ServerResponse) {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const path = request.url ?? ''
    requests.push({ path, body, authorization: request.headers.authorization })
    const answer = answers.get(path)
    if (answer === undefined) response.writeHead(404).end()
    else answer(response)
  }
  const server = createServer((request, response) => void handle(request, response))
  const { port, stop } = await listenOnLoopback(server, 0)
  const issuer = `http://127.0.0.1:${port}`
  const redirectUri = 'https://rollcall.test/sso/c1/callback'
  const safeFetch = createSafeFetch({ allowPrivateNetworks: true })
  const options: DiscoverOptions = { fetch: safeFetch.fetch, allowInsecureLoopback: true }

  const json = (path: string, value: unknown) =>
    answers.set(path, (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    })
  const settings: OidcSettings = { connectionId: 'c1', issuer, clientId: 'rollcall', clientSecret }
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }

  async function login(lies: Lies = {}, discoverOptions: DiscoverOptions = options) {
    const told = { ...settings, ...lies.settings }
    json('/.well-known/openid-configuration', { ...metadata, ...lies.metadata })
    json('/jwks', { keys: [jwk] })
    const oidc = await discover(told, discoverOptions)
    const started = await startLogin(oidc, { redirectUri, scopes: ['email'] })
    const seconds = Math.floor(Date.now() / 1000)
    const claims = {
      iss: told.issuer,
      sub: 'ada',
      aud: told.clientId,
      iat: seconds,
      exp: seconds + 300,
      nonce: started.nonce,
      email: 'ada@acme.test',
      email_verified: true,
      ...lies.claims,
    }
    for (const [name, value] of Object.entries(claims)) if (value === undefined) Reflect.deleteProperty(claims, name)
    const honest = () =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...lies.header }).sign(privateKey)
    const idToken = await (lies.idToken?.(claims) ?? honest())
    json('/token', {
      access_token: 'at',
      token_type: 'bearer',
      id_token: lies.tamper?.(idToken) ?? idToken,
      ...lies.tokenResponse,
    })
    json('/userinfo', { sub: 'ada', ...lies.userinfo })
    const back = new URL(lies.redirectUri ?? redirectUri)
    for (const [name, value] of Object.entries({ code: 'c', state: started.state, ...lies.callback })) {
      if (value !== null) back.searchParams.set(name, value)
    }
    return finishLogin(oidc, back, { ...started, redirectUri, now: lies.now ?? new Date() })
  }

  return {
    issuer,
    settings,
    options,
    privateKey,
    requests,
    answers,
    login,
    refused: (lies: Lies, discoverOptions?: DiscoverOptions) =>
      login(lies, discoverOptions).then(
        () => 'accepted',
        (error: unknown) => refusalOf(error) ?? error,
      ),
    stop: async () => {
      await safeFetch.close()
      await stop()
    },
  }
}

export type HostileOp = Awaited<ReturnType<typeof startHostileOp>>
