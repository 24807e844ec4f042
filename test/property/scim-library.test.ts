// The SCIM library against random input: filters print and parse to themselves, PATCH throws nothing but its own
// errors, changes nothing it was given, pollutes no prototype, and equals a naive model where one can be written.

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { RollcallError } from '../../src/model/errors.ts'
import { enterpriseUrn, groupType, userType } from '../../src/scim/core-schemas.ts'
import { startReading } from '../../src/scim/dialects.ts'
import { parseFilter } from '../../src/scim/filter.ts'
import { matchesFilter } from '../../src/scim/filter-match.ts'
import { printFilter } from '../../src/scim/filter-print.ts'
import type { Attributes } from '../../src/scim/json.ts'
import { parsePatch } from '../../src/scim/patch.ts'
import { parseGroupPatch } from '../../src/scim/patch-group.ts'
import { applyUserPatch } from '../../src/scim/patch-user.ts'
import { parseProjection } from '../../src/scim/projection.ts'
import { renderUser } from '../../src/scim/render.ts'
import { parseGroup, parseUser } from '../../src/scim/resource.ts'

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).sort()

afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototypeKeys)
  expect({}).not.toHaveProperty('polluted')
})

/** Runs what may refuse; anything but a RollcallError goes on and fails the property. */
function tolerate<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof RollcallError) return undefined
    throw error
  }
}

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values)

const text = fc
  .oneof(
    oneOf('', 'a', 'B', 'work', 'Work', 'x"y', 'a\\b', 'ü', '😀', ')', ']', ' and '),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  .filter((value) => !value.includes('\0') && !/\p{Cs}/u.test(value))

const anyCase = (name: string) => fc.boolean().map((upper) => (upper ? name.toUpperCase() : name))

const textComparison = fc
  .tuple(
    oneOf(
      'userName',
      'title',
      'name.givenName',
      `${enterpriseUrn}:department`,
      'externalId',
      'emails',
      'emails.type',
    ).chain(anyCase),
    oneOf('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le').chain(anyCase),
    text,
  )
  .map(([name, operator, value]) => `${name} ${operator} ${JSON.stringify(value)}`)

const elementComparison = fc
  .tuple(oneOf('type', 'value', 'display'), oneOf('eq', 'ne', 'co', 'sw'), text)
  .map(([name, operator, value]) => `${name} ${operator} ${JSON.stringify(value)}`)

const { filter: filterText } = fc.letrec<{ filter: string; element: string }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    elementComparison,
    oneOf('primary eq true', 'primary pr', 'type pr'),
    fc.tuple(tie('element'), oneOf(' and ', ' or '), tie('element')).map((parts) => `(${parts.join('')})`),
    tie('element').map((inner) => `not (${inner})`),
  ),
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    textComparison,
    oneOf('active eq true', 'active ne false', 'title pr', 'emails pr', 'meta.created gt "2024-01-01T00:00:00Z"'),
    tie('element').map((inner) => `emails[${inner}]`),
    tie('element').map((inner) => `emails[${inner}].value pr`),
    fc.tuple(tie('filter'), oneOf(' and ', ' or '), tie('filter')).map((parts) => parts.join('')),
    fc.tuple(tie('filter'), oneOf(' and ', ' or '), tie('filter')).map((parts) => `(${parts.join('')})`),
    tie('filter').map((inner) => `not (${inner})`),
  ),
}))

const userAttributes: fc.Arbitrary<Attributes> = fc
  .record(
    {
      userName: text.filter((name) => name.trim() !== ''),
      title: text,
      externalId: text,
      active: fc.boolean(),
      name: fc.record({ givenName: text, familyName: text }, { requiredKeys: ['givenName'] }),
      emails: fc.array(fc.record({ value: text, type: oneOf('work', 'home') }, { requiredKeys: ['value'] }), {
        minLength: 1,
        maxLength: 4,
      }),
      [enterpriseUrn]: fc.record({ department: text }),
    },
    { requiredKeys: ['userName'] },
  )
  .map((attributes) => structuredClone(attributes))

