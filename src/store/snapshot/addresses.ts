// Addresses of the slice, folded for comparing, and what is known of them: pending invitations and
// verified domains. Which user has an address is users.ts.

import { domainToUnicode } from 'node:url'
import { parseEmail } from '../../model/email.ts'
import type { Uuid } from '../../model/ids.ts'
import type { Address, InvitationFacts, Snapshot } from '../../reconcile/snapshot.ts'
import type { Scope } from '../scope.ts'

/** Entra ID renames a deleted person to 32 hex digits and the old name: nobody receives mail there. */
const entraTombstone = /^[0-9a-f]{32}(?=.*@)/i

/** A person's address as a directory gives it: the e-mail, else a userName that is one. */
export function directoryAddress(email: string | null, userName: string): Address | null {
  return addressOf(email ?? userName)
}

export function addressOf(text: string | null): Address | null {
  return text === null || entraTombstone.test(text) ? null : parseEmail(text)
}

/**
 * How an address may be written in a column that is compared by lower(): as it is, as its key, and with
 * the domain in its own script. lower() folds more than a key does, so that others may be found too; the
 * planner compares keys.
 */
export function spellingsOf(addresses: Iterable<Address>): string[] {
  const spellings = new Set<string>()
  for (const { address, key, domain } of addresses) {
    spellings.add(key).add(address.toLowerCase())
    if (domain.includes('xn--')) spellings.add(`${key.slice(0, -domain.length)}${domainToUnicode(domain)}`)
  }
  return [...spellings]
}

/** The address of a recorded user, whose key was made when it was written. */
export function recordedAddress(address: string | null, key: string | null): Address | null {
  return address === null || key === null ? null : { address, key, domain: key.slice(key.lastIndexOf('@') + 1) }
}

const pendingInvitations = {
  name: 'snapshot_invitations',
  text: `SELECT id, email_key AS "emailKey", created_at AS "createdAt", role_id AS "roleId", unit_id AS "unitId" FROM invitations
    WHERE tenant_id = $1::uuid AND organization_id = $2::uuid AND state = 'pending' AND expires_at > $4::timestamptz
      AND email_key = ANY ($3::text[])`,
}

const verifiedDomains = {
  name: 'snapshot_domains',
  text: `SELECT name, organization_id = $2::uuid AS own FROM domains
    WHERE tenant_id = $1::uuid AND status IN ('verified', 'grace') AND name = ANY ($3::text[])`,
}

/** Invitations that still hold, and verified domains of the tenant, for these addresses. */
export async function loadByAddress(
  scope: Scope,
  organizationId: Uuid,
  addresses: readonly Address[],
): Promise<Pick<Snapshot, 'invitations' | 'domains'>> {
  if (addresses.length === 0) return { invitations: [], domains: [] }
  const keys = [...new Set(addresses.map((address) => address.key))]
  const names = [...new Set(addresses.map((address) => address.domain))]
  const { tenant, now, tx } = scope
  return {
    invitations: await tx.query<InvitationFacts>(pendingInvitations, [tenant, organizationId, keys, now]),
    domains: await tx.query<Snapshot['domains'][number]>(verifiedDomains, [tenant, organizationId, names]),
  }
}
