// One JSON line per event, without personal data: of an error only its name, code and stack are
// written, never the fields in which a database or a library repeats what somebody sent.

import pino, { type Logger } from 'pino'

export type { Logger }

/** Writes to standard error; standard output is for people. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

interface DescribedError {
  readonly name: string
  readonly code?: string
  readonly message: string
  readonly stack?: string
  readonly cause?: DescribedError
}

function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'not an error object' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: withoutAddresses(error.message),
    ...(error.stack === undefined ? {} : { stack: stackOf(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

/** Only the places: the first lines of a stack are the message once more. */
function stackOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim())
    .join(' ← ')
}

function withoutAddresses(text: string): string {
  return text.replace(/[^\s@"'<>(]+@[^\s@"'<>),]+/g, '[address]').slice(0, 500)
}
