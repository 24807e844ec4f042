// Reads back what reconciling the database has made of a world that stored-world.ts wrote: the same
// facts, and the derived rows in the place of those that the world had.

import type pg from 'pg'
import type { Uuid } from '../../../src/model/ids.ts'
import type { GrantFacts, MemberFacts, Target } from '../../../src/reconcile/snapshot.ts'
import { found } from './facts.ts'
import type { StoredWorld } from './stored-world.ts'
import { copyWorld, type World } from './world.ts'

/** The same world with what the database has derived from it in the place of what was derived before. */
export async function readWorld(pool: pg.Pool, world: World, stored: StoredWorld): Promise<World> {
  const { tenant, organization, name } = stored
  const read = copyWorld(world)
  const select = async <R extends pg.QueryResultRow>(text: string) =>
    (await pool.query<R>(text, [tenant, organization])).rows
  const nameOr = (id: Uuid | null) => (id === null ? null : name(id))

  const counted = await select<{ seats_used: number }>(
    'SELECT seats_used FROM organizations WHERE tenant_id = $1 AND id = $2',
  )
  read.organization.seatsUsed = found(counted[0]).seats_used
  read.requests.clear()
  read.users.clear()
  const users = await select<{
    id: Uuid
    email: string | null
    key: string | null
    verified: boolean
    name: string | null
  }>(
    `SELECT id, email, email_key AS key, email_verified AS verified, display_name AS name FROM users
     WHERE tenant_id = $1 AND $2::uuid IS NOT NULL`,
  )
  for (const user of users) {
    const { email: address, key } = user
    const email = address === null || key === null ? null : { address, key, domain: key.slice(key.indexOf('@') + 1) }
    const profile = { email, displayName: user.name, givenName: null, familyName: null }
    read.users.set(name(user.id), { id: name(user.id), emailVerified: user.verified, elsewhere: false, profile })
  }
  read.members.clear()
  const members = await select<Omit<MemberFacts, 'grants'>>(
    `SELECT id, user_id AS "userId", status, status_reason AS "statusReason", role_id AS "roleId", seated,
       created_at AS "createdAt", waitlisted_at AS "waitlistedAt"
     FROM members WHERE tenant_id = $1 AND organization_id = $2`,
  )
  const grants = await select<{
    id: Uuid
    member: Uuid
    role: Uuid | null
    unit: Uuid | null
    kind: GrantFacts['source']['kind']
    source: Uuid | null
  }>(
    `SELECT id, member_id AS member, role_id AS role, unit_id AS unit, source_kind AS kind, source_id AS source
     FROM grants WHERE tenant_id = $1 AND organization_id = $2`,
  )
  for (const member of members) {
    const theirs = grants
      .filter((grant) => grant.member === member.id)
      .map(({ id, role, unit, kind, source }): GrantFacts => {
        const target: Target =
          role === null ? { kind: 'unit', id: name(found(unit ?? undefined)) } : { kind: 'role', id: name(role) }
        return { id: name(id), target, source: { kind, id: nameOr(source) } }
      })
    const { id, userId, roleId } = member
    const named = { id: name(id), userId: name(userId), roleId: nameOr(roleId), grants: theirs }
    read.members.set(name(id), { ...member, ...named })
  }
  read.links.clear()
  const links = await select<{ id: Uuid; user: Uuid | null; generation: number }>(
    `SELECT directory_user_id AS id, user_id AS user, observed_generation AS generation FROM directory_links
     WHERE tenant_id = $1 AND organization_id = $2`,
  )
  for (const { id, user, generation } of links)
    read.links.set(name(id), { userId: nameOr(user), observedGeneration: generation })
  const identities = await select<{ id: Uuid; user: Uuid | null }>(
    'SELECT id, user_id AS user FROM identities WHERE tenant_id = $1 AND $2::uuid IS NOT NULL',
  )
  for (const { id, user } of identities) found(read.identities.get(name(id))).userId = nameOr(user)
  await readEntries()
  read.conflicts.clear()
  const conflicts = await select<{
    id: Uuid
    kind: 'directory_user' | 'entry'
    subject: Uuid
    candidate: Uuid
    state: 'open'
  }>(
    `SELECT id, subject_kind AS kind, subject_id AS subject, candidate_user_id AS candidate, state FROM conflicts
     WHERE tenant_id = $1 AND organization_id = $2`,
  )
  for (const { id, kind, subject, candidate, state } of conflicts) {
    const names = { subject: { kind, id: name(subject) }, candidateUserId: name(candidate) }
    read.conflicts.set(name(id), { id: name(id), ...names, state })
  }
  return read

  /** Entries that stand for consumed invitations are made by reconciling. */
  async function readEntries(): Promise<void> {
    const entries = await select<{
      id: Uuid
      user: Uuid | null
      seen: number
      invitation: Uuid | null
      role: Uuid | null
      unit: Uuid | null
      at: Date
    }>(
      `SELECT id, user_id AS user, observed_generation AS seen, invitation_id AS invitation, role_id AS role,
         unit_id AS unit, created_at AS at FROM entries WHERE tenant_id = $1 AND organization_id = $2`,
    )
    for (const { id, user, seen, invitation, role, unit, at } of entries) {
      const known = read.entries.get(name(id))
      if (known !== undefined) Object.assign(known, { userId: nameOr(user), observedGeneration: seen })
      else
        read.entries.set(id, {
          ...{ id, kind: 'invitation', identityId: null, connectionId: null, ownConnection: false, joinRuleId: null },
          ...{ invitationId: nameOr(invitation), userId: nameOr(user), roleId: nameOr(role), unitId: nameOr(unit) },
          profile: { email: null, displayName: null, givenName: null, familyName: null },
          ...{ claimValues: [], createdAt: at, generation: 1, observedGeneration: 1, withdrawn: false },
        })
    }
    const accepted = await select<{ id: Uuid }>(
      `SELECT id FROM invitations WHERE tenant_id = $1 AND organization_id = $2 AND state = 'accepted'`,
    )
    for (const { id } of accepted) found(read.invitations.get(name(id))).state = 'accepted'
  }
}
