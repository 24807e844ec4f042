// Bearer tokens that machines carry: what one looks like and what is kept of it. 256 random bits behind a prefix
// that says what it opens; only the SHA-256 is stored, which is enough because nobody can guess its input.

import { createHash, timingSafeEqual } from 'node:crypto'

/** `rck`: a tenant's key for the admin API; `rcd`: a directory's token for SCIM. */
export type TokenKind = 'rck' | 'rcd'

export interface NewToken {
  /** To be shown once. */
  readonly token: string
  /** How people tell their tokens apart; no secret. */
  readonly prefix: string
  readonly hash: Uint8Array<ArrayBuffer>
}

/** A token made of 32 random bytes. */
export function makeToken(kind: TokenKind, random: Uint8Array): NewToken {
  if (random.length !== 32) throw new Error('a token takes 32 random bytes')
  const token = `${kind}_${Buffer.from(random).toString('base64url')}`
  return { token, prefix: token.slice(0, 10), hash: hashToken(token) }
}

/** SHA-256 of the whole token, prefix included. */
export function hashToken(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(token, 'utf8').digest())
}

/** Compares two hashes in constant time. */
export function equalHashes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
