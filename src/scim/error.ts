// SCIM's error message (RFC 7644 3.12). Which code means what is in model/errors.ts; the HTTP status line and headers
// are the door's.

import type { RollcallError } from '../model/errors.ts'

export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error'

export interface ScimErrorBody {
  readonly schemas: readonly [typeof errorUrn]
  /** A string, as RFC 7644 shows it: "400". */
  readonly status: string
  readonly scimType?: string
  readonly detail: string
}

/** The body for an error; its cause stays out. */
export function renderScimError(error: RollcallError): ScimErrorBody {
  const { status, scimType } = error.kind
  return {
    schemas: [errorUrn],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
    detail: error.detail,
  }
}
