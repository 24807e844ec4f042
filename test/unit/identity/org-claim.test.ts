// Which organization a login names, in the forms that the products really send.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { organizationClaimPresets, readOrganizationClaim } from '../../../src/identity/org-claim.ts'
import { parseClaimPath } from '../../../src/model/claim-path.ts'

const { zitadel, keycloak, auth0, entra, google } = organizationClaimPresets
const owner = 'urn:zitadel:iam:user:resourceowner'

describe('Zitadel', () => {
  test('names the organization by its id, with name and primary domain', () => {
    const claims = {
      [`${owner}:id`]: '2093',
      [`${owner}:name`]: 'Acme',
      [`${owner}:primary_domain`]: 'acme.zitadel.cloud',
    }
    expect(readOrganizationClaim(claims, zitadel)).toEqual({
      value: '2093',
      name: 'Acme',
      domain: 'acme.zitadel.cloud',
    })
  })

  test('is also read under its two alias names, the real one first', () => {
    expect(readOrganizationClaim({ 'urn:zitadel:iam:org:id': '7' }, zitadel)).toEqual({ value: '7' })
    expect(readOrganizationClaim({ org: 'acme' }, zitadel)).toEqual({ value: 'acme' })
    expect(readOrganizationClaim({ org: 'b', [`${owner}:id`]: 'a' }, zitadel)).toEqual({ value: 'a' })
  })

  test('does not borrow the name of one claim for the id of another', () => {
    expect(readOrganizationClaim({ org: 'b', [`${owner}:name`]: 'Acme' }, zitadel)).toEqual({ value: 'b' })
  })
})

describe('Keycloak', () => {
  test('names the organization by its alias, as a list or with attributes', () => {
    expect(readOrganizationClaim({ organization: ['acme'] }, keycloak)).toEqual({ value: 'acme' })
    expect(readOrganizationClaim({ organization: { acme: { id: '42c3e46f' } } }, keycloak)).toEqual({ value: 'acme' })
    expect(readOrganizationClaim({ organization: { acme: {} } }, keycloak)).toEqual({ value: 'acme' })
  })

  test('is ambiguous when the person is in several organizations', () => {
    expect(readOrganizationClaim({ organization: ['acme', 'globex'] }, keycloak)).toBe('ambiguous')
    expect(readOrganizationClaim({ organization: { acme: {}, globex: {} } }, keycloak)).toBe('ambiguous')
  })

  test('is absent when the person is in none', () => {
    for (const organization of [[], {}, null, '', undefined]) {
      expect(readOrganizationClaim({ organization }, keycloak)).toBe('absent')
    }
  })
})

test('Auth0, Entra and Google name it by org_id, tid and hd', () => {
  expect(readOrganizationClaim({ org_id: 'org_1', org_name: 'acme' }, auth0)).toEqual({ value: 'org_1', name: 'acme' })
  expect(readOrganizationClaim({ tid: '72f988bf' }, entra)).toEqual({ value: '72f988bf' })
  expect(readOrganizationClaim({ hd: 'acme.test' }, google)).toEqual({ value: 'acme.test', domain: 'acme.test' })
})

describe('any claim', () => {
  const read = (organization: unknown) => readOrganizationClaim({ organization }, [{ value: ['organization'] }])

  test('may be a SAML attribute: a list of values that name one organization', () => {
    expect(read(['acme'])).toEqual({ value: 'acme' })
    expect(read(['acme', 'acme'])).toEqual({ value: 'acme' })
    expect(read(['acme', ''])).toEqual({ value: 'acme' })
    expect(read(['acme', 'Acme'])).toBe('ambiguous')
  })

  test('may be a record with an id, or a list of one', () => {
    expect(read({ id: 'o1', name: 'Acme', domain: 'acme.test' })).toEqual({
      value: 'o1',
      name: 'Acme',
      domain: 'acme.test',
    })
    expect(read([{ id: 'o1', name: 'Acme' }])).toEqual({ value: 'o1', name: 'Acme' })
    expect(read([{ id: 'o1' }, { id: 'o2' }])).toBe('ambiguous')
  })

  test('may be a whole number', () => {
    expect(read(17)).toEqual({ value: '17' })
  })

  test.each([
    ['a truth value', true],
    ['a fraction', 1.5],
    ['a list of lists', [['acme']]],
    ['white space', '  '],
    ['a control character', 'ac\u0000me'],
    ['an endless string', 'x'.repeat(256)],
  ])('is ambiguous, never ignored, when it is %s', (_, value) => {
    expect(read(value)).toBe('ambiguous')
  })

  test('that is ambiguous is not passed over for a later one', () => {
    const rules = [{ value: ['organization'] }, { value: ['org'] }] as const
    expect(readOrganizationClaim({ organization: ['a', 'b'], org: 'c' }, rules)).toBe('ambiguous')
    expect(readOrganizationClaim({ organization: [], org: 'c' }, rules)).toEqual({ value: 'c' })
  })

  test('is never read from what objects inherit', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(readOrganizationClaim({}, [{ value: [name] }])).toBe('absent')
    }
    expect(readOrganizationClaim({ list: ['a'] }, [{ value: ['list', 'length'] }])).toBe('absent')
  })

  test('of any shape is answered without throwing', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, maxDepth: 4 }), (value) => {
        const found = read(value)
        if (typeof found === 'object') expect(found.value.trim()).not.toBe('')
        else expect(['absent', 'ambiguous']).toContain(found)
      }),
    )
  })
})

describe('a configured path', () => {
  test.each([
    ['urn:zitadel:iam:org:id', ['urn:zitadel:iam:org:id']],
    ['https://acme.test/claims/org.id', ['https://acme.test/claims/org.id']],
    ['/organization/id', ['organization', 'id']],
    ['/a~1b/m~0n', ['a/b', 'm~n']],
    ['["https://acme.test/org","id"]', ['https://acme.test/org', 'id']],
    ['["/starts/with/slash"]', ['/starts/with/slash']],
  ])('%s is read as a name, a pointer or a list of keys', (text, keys) => {
    expect(parseClaimPath(text)).toEqual(keys)
  })

  test.each(['', '/', '//a', '[]', '[1]', '["a",""]', '["a"', '{"a":1}x'.padEnd(1_001, 'x'), '/a'.repeat(11)])(
    '%j is not valid',
    (text) => {
      expect(() => parseClaimPath(text)).toThrow(expect.objectContaining({ code: 'invalid_value' }))
    },
  )

  test('leads through objects and lists', () => {
    const claims = { 'https://acme.test/ctx': { orgs: [{ id: 'o1' }, { id: 'o2' }] } }
    const path = parseClaimPath('["https://acme.test/ctx","orgs","1","id"]')
    expect(readOrganizationClaim(claims, [{ value: path }])).toEqual({ value: 'o2' })
  })
})
