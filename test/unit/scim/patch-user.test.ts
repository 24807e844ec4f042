// PATCH of a user: the rules of RFC 7644 3.5.2, atomicity and no-ops. Vendors' shapes are in patch-vendors.test.ts.

import { describe, expect, test } from 'vitest'
import { enterpriseUrn, userUrn } from '../../../src/scim/core-schemas.ts'
import { add, bob, codeOf, patch, patched, refusal, remove, replace } from './support.ts'

describe('a single value', () => {
  test.each([
    ['add sets it', add('nickName', 'B'), { nickName: 'B' }],
    ['add replaces it', add('title', 'Boss'), { title: 'Boss' }],
    ['replace sets it', replace('title', 'Boss'), { title: 'Boss' }],
    ['replace of a missing one adds it', replace('nickName', 'B'), { nickName: 'B' }],
    ['a path is read in any case', replace('TITLE', 'Boss'), { title: 'Boss' }],
    ['a path may be qualified', replace(`${userUrn}:title`, 'Boss'), { title: 'Boss' }],
    [
      'a sub-attribute alone changes',
      replace('name.givenName', 'Rob'),
      { name: { givenName: 'Rob', familyName: 'Smith' } },
    ],
    [
      'a qualified sub-attribute too',
      replace(`${userUrn}:name.givenName`, 'Rob'),
      { name: { givenName: 'Rob', familyName: 'Smith' } },
    ],
    [
      'what a complex replace does not name stays',
      replace('name', { givenName: 'Rob' }),
      { name: { givenName: 'Rob', familyName: 'Smith' } },
    ],
    [
      'a complex add does the same',
      add('name', { middleName: 'X' }),
      { name: { givenName: 'Bob', familyName: 'Smith', middleName: 'X' } },
    ],
    [
      'an extension attribute changes',
      replace(`${enterpriseUrn}:department`, 'Ops'),
      { [enterpriseUrn]: { department: 'Ops', manager: { value: 'm1', displayName: 'Ann' } } },
    ],
    ['"" is a value', replace('title', ''), { title: '' }],
  ])('%s', (_, operation, changed) => {
    expect(patched(operation)).toEqual({ ...bob, ...changed })
  })

  test('remove, or a replace with null, unassigns it', () => {
    const { title: _, ...rest } = bob
    expect(patched(remove('title'))).toEqual(rest)
    expect(patched(replace('title', null))).toEqual(rest)
    expect(patched(replace('title', []))).toEqual(rest)
    expect(patch([add('title', null)]).changed).toBe(false)
    expect(patch([remove('nickName')]).changed).toBe(false)
  })

  test('a complex value whose last part goes, goes', () => {
    const { name: _, ...rest } = bob
    expect(patched(remove('name.givenName'), remove('name.familyName'))).toEqual(rest)
    expect(patched(remove('name'))).toEqual(rest)
  })

  test('an extension appears and vanishes with its data', () => {
    const { [enterpriseUrn]: _, ...rest } = bob
    expect(patched(remove(enterpriseUrn))).toEqual(rest)
    expect(patched(remove(`${enterpriseUrn}:department`), remove(`${enterpriseUrn}:manager`))).toEqual(rest)
    expect(patch([add(`${enterpriseUrn}:department`, 'X')], rest).attributes).toEqual({
      ...rest,
      [enterpriseUrn]: { department: 'X' },
    })
    expect(patch([replace(enterpriseUrn, { department: 'X' })], rest).attributes).toEqual({
      ...rest,
      [enterpriseUrn]: { department: 'X' },
    })
  })

  test("another manager does not keep the old one's name", () => {
    expect(patched(replace(`${enterpriseUrn}:manager`, { value: 'm2' }))).toEqual({
      ...bob,
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm2' } },
    })
    expect(patched(replace(`${enterpriseUrn}:manager.value`, 'm2'))).toEqual({
      ...bob,
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm2' } },
    })
    expect(patched(replace(`${enterpriseUrn}:manager.displayName`, 'Anna'))).toEqual({
      ...bob,
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1', displayName: 'Anna' } },
    })
  })
})

