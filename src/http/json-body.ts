// Reads a JSON request body within bounds, the same way for every door: media type, size, encoding, depth, and
// only then JSON. What the value means is the door's. A door that takes forms has to read them itself.

import express, { type RequestHandler } from 'express'
import { RollcallError } from '../model/errors.ts'

export interface JsonBodyOptions {
  /** Media types without parameters, e.g. `application/json`. */
  readonly types: readonly string[]
  readonly limitBytes: number
  /** How many arrays and objects may stand in one another. */
  readonly maxDepth: number
}

/**
 * Leaves the parsed value in `request.body`, undefined where there is none. Answers `unsupported_media_type`,
 * `too_large` or `invalid_syntax`. Compressed bodies are refused: their size says nothing of what they unfold to.
 */
export function jsonBody(options: JsonBodyOptions): RequestHandler {
  const readRaw = express.raw({ type: () => true, limit: options.limitBytes, inflate: false })
  const accepted = new Set(options.types)
  return (request, response, next) => {
    const length = request.headers['content-length']
    if ((length === undefined || length === '0') && request.headers['transfer-encoding'] === undefined) {
      request.body = undefined
      next()
      return
    }
    if (!accepted.has(mediaType(request.headers['content-type']))) {
      next(new RollcallError('unsupported_media_type', `Send ${options.types.join(' or ')}.`))
      return
    }
    readRaw(request, response, (error?: unknown) => {
      if (error !== undefined && error !== null) {
        next(toRollcallError(error, options))
        return
      }
      try {
        request.body = parseJson(request.body, options.maxDepth)
      } catch (refusal) {
        next(refusal)
        return
      }
      next()
    })
  }
}

function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** What the reader of raw bodies complains of; anything else passes as it is. */
function toRollcallError(error: unknown, options: JsonBodyOptions): unknown {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 413) {
    return new RollcallError('too_large', `A body may have at most ${options.limitBytes} bytes.`)
  }
  if (status === 415) return new RollcallError('unsupported_media_type', 'Send the body uncompressed.')
  if (status === 400) return new RollcallError('invalid_request', 'The body ended before it was complete.')
  return error
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: unknown, maxDepth: number): unknown {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined
  const text = decode(bytes)
  if (depthOf(text, maxDepth) > maxDepth) {
    throw new RollcallError('invalid_syntax', `The JSON is nested deeper than ${maxDepth} levels.`)
  }
  const value = parse(text)
  if (/\\u(?:0000|d[89a-f])/i.test(text) && holdsUnstorableText(value)) {
    throw new RollcallError('invalid_syntax', 'A text holds the character NUL or half a character.')
  }
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RollcallError('invalid_syntax', { detail: 'The body is not valid JSON.', cause })
  }
}

/** PostgreSQL has no place for NUL nor for a surrogate without its other half; JSON can only spell them as escapes. */
function holdsUnstorableText(value: unknown): boolean {
  if (typeof value === 'string') return /\0|\p{Cs}/u.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => holdsUnstorableText(name) || holdsUnstorableText(member))
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new RollcallError('invalid_syntax', 'The body is not valid UTF-8.')
  }
}

/** The nesting of the text, counted no further than one above the limit. Runs before parsing, so that depth costs nothing. */
function depthOf(text: string, limit: number): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index)
    if (inString) {
      if (char === 0x5c) index += 1
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      depth += 1
      if (depth > deepest) deepest = depth
      if (deepest > limit) return deepest
    } else if (char === 0x7d || char === 0x5d) depth -= 1
  }
  return deepest
}
