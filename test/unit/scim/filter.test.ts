// The filter grammar: what is read, in which form, what is refused, and how it matches.

import { describe, expect, test } from 'vitest'
import { RollcallError } from '../../../src/model/errors.ts'
import { enterpriseUrn, groupType, userType } from '../../../src/scim/core-schemas.ts'
import { type Dialect, startReading } from '../../../src/scim/dialects.ts'
import { parseFilter } from '../../../src/scim/filter.ts'
import { matchesFilter } from '../../../src/scim/filter-match.ts'
import { printFilter } from '../../../src/scim/filter-print.ts'
import type { ResourceType } from '../../../src/scim/schema.ts'
import { codeOf } from './support.ts'

function read(text: string, type: ResourceType = userType, refuse: readonly Dialect[] = []) {
  const reading = startReading({ refuse })
  const filter = parseFilter(text, type, reading)
  return { filter, dialects: [...reading.dialects], printed: printFilter(filter) }
}

const printed = (text: string, type?: ResourceType) => read(text, type).printed
const refusal = (text: string, type?: ResourceType, refuse?: readonly Dialect[]) =>
  codeOf(() => read(text, type, refuse))

const bjensen = {
  id: 'u1',
  userName: 'BJensen@example.com',
  externalId: 'A-1',
  name: { givenName: 'Barbara', familyName: 'Jensen' },
  active: true,
  title: '',
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@home.example', type: 'home' },
  ],
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  [enterpriseUrn]: { department: 'Tours', manager: { value: 'm-9' } },
  meta: { created: '2024-05-01T12:00:00.000Z', resourceType: 'User' },
}
const matches = (text: string) => matchesFilter(read(text).filter, bjensen)

describe('structure', () => {
  test('and binds tighter than or', () => {
    expect(read('title pr or active eq true and locale pr').filter).toMatchObject({
      kind: 'or',
      filters: [{ kind: 'present' }, { kind: 'and' }],
    })
    expect(printed('(title pr or active eq true) and locale pr')).toBe('(title pr or active eq true) and locale pr')
  })

  test('not applies to its parentheses only', () => {
    expect(read('not (title pr) and locale pr').filter).toMatchObject({
      kind: 'and',
      filters: [{ kind: 'not' }, { kind: 'present' }],
    })
    expect(refusal('not title pr')).toBe('invalid_filter')
  })

  test('groups that change nothing leave no trace', () => {
    expect(printed('((title pr and locale pr) and active eq true)')).toBe('title pr and locale pr and active eq true')
  })

  test('operators, keywords and names are read in any case', () => {
    expect(printed('USERNAME Eq "x" AND NOT (Title PR)')).toBe('userName eq "x" and not (title pr)')
  })

  test('a sub-attribute after a value path is asked of the same element', () => {
    expect(printed('emails[type eq "work"].value eq "x"')).toBe('emails[type eq "work" and value eq "x"]')
    expect(printed('emails[type eq "a" or type eq "b"].value pr and title pr')).toBe(
      'emails[(type eq "a" or type eq "b") and value pr] and title pr',
    )
    expect(matches('emails[type eq "work"].value eq "bjensen@example.com"')).toBe(true)
    expect(matches('emails[type eq "work"].value eq "babs@home.example"')).toBe(false)
  })

  test('what is printed parses to the same filter', () => {
    for (const text of ['a"b', 'back\\slash', 'line\nbreak', 'ünïcode 😀', '(not a bracket', 'and']) {
      const { filter, printed } = read(`userName eq ${JSON.stringify(text)} or not (emails co ${JSON.stringify(text)})`)
      expect(read(printed).filter).toEqual(filter)
    }
  })
})

