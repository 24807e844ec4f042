// Identifiers: UUIDs everywhere. Rows that doors write get version 7 (RFC 9562 5.7), so that the
// order of ids is the order of creation. Randomness and time come in as arguments.

export type Uuid = string

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a string from outside is a UUID; anything else can name no row. */
export function isUuid(value: unknown): value is Uuid {
  return typeof value === 'string' && uuidShape.test(value)
}

/** A version 7 UUID of a time in milliseconds and sixteen random bytes (the first six are overwritten). */
export function uuidV7(nowMs: number, random: Uint8Array): Uuid {
  const bytes = new Uint8Array(random)
  let rest = nowMs
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
