// An OpenID provider that is not ours (panva's oidc-provider) on loopback, for the demonstration and the tests. It
// signs people in without asking: `login_hint` names the account, and a page with links stands in when it is
// missing. It plays through HTTP only and knows nothing of the rest of the system.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import Provider, { type Adapter, type AdapterPayload, type ClientMetadata, type JWK } from 'oidc-provider'
import { listenOnLoopback } from './loopback-server.ts'
import { escapeHtml, sendPage } from './provider-page.ts'

export interface OidcAccount {
  readonly sub: string
  readonly email: string
  readonly email_verified: boolean
  readonly name: string
  /** Anything else the provider should say about the person, such as `urn:zitadel:iam:user:resourceowner:id`. */
  readonly [claim: string]: unknown
}

export interface RegisteredClient {
  readonly client_id: string
  readonly client_secret: string
  readonly redirect_uris: readonly string[]
}

export interface OidcProviderOptions {
  readonly clients: readonly RegisteredClient[]
  readonly accounts: readonly OidcAccount[]
  /** 0 or absent: any free port. */
  readonly port?: number
  /** Keep claims out of the ID token, as the specification has it; otherwise both carry them. */
  readonly claimsOnlyInUserinfo?: boolean
}

export interface OidcProvider {
  readonly issuer: string
  /** Registers one more client, or replaces one with the same id. */
  addClient(client: RegisteredClient): void
  stop(): Promise<void>
}

/** Starts the provider on 127.0.0.1 with keys of its own made for this run. Only the code flow with PKCE. */
export async function startOidcProvider(options: OidcProviderOptions): Promise<OidcProvider> {
  const clients = new Map(options.clients.map((client) => [client.client_id, clientMetadata(client)]))
  // The issuer holds the port, so the server has to listen before there is a provider to answer.
  const handler: { current: (request: IncomingMessage, response: ServerResponse) => void } = {
    current: (_, response) => sendPage(response, 503, 'Starting', ''),
  }
  const server = createServer((request, response) => handler.current(request, response))
  const { port, stop } = await listenOnLoopback(server, options.port ?? 0)
  const issuer = `http://127.0.0.1:${port}`
  const provider = createProvider(issuer, options, clients)
  const standard = provider.callback()
  handler.current = (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void standard(request, response)
    interact(provider, options.accounts, request, response).catch(() =>
      sendPage(response, 400, 'The login cannot go on', ''),
    )
  }
  return { issuer, addClient: (client) => void clients.set(client.client_id, clientMetadata(client)), stop }
}

const resourceOwner = 'urn:zitadel:iam:user:resourceowner'

function createProvider(issuer: string, options: OidcProviderOptions, clients: Map<string, ClientMetadata>) {
  const standard = ['sub', 'email', 'email_verified', 'name']
  const extra = [...new Set(options.accounts.flatMap((account) => Object.keys(account)))].filter(
    (name) => !standard.includes(name),
  )
  return new Provider(issuer, {
    adapter: memoryAdapter(clients),
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: {
      email: ['email', 'email_verified'],
      profile: ['name', ...extra],
      // Zitadel gives these to whoever asks for the scope of this name.
      [resourceOwner]: extra.filter((name) => name.startsWith(`${resourceOwner}:`)),
    },
    conformIdTokenClaims: options.claimsOnlyInUserinfo === true,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
    pkce: { required: () => true },
    findAccount: (_, sub) => {
      const account = options.accounts.find((candidate) => candidate.sub === sub)
      return account === undefined ? undefined : { accountId: sub, claims: () => ({ ...account }) }
    },
  })
}

function clientMetadata(client: RegisteredClient): ClientMetadata {
  return {
    client_id: client.client_id,
    client_secret: client.client_secret,
    redirect_uris: [...client.redirect_uris],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }
}

function signingKey(): JWK {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    ...privateKey.export({ format: 'jwk' }),
    kty: 'RSA',
    use: 'sig',
    alg: 'RS256',
    kid: randomBytes(8).toString('hex'),
  }
}

/** Logs the hinted account in and grants what was asked; without a usable hint it shows the accounts to choose from. */
async function interact(
  provider: Provider,
  accounts: readonly OidcAccount[],
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { params } = await provider.interactionDetails(request, response)
  const url = new URL(request.url ?? '/', provider.issuer)
  const wanted = url.searchParams.get('account') ?? params.login_hint
  const account = accounts.find(({ sub, email }) => sub === wanted || email === wanted)
  if (account === undefined) {
    const links = accounts.map(
      ({ sub, name }) =>
        `<li><a href="${escapeHtml(`${url.pathname}?account=${encodeURIComponent(sub)}`)}">${escapeHtml(name)}</a></li>`,
    )
    return sendPage(response, 200, 'Choose an account', `<ul>${links.join('')}</ul>`)
  }
  const grant = new provider.Grant({ accountId: account.sub, clientId: String(params.client_id) })
  grant.addOIDCScope(String(params.scope))
  const grantId = await grant.save()
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: account.sub }, consent: { grantId } },
    { mergeWithLastSubmission: false },
  )
}

/** The package's own memory adapter is one for the whole process; this one belongs to one provider. */
function memoryAdapter(clients: Map<string, ClientMetadata>): (model: string) => Adapter {
  const rows = new Map<string, AdapterPayload>()
  return (model) => {
    const key = (id: string) => `${model}:${id}`
    const matching = (test: (row: AdapterPayload) => boolean) =>
      [...rows].filter(([id, row]) => id.startsWith(`${model}:`) && test(row))
    return {
      find: async (id) => (model === 'Client' ? clients.get(id) : rows.get(key(id))),
      findByUid: async (uid) => matching((row) => row.uid === uid)[0]?.[1],
      findByUserCode: async (userCode) => matching((row) => row.userCode === userCode)[0]?.[1],
      upsert: async (id, payload) => void rows.set(key(id), payload),
      consume: async (id) => {
        const row = rows.get(key(id))
        if (row !== undefined) rows.set(key(id), { ...row, consumed: Math.floor(Date.now() / 1000) })
      },
      destroy: async (id) => void rows.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [id] of matching((row) => row.grantId === grantId)) rows.delete(id)
      },
    }
  }
}
