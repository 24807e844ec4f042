// SSO connections as an admin sees them: made, listed, switched on and off, with the names that their org claims use.
// The sealed secret goes in and never comes out here; logins read it with connections.ts.

import { type ConnectionConfig, parseConnectionConfig } from '../model/connection.ts'
import type { Uuid } from '../model/ids.ts'
import { oneOf } from './one-of.ts'
import type { OrmTx, Scope } from './scope.ts'

const states = ['active', 'disabled'] as const
export type ConnectionState = (typeof states)[number]

export type ConnectionRecord = ConnectionConfig & {
  readonly id: Uuid
  /** Null: the whole tenant's. */
  readonly organizationId: Uuid | null
  readonly name: string
  readonly state: ConnectionState
  readonly hasSecret: boolean
  readonly createdAt: Date
}

const columns = {
  id: true,
  organizationId: true,
  kind: true,
  name: true,
  state: true,
  config: true,
  createdAt: true,
} as const

interface Row {
  readonly id: Uuid
  readonly organizationId: Uuid | null
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly config: unknown
  readonly createdAt: Date
}

/** An OIDC connection always has a secret, a SAML one never. */
function toRecord({ kind, config, state, ...row }: Row): ConnectionRecord {
  const parsed = parseConnectionConfig(kind, config)
  return { ...row, ...parsed, state: oneOf(states, state), hasSecret: parsed.kind === 'oidc' }
}

export async function insertConnection(
  scope: Scope<OrmTx>,
  connection: ConnectionConfig & {
    readonly id: Uuid
    readonly organizationId: Uuid | null
    readonly name: string
    readonly sealedSecret: Uint8Array<ArrayBuffer> | null
  },
): Promise<ConnectionRecord> {
  const { id, organizationId, kind, name, config, sealedSecret } = connection
  // Through JSON, because a claim path is a read-only list and the column takes plain values.
  const plain: object = JSON.parse(JSON.stringify(config))
  const data = { tenantId: scope.tenant, id, organizationId, kind, name, config: plain, sealedSecret }
  const row = await scope.tx.orm.connection.create({ data: { ...data, createdAt: scope.now }, select: columns })
  return toRecord(row)
}

export async function findConnection(scope: Scope<OrmTx>, id: Uuid): Promise<ConnectionRecord | null> {
  const row = await scope.tx.orm.connection.findFirst({ where: { tenantId: scope.tenant, id }, select: columns })
  return row === null ? null : toRecord(row)
}

/** Those of one organization, or those of the whole tenant (null). */
export async function listConnections(
  scope: Scope<OrmTx>,
  organizationId: Uuid | null,
  page: { readonly after: Uuid | undefined; readonly limit: number },
): Promise<ConnectionRecord[]> {
  const rows = await scope.tx.orm.connection.findMany({
    where: { tenantId: scope.tenant, organizationId, ...(page.after === undefined ? {} : { id: { gt: page.after } }) },
    orderBy: { id: 'asc' },
    take: page.limit,
    select: columns,
  })
  return rows.map(toRecord)
}

export async function setConnectionState(scope: Scope<OrmTx>, id: Uuid, state: ConnectionState): Promise<void> {
  const where = { tenantId_id: { tenantId: scope.tenant, id } }
  await scope.tx.orm.connection.update({ where, data: { state }, select: { id: true } })
}

export interface AliasView {
  readonly organization: Uuid
  readonly value: string
}

/** What organizations are called in a connection's org claims; at most `limit` of them. */
export async function listAliases(scope: Scope<OrmTx>, connectionId: Uuid, limit: number): Promise<AliasView[]> {
  const rows = await scope.tx.orm.organizationAlias.findMany({
    where: { tenantId: scope.tenant, connectionId },
    orderBy: { value: 'asc' },
    take: limit,
    select: { organizationId: true, value: true },
  })
  return rows.map(({ organizationId, value }) => ({ organization: organizationId, value }))
}
