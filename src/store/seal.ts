// Secrets at rest: AES-256-GCM under a key that has an id, so that keys can be rotated and a row says which
// one opens it. The keys are arguments; they never come near the database. Which secrets there are is the
// use cases' to say.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export interface SealingKey {
  /** One to 32 characters of A-Z a-z 0-9 _ -; written beside the ciphertext. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface SealingKeys {
  /** Seals. */
  readonly current: SealingKey
  /** Only open what they sealed, until it is sealed again. */
  readonly earlier: readonly SealingKey[]
}

const layoutVersion = 1
const ivLength = 12
const tagLength = 16

/**
 * Layout: version, length of the key id, key id, 96-bit random nonce, tag, ciphertext (NIST SP 800-38D).
 * `context` names the row (e.g. `connection:<tenant>:<id>`) and is authenticated: what was sealed for one row
 * does not open in another.
 */
export function seal(keys: SealingKeys, secret: string, context: string): Uint8Array<ArrayBuffer> {
  const { id, key } = keys.current
  const header = Buffer.concat([Buffer.from([layoutVersion, id.length]), Buffer.from(id, 'ascii')])
  const iv = randomBytes(ivLength)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.concat([header, Buffer.from(context, 'utf8')]))
  const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return new Uint8Array(Buffer.concat([header, iv, cipher.getAuthTag(), ciphertext]))
}

/** Throws where the key is not among `keys`, or the bytes or the context are not what was sealed. */
export function unseal(keys: SealingKeys, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed)
  const idLength = bytes[1] ?? 0
  const headerLength = 2 + idLength
  if (bytes[0] !== layoutVersion || bytes.length < headerLength + ivLength + tagLength) {
    throw new Error('these bytes were not sealed here')
  }
  const header = bytes.subarray(0, headerLength)
  const id = header.toString('ascii', 2)
  const found = [keys.current, ...keys.earlier].find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error('a secret is sealed with a key that is not configured')
  const iv = bytes.subarray(headerLength, headerLength + ivLength)
  const tagEnd = headerLength + ivLength + tagLength
  const decipher = createDecipheriv('aes-256-gcm', found.key, iv, { authTagLength: tagLength })
  decipher.setAAD(Buffer.concat([header, Buffer.from(context, 'utf8')]))
  decipher.setAuthTag(bytes.subarray(headerLength + ivLength, tagEnd))
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8')
}

/** The context of a connection's secret. */
export function connectionSecretContext(tenantId: string, connectionId: string): string {
  return `connection:${tenantId}:${connectionId}`
}
