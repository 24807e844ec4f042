// Every way an OpenID provider's answer may be wrong, each one lie away from an answer that is accepted. The gate in
// the expectation shows who refused: `library` is openid-client as we configure it, `policy` and `form` are our own.

import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { discover } from '../../src/identity/oidc/discover.ts'
import { checkIssuer } from '../../src/identity/oidc/settings.ts'
import { createSafeFetch, type SafeFetch, UnsafeFetchError } from '../../src/identity/safe-fetch.ts'
import { clientSecret, type HostileOp, type Lies, startHostileOp } from './hostile-op.ts'

let op: HostileOp
beforeAll(async () => {
  op = await startHostileOp()
})
afterAll(() => op.stop())

const seconds = () => Math.floor(Date.now() / 1000)

describe('the positive twin', () => {
  test('of every lie below, the honest answer, is accepted', async () => {
    const login = await op.login()
    expect(login).toMatchObject({ issuer: op.issuer, subject: 'ada', email: 'ada@acme.test', emailVerified: true })
  })

  test.each<[string, () => Lies]>([
    ['several audiences with us as azp', () => ({ claims: { aud: ['rollcall', 'other'], azp: 'rollcall' } })],
    ['one audience in a list', () => ({ claims: { aud: ['rollcall'] } })],
    ['an age within the limit', () => ({ claims: { iat: seconds() - 290 } })],
    ['a clock slightly ahead', () => ({ claims: { iat: seconds() + 30 } })],
    ['its issuer named in the answer', () => ({ callback: { iss: op.issuer } })],
  ])('with %s is accepted', async (_, lies) => {
    expect((await op.login(lies())).subject).toBe('ada')
  })

  test('sends the code verifier and authenticates itself to the token endpoint', async () => {
    op.requests.length = 0
    await op.login()
    const token = op.requests.find(({ path }) => path === '/token')
    expect(new URLSearchParams(token?.body).get('code_verifier')).toMatch(/^[\w-]{43}$/)
    expect(token?.body).not.toContain(clientSecret)
    const [, credentials = ''] = token?.authorization?.split(' ') ?? []
    expect(Buffer.from(credentials, 'base64').toString()).toBe(`rollcall:${clientSecret}`)
  })
})

describe('an ID token is refused', () => {
  test.each<[string, () => Lies]>([
    ['that is not signed', () => ({ idToken: (claims) => new UnsecuredJWT(claims).encode() })],
    [
      'signed with the client secret',
      () => ({
        idToken: (claims) =>
          new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(clientSecret)),
      }),
    ],
    [
      'signed with somebody else’s key under the provider’s key id',
      () => ({
        idToken: async (claims) => {
          const { privateKey } = await generateKeyPair('RS256')
          return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(privateKey)
        },
      }),
    ],
    [
      'signed with an algorithm other than the pinned one',
      () => ({
        idToken: async (claims) => {
          const { privateKey } = await generateKeyPair('ES256')
          return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey)
        },
      }),
    ],
    [
      'whose payload was changed after signing',
      () => ({
        tamper: (token) => {
          const [header, payload = '', signature] = token.split('.')
          const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
          const changed = Buffer.from(JSON.stringify({ ...Object(claims), sub: 'victim' })).toString('base64url')
          return [header, changed, signature].join('.')
        },
      }),
    ],
    ['whose signature is gone', () => ({ tamper: (token) => token.replace(/[^.]*$/, '') })],
    ['signed with an unknown key id', () => ({ header: { kid: 'k9' } })],
    ['that is missing', () => ({ tokenResponse: { id_token: undefined } })],
    ['of another issuer', () => ({ claims: { iss: 'https://idp.evil.test' } })],
    ['of the issuer with one slash more', () => ({ claims: { iss: `${op.issuer}/` } })],
    ['without an issuer', () => ({ claims: { iss: undefined } })],
    ['for another client', () => ({ claims: { aud: 'other' } })],
    ['for us and others without azp', () => ({ claims: { aud: ['rollcall', 'other'] } })],
    ['for us and others made for the other', () => ({ claims: { aud: ['rollcall', 'other'], azp: 'other' } })],
    ['with another nonce', () => ({ claims: { nonce: 'another' } })],
    ['without a nonce', () => ({ claims: { nonce: undefined } })],
    ['that has expired', () => ({ claims: { exp: seconds() - 120 } })],
    ['without an end', () => ({ claims: { exp: undefined } })],
    ['without a time of issue', () => ({ claims: { iat: undefined } })],
    ['that is not valid yet', () => ({ claims: { nbf: seconds() + 600 } })],
    ['without a subject', () => ({ claims: { sub: undefined } })],
  ])('%s, by the library', async (_, lies) => {
    expect(await op.refused(lies())).toMatchObject({ gate: 'library', reason: 'library_refused' })
  })

  test.each<[string, () => Lies, string]>([
    ['made for another client, although we are its audience', () => ({ claims: { azp: 'other' } }), 'azp'],
    ['issued too long ago, although it has not expired', () => ({ claims: { iat: seconds() - 400 } }), 'issued_at'],
    ['issued in the future', () => ({ claims: { iat: seconds() + 120 } }), 'issued_at'],
    [
      'expired by the clock that was passed in',
      () => ({ claims: { exp: seconds() + 60 }, now: new Date(Date.now() + 180_000) }),
      'expired',
    ],
    ['with a line break in its subject', () => ({ claims: { sub: 'ada\nvictim' } }), 'subject'],
    ['with an endless subject', () => ({ claims: { sub: 'x'.repeat(256) } }), 'subject'],
    [
      'with a claim named constructor',
      () => ({ claims: { constructor: { prototype: { admin: true } } } }),
      'claim_name',
    ],
    [
      'with a claim named __proto__ further in',
      () => ({ claims: { org: JSON.parse('{"a":[{"__proto__":{"admin":true}}]}') } }),
      'claim_name',
    ],
  ])('%s, by our policy', async (_, lies, reason) => {
    expect(await op.refused(lies())).toMatchObject({ gate: 'policy', reason })
  })
})

