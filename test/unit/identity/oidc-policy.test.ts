// The policy by itself, on claims as a library that checked nothing but the signature would hand them over. What
// openid-client refuses today is refused here too, so that changing or losing the library loses no rule.

import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../../src/identity/login-refusal.ts'
import { readVerifiedClaims } from '../../../src/identity/oidc/policy.ts'
import type { OidcSettings } from '../../../src/identity/oidc/settings.ts'

const now = new Date('2026-03-01T12:00:00Z')
const seconds = now.getTime() / 1000
const settings: OidcSettings = {
  connectionId: 'c1',
  issuer: 'https://idp.acme.test',
  clientId: 'us',
  clientSecret: 's',
}
const token = { iss: settings.issuer, sub: 'ada', aud: 'us', iat: seconds, exp: seconds + 300, nonce: 'n' }

const read = (claims: object, userinfo?: object) => readVerifiedClaims(settings, claims, userinfo, { nonce: 'n', now })

function reasonOf(claims: object, userinfo?: object): unknown {
  try {
    return read(claims, userinfo)
  } catch (error) {
    return refusalOf(error)
  }
}

describe('the claims of a verified ID token', () => {
  test('that keep every rule are read, without anything they did not say', () => {
    const login = read(token)
    expect(login).toEqual({ issuer: settings.issuer, subject: 'ada', emailVerified: false, claims: expect.anything() })
    expect({ ...login.claims }).toEqual(token)
  })

  test('keep their shape at every depth, without prototypes', () => {
    const login = read({ ...token, org: { list: [{ id: 1 }], none: null } })
    expect(JSON.parse(JSON.stringify(login.claims['org']))).toEqual({ list: [{ id: 1 }], none: null })
    expect(Object.getPrototypeOf(login.claims['org'])).toBe(null)
  })

  test('count an address as verified only beside an address', () => {
    expect(read({ ...token, email_verified: true }).emailVerified).toBe(false)
    expect(read({ ...token, email: 'a@b.test', email_verified: true }).emailVerified).toBe(true)
    expect(read({ ...token, email: 'a@b.test', email_verified: 'true' }).emailVerified).toBe(true)
    expect(read({ ...token, email: 'a@b.test', email_verified: 1 }).emailVerified).toBe(false)
  })

  test('are not read as names or addresses when they are not text', () => {
    const login = read({ ...token, email: ['a@b.test'], name: { x: 1 }, given_name: '', family_name: 'Love\u0000lace' })
    expect(Object.keys(login).sort()).toEqual(['claims', 'emailVerified', 'issuer', 'subject'])
  })

  test.each<[string, object, string]>([
    ['of another issuer', { iss: 'https://idp.evil.test' }, 'issuer'],
    ['of the issuer in capitals', { iss: 'https://IDP.acme.test' }, 'issuer'],
    ['for another client', { aud: 'them' }, 'audience'],
    ['for nobody', { aud: [] }, 'audience'],
    ['for several clients without azp', { aud: ['us', 'them'] }, 'azp'],
    ['for several clients, made for another', { aud: ['us', 'them'], azp: 'them' }, 'azp'],
    ['with another nonce', { nonce: 'm' }, 'nonce'],
    ['without a nonce', { nonce: undefined }, 'nonce'],
    ['issued at no time', { iat: undefined }, 'issued_at'],
    ['issued at a time in words', { iat: 'now' }, 'issued_at'],
    ['without an end', { exp: undefined }, 'expired'],
    ['that are over', { exp: seconds - 60 }, 'expired'],
    ['without a subject', { sub: undefined }, 'subject'],
    ['with a subject that is no text', { sub: 7 }, 'subject'],
    ['with a claim named constructor', { constructor: 'x' }, 'claim_name'],
    ['with a claim named __proto__', JSON.parse('{"__proto__":{"admin":true}}'), 'claim_name'],
    ['nested without end', { org: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }, 'claim_name'],
  ])('%s are refused', (_, change, reason) => {
    const claims: object = Object.defineProperties({ ...token }, Object.getOwnPropertyDescriptors(change))
    expect(reasonOf(claims)).toMatchObject({ gate: 'policy', reason })
  })

  test.each<[string, object, string]>([
    ['about another subject', { sub: 'bob' }, 'userinfo'],
    ['about no subject', {}, 'userinfo'],
    ['with a claim named prototype', { sub: 'ada', prototype: 'x' }, 'claim_name'],
  ])('are refused beside userinfo %s', (_, userinfo, reason) => {
    expect(reasonOf(token, userinfo)).toMatchObject({ gate: 'policy', reason })
  })
})