describe('names', () => {
  test('URN-qualified names mean the same as short ones, and an extension needs its URN', () => {
    expect(printed('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "x"')).toBe('userName eq "x"')
    expect(printed(`${enterpriseUrn.toLowerCase()}:DEPARTMENT eq "x"`)).toBe(`${enterpriseUrn}:department eq "x"`)
    expect(refusal('department eq "x"')).toBe('invalid_filter')
  })

  test('a path carries the steps into the JSON, the type and the case rule', () => {
    expect(read(`${enterpriseUrn}:manager eq "m"`).filter).toEqual({
      kind: 'compare',
      operator: 'eq',
      path: {
        key: `${enterpriseUrn}:manager.value`,
        steps: [enterpriseUrn, 'manager', 'value'],
        type: 'string',
        caseExact: true,
      },
      value: 'm',
    })
    expect(read('name.givenName sw "B"').filter).toMatchObject({
      path: { steps: ['name', 'givenName'], caseExact: false },
    })
  })

  test('a multi-valued attribute is one form however it is written', () => {
    const expected = {
      kind: 'some',
      path: { key: 'members', steps: ['members'], type: 'complex', caseExact: false },
      filter: {
        kind: 'compare',
        operator: 'eq',
        path: { key: 'value', steps: ['value'], type: 'string', caseExact: true },
        value: 'u1',
      },
    }
    for (const text of [
      'members eq "u1"',
      'members.value eq "u1"',
      'members[value eq "u1"]',
      'Members[VALUE eq "u1"]',
    ]) {
      expect(read(text, groupType).filter).toEqual(expected)
    }
  })

  test('$ref can be named', () => {
    expect(printed('members.$ref ew "/u1"', groupType)).toBe('members[$ref ew "/u1"]')
  })

  test('a list of plain values compares its elements', () => {
    expect(printed('schemas eq "urn:x"')).toBe('schemas[value eq "urn:x"]')
    expect(matches('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"')).toBe(true)
    expect(matches('schemas eq "urn:other"')).toBe(false)
  })

  test.each([
    ['an unknown attribute', 'shoeSize eq "42"'],
    ['an unknown sub-attribute', 'name.shoe eq "42"'],
    ['an unknown attribute of an element', 'emails[shoe eq "x"]'],
    ['a full name inside an element', 'emails[emails.type eq "x"]'],
    ['brackets on a single value', 'name[givenName eq "x"]'],
    ['brackets on a sub-attribute', 'emails.value[type eq "x"]'],
    ['brackets in brackets', 'emails[type[value eq "x"]]'],
    ['the password', 'password eq "x"'],
    ['a complex value compared whole', 'name eq "x"'],
    ['a prototype key', 'constructor pr'],
    ['another prototype key', '__proto__ pr'],
    ['a group attribute on users', 'members eq "x"'],
  ])('%s is refused', (_, text) => {
    expect(refusal(text)).toBe('invalid_filter')
  })
})

describe('values', () => {
  test('every JSON escape in a string is read', () => {
    expect(read(String.raw`userName eq "a\"b\\c\/d\n\u0041"`).filter).toMatchObject({ value: 'a"b\\c/d\nA' })
    expect(read(String.raw`userName eq "ends\\" and title pr`).filter).toMatchObject({ kind: 'and' })
  })

  test('a date is the instant it names', () => {
    expect(printed('meta.created gt "2024-05-01T14:00:00+02:00"')).toBe('meta.created gt "2024-05-01T12:00:00.000Z"')
    expect(matches('meta.created eq "2024-05-01T13:00:00+01:00"')).toBe(true)
    expect(matches('meta.created lt "2024-05-01T13:00:00+01:00"')).toBe(false)
    expect(matches('meta.created le "2024-05-01T13:00:00+01:00"')).toBe(true)
  })

  test.each(['2024-05-01', '2023-02-30T00:00:00Z', '2024-13-01T00:00:00Z', '0000-01-01T00:00:00Z', 'yesterday'])(
    'the date %s is refused',
    (date) => {
      expect(refusal(`meta.created gt "${date}"`)).toBe('invalid_filter')
    },
  )

  test('a boolean compares with eq and ne only', () => {
    expect(printed('active eq false or active ne true')).toBe('active eq false or active ne true')
    for (const operator of ['gt', 'ge', 'lt', 'le', 'co', 'sw', 'ew']) {
      expect(refusal(`active ${operator} true`)).toBe('invalid_filter')
    }
  })

  test('binary values have no order', () => {
    expect(refusal('x509Certificates.value gt "MII"')).toBe('invalid_filter')
    expect(printed('x509Certificates.value eq "MII"')).toBe('x509Certificates[value eq "MII"]')
  })

  test('a date is not searched for a part', () => {
    expect(refusal('meta.created co "2024"')).toBe('invalid_filter')
  })

  test('null is absence', () => {
    expect(printed('title eq null')).toBe('not (title pr)')
    expect(printed('title ne null')).toBe('title pr')
    expect(printed('emails eq null')).toBe('not (emails pr)')
    expect(refusal('title gt null')).toBe('invalid_filter')
  })

  test('a NUL or half a surrogate pair is refused', () => {
    expect(refusal(String.raw`userName eq "a\u0000b"`)).toBe('invalid_filter')
    expect(refusal(String.raw`userName eq "\ud800"`)).toBe('invalid_filter')
    expect(printed(String.raw`userName eq "\ud83d\ude00"`)).toBe('userName eq "😀"')
  })
})

