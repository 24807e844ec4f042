// What somebody's word about an address is worth. To speak of an address is nothing yet; to vouch
// for it is enough within a domain of this organization; to prove it settles it for the tenant.

import { parseEmail } from '../model/email.ts'
import type { Lookup, Ways } from './person.ts'
import type { Address, DirectoryUserFacts, EntryFacts, Profile } from './snapshot.ts'

/** The addresses of a directory's account: its e-mail, and its userName where that is one. */
export function addressKeysOf(user: DirectoryUserFacts): readonly string[] {
  const keys = new Set([user.profile.email?.key, parseEmail(user.userName)?.key])
  return [...keys].filter((key) => key !== undefined)
}

/** Who an entry is about: what its login says, or else whom an admin meant. */
export function profileOf(entry: EntryFacts): Profile {
  return (entry.identity ?? entry).profile
}

/** Whether somebody answers for the entry's address: an admin, this organization's own identity provider, a code, or a provider that says it has checked. */
export function isVouchedFor({ identity, ownConnection }: EntryFacts): boolean {
  return identity === null || ownConnection || identity.kind === 'email' || identity.emailVerified
}

/** Whether anything said here stands up for this address being the person's. */
export function isAnybodyVouching({ directoryUsers, entries }: Ways, address: Address): boolean {
  if (directoryUsers.some((user) => addressKeysOf(user).includes(address.key))) return true
  return entries.some((entry) => profileOf(entry).email?.key === address.key && isVouchedFor(entry))
}

/** By a code that came to the address, or by this organization's own directory or connection within its own domain. */
export function isProved({ directoryUsers, entries }: Ways, address: Address, lookup: Lookup): boolean {
  const own = lookup.ownsDomain(address.domain)
  if (own && directoryUsers.some((user) => isKnownBy(user, address, lookup))) return true
  return entries.some(
    ({ identity, ownConnection }) =>
      identity?.profile.email?.key === address.key && (identity.kind === 'email' || (own && ownConnection)),
  )
}

function isKnownBy(user: DirectoryUserFacts, address: Address, lookup: Lookup): boolean {
  return user.deletedAt === null && lookup.speaks(user.directoryId) && addressKeysOf(user).includes(address.key)
}

/** Addresses at which an invitation finds this person: proved by a code, or vouched for within this organization's own domain. */
export function reachableAt({ directoryUsers, entries }: Ways, lookup: Lookup): ReadonlySet<string> {
  const reached = new Set<string>()
  for (const entry of entries) {
    const email = entry.identity?.profile.email
    const own = lookup.ownsDomain(email?.domain) && isVouchedFor(entry)
    if (email && (own || entry.identity?.kind === 'email')) reached.add(email.key)
  }
  for (const { active, directoryId, profile } of directoryUsers) {
    const { email } = profile
    if (active && email !== null && lookup.speaks(directoryId) && lookup.ownsDomain(email.domain))
      reached.add(email.key)
  }
  return reached
}