describe('many values', () => {
  const work = { value: 'bob@work.example', type: 'work', primary: true }
  const home = { value: 'bob@home.example', type: 'home' }
  const emailsAfter = (...operations: unknown[]) => patched(...operations)['emails']

  test('add appends what is new and leaves what is there', () => {
    expect(emailsAfter(add('emails', [{ value: 'x', type: 'other' }]))).toEqual([
      work,
      home,
      { value: 'x', type: 'other' },
    ])
    expect(patch([add('emails', [{ value: 'bob@home.example', type: 'home' }])]).changed).toBe(false)
    expect(emailsAfter(add('emails', [{ ...home, display: 'Home' }]))).toEqual([work, { ...home, display: 'Home' }])
    expect(emailsAfter(add('emails', { value: 'x' }))).toEqual([work, home, { value: 'x' }])
    expect(patched(add('roles', ['r'])).roles).toEqual([{ value: 'r' }])
  })

  test('replace replaces them all, also with none', () => {
    expect(emailsAfter(replace('emails', [{ value: 'x' }]))).toEqual([{ value: 'x' }])
    expect(emailsAfter(replace('emails', []))).toBeUndefined()
  })

  test('remove takes all, or those the filter selects, and nothing where it selects none', () => {
    expect(patched(remove('emails'))).not.toHaveProperty('emails')
    expect(emailsAfter(remove('emails[type eq "work"]'))).toEqual([home])
    expect(emailsAfter(remove('emails[type eq "work" and value ew "home.example"]'))).toEqual([work, home])
    expect(patched(remove('emails[value pr]'))).not.toHaveProperty('emails')
    expect(patch([remove('emails[type eq "fax"]')]).changed).toBe(false)
  })

  test('a filtered sub-attribute changes in every selected element', () => {
    expect(emailsAfter(replace('emails[type eq "home"].value', 'x'))).toEqual([work, { value: 'x', type: 'home' }])
    expect(emailsAfter(replace('emails[value pr].display', 'D'))).toEqual([
      { ...work, display: 'D' },
      { ...home, display: 'D' },
    ])
    expect(emailsAfter(replace('emails.display', 'D'))).toEqual([
      { ...work, display: 'D' },
      { ...home, display: 'D' },
    ])
  })

  test('a filtered replace sets the element anew but leaves it what selected it', () => {
    const before = { userName: 'b', addresses: [{ type: 'Work', region: 'CA', locality: 'LA' }] }
    expect(patch([replace('addresses[type eq "work"]', { locality: 'SF' })], before).attributes).toEqual({
      userName: 'b',
      addresses: [{ type: 'Work', locality: 'SF' }],
    })
    expect(patch([add('addresses[type eq "work"]', { locality: 'SF' })], before).attributes).toEqual({
      userName: 'b',
      addresses: [{ type: 'Work', region: 'CA', locality: 'SF' }],
    })
  })

  test('an e-mail that loses its value is gone; an address that loses its street is not', () => {
    expect(emailsAfter(remove('emails[type eq "work"].value'))).toEqual([home])
    expect(emailsAfter(replace('emails[type eq "work"].value', null))).toEqual([home])
    const before = { userName: 'b', addresses: [{ type: 'work', streetAddress: 'x', locality: 'LA' }] }
    expect(patch([remove('addresses[type eq "work"].streetAddress')], before).attributes).toEqual({
      userName: 'b',
      addresses: [{ type: 'work', locality: 'LA' }],
    })
  })

  test('a filtered path that selects nothing creates the element it describes', () => {
    const result = patch([replace('phoneNumbers[type eq "mobile"].value', '+1')])
    expect(result.attributes['phoneNumbers']).toEqual([{ type: 'mobile', value: '+1' }])
    expect(result.dialects).toEqual(['filtered-path-creates'])
    expect(patched(add('addresses[type eq "work" and primary eq true]', { locality: 'LA' }))['addresses']).toEqual([
      { type: 'work', primary: true, locality: 'LA' },
    ])
    expect(patch([replace('phoneNumbers[type eq "mobile"].value', null)]).changed).toBe(false)
  })

  test('and where it describes none, or strictly, there is no target', () => {
    expect(refusal(replace('phoneNumbers[type ne "mobile"].value', '+1'))).toBe('no_target')
    expect(refusal(replace('phoneNumbers[type eq "a" or type eq "b"].value', '+1'))).toBe('no_target')
    const strictly = () =>
      patch([replace('phoneNumbers[type eq "mobile"].value', '+1')], bob, ['filtered-path-creates'])
    expect(codeOf(strictly)).toBe('no_target')
  })

  test('a created element obeys the same limits as a sent one', () => {
    expect(refusal(replace(`emails[value eq "${'x'.repeat(600)}"].type`, 'work'))).toBe('invalid_value')
  })

  test('a new primary ends the old one, in whatever way it comes', () => {
    const demoted = { ...work, primary: false }
    expect(emailsAfter(replace('emails[type eq "home"].primary', true))).toEqual([demoted, { ...home, primary: true }])
    expect(emailsAfter(add('emails', [{ value: 'x', primary: true }]))).toEqual([
      demoted,
      home,
      { value: 'x', primary: true },
    ])
    expect(emailsAfter(replace('emails[type eq "other"]', { value: 'x', primary: true }))).toEqual([
      demoted,
      home,
      { type: 'other', value: 'x', primary: true },
    ])
    expect(emailsAfter(add('emails', [{ ...home, primary: true }]))).toEqual([demoted, { ...home, primary: true }])
    expect(emailsAfter(replace('emails[primary eq true].display', 'D'))).toEqual([{ ...work, display: 'D' }, home])
  })

  test('two new primaries are refused', () => {
    expect(refusal(replace('emails.primary', true))).toBeUndefined()
    const before = { userName: 'b', emails: [{ value: 'a' }, { value: 'b' }] }
    expect(codeOf(() => patch([replace('emails.primary', true)], before))).toBe('invalid_value')
  })
})

