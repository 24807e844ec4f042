// Genuine logins of panva's oidc-provider walked over HTTP, as a browser would, and finished by our client.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OidcProvider, startOidcProvider } from '../../../src/demo/oidc-provider.ts'
import { createPlainBrowser } from '../../../src/demo/plain-browser.ts'
import { refusalOf } from '../../../src/identity/login-refusal.ts'
import { type DiscoverOptions, discover } from '../../../src/identity/oidc/discover.ts'
import { createDiscoveryCache } from '../../../src/identity/oidc/discovery-cache.ts'
import { finishLogin, type StartedLogin, startLogin } from '../../../src/identity/oidc/login.ts'
import type { OidcSettings } from '../../../src/identity/oidc/settings.ts'
import { createSafeFetch, type SafeFetch } from '../../../src/identity/safe-fetch.ts'

const redirectUri = 'http://127.0.0.1:9/sso/c1/callback'
const resourceOwner = 'urn:zitadel:iam:user:resourceowner:id'
const client = { client_id: 'rollcall', client_secret: 'a secret: with/odd %characters', redirect_uris: [redirectUri] }
const ada = { sub: 'ada', email: 'ada@acme.test', email_verified: true, name: 'Ada', [resourceOwner]: 'org-17' }
const bob = { sub: 'bob', email: 'bob@acme.test', email_verified: false, name: 'Bob', [resourceOwner]: 'org-18' }
let provider: OidcProvider
let safeFetch: SafeFetch
let options: DiscoverOptions
let settings: OidcSettings

beforeAll(async () => {
  provider = await startOidcProvider({ clients: [client], accounts: [ada, bob] })
  safeFetch = createSafeFetch({ allowPrivateNetworks: true })
  options = { fetch: safeFetch.fetch, allowInsecureLoopback: true }
  settings = settingsFor(provider)
})
afterAll(async () => {
  await safeFetch.close()
  await provider.stop()
})

function settingsFor(idp: OidcProvider): OidcSettings {
  return { connectionId: 'c1', issuer: idp.issuer, clientId: client.client_id, clientSecret: client.client_secret }
}

async function walk(url: string): Promise<URL> {
  const page = await createPlainBrowser().get(url, (next) => next.href.startsWith(redirectUri))
  return new URL(page.url)
}

function finishing(started: StartedLogin) {
  return { ...started, redirectUri, now: new Date() }
}

const scopes = ['email', 'profile']

