// SSO connections of an organization or of the whole tenant. Which configs are fit to be trusted is decided by the
// check that the door passes in (identity/check-connection.ts); logging in through one is identity/.

import type { ConnectionConfig } from '../model/connection.ts'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import {
  type AliasView,
  type ConnectionRecord,
  type ConnectionState,
  findConnection,
  insertConnection,
  listAliases,
  listConnections,
  setConnectionState,
} from '../store/connection-records.ts'
import { insertAlias } from '../store/organization-aliases.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { connectionSecretContext, seal } from '../store/seal.ts'
import { type AdminCaller, type AdminContext, Missing, refusingTaken, write } from './context.ts'
import { requireOrganization } from './find-organization.ts'
import { type Page, type PageRequest, pageOf } from './page.ts'

/** Throws `invalid_value` for a config that nobody should trust. */
export type CheckConnection = (connection: ConnectionConfig & { readonly id: Uuid }) => void

export type NewConnection = ConnectionConfig & {
  readonly name: string
  /** OIDC only. */
  readonly clientSecret?: string
}

/** `organizationId` null: a connection of the whole tenant, which picks the organization by its org claim. */
export async function createConnection(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid | null,
  input: NewConnection,
  check: CheckConnection,
): Promise<ConnectionRecord> {
  return write(context, caller, async (scope) => {
    if (organizationId !== null) await requireOrganization(scope, organizationId)
    const { name, clientSecret, ...config } = input
    const id = scope.newId()
    check({ ...config, id })
    const sealedSecret =
      clientSecret === undefined
        ? null
        : seal(context.sealingKeys, clientSecret, connectionSecretContext(scope.tenant, id))
    const connection = await insertConnection(scope, { ...config, id, organizationId, name, sealedSecret })
    await writeAudit(scope, {
      organizationId,
      action: 'connection.created',
      subjectKind: 'connection',
      subjectId: id,
      after: { kind: connection.kind, name },
    })
    return connection
  })
}

export async function listConnectionPage(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid | null,
  page: PageRequest<Uuid>,
): Promise<Page<ConnectionRecord>> {
  return write(context, caller, async (scope) => {
    if (organizationId !== null) await requireOrganization(scope, organizationId)
    const connections = await listConnections(scope, organizationId, { after: page.after, limit: page.limit + 1 })
    return pageOf(page, connections, (connection) => connection.id)
  })
}

const shownAliases = 500

export async function readConnection(
  context: AdminContext,
  caller: AdminCaller,
  id: Uuid,
): Promise<{ readonly connection: ConnectionRecord; readonly aliases: readonly AliasView[] }> {
  return write(context, caller, async (scope) => ({
    connection: await requireConnection(scope, id),
    aliases: await listAliases(scope, id, shownAliases),
  }))
}

/** A disabled connection logs nobody in. */
export async function changeConnectionState(
  context: AdminContext,
  caller: AdminCaller,
  id: Uuid,
  state: ConnectionState,
): Promise<ConnectionRecord> {
  return write(context, caller, async (scope) => {
    const before = await requireConnection(scope, id)
    if (before.state === state) return before
    await setConnectionState(scope, id, state)
    await writeAudit(scope, {
      organizationId: before.organizationId,
      action: state === 'active' ? 'connection.enabled' : 'connection.disabled',
      subjectKind: 'connection',
      subjectId: id,
      before: { state: before.state },
      after: { state },
    })
    return { ...before, state }
  })
}

/**
 * Says what an organization is called in the org claims of a connection. On a connection that is bound to an
 * organization it can only be that one's name. A value names one organization (`uniqueness`).
 */
export async function addAlias(
  context: AdminContext,
  caller: AdminCaller,
  connectionId: Uuid,
  alias: AliasView,
): Promise<AliasView> {
  return refusingTaken('This value names an organization already.', () =>
    write(context, caller, async (scope) => {
      const connection = await requireConnection(scope, connectionId)
      await requireOrganization(scope, alias.organization)
      if (connection.organizationId !== null && connection.organizationId !== alias.organization) {
        throw new RollcallError('conflict', 'This connection is bound to another organization.')
      }
      const { organization: organizationId, value } = alias
      await insertAlias(scope, { connectionId, organizationId, value })
      await writeAudit(scope, {
        organizationId,
        action: 'organization_alias.created',
        subjectKind: 'connection',
        subjectId: connectionId,
        after: { value },
      })
      return { organization: organizationId, value }
    }),
  )
}

async function requireConnection(scope: Scope<OrmTx>, id: Uuid): Promise<ConnectionRecord> {
  const connection = await findConnection(scope, id)
  if (connection === null) throw new Missing('connection', id)
  return connection
}
