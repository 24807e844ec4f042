// What the `config` of a connection holds, for the door where an admin enters it and for the login that
// reads it back. No secrets: a client secret is sealed in a column of its own (store/seal.ts). The rules that
// need more than a shape (shared Entra issuers, certificates) are identity/check-connection.ts.

import { z } from 'zod'
import { type ClaimPath, parseClaimPath, toClaimPath } from './claim-path.ts'

/** Products whose org claim is known; what each sends is in identity/org-claim.ts. */
export const organizationClaimPresetNames = ['zitadel', 'keycloak', 'auth0', 'entra', 'google'] as const
export type OrganizationClaimPresetName = (typeof organizationClaimPresetNames)[number]

/** A list of keys, or one claim name or JSON pointer as text. Stored as the list. */
const claimPath = z
  .union([z.string().max(1_000), z.array(z.string().max(255)).min(1).max(10)])
  .transform((input, ctx): ClaimPath => {
    const path = typeof input === 'string' ? readPath(input) : toClaimPath(input)
    if (path !== undefined) return path
    ctx.addIssue({ code: 'custom', message: 'is not a claim name, a JSON pointer or a list of names' })
    return z.NEVER
  })

function readPath(text: string): ClaimPath | undefined {
  try {
    return parseClaimPath(text)
  } catch {
    return undefined
  }
}

const shared = {
  /** Which organization a login belongs to. Needed where the connection is the whole tenant's; checked where it is bound. */
  organizationClaim: z
    .union([
      z.strictObject({ preset: z.enum(organizationClaimPresetNames) }),
      z.strictObject({ value: claimPath, name: claimPath.optional(), domain: claimPath.optional() }),
    ])
    .optional(),
  /** Group or role values, which mappings of kind `sso_claim` turn into roles, units and workspaces. */
  groupsClaim: claimPath.optional(),
}

const attributeNames = z.array(z.string().min(1).max(255)).min(1).max(10)

export const oidcConnectionConfig = z.strictObject({
  ...shared,
  /** Exactly as the provider writes it in `iss`, trailing slash included. */
  issuer: z.string().min(1).max(1_024),
  clientId: z.string().min(1).max(255),
  clientAuthentication: z.enum(['client_secret_basic', 'client_secret_post']).optional(),
  idTokenAlgorithm: z.enum(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']).optional(),
  /** Ask the userinfo endpoint as well, where the provider keeps claims out of the ID token. */
  fetchUserinfo: z.boolean().optional(),
  /** Beside `openid`, and beside what a preset needs. `email` and `profile` when left out. */
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/))
    .max(20)
    .optional(),
  prompt: z.enum(['login', 'select_account', 'consent']).optional(),
})

export const samlConnectionConfig = z.strictObject({
  ...shared,
  idpEntityId: z.string().min(1).max(1_024),
  /** Single sign-on address for the Redirect binding. */
  idpSsoUrl: z.string().min(1).max(2_048),
  /** PEM or bare base64; several at once while the identity provider rolls its key over. */
  idpCertificates: z.array(z.string().max(20_000)).min(1).max(10),
  nameIdFormat: z.string().max(256).optional(),
  /** Accept responses nobody asked for: they cannot be bound to a browser. */
  allowIdpInitiated: z.boolean().optional(),
  /** Attribute names to read instead of the usual ones, each list tried in order. */
  attributes: z
    .strictObject({
      email: attributeNames.optional(),
      displayName: attributeNames.optional(),
      givenName: attributeNames.optional(),
      familyName: attributeNames.optional(),
    })
    .optional(),
})

export type OidcConnectionConfig = z.output<typeof oidcConnectionConfig>
export type SamlConnectionConfig = z.output<typeof samlConnectionConfig>

export type ConnectionConfig =
  | { readonly kind: 'oidc'; readonly config: OidcConnectionConfig }
  | { readonly kind: 'saml'; readonly config: SamlConnectionConfig }

/** Reads a stored connection back. Throws zod's error for a row that this schema could not have written. */
export function parseConnectionConfig(kind: string, config: unknown): ConnectionConfig {
  return kind === 'saml'
    ? { kind, config: samlConnectionConfig.parse(config) }
    : { kind: z.literal('oidc').parse(kind), config: oidcConnectionConfig.parse(config) }
}
