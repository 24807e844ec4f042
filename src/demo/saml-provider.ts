// A SAML identity provider that is not ours (auth0's samlp) on loopback, for the demonstration and the tests.
// It signs people in without asking: `login_hint` names the user, as several vendors accept it, and a page with
// links stands in when it is missing. It plays through HTTP only and knows nothing of the rest of the system.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import samlp from 'samlp'
import { listenOnLoopback } from './loopback-server.ts'
import { escapeHtml, sendPage } from './provider-page.ts'
import { createSelfSignedCertificate } from './self-signed-certificate.ts'

export interface SamlUser {
  readonly nameId: string
  /** Full URN; persistent when left out. */
  readonly nameIdFormat?: string
  readonly attributes: Readonly<Record<string, string | readonly string[]>>
}

export interface RegisteredServiceProvider {
  readonly entityId: string
  readonly acsUrl: string
}

export interface SamlProviderOptions {
  readonly entityId: string
  readonly users: readonly SamlUser[]
  readonly serviceProviders?: readonly RegisteredServiceProvider[]
  /** 0 or absent: any free port. */
  readonly port?: number
  /** Sign the Response as well as the assertion. */
  readonly signResponse?: boolean
}

export interface SamlProvider {
  readonly entityId: string
  /**
   * Takes an AuthnRequest by the Redirect binding and answers with a page that posts to the registered ACS.
   * Without a request but with `sp=<entityId>` it makes an unsolicited response.
   */
  readonly ssoUrl: string
  /** PEM. */
  readonly certificate: string
  /** PEM; for tests that forge what this provider would never say. */
  readonly privateKey: string
  addServiceProvider(serviceProvider: RegisteredServiceProvider): void
  stop(): Promise<void>
}

/** Starts the provider on 127.0.0.1 with a key of its own made for this run. */
export async function startSamlProvider(options: SamlProviderOptions): Promise<SamlProvider> {
  const keys = createSelfSignedCertificate(options.entityId, new Date())
  const registered = new Map((options.serviceProviders ?? []).map((sp) => [sp.entityId, sp]))

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const query = Object.fromEntries(url.searchParams)
    if (url.pathname !== '/sso') return sendPage(response, 404, 'Not found', '')
    const authnRequest = query.SAMLRequest === undefined ? {} : await parseRequest(query)
    const serviceProvider = registered.get(authnRequest.issuer ?? query.sp ?? '')
    if (serviceProvider === undefined) return sendPage(response, 400, 'Unknown service provider', '')
    if ((authnRequest.assertionConsumerServiceURL ?? serviceProvider.acsUrl) !== serviceProvider.acsUrl) {
      return sendPage(response, 400, 'The consumer address is not registered', '')
    }
    const user = findUser(options.users, query.login_hint)
    if (user === undefined) return sendPage(response, 200, 'Choose a user', userLinks(options.users, url))
    const xml = await makeResponse(options, keys, serviceProvider, user, authnRequest.id)
    sendPage(response, 200, 'Signing in', postForm(serviceProvider.acsUrl, xml, query.RelayState ?? ''))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => sendPage(response, 400, 'The request cannot be read', ''))
  })
  const { port, stop } = await listenOnLoopback(server, options.port ?? 0)
  return {
    entityId: options.entityId,
    ssoUrl: `http://127.0.0.1:${port}/sso`,
    ...keys,
    addServiceProvider: (sp) => void registered.set(sp.entityId, sp),
    stop,
  }
}

function parseRequest(query: Record<string, string>) {
  return new Promise<{ id?: string; issuer?: string; assertionConsumerServiceURL?: string }>((resolve, reject) => {
    samlp.parseRequest({ query, body: {} }, (error, parsed) => (error ? reject(error) : resolve(parsed ?? {})))
  })
}

function makeResponse(
  options: SamlProviderOptions,
  keys: { privateKey: string; certificate: string },
  serviceProvider: RegisteredServiceProvider,
  user: SamlUser,
  inResponseTo: string | undefined,
) {
  return new Promise<string>((resolve, reject) => {
    samlp.getSamlResponse(
      {
        issuer: options.entityId,
        cert: keys.certificate,
        key: keys.privateKey,
        audience: serviceProvider.entityId,
        recipient: serviceProvider.acsUrl,
        destination: serviceProvider.acsUrl,
        ...(inResponseTo === undefined ? {} : { inResponseTo }),
        lifetimeInSeconds: 300,
        signResponse: options.signResponse ?? false,
        signatureAlgorithm: 'rsa-sha256',
        digestAlgorithm: 'sha256',
        profileMapper: (mapped: SamlUser) => ({
          getClaims: () => ({ ...mapped.attributes }),
          getNameIdentifier: () => ({
            nameIdentifier: mapped.nameId,
            nameIdentifierFormat: mapped.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          }),
        }),
      },
      user,
      (error, xml) => (error ? reject(error) : resolve(xml)),
    )
  })
}

/** By NameID or any attribute value; the only user there is needs no hint. */
function findUser(users: readonly SamlUser[], hint: string | undefined): SamlUser | undefined {
  if (hint === undefined) return users.length === 1 ? users[0] : undefined
  return users.find((user) => user.nameId === hint || Object.values(user.attributes).flat().includes(hint))
}

function userLinks(users: readonly SamlUser[], url: URL): string {
  const links = users.map((user) => {
    const target = new URL(url)
    target.searchParams.set('login_hint', user.nameId)
    return `<li><a href="${escapeHtml(target.pathname + target.search)}">${escapeHtml(user.nameId)}</a></li>`
  })
  return `<ul>${links.join('')}</ul>`
}

function postForm(acsUrl: string, xml: string, relayState: string): string {
  const fields = { SAMLResponse: Buffer.from(xml, 'utf8').toString('base64'), RelayState: relayState }
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
  )
  return `<form method="post" action="${escapeHtml(acsUrl)}">${inputs.join('')}<button>Continue</button></form>
<script>document.forms[0].submit()</script>`
}
