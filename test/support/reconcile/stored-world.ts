// The world of world.ts in the database: writes one as it is, facts and derived rows, so that the
// database's loading and applying can be held against the model's. Ids of facts keep their order.
// Reading back what has become of it is read-world.ts.

import { createHash, randomUUID } from 'node:crypto'
import type pg from 'pg'
import { parseEmail } from '../../../src/model/email.ts'
import type { Uuid } from '../../../src/model/ids.ts'
import type { HeldChangeFacts, Target } from '../../../src/reconcile/snapshot.ts'
import { found } from './facts.ts'
import { roles, type World } from './world.ts'

export interface StoredWorld {
  readonly tenant: Uuid
  readonly organization: Uuid
  /** The id of a row for an id of the world, and back; ids that the database made stay as they are. */
  uuid(id: string): Uuid
  name(uuid: Uuid): string
}

const units = ['team-a', 'team-b']
const connections = ['own', 'wide', 'connection']

/**
 * Whether the database can hold this world: the model lets two mappings or entries say the same, and an
 * account have no address whose userName is one.
 */
export function isStorable(world: World): boolean {
  const silent = [...world.directoryUsers.values()].filter(({ profile }) => profile.email === null)
  if (silent.some(({ userName }) => parseEmail(userName) !== null)) return false
  const said = [
    ...[...world.mappings.values()].map(({ source, target }) => JSON.stringify([source, target])),
    ...[...world.entries.values()]
      .filter((entry) => entry.identityId !== null)
      .map((entry) => JSON.stringify([entry.identityId, entry.kind, entry.connectionId, entry.joinRuleId])),
    ...[...world.entries.values()]
      .filter((entry) => entry.kind === 'manual' && !entry.withdrawn && entry.profile.email === null)
      .map((entry) => JSON.stringify([entry.userId, entry.roleId, entry.unitId])),
  ]
  return new Set(said).size === said.length
}

/** Writes the world into a tenant of its own. */
export async function storeWorld(pool: pg.Pool, world: World): Promise<StoredWorld> {
  const stored = nameRows(world)
  for (const [table, rows] of [...setting(world, stored), ...facts(world, stored), ...derived(world, stored)])
    await insert(pool, table, rows)
  return stored
}

