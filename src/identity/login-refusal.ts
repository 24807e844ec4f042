// Why an answer from an identity provider was not accepted, for the log and the connection's trace.
// A person only ever sees the generic sentence of the RollcallError; the reason travels as its cause.
// Reasons are a closed list of words, free of personal data. Throwing happens here and nowhere else
// in the protocol layer; turning a refusal into a page or a problem document is the door's work.

import { RollcallError } from '../model/errors.ts'

/** The gate that refused, in the order in which an answer passes them. */
export type RefusalGate = 'form' | 'prescan' | 'envelope' | 'library' | 'policy' | 'once'

export type SamlRefusalReason =
  | 'not_base64'
  | 'too_large'
  | 'not_utf8'
  | 'control_character'
  | 'markup_declaration'
  | 'processing_instruction'
  | 'not_well_formed'
  | 'too_many_elements'
  | 'too_deep'
  | 'too_many_attributes'
  | 'not_a_response'
  | 'version'
  | 'unexpected_element'
  | 'duplicate_id'
  | 'status_not_success'
  | 'encrypted_assertion'
  | 'assertion_count'
  | 'destination'
  | 'response_issuer'
  | 'response_id'
  | 'in_response_to'
  | 'unsolicited'
  | 'response_issue_instant'
  | 'not_signed'
  | 'signature_shape'
  | 'signature_algorithm'
  | 'library_refused'
  | 'assertion_id'
  | 'assertion_issuer'
  | 'assertion_issue_instant'
  | 'subject_count'
  | 'name_id_count'
  | 'name_id_value'
  | 'name_id_format'
  | 'name_id_qualifier'
  | 'subject_confirmation_count'
  | 'subject_confirmation_method'
  | 'subject_confirmation_data'
  | 'recipient'
  | 'confirmation_expired'
  | 'confirmation_in_response_to'
  | 'conditions'
  | 'conditions_not_yet_valid'
  | 'conditions_expired'
  | 'audience'
  | 'authn_statement'
  | 'session_expired'
  | 'attribute_name'

export type OidcRefusalReason =
  | 'redirect_uri'
  | 'provider_metadata'
  | 'provider_error'
  | 'library_refused'
  | 'issuer'
  | 'subject'
  | 'audience'
  | 'azp'
  | 'issued_at'
  | 'expired'
  | 'nonce'
  | 'entra_identity'
  | 'userinfo'
  | 'claim_name'

/** An answer to no login of this browser, or one that was used before. */
export type OnceRefusalReason = 'attempt_unknown' | 'attempt_used' | 'assertion_replayed'

export type RefusalReason = SamlRefusalReason | OidcRefusalReason | OnceRefusalReason

/** The cause of a `login_refused` error: which gate, which rule. For the log, never for the page. */
export class LoginRefusal extends Error {
  override readonly name = 'LoginRefusal'
  readonly gate: RefusalGate
  readonly reason: RefusalReason

  constructor(gate: RefusalGate, reason: RefusalReason, cause?: unknown) {
    super(`${gate}: ${reason}`, cause === undefined ? undefined : { cause })
    this.gate = gate
    this.reason = reason
  }
}

/** Refuses a login: throws `login_refused` (403) with a {@link LoginRefusal} as its cause. */
export function refuseLogin(gate: RefusalGate, reason: RefusalReason, cause?: unknown): never {
  throw new RollcallError('login_refused', {
    detail: 'The answer of the identity provider was not accepted.',
    cause: new LoginRefusal(gate, reason, cause),
  })
}

/** The gate and reason inside an error thrown by this layer, or undefined when it is some other error. */
export function refusalOf(error: unknown): LoginRefusal | undefined {
  return error instanceof RollcallError && error.cause instanceof LoginRefusal ? error.cause : undefined
}