describe('the browser’s return is refused', () => {
  test.each<[string, () => Lies, string]>([
    ['with another state', () => ({ callback: { state: 'another' } }), 'library_refused'],
    ['without a state', () => ({ callback: { state: null } }), 'library_refused'],
    ['without a code', () => ({ callback: { code: null } }), 'library_refused'],
    ['naming another issuer', () => ({ callback: { iss: 'https://idp.evil.test' } }), 'library_refused'],
    [
      'without an issuer where the provider promised one',
      () => ({ metadata: { authorization_response_iss_parameter_supported: true } }),
      'library_refused',
    ],
    ['with an error instead of a code', () => ({ callback: { code: null, error: 'access_denied' } }), 'provider_error'],
    [
      'with a code the provider does not know',
      () => ({ metadata: { token_endpoint: `${op.issuer}/nowhere` } }),
      'library_refused',
    ],
    [
      'at the address of another connection',
      () => ({ redirectUri: 'https://rollcall.test/sso/c2/callback' }),
      'redirect_uri',
    ],
  ])('%s', async (_, lies, reason) => {
    expect(await op.refused(lies())).toMatchObject({ reason })
  })
})

describe('userinfo', () => {
  const asking = { settings: { fetchUserinfo: true } }

  test('adds what the ID token does not say and changes nothing that it says', async () => {
    const login = await op.login({
      ...asking,
      userinfo: {
        org: 'acme',
        email: 'victim@acme.test',
        iss: 'x',
        aud: 'x',
        tid: 'x',
        oid: 'x',
        auth_time: 1,
        acr: 'x',
      },
    })
    expect(login.claims).toMatchObject({ org: 'acme', email: 'ada@acme.test', iss: op.issuer, aud: 'rollcall' })
    expect(Object.keys(login.claims)).not.toEqual(expect.arrayContaining(['tid']))
    expect(login.claims.oid ?? login.claims.auth_time ?? login.claims.acr).toBeUndefined()
  })

  test('about another subject is refused', async () => {
    expect(await op.refused({ ...asking, userinfo: { sub: 'victim' } })).toMatchObject({ reason: 'userinfo' })
  })

  test('cannot vouch for an address that only the ID token gave', async () => {
    const lies: Lies = {
      ...asking,
      claims: { email_verified: undefined },
      userinfo: { email: 'ada@acme.test', email_verified: true },
    }
    expect(await op.login(lies)).toMatchObject({ email: 'ada@acme.test', emailVerified: false })
    const twin = await op.login({ ...lies, claims: { email: undefined, email_verified: undefined } })
    expect(twin).toMatchObject({ email: 'ada@acme.test', emailVerified: true })
  })
})

