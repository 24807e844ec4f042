// PATCH of a user as Okta and Entra ID send it.

import { describe, expect, test } from 'vitest'
import { enterpriseUrn, userUrn } from '../../../src/scim/core-schemas.ts'
import { add, bob, codeOf, patch, patched, refusal, remove, replace } from './support.ts'

describe('Okta', () => {
  test('activates and deactivates without a path', () => {
    expect(patched({ op: 'replace', value: { active: false } })).toEqual({ ...bob, active: false })
  })

  test('may send id, meta and groups along', () => {
    const result = patch([{ op: 'replace', value: { id: 'x', groups: [], meta: {}, title: 'Boss' } }])
    expect(result.attributes).toEqual({ ...bob, title: 'Boss' })
    expect(result.dialects).toEqual(['read-only-echo'])
    expect(codeOf(() => patch([{ op: 'replace', value: { id: 'x' } }], bob, ['read-only-echo']))).toBe('mutability')
  })

  test('sends the whole profile without a path', () => {
    expect(
      patched({
        op: 'replace',
        value: { name: { givenName: 'Rob' }, emails: [{ value: 'r' }], password: 'x', odd: 1 },
      }),
    ).toEqual({ ...bob, name: { givenName: 'Rob', familyName: 'Smith' }, emails: [{ value: 'r' }] })
  })
})

describe('Entra ID', () => {
  test.each([
    ['a bare id', 'm2'],
    ['a reference', [{ $ref: 'https://x/Users/m2', value: 'm2' }]],
  ])('names the manager without the schema of the extension, as %s', (_what, value) => {
    const result = patch([{ op: 'Add', path: 'manager', value }])
    expect(result.attributes[enterpriseUrn]).toMatchObject({ manager: { value: 'm2' } })
    expect(result.dialects).toContain('unqualified-manager')
    const ended = patch([{ op: 'Replace', path: 'manager', value: '' }], result.attributes)
    expect(ended.attributes[enterpriseUrn]).not.toMatchObject({ manager: expect.anything() })
    expect(codeOf(() => patch([{ op: 'Add', path: 'manager', value }], bob, ['unqualified-manager']))).toBe(
      'invalid_path',
    )
  })

  test('deactivates with a capitalised op and a string', () => {
    const result = patch([{ op: 'Replace', path: 'active', value: 'False' }])
    expect(result.attributes).toEqual({ ...bob, active: false })
    expect(result.dialects).toEqual(['capitalised-op', 'string-boolean'])
  })

  test('sends dotted, qualified and filtered keys in one pathless replace', () => {
    const result = patch([
      {
        op: 'replace',
        value: {
          'name.givenName': 'Rob',
          displayName: 'Rob',
          [`${enterpriseUrn}:employeeNumber`]: '7',
          [`${userUrn}:title`]: 'Boss',
          'emails[type eq "work"].value': 'rob@work.example',
          'phoneNumbers[type eq "mobile"].value': '+1',
        },
      },
    ])
    expect(result.attributes).toEqual({
      ...bob,
      name: { givenName: 'Rob', familyName: 'Smith' },
      displayName: 'Rob',
      title: 'Boss',
      emails: [
        { value: 'rob@work.example', type: 'work', primary: true },
        { value: 'bob@home.example', type: 'home' },
      ],
      phoneNumbers: [{ type: 'mobile', value: '+1' }],
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1', displayName: 'Ann' }, employeeNumber: '7' },
    })
    expect(new Set(result.dialects)).toEqual(
      new Set(['dotted-key', 'qualified-key', 'filtered-key', 'filtered-path-creates']),
    )
  })

  test.each([
    ['a string', 'm2'],
    ['an array', [{ $ref: null, value: 'm2' }]],
    ['an object', { value: 'm2' }],
  ])('sets the manager as %s', (_, value) => {
    expect(patched(add(`${enterpriseUrn}:manager`, value))[enterpriseUrn]).toEqual({
      department: 'R&D',
      manager: { value: 'm2' },
    })
  })

  test.each([
    ['""', ''],
    ['null', null],
    ['[]', []],
    ['a value of ""', { value: '' }],
  ])('removes the manager with %s', (_, value) => {
    expect(patched(replace(`${enterpriseUrn}:manager`, value))[enterpriseUrn]).toEqual({ department: 'R&D' })
  })

  test('removes the manager through its value', () => {
    expect(patched(replace(`${enterpriseUrn}:manager.value`, ''))[enterpriseUrn]).toEqual({ department: 'R&D' })
    expect(patched(remove(`${enterpriseUrn}:manager.value`))[enterpriseUrn]).toEqual({ department: 'R&D' })
    expect(patched(remove(`${enterpriseUrn}:manager`))[enterpriseUrn]).toEqual({ department: 'R&D' })
  })

  test('reaches a role by its quoted primary', () => {
    const result = patch([replace('roles[primary eq "True"].value', 'Admin')])
    expect(result.attributes['roles']).toEqual([{ primary: true, value: 'Admin' }])
    expect(result.dialects).toEqual(['quoted-boolean', 'filtered-path-creates'])
  })

  test('adds app roles as JSON in a string, kept as it came', () => {
    const value = '{"id":"1","value":"Admin"}'
    expect(patched({ op: 'Add', path: 'roles', value: [{ value }] })['roles']).toEqual([{ value }])
  })

  test('removes exactly the values it names, never all', () => {
    const before = { userName: 'b', roles: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] }
    const removing = (value: unknown) => patch([{ op: 'Remove', path: 'roles', value }], before).attributes['roles']
    expect(removing([{ value: 'a' }, { value: 'zzz' }])).toEqual([{ value: 'b' }, { value: 'c' }])
    expect(removing(['b'])).toEqual([{ value: 'a' }, { value: 'c' }])
    expect(removing({ value: 'c' })).toEqual([{ value: 'a' }, { value: 'b' }])
    expect(removing([])).toEqual(before.roles)
    expect(removing(undefined)).toBeUndefined()
    const strictly = () => patch([{ op: 'remove', path: 'roles', value: ['a'] }], before, ['remove-with-values'])
    expect(codeOf(strictly)).toBe('invalid_value')
  })

  test('has its array of one unwrapped', () => {
    expect(patched(replace('title', ['Boss']))).toMatchObject({ title: 'Boss' })
    expect(patched(replace('emails[type eq "work"]', [{ value: 'x' }]))['emails']).toContainEqual({
      type: 'work',
      value: 'x',
    })
    expect(refusal(replace('title', ['a', 'b']))).toBe('invalid_value')
  })
})
