// Bodies in: what a user or group becomes, which vendor shapes are read and what is refused.

import { describe, expect, test } from 'vitest'
import { enterpriseUrn, groupUrn, userUrn } from '../../../src/scim/core-schemas.ts'
import { type Dialect, startReading } from '../../../src/scim/dialects.ts'
import { parseGroup, parseUser } from '../../../src/scim/resource.ts'
import { codeOf, detailOf } from './support.ts'

const minimal = { schemas: [userUrn], userName: 'bob' }

function user(body: unknown, refuse: readonly Dialect[] = []) {
  const reading = startReading({ refuse })
  return { ...parseUser(body, reading), dialects: [...reading.dialects], ignored: [...reading.ignored] }
}

function group(body: unknown, refuse: readonly Dialect[] = []) {
  const reading = startReading({ refuse })
  return { ...parseGroup(body, reading), dialects: [...reading.dialects], ignored: [...reading.ignored] }
}

const attributesOf = (extra: Record<string, unknown>) => user({ ...minimal, ...extra }).attributes

describe('a user', () => {
  test('is kept verbatim, in schema spelling, with the columns to find it by', () => {
    const parsed = user({
      schemas: [userUrn, enterpriseUrn],
      USERNAME: 'Bob@Example.COM ',
      externalid: '00u1',
      Name: { GivenName: ' Bob', familyname: 'Ö', formatted: 'Bob Ö' },
      displayName: 'Bobby',
      title: 'Engineer',
      emails: [
        { value: 'home@example.com', type: 'home' },
        { Value: 'Work@example.com', TYPE: 'work' },
      ],
      [enterpriseUrn.toUpperCase()]: { Department: 'R&D', manager: { value: 'm1', displayName: 'Ann' } },
    })
    expect(parsed.attributes).toEqual({
      userName: 'Bob@Example.COM ',
      externalId: '00u1',
      name: { givenName: ' Bob', familyName: 'Ö', formatted: 'Bob Ö' },
      displayName: 'Bobby',
      title: 'Engineer',
      emails: [
        { value: 'home@example.com', type: 'home' },
        { value: 'Work@example.com', type: 'work' },
      ],
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1', displayName: 'Ann' } },
    })
    expect(parsed.columns).toEqual({
      userName: 'Bob@Example.COM ',
      externalId: '00u1',
      active: true,
      displayName: 'Bobby',
      givenName: ' Bob',
      familyName: 'Ö',
      email: 'Work@example.com',
      department: 'R&D',
      title: 'Engineer',
      managerValue: 'm1',
    })
    expect(parsed.dialects).toEqual([])
    expect(parsed.ignored).toEqual([])
  })

  test('has empty columns for what is not said, and is active', () => {
    expect(user({ ...minimal, userName: 'bob@example.com' }).columns).toEqual({
      userName: 'bob@example.com',
      externalId: null,
      active: true,
      displayName: null,
      givenName: null,
      familyName: null,
      email: null,
      department: null,
      title: null,
      managerValue: null,
    })
    expect(user({ ...minimal, active: false }).columns.active).toBe(false)
  })

  test.each([
    [
      'the primary e-mail',
      [
        { value: 'a', type: 'work' },
        { value: 'b', primary: true },
      ],
      'b',
    ],
    ['else the one of type work', [{ value: 'a' }, { value: 'b', type: 'WORK' }], 'b'],
    ['else the first', [{ type: 'home' }, { value: 'a' }, { value: 'b' }], 'a'],
    ['none when there is none', [], null],
  ])('is reached at %s', (_, emails, expected) => {
    expect(user({ ...minimal, emails }).columns.email).toBe(expected)
  })

  test('cannot set what the service owns', () => {
    const parsed = user({
      ...minimal,
      id: 'mine',
      meta: { resourceType: 'User', created: 'x' },
      groups: [{ value: 'g1' }],
    })
    expect(parsed.attributes).toEqual({ userName: 'bob' })
    expect(parsed.ignored).toEqual([])
  })

  test('has its password thrown away', () => {
    expect(attributesOf({ password: 'hunter2', Password: 'x' })).toEqual({ userName: 'bob' })
  })

  test('loses unknown attributes, which are named', () => {
    const parsed = user({
      ...minimal,
      shoeSize: 42,
      name: { givenName: 'Bob', nick: 'B' },
      emails: [{ value: 'a', verified: true }],
      'urn:example:custom': { a: 1 },
      [enterpriseUrn]: { floor: 3 },
    })
    expect(parsed.attributes).toEqual({ userName: 'bob', name: { givenName: 'Bob' }, emails: [{ value: 'a' }] })
    expect(parsed.ignored).toEqual([
      'shoeSize',
      'name.nick',
      'emails.verified',
      'urn:example:custom',
      `${enterpriseUrn}:floor`,
    ])
  })

  test('names at most 50 ignored attributes, and shortens their names', () => {
    const unknown = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${'x'.repeat(500)}${i}`, i]))
    const { ignored } = user({ ...minimal, ...unknown, other: 1 })
    expect(ignored.length).toBeLessThanOrEqual(50)
    expect(ignored.every((name) => name.length <= 100)).toBe(true)
  })

  test('says the same with null, [] and {} as without the attribute', () => {
    const empty = { title: null, emails: [], roles: null, name: {}, phoneNumbers: [null, {}], [enterpriseUrn]: null }
    expect(attributesOf(empty)).toEqual({ userName: 'bob' })
    expect(attributesOf({ title: '' })).toEqual({ userName: 'bob', title: '' })
  })

  test.each([
    ['no userName', { schemas: [userUrn] }, 'userName'],
    ['a null userName', { ...minimal, userName: null }, 'userName'],
    ['an empty userName', { ...minimal, userName: '' }, 'userName'],
    ['a blank userName', { ...minimal, userName: '  ' }, 'userName'],
    ['a userName that is a number', { ...minimal, userName: 5 }, 'userName'],
    ['a userName too long for its index', { ...minimal, userName: 'x'.repeat(513) }, 'userName'],
    ['an active that is neither', { ...minimal, active: 'yes' }, 'active'],
    ['an active that is a number', { ...minimal, active: 1 }, 'active'],
    ['a name that is a string', { ...minimal, name: 'Bob' }, 'name'],
    ['a givenName that is an object', { ...minimal, name: { givenName: {} } }, 'name.givenName'],
    ['emails that are a number', { ...minimal, emails: 5 }, 'emails'],
    ['an e-mail that is a number', { ...minimal, emails: [5] }, 'emails'],
    ['an e-mail value that is an object', { ...minimal, emails: [{ value: {} }] }, 'emails.value'],
    [
      'two primary e-mails',
      {
        ...minimal,
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      'emails',
    ],
    [
      'more values than anybody has',
      { ...minimal, emails: Array.from({ length: 1001 }, (_, i) => ({ value: `${i}` })) },
      'emails',
    ],
    ['a NUL in a name', { ...minimal, displayName: 'a\0b' }, 'displayName'],
    ['half a surrogate pair', { ...minimal, displayName: '\ud800' }, 'displayName'],
    ['an extension that is a string', { ...minimal, [enterpriseUrn]: 'x' }, enterpriseUrn],
    [
      'a department that is a list',
      { ...minimal, [enterpriseUrn]: { department: ['a', 'b'] } },
      `${enterpriseUrn}:department`,
    ],
    ['schemas that are no URNs', { ...minimal, schemas: [1] }, 'schemas'],
  ])('with %s is refused by the name of the attribute', (_, body, attribute) => {
    expect(codeOf(() => user(body))).toBe('invalid_value')
    expect(detailOf(() => user(body))).toMatch(new RegExp(`^${attribute}( |\\.)`))
  })

  test.each([
    ['a string', 'x'],
    ['nothing', undefined],
    ['null', null],
    ['a list', [minimal]],
    ['a number', 5],
  ])('that is %s is no user', (_, body) => {
    expect(codeOf(() => user(body))).toBe('invalid_syntax')
  })

  test('nested 50 deep is read, deeper is refused, and thousands deep as well', () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1
      for (let level = 0; level < levels; level += 1) value = { x: value }
      return value
    }
    expect(user({ ...minimal, x: nested(48) }).ignored).toEqual(['x'])
    expect(codeOf(() => user({ ...minimal, x: nested(50) }))).toBe('invalid_syntax')
    expect(codeOf(() => user({ ...minimal, x: nested(100_000) }))).toBe('invalid_syntax')
  })

  test('may have 1,000 members in an object, not one more', () => {
    const body = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
    expect(codeOf(() => user({ ...minimal, ...body(998) }))).toBeUndefined()
    expect(codeOf(() => user({ ...minimal, ...body(999) }))).toBe('invalid_syntax')
  })

  test('whose keys name the prototype pollutes nothing', () => {
    const body = JSON.parse(
      `{"schemas":["${userUrn}"],"userName":"bob","__proto__":{"a":1},"constructor":{"prototype":{"b":1}},` +
        `"prototype":{"c":1},"name":{"__proto__":{"givenName":"x"},"familyName":"y"},"emails":[{"__proto__":{"value":"z"}}]}`,
    )
    const parsed = user(body)
    expect(parsed.attributes).toEqual({ userName: 'bob', name: { familyName: 'y' } })
    expect(parsed.ignored).toEqual(['__proto__', 'constructor', 'prototype', 'name.__proto__', 'emails.__proto__'])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(Object.getPrototypeOf(parsed.attributes)).toBe(Object.prototype)
  })
})

describe('vendor shapes of a user', () => {
  test.each<[Dialect, Record<string, unknown>, Record<string, unknown>]>([
    ['string-boolean', { active: 'False' }, { active: false }],
    ['string-boolean', { active: 'true' }, { active: true }],
    ['string-boolean', { roles: [{ value: 'a', primary: 'True' }] }, { roles: [{ value: 'a', primary: true }] }],
    ['single-element-array', { displayName: ['Bob'] }, { displayName: 'Bob' }],
    ['single-element-array', { name: [{ givenName: 'Bob' }] }, { name: { givenName: 'Bob' } }],
    [
      'single-element-array',
      { [enterpriseUrn]: { manager: [{ value: 'm' }] } },
      { [enterpriseUrn]: { manager: { value: 'm' } } },
    ],
    ['bare-element', { [enterpriseUrn]: { manager: 'm' } }, { [enterpriseUrn]: { manager: { value: 'm' } } }],
    ['bare-element', { emails: ['a@example.com'] }, { emails: [{ value: 'a@example.com' }] }],
    ['bare-object', { emails: { value: 'a@example.com' } }, { emails: [{ value: 'a@example.com' }] }],
    ['dotted-key', { 'name.givenName': 'Bob' }, { name: { givenName: 'Bob' } }],
    ['qualified-key', { [`${enterpriseUrn}:department`]: 'R' }, { [enterpriseUrn]: { department: 'R' } }],
    ['filtered-key', { 'emails[type eq "work"].value': 'w' }, { emails: [{ type: 'work', value: 'w' }] }],
    [
      'misspelt-enterprise-urn',
      { [enterpriseUrn.replace(':User', 'User')]: { department: 'R' } },
      { [enterpriseUrn]: { department: 'R' } },
    ],
    [
      'scim1-urn',
      { 'urn:scim:schemas:extension:enterprise:1.0': { department: 'R' } },
      { [enterpriseUrn]: { department: 'R' } },
    ],
  ])('%s', (dialect, extra, expected) => {
    const parsed = user({ ...minimal, ...extra })
    expect(parsed.attributes).toEqual({ userName: 'bob', ...expected })
    expect(parsed.dialects).toContain(dialect)
    const strictly = () => user({ ...minimal, ...extra }, [dialect])
    const refused = codeOf(strictly)
    expect(refused === 'invalid_value' || strictly().ignored.length > 0 || refused === 'no_target').toBe(true)
  })

  test('an empty manager is none', () => {
    for (const manager of ['', { value: '' }, [''], []]) {
      expect(attributesOf({ [enterpriseUrn]: { manager, department: 'R' } })).toEqual({
        userName: 'bob',
        [enterpriseUrn]: { department: 'R' },
      })
    }
  })

  test("Entra's app role is kept as the text it is", () => {
    const value = '{"id":"1","value":"Admin","displayName":"Admin"}'
    const parsed = user({ ...minimal, roles: [{ value }] })
    expect(parsed.attributes).toEqual({ userName: 'bob', roles: [{ value }] })
    expect(parsed.dialects).toEqual(['json-in-role-value'])
  })

  test('schemas may be missing, as SCIM 1.1 has it, or with unknown ones among them', () => {
    expect(user({ userName: 'bob' }).dialects).toEqual(['missing-schemas'])
    expect(codeOf(() => user({ userName: 'bob' }, ['missing-schemas']))).toBe('invalid_value')
    expect(user({ userName: 'bob', schemas: ['urn:scim:schemas:core:1.0'] }).dialects).toEqual(['scim1-urn'])
    expect(user({ userName: 'bob', schemas: [userUrn, 'urn:example:x'] }).ignored).toEqual(['urn:example:x'])
  })
})

describe('a group', () => {
  const admins = { schemas: [groupUrn], displayName: 'Admins' }

  test('has a name, an externalId and members, each once', () => {
    expect(
      group({
        ...admins,
        externalId: 'g-1',
        Members: [
          { value: 'u1', display: 'Bob', type: 'User', $ref: 'https://x/Users/u1' },
          { Value: 'u2' },
          { value: 'u1' },
        ],
      }),
    ).toMatchObject({
      displayName: 'Admins',
      externalId: 'g-1',
      members: [{ value: 'u1' }, { value: 'u2' }],
      attributes: {},
    })
  })

  test('distinguishes no word about members from no members', () => {
    expect(group(admins).members).toBeUndefined()
    expect(group({ ...admins, members: [] }).members).toEqual([])
    expect(group({ ...admins, members: null }).members).toEqual([])
  })

  test.each<[Dialect, Record<string, unknown>]>([
    ['bare-element', { members: ['u1'] }],
    ['bare-object', { members: { value: 'u1' } }],
    [
      'adscim-group-schema',
      {
        schemas: [groupUrn, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
        members: [{ value: 'u1' }],
      },
    ],
    ['null-value', { members: [{ $ref: null, value: 'u1' }] }],
  ])('is read with %s', (dialect, extra) => {
    const parsed = group({ ...admins, ...extra })
    expect(parsed.members).toEqual([{ value: 'u1' }])
    expect(parsed.dialects).toEqual([dialect])
    expect(parsed.ignored).toEqual([])
  })

  test.each([
    ['no name', { schemas: [groupUrn] }],
    ['an empty name', { ...admins, displayName: '' }],
    ['members that are a number', { ...admins, members: 5 }],
    ['a member without a value', { ...admins, members: [{ display: 'Bob' }] }],
    ['a member with an empty value', { ...admins, members: [{ value: '' }] }],
    ['a member that is a number', { ...admins, members: [5] }],
    ['a member value that is a number', { ...admins, members: [{ value: 5 }] }],
  ])('with %s is refused', (_, body) => {
    expect(codeOf(() => group(body))).toBe('invalid_value')
  })

  test('of 100,000 members is read in well under a second', () => {
    const members = Array.from({ length: 100_000 }, (_, i) => ({ value: `user-${i}`, $ref: null }))
    const started = performance.now()
    expect(group({ ...admins, members }).members).toHaveLength(100_000)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
