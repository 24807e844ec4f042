// Connections between a test's service and the identity providers of the demonstration, registered on both sides.

import type { OidcProvider } from '../../src/demo/oidc-provider.ts'
import type { SamlProvider } from '../../src/demo/saml-provider.ts'
import type { Uuid } from '../../src/model/ids.ts'
import type { TestService } from './service.ts'

export interface ConnectionPlace {
  readonly tenant: Uuid
  /** Null: the whole tenant's. */
  readonly organization: Uuid | null
}

/** Makes connections to this provider; `config` adds to the connection's. */
export function oidcConnector(service: TestService, provider: OidcProvider) {
  return async (place: ConnectionPlace, config: object = {}): Promise<Uuid> => {
    const clientSecret = 'a secret: with/odd %characters'
    const id = service.db.newId()
    const client_id = `rollcall-${id}`
    await service.addOidcConnection({
      ...place,
      id,
      clientSecret,
      config: { issuer: provider.issuer, clientId: client_id, ...config },
    })
    provider.addClient({ client_id, client_secret: clientSecret, redirect_uris: [`${service.url}/sso/${id}/callback`] })
    return id
  }
}

/** The same for a SAML provider. */
export function samlConnector(service: TestService, provider: SamlProvider) {
  return async (place: ConnectionPlace, config: object = {}): Promise<Uuid> => {
    const id = service.db.newId()
    const { entityId: idpEntityId, ssoUrl: idpSsoUrl, certificate } = provider
    await service.addSamlConnection({
      ...place,
      id,
      config: { idpEntityId, idpSsoUrl, idpCertificates: [certificate], ...config },
    })
    const base = `${service.url}/sso/${id}`
    provider.addServiceProvider({ entityId: `${base}/metadata`, acsUrl: `${base}/acs` })
    return id
  }
}

/** How Zitadel says which organization a person belongs to. */
export function zitadelOrganization(id: string, name: string): Record<string, string> {
  const claim = 'urn:zitadel:iam:user:resourceowner'
  return { [`${claim}:id`]: id, [`${claim}:name`]: name }
}