describe('filters', () => {
  const parseUserFilter = (source: string) => parseFilter(source, userType, startReading())

  test('what is printed parses to the same filter', () => {
    fc.assert(
      fc.property(filterText, (source) => {
        const filter = tolerate(() => parseUserFilter(source))
        fc.pre(filter !== undefined)
        expect(parseUserFilter(printFilter(filter))).toEqual(filter)
      }),
      { numRuns: 500 },
    )
  })

  test('not is the opposite, and is and or are all and any', () => {
    fc.assert(
      fc.property(filterText, filterText, userAttributes, (left, right, user) => {
        fc.pre(left.length + right.length < 1000)
        const holds = (source: string) => matchesFilter(parseUserFilter(source), user)
        const both = tolerate(() => holds(`(${left}) and (${right})`))
        fc.pre(both !== undefined)
        expect(both).toBe(holds(left) && holds(right))
        expect(holds(`(${left}) or (${right})`)).toBe(holds(left) || holds(right))
        expect(holds(`not (${left})`)).toBe(!holds(left))
      }),
      { numRuns: 500 },
    )
  })

  test('without parentheses, and binds tighter than or', () => {
    fc.assert(
      fc.property(fc.tuple(textComparison, textComparison, textComparison), userAttributes, ([a, b, c], user) => {
        const holds = (source: string) => matchesFilter(parseUserFilter(source), user)
        expect(holds(`${a} or ${b} and ${c}`)).toBe(holds(a) || (holds(b) && holds(c)))
        expect(holds(`${a} and ${b} or ${c}`)).toBe((holds(a) && holds(b)) || holds(c))
      }),
    )
  })

  test('random text is parsed or refused, never anything else', () => {
    const piece = oneOf(
      '(',
      ')',
      '[',
      ']',
      '"',
      '\\',
      ' ',
      '.',
      'and',
      'or',
      'not',
      'pr',
      'eq',
      'emails',
      'userName',
      'value',
      '1',
      'true',
      'null',
      '"x"',
      '__proto__',
      'constructor',
      '$ref',
      ':',
      '-',
    )
    const soup = fc
      .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 })
      .map((parts) => parts.join(' '))
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (source) => {
        tolerate(() => parseUserFilter(source))
        tolerate(() => parseFilter(source, groupType, startReading()))
      }),
      { numRuns: 2000 },
    )
  })
})

const name = oneOf(
  'userName',
  'USERNAME',
  'active',
  'title',
  'name',
  'name.givenName',
  'emails',
  'emails.value',
  'emails[type eq "work"]',
  'emails[type eq "work"].value',
  'emails[value pr].primary',
  'emails[',
  'emails[type eq',
  'roles',
  'roles[primary eq "True"].value',
  'addresses[type eq "work"].region',
  enterpriseUrn,
  `${enterpriseUrn}:department`,
  `${enterpriseUrn}:manager`,
  `${enterpriseUrn}:manager.value`,
  'id',
  'meta',
  'groups',
  'schemas',
  'password',
  'members',
  'members[value eq "u1"]',
  'members.value',
  'displayName',
  'externalId',
  '__proto__',
  '__proto__.polluted',
  'constructor',
  'constructor.prototype.polluted',
  'name.__proto__',
  'prototype',
  'toString',
  'nonsense',
  '',
)

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    oneOf<unknown>(null, true, false, 'True', '', 'x', 0, 1, -1.5, 'u1', '\0', '\ud800', '{"value":"Admin"}'),
    fc.string({ maxLength: 5 }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(name, oneOf('value', 'type', 'primary', 'display', '$ref')), tie('json'), { maxKeys: 4 }),
  ),
}))

const operation = fc.record(
  { op: oneOf('add', 'replace', 'remove', 'Add', 'Replace', 'Remove'), path: name, value: json },
  { requiredKeys: ['op'] },
)
const patchBody = fc.record({ schemas: fc.constant([patchUrn]), Operations: fc.array(operation, { maxLength: 6 }) })

/** As a body arrives: `__proto__` in JSON text is an own key. */
const asReceived = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member)
    Object.freeze(value)
  }
  return value
}