describe('atomicity and no-ops', () => {
  test('one bad operation leaves everything as it was, even the last of many', () => {
    const good = Array.from({ length: 50 }, (_, i) => replace('title', `t${i}`))
    expect(refusal(...good, replace('nonsense', 'x'))).toBe('invalid_path')
    expect(patched(...good)).toMatchObject({ title: 't49' })
  })

  test('the paths and values of all operations are looked at before any is applied', () => {
    // The first would fail on application, the second on reading: reading comes first.
    expect(refusal(remove('userName'), replace('active', 'maybe'))).toBe('invalid_value')
  })

  test('each operation works on what the one before left', () => {
    expect(patched(add('nickName', 'a'), replace('nickName', 'b'), remove('nickName'))).toEqual(bob)
  })

  test('what changes nothing in the end is no change, and the same object', () => {
    for (const operations of [
      [],
      [replace('title', 'Engineer')],
      [replace('title', 'x'), replace('title', 'Engineer')],
      [{ op: 'replace', value: { active: true, name: { familyName: 'Smith' } } }],
      [replace('password', 'x')],
      [add('schemas', ['urn:x'])],
    ]) {
      const result = patch(operations)
      expect(result.changed).toBe(false)
      expect(result.attributes).toBe(bob)
    }
    expect(patch([replace('title', 'x')]).changed).toBe(true)
  })
})

