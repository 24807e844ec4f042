import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { hashCode, makeCode, readCode } from '../../../src/identity/email-code.ts'

test('a code has eight digits, leading zeros too, and favours none of them', () => {
  const bytes = [4_294_967_295, 4_200_000_000, 4_199_999_999, 7].map((number) => {
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32BE(number)
    return buffer
  })
  const draw = () => bytes.shift() ?? Buffer.alloc(4)
  expect(makeCode(draw)).toBe('99999999')
  expect(makeCode(draw)).toBe('00000007')
  const counts = Array<number>(10).fill(0)
  for (let index = 0; index < 2_000; index += 1) {
    for (const digit of makeCode(randomBytes)) counts[Number(digit)] = (counts[Number(digit)] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 1_600)).toBeLessThan(300)
})

test('a code is read as people type and paste it, and nothing else is one', () => {
  for (const text of ['12345678', ' 1234 5678 ', '1234-5678', '1234\u00A05678']) expect(readCode(text)).toBe('12345678')
  for (const text of ['', '1234567', '123456789', '1234567a', '１２３４５６７８'])
    expect(readCode(text)).toBeUndefined()
})

test('the same code in two rows does not look the same', () => {
  expect(hashCode('one', '12345678')).not.toEqual(hashCode('other', '12345678'))
  expect(hashCode('one', '12345678')).toEqual(hashCode('one', '12345678'))
})
