// The one error family. Every code has its HTTP status, SCIM type and retry decision in one
// table; a door renders it in one place. Expected outcomes (held, waitlisted, not found while
// probing) are values, never errors. Unknown errors are 500s: logged, never swallowed.

/** When the caller may try again: never as it is, later as it is, or not before a given time. */
export type Retry = 'never' | 'later' | 'at-time'

interface ErrorKind {
  readonly status: number
  /** RFC 7644 table 9 `scimType`, where one applies. */
  readonly scimType?: string
  readonly retry: Retry
  readonly title: string
}

const kinds = {
  invalid_filter: { status: 400, scimType: 'invalidFilter', retry: 'never', title: 'The filter is not valid' },
  invalid_path: { status: 400, scimType: 'invalidPath', retry: 'never', title: 'The attribute path is not valid' },
  invalid_syntax: { status: 400, scimType: 'invalidSyntax', retry: 'never', title: 'The request body is not valid' },
  invalid_value: { status: 400, scimType: 'invalidValue', retry: 'never', title: 'A value is missing or not valid' },
  no_target: { status: 400, scimType: 'noTarget', retry: 'never', title: 'The path selects nothing' },
  too_many: { status: 400, scimType: 'tooMany', retry: 'never', title: 'The request selects too much' },
  mutability: { status: 400, scimType: 'mutability', retry: 'never', title: 'The attribute cannot be changed' },
  invalid_request: { status: 400, retry: 'never', title: 'The request is not valid' },
  unauthenticated: { status: 401, retry: 'never', title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, retry: 'never', title: 'This is not allowed' },
  seats_exhausted: { status: 403, retry: 'later', title: 'No seat is left' },
  login_refused: { status: 403, retry: 'never', title: 'The login was refused' },
  not_found: { status: 404, retry: 'never', title: 'Not found' },
  method_not_allowed: { status: 405, retry: 'never', title: 'The method is not allowed here' },
  conflict: { status: 409, retry: 'never', title: 'The change conflicts with the current state' },
  uniqueness: { status: 409, scimType: 'uniqueness', retry: 'never', title: 'The value is already taken' },
  precondition_failed: { status: 412, retry: 'never', title: 'The resource has changed' },
  too_large: { status: 413, retry: 'never', title: 'The request is too large' },
  unsupported_media_type: { status: 415, retry: 'never', title: 'The content type is not supported' },
  rate_limited: { status: 429, retry: 'at-time', title: 'Too many requests' },
  not_implemented: { status: 501, retry: 'never', title: 'Not offered' },
  unavailable: { status: 503, retry: 'at-time', title: 'Paused or not reachable for now' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof kinds

interface Details {
  /** What the person can do about it; safe to show. */
  readonly detail: string
  /** For the log only. */
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
}

export class RollcallError extends Error {
  override readonly name = 'RollcallError'
  readonly code: ErrorCode
  readonly detail: string
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, details: Details | string) {
    const { detail, cause, retryAfterSeconds } =
      typeof details === 'string' ? ({ detail: details } as Details) : details
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.detail = detail
    this.retryAfterSeconds = retryAfterSeconds
  }

  get kind(): ErrorKind {
    return kinds[this.code]
  }
}
