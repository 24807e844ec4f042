// The rules on a connection's config that its shape cannot say, for the door where an admin enters one:
// issuers that nobody may trust, certificates that cannot be read. Storing it is the admin's use case.

import type { ConnectionConfig } from '../model/connection.ts'
import type { Uuid } from '../model/ids.ts'
import { samlSettings } from './connection-settings.ts'
import { checkIssuer } from './oidc/settings.ts'
import type { SigningCertificate } from './saml/certificate.ts'
import { checkSamlSettings } from './saml/check-settings.ts'

/** Throws `invalid_value` with a sentence for the admin; answers a SAML connection's certificates as they were read. */
export function checkConnection(
  connection: ConnectionConfig & { readonly id: Uuid },
  deployment: { readonly publicUrl: string; readonly allowInsecureLoopback: boolean },
): readonly SigningCertificate[] {
  const { publicUrl, allowInsecureLoopback } = deployment
  if (connection.kind === 'oidc') {
    checkIssuer(connection.config.issuer, allowInsecureLoopback)
    return []
  }
  return checkSamlSettings(samlSettings(publicUrl, connection.id, connection.config), allowInsecureLoopback)
}
