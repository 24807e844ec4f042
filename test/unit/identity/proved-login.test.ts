// What is read out of a verified login, and what is not read into it.

import { describe, expect, test } from 'vitest'
import type { VerifiedOidcLogin } from '../../../src/identity/oidc/settings.ts'
import { readOidcLogin, readSamlLogin } from '../../../src/identity/proved-login.ts'
import type { VerifiedLogin } from '../../../src/identity/saml/settings.ts'

const oidcConfig = { issuer: 'https://idp.test', clientId: 'c', groupsClaim: ['groups'] as const }

function oidc(claims: Record<string, unknown>, login: Partial<VerifiedOidcLogin> = {}): VerifiedOidcLogin {
  return { issuer: 'https://idp.test', subject: 's', emailVerified: false, claims, ...login }
}

const samlConfig = {
  idpEntityId: 'https://idp.test',
  idpSsoUrl: 'https://idp.test/sso',
  idpCertificates: [''],
  groupsClaim: ['groups'] as const,
}

function saml(attributes: Record<string, string[]>, format = 'urn:format:a', nameId = 'n'): VerifiedLogin {
  return {
    issuer: 'https://idp.test',
    subject: { nameId, format },
    assertionId: '_1',
    notOnOrAfter: new Date(0),
    attributes,
  }
}

describe('groups', () => {
  const groups = (claims: Record<string, unknown>) => readOidcLogin(oidcConfig, oidc(claims)).groups

  test('are the names in a list, one name, or the keys of an object; sorted and each once', () => {
    expect(groups({ groups: ['b', 'a', 'b'] })).toEqual(['a', 'b'])
    expect(groups({ groups: 'a' })).toEqual(['a'])
    expect(groups({ groups: { owner: { '17': 'acme' }, reader: {} } })).toEqual(['owner', 'reader'])
    expect(groups({ groups: [] })).toEqual([])
  })

  test('are unknown, not empty, where the claim is missing or Entra only left a link', () => {
    expect(groups({})).toBeUndefined()
    expect(groups({ hasgroups: true })).toBeUndefined()
    expect(groups({ _claim_names: { groups: 'src1' }, groups: [] })).toBeUndefined()
    const link = { 'http://schemas.microsoft.com/claims/groups.link': ['https://graph.test'], groups: [] }
    expect(readSamlLogin(samlConfig, saml(link)).groups).toBeUndefined()
    expect(readSamlLogin(samlConfig, saml({ groups: ['a'] })).groups).toEqual(['a'])
  })

  test('leave out what is no plain name, and end at a thousand', () => {
    expect(groups({ groups: ['a', '', 7, null, 'x\u0000', 'y'.repeat(256), ['b']] })).toEqual(['a'])
    expect(groups({ groups: Array.from({ length: 1_500 }, (_, index) => `g${index}`) })).toHaveLength(1_000)
  })
})

describe('the address', () => {
  test('is one, or there is none; only beside it does it count as verified', () => {
    const profile = (email: string) => readOidcLogin(oidcConfig, oidc({}, { email, emailVerified: true })).profile
    expect(profile('ada@acme.test')).toMatchObject({ email: 'ada@acme.test', emailVerified: true })
    expect(profile('ada@acme.test, eve@evil.test')).toMatchObject({ email: null, emailVerified: false })
  })

  test('of a SAML login is never verified by itself, and comes from an attribute before the NameID', () => {
    const emailFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
    const both = readSamlLogin(samlConfig, saml({ mail: ['ada@acme.test'] }, emailFormat, 'other@acme.test'))
    expect(both.profile).toMatchObject({ email: 'ada@acme.test', emailVerified: false })
    expect(readSamlLogin(samlConfig, saml({}, emailFormat, 'ada@acme.test')).profile.email).toBe('ada@acme.test')
    expect(readSamlLogin(samlConfig, saml({}, 'urn:format:a', 'ada@acme.test')).profile.email).toBeNull()
  })
})

test('one NameID in two formats is two people', () => {
  const subjects = ['urn:format:a', 'urn:format:b'].map((format) => readSamlLogin(samlConfig, saml({}, format)).subject)
  expect(subjects).toEqual(['urn:format:a|n', 'urn:format:b|n'])
})

test('the organization is unread without a rule, and read by the rule that the connection has', () => {
  const claims = { 'urn:zitadel:iam:user:resourceowner:id': '17' }
  expect(readOidcLogin(oidcConfig, oidc(claims)).organization).toBe('unread')
  const preset = { ...oidcConfig, organizationClaim: { preset: 'zitadel' as const } }
  expect(readOidcLogin(preset, oidc(claims)).organization).toEqual({ value: '17' })
  const path = { ...oidcConfig, organizationClaim: { value: ['org', 'id'] as const, name: ['org', 'name'] as const } }
  const claimed = readOidcLogin(path, oidc({ org: { id: 'a', name: 'Acme' } })).organization
  expect(claimed).toEqual({ value: 'a', name: 'Acme' })
})