function nameRows(world: World): StoredWorld {
  const salt = randomUUID()
  const names = new Map<Uuid, string>()
  const turns = new Map([...world.members.keys()].map((id, index) => [id, index])) // they waitlist in this order
  const uuid = (id: string) => {
    if (names.has(id)) return id // it came from the database
    const hash = createHash('sha256').update(`${salt}/${id}`).digest('hex')
    const place = turns.get(id) ?? /-(\d{6})$/.exec(id)?.[1]
    const start = place === undefined ? hash.slice(0, 12) : Number(place).toString(16).padStart(12, '0')
    const made = `${start.slice(0, 8)}-${start.slice(8)}-7${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
    names.set(made, id)
    return made
  }
  return {
    tenant: randomUUID(),
    organization: uuid(world.organization.id),
    uuid,
    name: (id) => names.get(id) ?? id,
  }
}

type Row = Record<string, unknown>
type Rows = readonly [table: string, rows: readonly Row[]]

function setting(world: World, { tenant, organization, uuid }: StoredWorld): Rows[] {
  const { seatLimit, seatPolicy, seatsUsed, brake } = world.organization
  const place = { tenant_id: tenant, organization_id: organization }
  const roleSet = uuid('role-set')
  const shared = { tenant_id: tenant, role_set_id: roleSet, default_role_id: uuid(roles.member), next_member_number: 1 }
  const brakes = { brake_percent: brake.percent, brake_minimum: brake.minimum }
  return [
    ['tenants', [{ id: tenant, slug: `t${tenant}`.slice(0, 30), name: 'Tenant', next_organization_number: 9 }]],
    ['role_sets', [{ tenant_id: tenant, id: roleSet, key: 'default', name: 'Default' }]],
    [
      'roles',
      world.organization.roles.map(({ id, key, rank, isOwner }) => ({
        ...{ tenant_id: tenant, id: uuid(id), role_set_id: roleSet, key, name: key, rank, is_owner: isOwner },
        ...{ scope_kind: 'organization', permissions: [] },
      })),
    ],
    [
      'organizations',
      [
        {
          ...shared,
          ...brakes,
          id: organization,
          number: 1,
          name: 'This',
          seat_limit: seatLimit,
          seats_used: seatsUsed,
        },
        { ...shared, ...brakes, id: uuid('elsewhere'), number: 2, name: 'Other', seat_limit: null, seats_used: 0 },
      ].map((row) => ({ ...row, kind: 'organization', status: 'active', seat_policy: seatPolicy })),
    ],
    ['units', units.map((id) => ({ ...place, id: uuid(id), kind: 'team', name: id, parent_id: null }))],
    [
      'connections',
      connections.map((id) => ({
        ...{ tenant_id: tenant, organization_id: id === 'wide' ? null : organization, id: uuid(id) },
        ...{ kind: 'oidc', name: id, state: 'active', config: {} },
      })),
    ],
    ['domains', domainRows(world, tenant, organization, uuid)],
  ]
}

function domainRows(world: World, tenant: Uuid, organization: Uuid, uuid: StoredWorld['uuid']): Row[] {
  const ruled = [...world.joinRules.values()].map((rule) => rule.domain)
  const own = [...new Set([...ruled, ...world.domains.keys()])].map((name) => {
    const status = world.domains.get(name) === 'own' ? 'verified' : 'pending'
    return { id: uuid(`domain:${name}`), organization_id: organization, name, status }
  })
  const foreign = [...world.domains].flatMap(([name, owner]) =>
    owner === 'own'
      ? []
      : [{ id: uuid(`foreign:${name}`), organization_id: uuid('elsewhere'), name, status: 'verified' }],
  )
  return [...own, ...foreign].map((row) => ({
    ...{ ...row, tenant_id: tenant, challenge: 'x', expires_at: new Date(0) },
    verified_at: row.status === 'verified' ? new Date(0) : null,
  }))
}

function facts(world: World, { tenant, organization, uuid }: StoredWorld): Rows[] {
  const place = { tenant_id: tenant, organization_id: organization }
  const id = (name: string | null) => (name === null ? null : uuid(name))
  const groups = [...world.groups.values()]
  return [
    [
      'directories',
      [...world.directories.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), name: one.name, provider: 'other', state: one.state },
        first_contact_at: one.firstContactAt,
      })),
    ],
    [
      'directory_users',
      [...world.directoryUsers.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), directory_id: uuid(one.directoryId), user_name: one.userName },
        ...{ active: one.active, display_name: one.profile.displayName, email: one.profile.email?.address ?? null },
        ...{ attributes: {}, generation: one.generation, created_at: one.createdAt, updated_at: one.createdAt },
        deleted_at: one.deletedAt,
      })),
    ],
    [
      'directory_groups',
      groups.map((one) => ({
        ...{ ...place, id: uuid(one.id), directory_id: uuid(one.directoryId), display_name: one.name, attributes: {} },
        ...{ generation: 1, created_at: new Date(0), updated_at: new Date(0) },
        deleted_at: one.deleted ? new Date(0) : null,
      })),
    ],
    [
      'directory_group_members',
      groups.flatMap((group) =>
        [...group.members].map((member) => ({
          ...{ tenant_id: tenant, directory_id: uuid(group.directoryId), group_id: uuid(group.id) },
          ...{ member_value: uuid(member), directory_user_id: uuid(member) },
        })),
      ),
    ],
    [
      'mappings',
      [...world.mappings.values()].map(({ id: mappingId, source, target }) => ({
        ...{ ...place, id: uuid(mappingId), source_kind: source.kind, ...targetColumns(target, uuid) },
        ...(source.kind === 'sso_claim'
          ? { connection_id: uuid(source.connectionId), claim_value: source.value }
          : {
              group_id: uuid(source.groupId),
              directory_id: uuid(found(world.groups.get(source.groupId)).directoryId),
            }),
      })),
    ],
    [
      'join_rules',
      [...world.joinRules.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), domain_id: uuid(`domain:${one.domain}`), enabled: one.enabled },
        ...{ role_id: id(one.roleId), unit_id: id(one.unitId) },
      })),
    ],
    [
      'invitations',
      [...world.invitations.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), email: one.emailKey, email_key: one.emailKey, state: one.state },
        ...{ role_id: id(one.roleId), unit_id: id(one.unitId), invited_by: 'x', created_at: one.createdAt },
        expires_at: new Date('2100-01-01'),
      })),
    ],
    [
      'users',
      [...world.users.values()].map((one) => ({
        ...{ tenant_id: tenant, id: uuid(one.id), email: one.profile.email?.address ?? null },
        ...{ email_key: one.profile.email?.key ?? null, email_verified: one.emailVerified },
        ...{ display_name: one.profile.displayName, created_at: new Date(0), updated_at: new Date(0) },
      })),
    ],
    [
      'identities',
      [...world.identities.values()].map((one) => ({
        ...{ tenant_id: tenant, id: uuid(one.id), kind: one.kind, issuer: 'i', subject: one.id },
        connection_id: one.kind === 'email' ? null : uuid(found(one.id.split(':')[1])),
        ...{ email: one.profile.email?.address ?? null, email_verified: one.emailVerified, user_id: id(one.userId) },
        ...{ display_name: one.profile.displayName, created_at: new Date(0), last_seen_at: new Date(0) },
      })),
    ],
    [
      'entries',
      [...world.entries.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), kind: one.kind, identity_id: id(one.identityId), user_id: id(one.userId) },
        ...{ connection_id: id(one.connectionId), join_rule_id: id(one.joinRuleId) },
        ...{ invitation_id: id(one.invitationId), role_id: id(one.roleId), unit_id: id(one.unitId) },
        ...{ email: one.profile.email?.address ?? null, display_name: one.profile.displayName },
        ...{ claim_values: one.claimValues, generation: one.generation, observed_generation: one.observedGeneration },
        ...{ created_at: one.createdAt, updated_at: one.createdAt, withdrawn_at: one.withdrawn ? new Date(0) : null },
      })),
    ],
    [
      'reconcile_requests',
      [...world.requests.values()].map((one, index) => ({
        ...{ ...place, id: index + 1, subject_kind: one.kind, subject_id: uuid(one.id), urgent: false, attempts: 0 },
        requested_at: new Date(0),
      })),
    ],
  ]
}

function derived(world: World, { tenant, organization, uuid }: StoredWorld): Rows[] {
  const place = { tenant_id: tenant, organization_id: organization }
  const members = [...world.members.values()]
  const member = { ...place, source: 'directory' }
  const plan = uuid('held-plan')
  const held = [...world.heldChanges.values()]
  const elsewhere = [...world.users.values()].filter((user) => user.elsewhere)
  return [
    [
      'members',
      [
        ...members.map((one, index) => ({
          ...{ ...member, id: uuid(one.id), user_id: uuid(one.userId), number: index + 1, status: one.status },
          ...{ status_reason: one.statusReason, role_id: one.roleId === null ? null : uuid(one.roleId) },
          ...{ seated: one.seated, created_at: one.createdAt, changed_at: one.createdAt },
          waitlisted_at: one.waitlistedAt,
        })),
        ...elsewhere.map((one, index) => ({
          ...{ ...member, organization_id: uuid('elsewhere'), id: uuid(`elsewhere:${one.id}`), user_id: uuid(one.id) },
          ...{ number: index + 1, status: 'removed', seated: false, created_at: new Date(0), changed_at: new Date(0) },
        })),
      ],
    ],
    ['next_member_number', [{ organization, number: members.length + 1 }]],
    [
      'grants',
      members.flatMap((one) =>
        one.grants.map(({ id, target, source }) => ({
          ...{ ...place, id: uuid(id), member_id: uuid(one.id), ...targetColumns(target, uuid), reason: 'x' },
          ...{ source_kind: source.kind, source_id: source.id === null ? null : uuid(source.id) },
          created_at: new Date(0),
        })),
      ),
    ],
    [
      'directory_links',
      [...world.links].map(([id, link]) => ({
        ...{ ...place, directory_user_id: uuid(id), user_id: link.userId === null ? null : uuid(link.userId) },
        ...{ rule: 'created', observed_generation: link.observedGeneration, observed_at: new Date(0) },
      })),
    ],
    [
      'conflicts',
      [...world.conflicts.values()].map((one) => ({
        ...{ ...place, id: uuid(one.id), subject_kind: one.subject.kind, subject_id: uuid(one.subject.id) },
        ...{ candidate_user_id: uuid(one.candidateUserId), reason: 'x', state: one.state, created_at: new Date(0) },
      })),
    ],
    [
      'plans',
      held.length === 0
        ? []
        : [{ ...place, id: plan, state: 'expired', hash: 'x', counts: {}, removals: {}, created_at: new Date(0) }],
    ],
    [
      'held_changes',
      held.map((one, index) => ({
        ...{ ...place, id: uuid(one.id), plan_id: plan, directory_id: uuid(one.directoryId), kind: one.kind },
        ...{ member_id: uuid(one.memberId), why: 'x', state: one.state, fingerprint: fingerprint(one, uuid) },
        created_at: new Date(index),
      })),
    ],
  ]
}

/** The ids in a fingerprint are ids of rows. */
function fingerprint(held: Pick<HeldChangeFacts, 'fingerprint'>, uuid: StoredWorld['uuid']): string {
  return held.fingerprint
    .split(' ')
    .map((word) => word.replace(/^[^@]+/, (id) => uuid(id)))
    .sort()
    .join(' ')
}

function targetColumns(target: Target, uuid: StoredWorld['uuid']): Row {
  return { [`${target.kind}_id`]: uuid(target.id) }
}

async function insert(pool: pg.Pool, table: string, rows: readonly Row[]): Promise<void> {
  if (table === 'next_member_number') {
    const [row] = rows
    const values = [row?.['organization'], row?.['number']]
    await pool.query('UPDATE organizations SET next_member_number = $2 WHERE id = $1', values)
    return
  }
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (columns.length === 0) return
  await pool.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
  )
}
