// A person's name and address, from the most trusted source that knows them: directory, then
// login, then invitation and admin. A person who also belongs elsewhere is renamed only by the
// organization that owns the domain of their address, and an address is taken over only where
// nobody else could be meant by it.

import type { Lookup, Person } from './person.ts'
import type { Address, Profile, UserFacts } from './snapshot.ts'

export interface KnownAs {
  readonly profile: Profile
  readonly emailVerified: boolean
}

const nobodyYet: KnownAs = {
  profile: { email: null, displayName: null, givenName: null, familyName: null },
  emailVerified: false,
}

/** What a user that this plan creates is known as. */
export function newProfile(person: Person, lookup: Lookup): KnownAs {
  return knownAs(person, { ...nobodyYet, id: '', elsewhere: false }, lookup)
}

/** What the user should be known as; null when nothing changes. */
export function changedProfile(person: Person, user: UserFacts, lookup: Lookup): KnownAs | null {
  const next = knownAs(person, user, lookup)
  const same =
    next.emailVerified === user.emailVerified &&
    next.profile.email?.address === user.profile.email?.address &&
    names.every((name) => next.profile[name] === user.profile[name])
  return same ? null : next
}

const names = ['displayName', 'givenName', 'familyName'] as const

function knownAs(person: Person, user: UserFacts, lookup: Lookup): KnownAs {
  const said = inPrecedence(person, lookup)
  const known = user.profile
  const mayRename = !user.elsewhere || lookup.ownsDomain(known.email?.domain)
  const name = (which: (typeof names)[number]) => (mayRename ? (first(said, which) ?? known[which]) : known[which])
  const email = chooseEmail(said, user, person, lookup)
  return {
    profile: { email, displayName: name('displayName'), givenName: name('givenName'), familyName: name('familyName') },
    emailVerified: isProved(email, person, lookup) || (email?.key === known.email?.key && user.emailVerified),
  }
}

function chooseEmail(said: readonly Profile[], user: UserFacts, person: Person, lookup: Lookup): Address | null {
  const known = user.profile.email
  const wanted = said.find((profile) => profile.email !== null)?.email ?? null
  if (wanted === null || known === null || wanted.address === known.address) return wanted ?? known
  const taken = lookup.snapshot.users.some((other) => other.id !== user.id && other.profile.email?.key === wanted.key)
  if (taken || lookup.isForeignDomain(wanted.domain)) return known
  const allowed = !user.elsewhere || (lookup.ownsDomain(wanted.domain) && lookup.ownsDomain(known.domain))
  return allowed || isProved(wanted, person, lookup) ? wanted : known
}

/** By the organization's own domain, or by a code that came to the address. */
function isProved(email: Address | null, person: Person, lookup: Lookup): boolean {
  if (email === null) return false
  if (lookup.ownsDomain(email.domain) && person.directoryUsers.some((user) => user.deletedAt === null)) return true
  return person.entries.some(
    (entry) =>
      entry.identity?.profile.email?.key === email.key &&
      (entry.identity.kind === 'email' || (lookup.ownsDomain(email.domain) && entry.ownConnection)),
  )
}

function inPrecedence(person: Person, lookup: Lookup): Profile[] {
  const directory = person.directoryUsers
    .filter((user) => user.deletedAt === null && lookup.speaks(user.directoryId))
    .sort((one, other) => Number(other.active) - Number(one.active) || (one.id < other.id ? -1 : 1))
  const entries = person.entries
    .filter((entry) => !entry.withdrawn)
    .sort((one, other) => trust(other) - trust(one) || (one.id < other.id ? -1 : 1))
  return [...directory.map((user) => user.profile), ...entries.map((entry) => entry.identity?.profile ?? entry.profile)]
}

function trust(entry: Person['entries'][number]): number {
  if (entry.kind === 'sso') return 3
  return entry.identity === null ? 1 : 2
}

function first(said: readonly Profile[], field: (typeof names)[number]): string | null {
  return said.find((profile) => profile[field] !== null)?.[field] ?? null
}
