// SP metadata of a SAML connection, for the identity provider's admin. Public: it holds addresses only.

import { RollcallError } from '../model/errors.ts'
import { samlSettings } from './connection-settings.ts'
import type { IdentityContext } from './context.ts'
import { spMetadata } from './saml/service-provider.ts'
import { openConnection } from './start-login.ts'

/** XML (SAML Metadata 2.0 EntityDescriptor). Throws `not_found` for what is no SAML connection. */
export async function readMetadata(context: IdentityContext, connectionId: string): Promise<string> {
  const { connection } = await openConnection(context, connectionId)
  if (connection.kind !== 'saml') throw new RollcallError('not_found', 'There is no SAML connection at this address.')
  return spMetadata(samlSettings(context.publicUrl, connection.id, connection.config))
}
