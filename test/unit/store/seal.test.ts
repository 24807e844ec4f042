// Secrets at rest open with their key, in their row, unchanged, or not at all.

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { connectionSecretContext, seal, unseal } from '../../../src/store/seal.ts'

const first = { id: '2026a', key: randomBytes(32) }
const second = { id: '2026b', key: randomBytes(32) }
const row = connectionSecretContext('tenant', 'connection')

describe('a sealed secret', () => {
  test('opens in its own row with its own key, also after the key was rotated', () => {
    const sealed = seal({ current: first, earlier: [] }, 'söcret', row)
    expect(unseal({ current: first, earlier: [] }, sealed, row)).toBe('söcret')
    expect(unseal({ current: second, earlier: [first] }, sealed, row)).toBe('söcret')
    expect(Buffer.from(sealed).includes('cret')).toBe(false)
  })

  test('does not open in another row, with another key of the same id, or without its key', () => {
    const sealed = seal({ current: first, earlier: [] }, 'secret', row)
    const elsewhere = connectionSecretContext('tenant', 'another')
    expect(() => unseal({ current: first, earlier: [] }, sealed, elsewhere)).toThrow()
    expect(() => unseal({ current: { ...second, id: first.id }, earlier: [] }, sealed, row)).toThrow()
    expect(() => unseal({ current: second, earlier: [] }, sealed, row)).toThrow(/not configured/)
  })

  test('does not open when any one byte of it was changed', () => {
    const keys = { current: first, earlier: [] }
    const sealed = seal(keys, 'secret', row)
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(() => unseal(keys, changed, row)).toThrow()
    }
  })

  test('never looks the same twice', () => {
    const keys = { current: first, earlier: [] }
    expect(seal(keys, 'secret', row)).not.toEqual(seal(keys, 'secret', row))
  })
})
