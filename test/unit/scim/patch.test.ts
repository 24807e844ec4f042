// The PATCH message: what is read of it and what is refused before anybody looks at a resource.

import { describe, expect, test } from 'vitest'
import { type Dialect, startReading } from '../../../src/scim/dialects.ts'
import { parsePatch } from '../../../src/scim/patch.ts'
import { codeOf, patchUrn, remove } from './support.ts'

describe('the message', () => {
  const read = (body: unknown, refuse: readonly Dialect[] = []) => parsePatch(body, startReading({ refuse }))

  test('is read with its members in any case', () => {
    expect(read({ Schemas: [patchUrn.toLowerCase()], operations: [{ OP: 'add', Path: 'title', VALUE: 1 }] })).toEqual([
      { op: 'add', path: 'title', value: 1 },
    ])
  })

  test.each([
    ['no object', 'x', 'invalid_syntax'],
    ['no Operations', { schemas: [patchUrn] }, 'invalid_syntax'],
    ['Operations that are an object', { schemas: [patchUrn], Operations: {} }, 'invalid_syntax'],
    ['an operation that is a string', { schemas: [patchUrn], Operations: ['add'] }, 'invalid_syntax'],
    ['no op', { schemas: [patchUrn], Operations: [{ path: 'title', value: 'x' }] }, 'invalid_syntax'],
    ['an unknown op', { schemas: [patchUrn], Operations: [{ op: 'move', path: 'title' }] }, 'invalid_syntax'],
    [
      'a path that is a number',
      { schemas: [patchUrn], Operations: [{ op: 'add', path: 1, value: 1 }] },
      'invalid_path',
    ],
    ['a remove without a path', { schemas: [patchUrn], Operations: [{ op: 'remove' }] }, 'no_target'],
    ['an add without a value', { schemas: [patchUrn], Operations: [{ op: 'add', path: 'title' }] }, 'invalid_value'],
  ])('with %s is refused', (_, body, code) => {
    expect(codeOf(() => read(body))).toBe(code)
  })

  test('may have 1,000 operations, not one more', () => {
    const body = (count: number) => ({ schemas: [patchUrn], Operations: Array(count).fill(remove('title')) })
    expect(read(body(1000))).toHaveLength(1000)
    expect(codeOf(() => read(body(1001)))).toBe('too_large')
  })

  test('tolerates no operations, capitals and a missing schema by name', () => {
    const cases: [Dialect, unknown][] = [
      ['empty-operations', { schemas: [patchUrn], Operations: [] }],
      ['capitalised-op', { schemas: [patchUrn], Operations: [{ op: 'Replace', path: 'title', value: 'x' }] }],
      ['missing-schemas', { Operations: [remove('title')] }],
    ]
    for (const [dialect, body] of cases) {
      expect(codeOf(() => read(body))).toBeUndefined()
      expect(codeOf(() => read(body, [dialect]))).toBe('invalid_syntax')
    }
  })
})
