// Which tenant a request from outside belongs to, by the one thing in it that is unique in the whole
// deployment: a connection's id in an address, a session's token, a tenant's slug. The only reads that
// happen before there is a scope; what they answer becomes its tenant.

import type { Uuid } from '../model/ids.ts'
import type { Database } from './database.ts'

/** The tenant of an SSO connection; undefined when there is none of this id. */
export async function tenantOfConnection(db: Database, connectionId: Uuid): Promise<Uuid | undefined> {
  const found = await db.prisma.connection.findUnique({ where: { id: connectionId }, select: { tenantId: true } })
  return found?.tenantId
}

/** The tenant of a live session by the SHA-256 of its token. */
export async function tenantOfSession(db: Database, tokenHash: Uint8Array<ArrayBuffer>): Promise<Uuid | undefined> {
  const found = await db.prisma.session.findUnique({ where: { tokenHash }, select: { tenantId: true } })
  return found?.tenantId
}

/** The tenant that a sign-up address names. */
export async function tenantOfSlug(db: Database, slug: string): Promise<{ id: Uuid; name: string } | undefined> {
  const found = await db.prisma.tenant.findUnique({ where: { slug }, select: { id: true, name: true } })
  return found ?? undefined
}
