// Routes about SSO connections, of an organization or of the whole tenant. A secret goes in and never comes out; what
// does come out are the addresses that the identity provider's admin has to enter.

import { z } from 'zod'
import { checkConnection } from '../../identity/check-connection.ts'
import { connectionAddresses } from '../../identity/connection-settings.ts'
import { oidcConnectionConfig, samlConnectionConfig } from '../../model/connection.ts'
import {
  addAlias,
  type CheckConnection,
  changeConnectionState,
  createConnection,
  listConnectionPage,
  readConnection,
} from '../../organization/connections.ts'
import type { AdminContext } from '../../organization/context.ts'
import { type Route, tenantRoute } from './route.ts'
import { id, idPage, instant, name, page, pageRequest } from './schemas.ts'

const state = z.enum(['active', 'disabled'])

const newConnection = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('oidc'),
    name,
    config: oidcConnectionConfig,
    clientSecret: z.string().min(1).max(1_000).meta({ description: 'Kept sealed; never shown again.' }),
  }),
  z.strictObject({ kind: z.literal('saml'), name, config: samlConnectionConfig }),
])

const shape = {
  id,
  organizationId: id.nullable().meta({ description: 'Null: the whole tenant’s.' }),
  name: z.string(),
  state,
  hasSecret: z.boolean(),
  createdAt: instant,
  startUrl: z.string().meta({ description: 'Where a login begins.' }),
}

const connection = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...shape,
      kind: z.literal('oidc'),
      config: oidcConnectionConfig,
      redirectUri: z.string().meta({ description: 'To be registered at the identity provider.' }),
    }),
    z.strictObject({
      ...shape,
      kind: z.literal('saml'),
      config: samlConnectionConfig,
      entityId: z.string().meta({ description: 'Our entity id for this connection, the only audience accepted.' }),
      acsUrl: z.string().meta({ description: 'Assertion consumer service, HTTP-POST.' }),
      metadataUrl: z.string().meta({ description: 'All of this as SAML metadata.' }),
      certificates: z
        .array(z.strictObject({ fingerprint: z.string(), notBefore: instant, notAfter: instant }))
        .readonly()
        .meta({ description: 'The identity provider’s signing certificates as they were read.' }),
    }),
  ])
  .meta({ id: 'Connection' })

const alias = z
  .strictObject({ organization: id, value: z.string().min(1).max(255) })
  .meta({ id: 'OrganizationAlias', description: 'What an organization is called in the org claims of a connection.' })

type Shown = z.output<typeof connection>
type Stored = Awaited<ReturnType<typeof readConnection>>['connection']

const exampleConfig = {
  kind: 'oidc',
  name: 'Zitadel',
  config: { issuer: 'https://id.acme.example', clientId: 'rollcall', organizationClaim: { preset: 'zitadel' } },
  clientSecret: 'from the identity provider',
} as const

/** `allowInsecureLoopback`: whether plain http to this machine is good enough, as in tests. */
export function connectionRoutes(allowInsecureLoopback: boolean): readonly Route[] {
  const checkFor =
    ({ publicUrl }: AdminContext): CheckConnection =>
    (config) => {
      checkConnection(config, { publicUrl, allowInsecureLoopback })
    }

  const show = (context: AdminContext, stored: Stored): Shown => {
    const { publicUrl } = context
    const { start, callback, acs, metadata } = connectionAddresses(publicUrl, stored.id)
    if (stored.kind === 'oidc') return { ...stored, startUrl: start, redirectUri: callback }
    const certificates = checkConnection(stored, { publicUrl, allowInsecureLoopback })
    return {
      ...stored,
      startUrl: start,
      entityId: metadata,
      acsUrl: acs,
      metadataUrl: metadata,
      certificates: certificates.map(({ fingerprint, notBefore, notAfter }) => ({ fingerprint, notBefore, notAfter })),
    }
  }

  return [
    tenantRoute(
      {
        method: 'post',
        path: '/connections',
        operationId: 'createTenantConnection',
        summary: 'Make a connection of the whole tenant; its org claim picks the organization',
        body: newConnection,
        example: exampleConfig,
        status: 201,
        answer: connection,
      },
      async (context, { caller, body }) =>
        show(context, await createConnection(context, caller, null, body, checkFor(context))),
    ),
    tenantRoute(
      {
        method: 'get',
        path: '/connections',
        operationId: 'listTenantConnections',
        summary: 'The connections of the whole tenant',
        query: idPage,
        status: 200,
        answer: page(connection),
      },
      async (context, { caller, query }) => {
        const found = await listConnectionPage(context, caller, null, pageRequest(query))
        return { ...found, items: found.items.map((one) => show(context, one)) }
      },
    ),
    tenantRoute(
      {
        method: 'post',
        path: '/organizations/{organizationId}/connections',
        operationId: 'createConnection',
        summary: 'Make a connection that only ever yields this organization',
        body: newConnection,
        example: exampleConfig,
        status: 201,
        answer: connection,
      },
      async (context, { caller, params, body }) =>
        show(context, await createConnection(context, caller, params.organizationId, body, checkFor(context))),
    ),
    tenantRoute(
      {
        method: 'get',
        path: '/organizations/{organizationId}/connections',
        operationId: 'listConnections',
        summary: 'The connections of an organization',
        query: idPage,
        status: 200,
        answer: page(connection),
      },
      async (context, { caller, params, query }) => {
        const found = await listConnectionPage(context, caller, params.organizationId, pageRequest(query))
        return { ...found, items: found.items.map((one) => show(context, one)) }
      },
    ),
    tenantRoute(
      {
        method: 'get',
        path: '/connections/{connectionId}',
        operationId: 'readConnection',
        summary: 'A connection, with the names its org claims use (the first 500)',
        status: 200,
        answer: z.strictObject({ connection, aliases: z.array(alias).readonly() }),
      },
      async (context, { caller, params }) => {
        const found = await readConnection(context, caller, params.connectionId)
        return { connection: show(context, found.connection), aliases: found.aliases }
      },
    ),
    tenantRoute(
      {
        method: 'patch',
        path: '/connections/{connectionId}',
        operationId: 'changeConnection',
        summary: 'Switch a connection on or off',
        body: z.strictObject({ state }),
        example: { state: 'disabled' },
        status: 200,
        answer: connection,
      },
      async (context, { caller, params, body }) =>
        show(context, await changeConnectionState(context, caller, params.connectionId, body.state)),
    ),
    tenantRoute(
      {
        method: 'post',
        path: '/connections/{connectionId}/aliases',
        operationId: 'createAlias',
        summary: 'Say what an organization is called in the org claims of a connection',
        body: alias,
        example: { organization: '01900000-0000-7000-8000-000000000001', value: '312909075212468224' },
        status: 201,
        answer: alias,
      },
      (context, { caller, params, body }) => addAlias(context, caller, params.connectionId, body),
    ),
  ]
}
