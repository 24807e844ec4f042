// What may be written into a connection's config, and that it reads back as it was meant.

import { describe, expect, test } from 'vitest'
import { oidcConnectionConfig, parseConnectionConfig, samlConnectionConfig } from '../../../src/model/connection.ts'

const oidc = { issuer: 'https://login.acme.test/', clientId: 'rollcall' }
const saml = { idpEntityId: 'urn:acme', idpSsoUrl: 'https://idp.acme.test/sso', idpCertificates: ['MII…'] }

describe('the config of a connection', () => {
  test('keeps a claim path as a list of keys, whichever way it was entered, and reads its own output', () => {
    const entered = {
      ...oidc,
      organizationClaim: { value: '/organization/id', name: ['https://acme.test/org', 'name'] },
      groupsClaim: 'https://acme.test/groups',
    }
    const stored = oidcConnectionConfig.parse(entered)
    expect(stored).toMatchObject({
      organizationClaim: { value: ['organization', 'id'], name: ['https://acme.test/org', 'name'] },
      groupsClaim: ['https://acme.test/groups'],
    })
    expect(parseConnectionConfig('oidc', JSON.parse(JSON.stringify(stored)))).toEqual({ kind: 'oidc', config: stored })
  })

  test('names a known product instead of a path', () => {
    expect(samlConnectionConfig.safeParse({ ...saml, organizationClaim: { preset: 'zitadel' } }).success).toBe(true)
    expect(samlConnectionConfig.safeParse({ ...saml, organizationClaim: { preset: 'unheard-of' } }).success).toBe(false)
  })

  test('refuses what it does not know, a secret above all', () => {
    expect(oidcConnectionConfig.safeParse(oidc).success).toBe(true)
    expect(oidcConnectionConfig.safeParse({ ...oidc, clientSecret: 's' }).success).toBe(false)
    expect(oidcConnectionConfig.safeParse({ ...oidc, scopes: ['two scopes'] }).success).toBe(false)
    expect(oidcConnectionConfig.safeParse({ ...oidc, groupsClaim: ['a', ''] }).success).toBe(false)
  })

  test('is of one of two kinds', () => {
    expect(parseConnectionConfig('saml', saml).kind).toBe('saml')
    expect(() => parseConnectionConfig('ldap', oidc)).toThrow()
  })
})
