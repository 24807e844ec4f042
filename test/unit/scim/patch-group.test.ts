// PATCH of a group as deltas: the shapes Okta, Entra ID and JumpCloud send, and what is refused.

import { describe, expect, test } from 'vitest'
import { groupUrn } from '../../../src/scim/core-schemas.ts'
import { type Dialect, startReading } from '../../../src/scim/dialects.ts'
import { parsePatch } from '../../../src/scim/patch.ts'
import { parseGroupPatch } from '../../../src/scim/patch-group.ts'
import { codeOf } from './support.ts'

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

function read(operations: readonly unknown[], refuse: readonly Dialect[] = []) {
  const reading = startReading({ refuse })
  const parsed = parsePatch({ schemas: [patchUrn], Operations: operations }, reading)
  return { deltas: parseGroupPatch(parsed, reading), dialects: [...reading.dialects], ignored: [...reading.ignored] }
}

const deltas = (...operations: unknown[]) => read(operations).deltas
const refusal = (...operations: unknown[]) => codeOf(() => read(operations))

describe('members', () => {
  test.each([
    [
      'add',
      { op: 'add', path: 'members', value: [{ value: 'u1', display: 'Bob' }] },
      [{ kind: 'add', members: [{ value: 'u1', display: 'Bob' }] }],
    ],
    [
      'Add as Entra ID sends it',
      { op: 'Add', path: 'members', value: [{ $ref: null, value: 'u1' }] },
      [{ kind: 'add', members: [{ value: 'u1' }] }],
    ],
    [
      'add of bare strings',
      { op: 'add', path: 'members', value: ['u1', 'u2'] },
      [{ kind: 'add', members: [{ value: 'u1' }, { value: 'u2' }] }],
    ],
    [
      'add of one object',
      { op: 'add', path: 'members', value: { value: 'u1' } },
      [{ kind: 'add', members: [{ value: 'u1' }] }],
    ],
    [
      'add without a path',
      { op: 'add', value: { members: [{ value: 'u1' }] } },
      [{ kind: 'add', members: [{ value: 'u1' }] }],
    ],
    [
      'add by a qualified path',
      { op: 'add', path: `${groupUrn}:members`, value: ['u1'] },
      [{ kind: 'add', members: [{ value: 'u1' }] }],
    ],
    ['add of nobody', { op: 'add', path: 'members', value: [] }, []],
    [
      'add of one twice',
      { op: 'add', path: 'members', value: ['u1', 'u1'] },
      [{ kind: 'add', members: [{ value: 'u1' }] }],
    ],
    [
      'replace',
      { op: 'replace', path: 'members', value: [{ value: 'u1' }] },
      [{ kind: 'replace', members: [{ value: 'u1' }] }],
    ],
    ['replace with nobody', { op: 'replace', path: 'members', value: [] }, [{ kind: 'remove-all' }]],
    ['replace with null', { op: 'replace', path: 'members', value: null }, [{ kind: 'remove-all' }]],
    [
      'replace without a path',
      { op: 'replace', value: { members: ['u1'] } },
      [{ kind: 'replace', members: [{ value: 'u1' }] }],
    ],
    ['remove of all', { op: 'remove', path: 'members' }, [{ kind: 'remove-all' }]],
    ['remove by filter', { op: 'remove', path: 'members[value eq "u1"]' }, [{ kind: 'remove', values: ['u1'] }]],
    [
      'remove by a filter of several',
      { op: 'remove', path: 'members[value eq "u1" or (value eq "u2" or value eq "u1")]' },
      [{ kind: 'remove', values: ['u1', 'u2'] }],
    ],
    [
      'Remove with an array as Entra ID sends it',
      { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'u1' }, { value: 'u2' }] },
      [{ kind: 'remove', values: ['u1', 'u2'] }],
    ],
    [
      'Remove with bare strings',
      { op: 'Remove', path: 'members', value: ['u1'] },
      [{ kind: 'remove', values: ['u1'] }],
    ],
    [
      'Remove with one object',
      { op: 'Remove', path: 'members', value: { value: 'u1' } },
      [{ kind: 'remove', values: ['u1'] }],
    ],
    ['Remove with an empty array', { op: 'Remove', path: 'members', value: [] }, []],
    [
      'add by filter',
      { op: 'add', path: 'members[value eq "u1"]', value: { value: 'u1', display: 'B' } },
      [{ kind: 'add', members: [{ value: 'u1', display: 'B' }] }],
    ],
  ])('%s', (_, operation, expected) => {
    expect(deltas(operation)).toEqual(expected)
  })

  test('keep the order of operations, neighbours of a kind in one', () => {
    expect(
      deltas(
        { op: 'remove', path: 'members[value eq "a"]' },
        { op: 'remove', path: 'members[value eq "b"]' },
        { op: 'add', path: 'members', value: ['c'] },
        { op: 'add', path: 'members', value: ['d', 'c'] },
        { op: 'remove', path: 'members[value eq "d"]' },
      ),
    ).toEqual([
      { kind: 'remove', values: ['a', 'b'] },
      { kind: 'add', members: [{ value: 'c' }, { value: 'd' }] },
      { kind: 'remove', values: ['d'] },
    ])
  })

  test('of several replaces only the last counts', () => {
    expect(
      deltas({ op: 'replace', path: 'members', value: ['a'] }, { op: 'replace', path: 'members', value: ['b'] }),
    ).toEqual([{ kind: 'replace', members: [{ value: 'b' }] }])
  })

  test('Remove with values is refused where the dialect is', () => {
    const operation = { op: 'remove', path: 'members', value: ['u1'] }
    expect(read([operation]).dialects).toContain('remove-with-values')
    expect(codeOf(() => read([operation], ['remove-with-values']))).toBe('invalid_value')
  })

  test.each([
    ['selected by type', { op: 'remove', path: 'members[type eq "User"]' }, 'invalid_path'],
    ['selected by what they are not', { op: 'remove', path: 'members[not (value eq "u1")]' }, 'invalid_path'],
    ['selected by part of a value', { op: 'remove', path: 'members[value sw "u"]' }, 'invalid_path'],
    [
      'selected by two values at once',
      { op: 'remove', path: 'members[value eq "a" and value eq "b"]' },
      'invalid_path',
    ],
    ['selected by nonsense', { op: 'remove', path: 'members[nonsense eq "a"]' }, 'invalid_filter'],
    ['with a value changed', { op: 'replace', path: 'members[value eq "a"].value', value: 'b' }, 'mutability'],
    ['with all values changed', { op: 'replace', path: 'members.value', value: 'b' }, 'mutability'],
    ['turned into another', { op: 'replace', path: 'members[value eq "a"]', value: { value: 'b' } }, 'mutability'],
    ['without a value', { op: 'add', path: 'members', value: [{ display: 'x' }] }, 'invalid_value'],
    ['that are a number', { op: 'add', path: 'members', value: 5 }, 'invalid_value'],
  ])('%s are refused', (_, operation, code) => {
    expect(refusal(operation)).toBe(code)
  })

  test('100,000 in one replace, or one by one in 1,000 operations, are read quickly', () => {
    const started = performance.now()
    const value = Array.from({ length: 100_000 }, (_, i) => ({ value: `u${i}` }))
    expect(deltas({ op: 'replace', path: 'members', value })).toMatchObject([{ kind: 'replace' }])
    const single = Array.from({ length: 1000 }, (_, i) => ({ op: 'remove', path: `members[value eq "u${i}"]` }))
    expect(deltas(...single)).toEqual([{ kind: 'remove', values: single.map((_, i) => `u${i}`) }])
    expect(performance.now() - started).toBeLessThan(1500)
  })
})