describe('PATCH', () => {
  test('throws nothing but its own errors, and changes neither the user nor the body', () => {
    fc.assert(
      fc.property(userAttributes, patchBody, (attributes, body) => {
        const user = freeze(attributes)
        const received = freeze(asReceived(body))
        const reading = startReading()
        tolerate(() => {
          const result = applyUserPatch(user, parsePatch(received, reading), reading)
          expect(result.attributes === user).toBe(!result.changed)
          expect(typeof result.attributes['userName']).toBe('string')
        })
        tolerate(() => parseGroupPatch(parsePatch(received, startReading()), startReading()))
      }),
      { numRuns: 3000 },
    )
  })

  test('what it leaves can be read back as a body and means the same', () => {
    fc.assert(
      fc.property(userAttributes, patchBody, (attributes, body) => {
        const reading = startReading()
        const result = tolerate(() => applyUserPatch(attributes, parsePatch(asReceived(body), reading), reading))
        fc.pre(result?.changed === true)
        const again = parseUser(result?.attributes, startReading())
        expect(again.attributes).toEqual(result?.attributes)
      }),
      { numRuns: 2000 },
    )
  })

  test('said twice, replace and remove change nothing more', () => {
    fc.assert(
      fc.property(
        userAttributes,
        oneOf('title', 'name.givenName', 'emails', 'emails[type eq "work"].value', `${enterpriseUrn}:department`),
        text,
        fc.boolean(),
        (attributes, path, value, removes) => {
          const replacement = path === 'emails' ? [{ value }] : value
          const operations = [removes ? { op: 'remove', path } : { op: 'replace', path, value: replacement }]
          const apply = (before: Attributes) => {
            const reading = startReading()
            return applyUserPatch(before, parsePatch({ schemas: [patchUrn], Operations: operations }, reading), reading)
          }
          const once = apply(attributes)
          expect(apply(once.attributes)).toEqual({ attributes: once.attributes, changed: false })
        },
      ),
    )
  })

  test('a pathless replace of single values equals assigning them', () => {
    fc.assert(
      fc.property(
        userAttributes,
        fc.record({ title: text, active: fc.boolean(), nickName: text }, { requiredKeys: [] }),
        (attributes, value) => {
          const reading = startReading()
          const operations = parsePatch({ schemas: [patchUrn], Operations: [{ op: 'replace', value }] }, reading)
          expect(applyUserPatch(attributes, operations, reading).attributes).toEqual({ ...attributes, ...value })
        },
      ),
    )
  })

  test('group deltas equal a set of members, whatever the order', () => {
    const id = oneOf('a', 'b', 'c', 'd')
    const step = fc.oneof(
      fc
        .array(id, { maxLength: 3 })
        .map((ids) => ({ op: 'add', path: 'members', value: ids.map((value) => ({ value })) })),
      fc
        .array(id, { maxLength: 3 })
        .map((ids) => ({ op: 'replace', path: 'members', value: ids.map((value) => ({ value })) })),
      fc
        .array(id, { maxLength: 3 })
        .map((ids) => ({ op: 'Remove', path: 'members', value: ids.map((value) => ({ value })) })),
      id.map((value) => ({ op: 'remove', path: `members[value eq "${value}"]` })),
      fc.constant({ op: 'remove', path: 'members' }),
    )
    fc.assert(
      fc.property(fc.array(id), fc.array(step, { maxLength: 8 }), (before, steps) => {
        const naive = new Set(before)
        for (const { op, path, value } of steps.map((entry) => ({ value: undefined, ...entry }))) {
          const ids = value?.map((member) => member.value)
          if (op === 'replace' || (op === 'remove' && path === 'members')) naive.clear()
          if (op === 'add' || op === 'replace') for (const each of ids ?? []) naive.add(each)
          if (op === 'Remove') for (const each of ids ?? []) naive.delete(each)
          if (path.includes('[')) naive.delete(path.slice('members[value eq "'.length, -2))
        }
        const members = new Set(before)
        const reading = startReading()
        for (const delta of parseGroupPatch(parsePatch({ schemas: [patchUrn], Operations: steps }, reading), reading)) {
          if (delta.kind === 'replace' || delta.kind === 'remove-all') members.clear()
          if (delta.kind === 'add' || delta.kind === 'replace')
            for (const { value } of delta.members) members.add(value)
          if (delta.kind === 'remove') for (const value of delta.values) members.delete(value)
        }
        expect(members).toEqual(naive)
      }),
      { numRuns: 500 },
    )
  })
})

describe('bodies', () => {
  test('random JSON is read or refused, never anything else, and stays as it was', () => {
    const withNames = fc.dictionary(name, json, { maxKeys: 6 })
    fc.assert(
      fc.property(fc.oneof(json, withNames), (value) => {
        const body = freeze(asReceived(value))
        const user = tolerate(() => parseUser(body, startReading()))
        tolerate(() => parseGroup(body, startReading()))
        if (user === undefined) return
        const stored = { id: 'u', createdAt: new Date(0), updatedAt: new Date(0), attributes: user.attributes }
        const shown = renderUser(stored, { baseUrl: 'https://x' })
        expect(parseUser(shown, startReading()).attributes).toEqual({ active: true, ...user.attributes })
      }),
      { numRuns: 3000 },
    )
  })

  test('any projection shows a part of the whole', () => {
    fc.assert(
      fc.property(userAttributes, fc.array(name), fc.array(name), (attributes, only, except) => {
        const stored = { id: 'u', createdAt: new Date(0), updatedAt: new Date(0), attributes }
        const projection = parseProjection(userType, { attributes: only, excludedAttributes: except }, startReading())
        const whole = renderUser(stored, { baseUrl: 'https://x' })
        const part = renderUser(stored, { baseUrl: 'https://x', projection })
        expect(part).toMatchObject({ id: whole['id'], schemas: whole['schemas'] })
        for (const key of Object.keys(part)) expect(Object.keys(whole)).toContain(key)
      }),
    )
  })
})
