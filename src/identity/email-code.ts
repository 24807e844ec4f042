// The code that an address is proved with: eight digits, and what is kept of them. Pure but for the random
// bytes it is given.

import { createHash } from 'node:crypto'
import type { Uuid } from '../model/ids.ts'

export const codeLifetimeMs = 600_000
const digits = 8

/** Eight digits, each code as likely as any other: numbers that would favour the small ones are drawn again. */
export function makeCode(randomBytes: (length: number) => Uint8Array): string {
  const range = 10 ** digits
  const fair = Math.floor(2 ** 32 / range) * range
  for (;;) {
    const number = Buffer.from(randomBytes(4)).readUInt32BE()
    if (number < fair) return String(number % range).padStart(digits, '0')
  }
}

/** The digits of what somebody typed or pasted; undefined when they cannot be a code. */
export function readCode(text: string): string | undefined {
  const code = text.replace(/[\s-]/g, '')
  return /^\d{8}$/.test(code) ? code : undefined
}

/** With the row's id, so that the same code in two rows does not look the same. Few enough to be guessed by whoever has the table: it is the minutes that protect it. */
export function hashCode(id: Uuid, code: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(`${id}:${code}`, 'ascii').digest())
}
