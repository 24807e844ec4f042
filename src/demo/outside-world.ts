// The world outside the service, as far as the demonstration needs one: an OpenID provider, a SAML provider and a
// DNS server, all on loopback, none of them ours but the last. It is started before the service, which has to
// resolve names through it; what happens between the two is play.ts.

import { acmePeople, cobaltAccounts, samlUserOf } from './cast.ts'
import { type DnsServer, startDnsServer } from './dns-server.ts'
import type { OidcProvider } from './oidc-provider.ts'
import { type SamlProvider, startSamlProvider } from './saml-provider.ts'

export interface OutsideWorld {
  /** `127.0.0.1:port`, for the service's list of resolvers. */
  readonly dnsServer: string
  readonly dns: DnsServer
  /** Cobalt's people; it releases the org claims of Zitadel. */
  readonly oidc: OidcProvider
  /** Acme's people. */
  readonly saml: SamlProvider
  stop(): Promise<void>
}

/**
 * Starts all three on free ports. `forwardDnsTo` gets the questions about every name that is not the demonstration's
 * (see `startDnsServer`); without it they are refused.
 */
export async function startOutsideWorld(
  options: { readonly forwardDnsTo?: string | undefined } = {},
): Promise<OutsideWorld> {
  const dns = await startDnsServer(options.forwardDnsTo === undefined ? {} : { forwardTo: options.forwardDnsTo })
  const started: { stop(): Promise<void> }[] = [dns]
  const stop = async () => void (await Promise.all(started.splice(0).map((server) => server.stop())))
  try {
    const { startOidcProvider } = await withoutRuntimeWarning(() => import('./oidc-provider.ts'))
    const oidc = await startOidcProvider({ clients: [], accounts: cobaltAccounts })
    started.push(oidc)
    const saml = await startSamlProvider({
      entityId: 'https://idp.acme.example/saml',
      users: acmePeople.map(samlUserOf),
    })
    started.push(saml)
    return { dnsServer: dns.address, dns, oidc, saml, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * The package of the OpenID provider warns on loading about every Node before 22. It works on 20 and only plays a
 * part here, so nobody has to wonder about it. Whatever else is said meanwhile goes through.
 */
async function withoutRuntimeWarning<T>(load: () => Promise<T>): Promise<T> {
  const warn = console.warn
  console.warn = (...said: unknown[]) => {
    if (!String(said[0]).includes('Unsupported runtime')) warn(...said)
  }
  try {
    return await load()
  } finally {
    console.warn = warn
  }
}
