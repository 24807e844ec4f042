// What an organization already knows of a person at its door: whether a directory decides who belongs and
// what it says of this one, whether there is a member yet, and whether a seat is left. A look before anything
// is written; the reconciler decides again, under the organization's lock.

import { parseEmail } from '../model/email.ts'
import type { Uuid } from '../model/ids.ts'
import type { SeatPolicy } from '../model/words.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface Standing {
  readonly active: boolean
  /** Since when a directory decides who belongs; null: none does. */
  readonly governedSince: Date | null
  /** What the governing directories say of this person. */
  readonly directoryUser: 'active' | 'inactive' | 'absent'
  /** There is a member for this person, in whatever state but removed. */
  readonly knownMember: boolean
  readonly seats: { readonly policy: SeatPolicy; readonly limit: number | null; readonly used: number }
}

export interface Person {
  /** The user whom this identity was linked to; null for a newcomer. */
  readonly userId: Uuid | null
  readonly email: string | null
}

/** Undefined when the tenant has no such organization. */
export async function readStanding(
  scope: Scope<OrmTx>,
  organizationId: Uuid,
  person: Person,
): Promise<Standing | undefined> {
  const [row] = await scope.tx.query<OrganizationRow>(readOrganization, [scope.tenant, organizationId])
  if (row === undefined) return undefined
  const email = person.email === null ? null : parseEmail(person.email)
  const values = [scope.tenant, organizationId, person.userId, email?.key ?? null, email?.address ?? null]
  const directoryUsers =
    row.governed_since === null ? [] : await scope.tx.query<DirectoryRow>(readDirectoryUsers, values)
  const linked = directoryUsers.filter((user) => user.user_id !== null && user.user_id === person.userId)
  // PostgreSQL folds more letters than an address does; what is compared is the key.
  const named = directoryUsers.filter(
    (user) => user.live && email !== null && [user.email, user.user_name].some((text) => keyOf(text) === email.key),
  )
  const matches = linked.length > 0 ? linked : named
  const users = [...new Set([person.userId, ...named.map((user) => user.user_id)].filter((id) => id !== null))]
  const [member] = await scope.tx.query<{ known: boolean }>(readMember, [
    scope.tenant,
    organizationId,
    users,
    email?.key ?? null,
  ])
  return {
    active: row.status === 'active',
    governedSince: row.governed_since,
    directoryUser: judge(matches),
    knownMember: member?.known === true,
    seats: { policy: row.seat_policy, limit: row.seat_limit, used: row.seats_used },
  }
}

function judge(matches: readonly DirectoryRow[]): Standing['directoryUser'] {
  if (matches.length === 0) return 'absent'
  return matches.some((user) => user.live && user.active) ? 'active' : 'inactive'
}

function keyOf(text: string | null): string | undefined {
  return text === null ? undefined : parseEmail(text)?.key
}

interface OrganizationRow {
  readonly status: string
  readonly seat_policy: SeatPolicy
  readonly seat_limit: number | null
  readonly seats_used: number
  readonly governed_since: Date | null
}

const readOrganization = {
  name: 'standing_organization',
  text: `SELECT status, seat_policy, seat_limit, seats_used, (
      SELECT min(COALESCE(first_contact_at, created_at)) FROM directories
      WHERE tenant_id = o.tenant_id AND organization_id = o.id AND state IN ('active', 'paused')) AS governed_since
    FROM organizations o WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

interface DirectoryRow {
  readonly user_name: string
  readonly email: string | null
  readonly active: boolean
  readonly live: boolean
  readonly user_id: Uuid | null
}

/** Two index lookups for the address, one by way of the links for a user who is known. */
const readDirectoryUsers = {
  name: 'standing_directory_users',
  text: `WITH governing AS (
      SELECT id FROM directories WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state IN ('active', 'paused')
    ), matching AS (
      SELECT fact.id FROM directory_users fact JOIN governing ON governing.id = fact.directory_id
      WHERE fact.tenant_id = $1::uuid AND fact.deleted_at IS NULL AND lower(fact.email) IN (lower($4::text), lower($5::text))
      UNION
      SELECT fact.id FROM directory_users fact JOIN governing ON governing.id = fact.directory_id
      WHERE fact.tenant_id = $1::uuid AND fact.deleted_at IS NULL AND lower(fact.user_name) IN (lower($4::text), lower($5::text))
      UNION
      SELECT directory_user_id FROM directory_links
      WHERE tenant_id = $1::uuid AND user_id = $3::uuid AND organization_id = $2::uuid
    )
    SELECT fact.user_name, fact.email, fact.active, fact.deleted_at IS NULL AS live, link.user_id
    FROM matching JOIN directory_users fact ON fact.tenant_id = $1::uuid AND fact.id = matching.id
    JOIN governing ON governing.id = fact.directory_id
    LEFT JOIN directory_links link ON link.tenant_id = fact.tenant_id AND link.directory_user_id = fact.id`,
}

const readMember = {
  name: 'standing_member',
  text: `SELECT EXISTS (
      SELECT 1 FROM members m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
      WHERE m.tenant_id = $1::uuid AND m.organization_id = $2::uuid AND m.status <> 'removed'
        AND (m.user_id = ANY ($3::uuid[]) OR u.email_key = $4::text)) AS known`,
}
