// No address that somebody else wrote leads a browser away from here.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ownPath } from '../../../src/identity/own-path.ts'

test.each([
  ['/session', '/session'],
  ['/a/b?c=d%20e&f', '/a/b?c=d%20e&f'],
  ['/a/../b', '/b'],
])('%s is a path of ours', (text, path) => {
  expect(ownPath(text)).toBe(path)
})

test.each([
  '',
  'session',
  '//evil.test',
  '/\\evil.test',
  '/..//evil.test',
  '/a/..//evil.test',
  '/%2e%2e//evil.test',
  'https://evil.test',
  'javascript:alert(1)',
  '/a b',
  '/a\nb',
  `/${'a'.repeat(2_100)}`,
])('%s is none', (text) => {
  expect(ownPath(text)).toBeUndefined()
})

test('whatever comes out stays on the origin it is used on', () => {
  const pieces = fc.constantFrom('/', '\\', '.', '..', '%2e', '%2f', '@', ':', 'a', '?', '#', 'evil.test', '\t')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const path = ownPath(`/${parts.join('')}`)
      if (path !== undefined) expect(new URL(path, 'https://ours.test').origin).toBe('https://ours.test')
    }),
    { numRuns: 2_000 },
  )
})