describe('a genuine oidc-provider login', () => {
  test('yields issuer, subject, e-mail and every claim of the ID token', async () => {
    const oidc = await discover(settings, options)
    const started = await startLogin(oidc, { redirectUri, scopes, loginHint: 'ada@acme.test' })
    const login = await finishLogin(oidc, await walk(started.url), finishing(started))
    expect(login).toMatchObject({
      issuer: provider.issuer,
      subject: 'ada',
      email: 'ada@acme.test',
      emailVerified: true,
      name: 'Ada',
    })
    expect(login.claims[resourceOwner]).toBe('org-17')
    expect(Object.getPrototypeOf(login.claims)).toBe(null)
  })

  test('reports an address the provider did not verify as not verified', async () => {
    const oidc = await discover(settings, options)
    const started = await startLogin(oidc, { redirectUri, scopes, loginHint: 'bob' })
    const login = await finishLogin(oidc, await walk(started.url), finishing(started))
    expect(login).toMatchObject({ subject: 'bob', email: 'bob@acme.test', emailVerified: false })
  })

  test('has its claims joined from userinfo when the provider keeps them out of the ID token', async () => {
    const idp = await startOidcProvider({ clients: [client], accounts: [ada], claimsOnlyInUserinfo: true })
    for (const fetchUserinfo of [false, true]) {
      const oidc = await discover({ ...settingsFor(idp), fetchUserinfo }, options)
      const started = await startLogin(oidc, { redirectUri, scopes, loginHint: 'ada' })
      const login = await finishLogin(oidc, await walk(started.url), finishing(started))
      expect(login.subject).toBe('ada')
      expect(login.claims[resourceOwner]).toBe(fetchUserinfo ? 'org-17' : undefined)
      expect(login.email).toBe(fetchUserinfo ? 'ada@acme.test' : undefined)
    }
    await idp.stop()
  })

  test('asks with PKCE, state, nonce, the scopes and the prompt it was told', async () => {
    const oidc = await discover(settings, options)
    const started = await startLogin(oidc, { redirectUri, scopes: ['openid', 'email'], prompt: 'login' })
    const asked = Object.fromEntries(new URL(started.url).searchParams)
    expect(asked).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      state: started.state,
      nonce: started.nonce,
      scope: 'openid email',
      prompt: 'login',
      redirect_uri: redirectUri,
    })
    expect(started.url).not.toContain(started.codeVerifier)
  })

  test('works for a client registered after the provider was started', async () => {
    provider.addClient({ ...client, client_id: 'late' })
    const oidc = await discover({ ...settings, clientId: 'late' }, options)
    const started = await startLogin(oidc, { redirectUri, scopes, loginHint: 'ada' })
    expect((await finishLogin(oidc, await walk(started.url), finishing(started))).subject).toBe('ada')
  })

  test('can be finished once: the same code is refused the second time', async () => {
    const oidc = await discover(settings, options)
    const started = await startLogin(oidc, { redirectUri, scopes, loginHint: 'ada' })
    const url = await walk(started.url)
    expect((await finishLogin(oidc, url, finishing(started))).subject).toBe('ada')
    const refusal = await finishLogin(oidc, url, finishing(started)).catch(refusalOf)
    expect(refusal).toMatchObject({ reason: 'provider_error' })
  })
})

describe('the discovery cache', () => {
  const counting = () => {
    let calls = 0
    const fetch: SafeFetch['fetch'] = (url, request) => {
      calls += 1
      return safeFetch.fetch(url, request)
    }
    return { options: { ...options, fetch }, calls: () => calls }
  }
  const now = new Date('2026-01-01T00:00:00Z')

  test('reads the metadata once for concurrent and later logins, and again when its time is over', async () => {
    const counted = counting()
    const cache = createDiscoveryCache({ ttlMs: 1_000 })
    const [first, second] = await Promise.all([
      cache.discover(settings, counted.options, now),
      cache.discover(settings, counted.options, now),
    ])
    expect(first).toBe(second)
    expect(counted.calls()).toBe(1)
    await cache.discover(settings, counted.options, new Date(now.getTime() + 1_000))
    expect(counted.calls()).toBe(2)
  })

  test('starts afresh when the settings changed or the connection was forgotten', async () => {
    const counted = counting()
    const cache = createDiscoveryCache()
    await cache.discover(settings, counted.options, now)
    await cache.discover({ ...settings, clientSecret: 'another' }, counted.options, now)
    expect(counted.calls()).toBe(2)
    cache.forget(settings.connectionId)
    await cache.discover({ ...settings, clientSecret: 'another' }, counted.options, now)
    expect(counted.calls()).toBe(3)
  })

  test('does not keep a failure', async () => {
    const cache = createDiscoveryCache()
    const failing = { ...options, fetch: () => Promise.reject(new Error('down')) }
    await expect(cache.discover(settings, failing, now)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(cache.discover(settings, options, now)).resolves.toMatchObject({ settings })
  })

  test('holds no more connections than it was told', async () => {
    const counted = counting()
    const cache = createDiscoveryCache({ maxConnections: 1 })
    await cache.discover(settings, counted.options, now)
    await cache.discover({ ...settings, connectionId: 'c2' }, counted.options, now)
    await cache.discover(settings, counted.options, now)
    expect(counted.calls()).toBe(3)
  })
})