describe('dialects', () => {
  test.each<[Dialect, string, string]>([
    ['unquoted-filter-value', 'externalId eq jyoung', 'externalId eq "jyoung"'],
    ['unquoted-filter-value', 'externalId eq 00123 and title pr', 'externalId eq "00123" and title pr'],
    ['unquoted-filter-value', '(userName eq a.b+c@example.com)', 'userName eq "a.b+c@example.com"'],
    ['quoted-boolean', 'active eq "True"', 'active eq true'],
    ['quoted-boolean', 'roles[primary eq "True"].value eq "x"', 'roles[primary eq true and value eq "x"]'],
    [
      'misspelt-enterprise-urn',
      `${enterpriseUrn.replace(':User', 'User')}:department eq "x"`,
      `${enterpriseUrn}:department eq "x"`,
    ],
    ['scim1-urn', 'urn:scim:schemas:core:1.0:userName eq "x"', 'userName eq "x"'],
  ])('%s: %s', (dialect, text, expected) => {
    const { printed, dialects } = read(text)
    expect(printed).toBe(expected)
    expect(dialects).toEqual([dialect])
    expect(refusal(text, userType, [dialect])).toBe('invalid_filter')
  })

  test('a filter as the RFC has it needs none', () => {
    expect(read('userName eq "x" and emails[type eq "work" and value co "@"] and active eq true').dialects).toEqual([])
  })
})

describe('refusals', () => {
  test.each([
    ['nothing', ''],
    ['blanks', '  '],
    ['a name alone', 'title'],
    ['no value', 'title eq'],
    ['no operator', 'title "x"'],
    ['an unknown operator', 'title xx "x"'],
    ['an open group', '(title pr'],
    ['a closed group that was not open', 'title pr)'],
    ['an open value path', 'emails[type pr'],
    ['crossed brackets', '(emails[type pr)]'],
    ['an open string', 'title eq "x'],
    ['a bad escape', String.raw`title eq "\x"`],
    ['a raw line break in a string', 'title eq "a\nb"'],
    ['not between two conditions', 'title pr not locale pr'],
    ['a prototype name between two conditions', 'title pr constructor locale pr'],
    ['a keyword as a value', 'title eq and'],
    ['something after the end', 'title pr locale'],
    ['a number that is none', 'active eq 1e999'],
    ['an SQL injection', `userName eq "x' or '1'='1`],
  ])('%s', (_, text) => {
    expect(refusal(text)).toBe('invalid_filter')
  })

  test('4,096 characters are read, one more is refused', () => {
    const filter = (length: number) => `title eq "${'x'.repeat(length - 11)}"`
    expect(filter(4096)).toHaveLength(4096)
    expect(refusal(filter(4096))).toBeUndefined()
    expect(refusal(filter(4097))).toBe('invalid_filter')
  })

  test('20 levels are read, one more is refused, thousands as quickly', () => {
    const nested = (levels: number) => `${'('.repeat(levels)}title pr${')'.repeat(levels)}`
    expect(printed(nested(20))).toBe('title pr')
    expect(refusal(nested(21))).toBe('invalid_filter')
    expect(refusal(nested(2000))).toBe('invalid_filter')
    expect(printed(`title eq "${'('.repeat(100)}"`)).toContain('((((')
  })

  test('only RollcallErrors are thrown', () => {
    expect(() => read('title pr and (')).toThrow(RollcallError)
  })
})

describe('matching', () => {
  test.each([
    ['userName eq "bjensen@EXAMPLE.com"', true],
    ['externalId eq "A-1"', true],
    ['externalId eq "a-1"', false],
    ['userName sw "bj"', true],
    ['userName ew ".COM"', true],
    ['userName co "zzz"', false],
    ['title pr', false],
    ['nickName pr', false],
    ['emails pr', true],
    ['name pr', true],
    ['phoneNumbers pr', false],
    ['emails.type pr', true],
    ['emails co "home.example"', true],
    ['emails[type eq "home" and value co "@example.com"]', false],
    ['emails ne "babs@home.example"', true],
    ['not (emails eq "babs@home.example")', false],
    ['nickName ne "x"', true],
    ['nickName gt "a"', false],
    ['phoneNumbers ne "x"', false],
    ['active eq true and not (active eq false)', true],
    [`${enterpriseUrn}:manager eq "m-9"`, true],
    [`${enterpriseUrn}:manager.value eq "M-9"`, false],
    ['name.familyName gt "i" and name.familyName lt "k"', true],
    ['name.familyName ge "Jensen" and name.familyName le "jensen"', true],
    ['meta.resourceType eq "User"', true],
    ['id eq "u1"', true],
  ])('%s is %s', (text, expected) => {
    expect(matches(text)).toBe(expected)
  })

  test('strings order by code point', () => {
    const path = read('externalId lt "x"').filter
    expect(path.kind).toBe('compare')
    expect(matchesFilter(read('externalId lt "😀"').filter, { externalId: '\uffee' })).toBe(true)
    expect(matchesFilter(read('externalId gt "😀"').filter, { externalId: '\uffee' })).toBe(false)
  })
})
