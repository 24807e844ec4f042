// Turns a connection's config into what the protocol layer works with: its addresses on our public origin,
// its opened secret, where its org claim stands. One place, so that start, callback and metadata agree.

import type { ConnectionConfig, OidcConnectionConfig, SamlConnectionConfig } from '../model/connection.ts'
import type { Uuid } from '../model/ids.ts'
import { connectionSecretContext, type SealingKeys, unseal } from '../store/seal.ts'
import type { OidcSettings } from './oidc/settings.ts'
import { type OrganizationClaimRule, organizationClaimPresets } from './org-claim.ts'
import type { SamlSettings } from './saml/settings.ts'

/** What an identity provider's admin enters on the other side. */
export interface ConnectionAddresses {
  /** Where a login begins. */
  readonly start: string
  /** OIDC redirect URI. */
  readonly callback: string
  /** SAML assertion consumer service. */
  readonly acs: string
  /** SAML entity id of ours for this connection, and the address of our metadata. */
  readonly metadata: string
}

export function connectionAddresses(publicUrl: string, connectionId: Uuid): ConnectionAddresses {
  const base = `${publicUrl}/sso/${connectionId}`
  return { start: `${base}/start`, callback: `${base}/callback`, acs: `${base}/acs`, metadata: `${base}/metadata` }
}

/** Throws where the secret is missing or does not open: a login cannot go on without it. */
export function oidcSettings(
  keys: SealingKeys,
  tenant: Uuid,
  connection: { readonly id: Uuid; readonly config: OidcConnectionConfig; readonly sealedSecret: Uint8Array | null },
): OidcSettings {
  const { id, config, sealedSecret } = connection
  if (sealedSecret === null) throw new Error('an OIDC connection without a client secret')
  const { issuer, clientId, clientAuthentication, idTokenAlgorithm, fetchUserinfo } = config
  return {
    connectionId: id,
    issuer,
    clientId,
    clientSecret: unseal(keys, sealedSecret, connectionSecretContext(tenant, id)),
    ...(clientAuthentication === undefined ? {} : { clientAuthentication }),
    ...(idTokenAlgorithm === undefined ? {} : { idTokenAlgorithm }),
    ...(fetchUserinfo === undefined ? {} : { fetchUserinfo }),
  }
}

export function samlSettings(publicUrl: string, connectionId: Uuid, config: SamlConnectionConfig): SamlSettings {
  const { acs, metadata } = connectionAddresses(publicUrl, connectionId)
  const { idpEntityId, idpSsoUrl, idpCertificates, nameIdFormat, allowIdpInitiated } = config
  return {
    connectionId,
    spEntityId: metadata,
    acsUrl: acs,
    idpEntityId,
    idpSsoUrl,
    idpCertificates,
    allowIdpInitiated: allowIdpInitiated ?? false,
    ...(nameIdFormat === undefined ? {} : { nameIdFormat }),
  }
}

/** Scopes that a product only sends its org claim for. */
const presetScopes: Partial<Record<keyof typeof organizationClaimPresets, string>> = {
  zitadel: 'urn:zitadel:iam:user:resourceowner',
  keycloak: 'organization',
}

export function oidcScopes(config: OidcConnectionConfig): string[] {
  const claim = config.organizationClaim
  const preset = claim !== undefined && 'preset' in claim ? presetScopes[claim.preset] : undefined
  return [...(config.scopes ?? ['email', 'profile']), ...(preset === undefined ? [] : [preset])]
}

/** Undefined: the connection reads no org claim. */
export function organizationClaimRules(
  config: ConnectionConfig['config'],
): readonly OrganizationClaimRule[] | undefined {
  const claim = config.organizationClaim
  if (claim === undefined) return undefined
  if ('preset' in claim) return organizationClaimPresets[claim.preset]
  const { value, name, domain } = claim
  return [{ value, ...(name === undefined ? {} : { name }), ...(domain === undefined ? {} : { domain }) }]
}