describe('what may not be changed', () => {
  test.each(['id', 'meta', 'meta.created', 'groups', 'groups[value eq "g"]', `${userUrn}:id`])(
    '%s is read-only by path',
    (path) => {
      expect(refusal(replace(path, 'x'))).toBe('mutability')
      expect(refusal(remove(path))).toBe('mutability')
    },
  )

  test('userName can be changed but not removed or emptied', () => {
    expect(patched(replace('userName', 'rob'))).toMatchObject({ userName: 'rob' })
    expect(refusal(remove('userName'))).toBe('mutability')
    expect(refusal(replace('userName', null))).toBe('mutability')
    expect(refusal(replace('userName', ''))).toBe('invalid_value')
    expect(refusal({ op: 'replace', value: { userName: null } })).toBe('mutability')
    expect(refusal(remove(userUrn))).toBe('mutability')
  })

  test.each([
    ['nonsense', 'invalid_path'],
    ['name.nonsense', 'invalid_path'],
    ['urn:example:x:y', 'invalid_path'],
    ['emails[type eq "work"', 'invalid_path'],
    ['emails[type eq "work"].nonsense', 'invalid_path'],
    ['emails[type eq "work"]value', 'invalid_path'],
    ['emails[type eq "work"].value.more', 'invalid_path'],
    ['title[value eq "x"]', 'invalid_path'],
    ['name[givenName eq "x"]', 'invalid_path'],
    ['emails[nonsense eq "x"]', 'invalid_filter'],
    ['emails[]', 'invalid_filter'],
    ['emails[type eq]', 'invalid_filter'],
    ['__proto__', 'invalid_path'],
    ['__proto__.polluted', 'invalid_path'],
    ['constructor.prototype.polluted', 'invalid_path'],
    ['emails[type eq "work"].__proto__', 'invalid_path'],
    ['x'.repeat(5000), 'invalid_path'],
  ])('the path %.40s is refused', (path, code) => {
    expect(refusal(replace(path, 'x'))).toBe(code)
  })

  test('a bracket or a quote inside a string does not end the filter', () => {
    expect(patched(replace('emails[type eq "a]\\"b"].value', 'x'))['emails']).toContainEqual({
      type: 'a]"b',
      value: 'x',
    })
  })
})

describe('values', () => {
  test.each([
    ['a number for a title', replace('title', 5)],
    ['a word for active', replace('active', 'maybe')],
    ['a string without a path', { op: 'add', value: 'x' }],
    ['a list without a path', { op: 'add', value: [{ title: 'x' }] }],
    ['a string for a name', replace('name', 'Bob')],
    [
      'two primaries',
      add('emails', [
        { value: 'a', primary: true },
        { value: 'b', primary: true },
      ]),
    ],
    ['a NUL', replace('title', 'a\0')],
  ])('%s is refused', (_, operation) => {
    expect(refusal(operation)).toBe('invalid_value')
  })

  test('unknown attributes in a value are ignored and named', () => {
    const result = patch([{ op: 'add', value: { shoeSize: 1, __proto__x: 2 } }])
    expect(result.changed).toBe(false)
    expect(result.ignored).toEqual(['shoeSize', '__proto__x'])
  })
})

describe('hostile size', () => {
  test('more than 1,000 values do not fit one attribute', () => {
    const many = (count: number, from: number) => Array.from({ length: count }, (_, i) => ({ value: `v${from + i}` }))
    const before = patch([add('roles', many(1000, 0))], { userName: 'b' }).attributes
    expect(codeOf(() => patch([add('roles', many(1, 1000))], before))).toBe('invalid_value')
    expect(patch([add('roles', many(1, 999))], before).changed).toBe(false)
  })

  test('work that would hold the process is refused', () => {
    const before = { userName: 'b', roles: Array.from({ length: 1000 }, (_, i) => ({ value: `value ${i}` })) }
    const filter = Array.from({ length: 10 }, (_, i) => `value eq "no${i}"`).join(' or ')
    const operations = Array.from({ length: 1000 }, () => remove(`roles[${filter}]`))
    const started = performance.now()
    expect(codeOf(() => patch(operations, before))).toBe('too_large')
    expect(performance.now() - started).toBeLessThan(1000)
    expect(patch(operations.slice(0, 5), before).changed).toBe(false)
  })

  test('a user does not grow beyond what one body could hold', () => {
    const text = 'x'.repeat(600_000)
    const before = patch([replace('nickName', text)], { userName: 'b' }).attributes
    expect(codeOf(() => patch([replace('userType', text)], before))).toBe('too_large')
    expect(patch([replace('nickName', 'x')], before).changed).toBe(true)
  })
})