describe('a provider is refused at discovery', () => {
  test.each<[string, () => Lies, string]>([
    ['that calls itself by another name', () => ({ metadata: { issuer: 'https://idp.evil.test' } }), 'issuer'],
    ['that calls itself by our name with one slash more', () => ({ metadata: { issuer: `${op.issuer}/` } }), 'issuer'],
    [
      'that sends browsers to a script',
      () => ({ metadata: { authorization_endpoint: 'javascript:alert(1)' } }),
      'provider_metadata',
    ],
    [
      'that sends browsers over plain http',
      () => ({ metadata: { authorization_endpoint: 'http://idp.acme.test/' } }),
      'provider_metadata',
    ],
    [
      'that takes codes over plain http',
      () => ({ metadata: { token_endpoint: 'http://idp.acme.test/token' } }),
      'provider_metadata',
    ],
    ['without keys', () => ({ metadata: { jwks_uri: undefined } }), 'provider_metadata'],
  ])('%s', async (_, lies, reason) => {
    expect(await op.refused(lies())).toMatchObject({ gate: 'policy', reason })
  })

  test('that is on a private address, unless that was allowed', async () => {
    const strict = createSafeFetch({ allowPrivateNetworks: false })
    for (const issuer of ['https://127.0.0.1', 'https://169.254.169.254/latest', 'https://[::1]']) {
      const found = discover({ ...op.settings, issuer }, { fetch: strict.fetch, allowInsecureLoopback: false })
      await expect(found).rejects.toMatchObject({ code: 'unavailable', cause: { cause: { reason: 'address' } } })
    }
    await strict.close()
    expect((await op.login()).subject).toBe('ada')
  })

  test('whose keys or tokens would be fetched from a private address', async () => {
    const guarded: SafeFetch['fetch'] = (url, request) =>
      url.includes('169.254.169.254') ? Promise.reject(new UnsafeFetchError('address')) : op.options.fetch(url, request)
    for (const name of ['token_endpoint', 'jwks_uri']) {
      const lies = { metadata: { [name]: 'https://169.254.169.254/' } }
      expect(await op.refused(lies, { ...op.options, fetch: guarded })).toMatchObject({ reason: 'library_refused' })
    }
  })

  test('that cannot be reached is unavailable, not refused', async () => {
    const gone = { ...op.settings, issuer: 'http://127.0.0.1:1' }
    await expect(discover(gone, op.options)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('an issuer', () => {
  const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'

  test.each([
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://login.microsoftonline.com/consumers/v2.0',
    'https://login.microsoftonline.com/{tenantid}/v2.0',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    'https://login.microsoftonline.com/acme.onmicrosoft.com/v2.0',
    'https://login.microsoftonline.us/common/v2.0',
    'https://sts.windows.net/',
    'http://idp.acme.test',
    'https://user@idp.acme.test',
    'https://idp.acme.test/?tenant=1',
    'https://idp.acme.test/#x',
    'https://idp.acme.test/.well-known/openid-configuration',
    'ftp://idp.acme.test',
    'idp.acme.test',
    '',
  ])('%j is not accepted for a connection', (issuer) => {
    expect(() => checkIssuer(issuer, true)).toThrow(expect.objectContaining({ code: 'invalid_value' }))
  })

  test.each([
    `https://login.microsoftonline.com/${tenant}/v2.0`,
    `https://sts.windows.net/${tenant}/`,
    'https://accounts.google.com',
    'https://acme.zitadel.cloud',
    'https://id.acme.test/realms/staff',
  ])('%j is', (issuer) => {
    expect(checkIssuer(issuer, false).protocol).toBe('https:')
  })

  test('on plain http is accepted on loopback alone, and only where that is allowed', () => {
    expect(checkIssuer('http://127.0.0.1:8080', true).port).toBe('8080')
    expect(() => checkIssuer('http://127.0.0.1:8080', false)).toThrow()
    expect(() => checkIssuer('http://127.0.0.1.evil.test', true)).toThrow()
  })

  /** The hostile provider answers under Microsoft's name: a fake at the wire. */
  const asEntra = (): Lies => {
    const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`
    const at = (path: string) => `${issuer}/${path}`
    return {
      settings: { issuer },
      metadata: {
        issuer,
        authorization_endpoint: at('authorize'),
        token_endpoint: at('token'),
        jwks_uri: at('jwks'),
        userinfo_endpoint: at('userinfo'),
      },
    }
  }
  const rerouted = () =>
    ({
      ...op.options,
      fetch: (url, request) =>
        op.options.fetch(url.replace(/^https:\/\/login\.microsoftonline\.com\/[^/]*\/v2\.0/, op.issuer), request),
    }) satisfies typeof op.options

  test('of one Entra tenant makes tenant and object id the identity', async () => {
    const login = await op.login({ ...asEntra(), claims: { tid: tenant, oid: 'b1f2', sub: 'pairwise' } }, rerouted())
    expect(login.subject).toBe(`${tenant}:b1f2`)
  })

  test.each([
    ['another tenant', { tid: '11111111-2222-3333-4444-555555555555', oid: 'b1f2' }],
    ['no tenant', { oid: 'b1f2' }],
    ['no object id', { tid: tenant }],
  ])('of one Entra tenant with a token of %s is refused', async (_, claims) => {
    expect(await op.refused({ ...asEntra(), claims }, rerouted())).toMatchObject({ reason: 'entra_identity' })
  })
})