describe('name and externalId', () => {
  test('Okta renames without a path and with the id, among membership updates', () => {
    const result = read([
      { op: 'replace', value: { id: 'g1', displayName: 'New' } },
      { op: 'remove', path: 'members[value eq "u1"]' },
      { op: 'add', path: 'members', value: [{ value: 'u2', display: 'x@y' }] },
    ])
    expect(result.deltas).toEqual([
      { kind: 'set', displayName: 'New' },
      { kind: 'remove', values: ['u1'] },
      { kind: 'add', members: [{ value: 'u2', display: 'x@y' }] },
    ])
    expect(result.dialects).toEqual(['read-only-echo'])
  })

  test('are set by path, together in one', () => {
    expect(
      deltas({ op: 'Replace', path: 'displayName', value: 'New' }, { op: 'add', path: 'externalId', value: 'e' }),
    ).toEqual([{ kind: 'set', displayName: 'New', externalId: 'e' }])
    expect(deltas({ op: 'remove', path: 'externalId' })).toEqual([{ kind: 'set', externalId: null }])
    expect(deltas({ op: 'replace', path: 'externalId', value: null })).toEqual([{ kind: 'set', externalId: null }])
    expect(deltas({ op: 'replace', path: groupUrn, value: { displayName: 'New' } })).toEqual([
      { kind: 'set', displayName: 'New' },
    ])
  })

  test('a name and members in one value are both said', () => {
    expect(deltas({ op: 'replace', value: { members: ['u1'], displayName: 'New' } })).toEqual([
      { kind: 'set', displayName: 'New' },
      { kind: 'replace', members: [{ value: 'u1' }] },
    ])
  })

  test.each([
    ['the name removed', { op: 'remove', path: 'displayName' }, 'mutability'],
    ['the name null', { op: 'replace', path: 'displayName', value: null }, 'mutability'],
    ['the name empty', { op: 'replace', path: 'displayName', value: '' }, 'invalid_value'],
    ['the name a number', { op: 'replace', value: { displayName: 5 } }, 'invalid_value'],
    ['the id', { op: 'replace', path: 'id', value: 'x' }, 'mutability'],
    ['an unknown path', { op: 'replace', path: 'userName', value: 'x' }, 'invalid_path'],
    ['the whole schema removed', { op: 'remove', path: groupUrn }, 'mutability'],
    ['no object without a path', { op: 'add', value: ['u1'] }, 'invalid_value'],
  ])('%s is refused', (_, operation, code) => {
    expect(refusal(operation)).toBe(code)
  })

  test('unknown attributes and prototype keys are ignored and named', () => {
    const value = JSON.parse('{"__proto__":{"members":["x"]},"constructor":1,"description":"d","displayName":"N"}')
    const result = read([{ op: 'replace', value }])
    expect(result.deltas).toEqual([{ kind: 'set', displayName: 'N' }])
    expect(result.ignored).toEqual(['__proto__', 'constructor', 'description'])
  })

  test('no operations are no deltas', () => {
    expect(deltas()).toEqual([])
  })
})
