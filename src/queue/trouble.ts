// Says once that something does not work and once that it works again, however often it is tried in
// between. The queue, the relay's listener and its sweep each have one.

/** What is needed of a logger; pino fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface Trouble {
  failed(error: unknown): void
  worked(): void
}

/** `what` is the sentence of the first failure; `again` that of its end. */
export function createTrouble(log: Log, sentences: { what: string; again: string }): Trouble {
  let failures = 0
  return {
    failed(error) {
      failures += 1
      if (failures === 1) log.warn({ reason: reasonOf(error) }, sentences.what)
    },
    worked() {
      if (failures > 0) log.info({ failures }, sentences.again)
      failures = 0
    },
  }
}

/** Name, code and first line of an error. Not its other fields: a database's `detail` holds people's data. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Connecting to a name with several addresses fails with an AggregateError, which has no words of its own.
  const first: unknown = error instanceof AggregateError && error.message === '' ? error.errors[0] : undefined
  if (first !== undefined) return reasonOf(first)
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  return `${error.name}${code}: ${error.message.split('\n')[0] ?? ''}`
}
