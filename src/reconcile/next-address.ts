// Where a person's address goes, from the most trusted source that knows one: directory, then
// login, then sign-up, invitation and admin. Once it is known, only a directory moves it where one
// speaks of the person, and it is taken over only where nobody else could be meant by it. All that
// is worked out before anybody new is linked: an address that somebody is about to leave is not
// theirs any more.

import { isProved, isVouchedFor, profileOf } from './evidence.ts'
import { groupBy } from './group-by.ts'
import type { Lookup, Person, Ways } from './person.ts'
import type { Address, EntryFacts, Profile, UserFacts } from './snapshot.ts'

/** What is said of a person: by a directory, by somebody who answers for the address, or only claimed. */
export interface Said {
  readonly profile: Profile
  readonly weight: 'directory' | 'vouched' | 'claimed'
}

interface Move {
  readonly from: Address
  readonly to: Address
}

/** The address of each of these people after this plan, by their key. */
export function nextAddresses(people: readonly Person[], lookup: Lookup): ReadonlyMap<string, Address | null> {
  const next = new Map<string, Address | null>()
  const moves = new Map<string, Move>()
  for (const person of people) {
    const { key, user } = person
    const said = inPrecedence(person)
    const known = user?.profile.email ?? null
    if (user === null || known === null) {
      next.set(key, said.find(({ profile }) => profile.email !== null)?.profile.email ?? null)
      continue
    }
    const wanted = wantedAddress(said, user, person, lookup) ?? known
    next.set(key, wanted.key === known.key ? wanted : known)
    if (wanted.key !== known.key) moves.set(key, { from: known, to: wanted })
  }
  keepOffTaken(moves, lookup)
  for (const [key, { to }] of moves) next.set(key, to)
  return next
}

/** What is said of a person, most trusted first. */
export function inPrecedence({ counting: { live, entries } }: Person): Said[] {
  const directory = [...live].sort(
    (one, other) => Number(other.active) - Number(one.active) || (one.id < other.id ? -1 : 1),
  )
  const rest = [...entries].sort((one, other) => trust(other) - trust(one) || (one.id < other.id ? -1 : 1))
  return [
    ...directory.map(({ profile }): Said => ({ profile, weight: 'directory' })),
    ...rest.map((entry): Said => ({ profile: profileOf(entry), weight: isVouchedFor(entry) ? 'vouched' : 'claimed' })),
  ]
}

function trust({ kind, identity }: EntryFacts): number {
  if (kind === 'sso') return 3
  if (identity !== null) return 2
  return kind === 'invitation' ? 1 : 0
}

/** An address that is known is given up only for the directory's, or without one for an address that somebody answers for. */
function wantedAddress(said: readonly Said[], user: UserFacts, ways: Ways, lookup: Lookup): Address | null {
  const heard = said.some(({ weight }) => weight === 'directory') ? 'directory' : 'vouched'
  const wanted = said.find(({ weight, profile }) => weight === heard && profile.email !== null)?.profile.email ?? null
  if (wanted === null || lookup.isForeignDomain(wanted.domain)) return null
  const own = lookup.ownsDomain(wanted.domain) && lookup.ownsDomain(user.profile.email?.domain)
  return !user.elsewhere || own || isProved(ways, wanted, lookup) ? wanted : null
}

/** Takes back every move to an address where somebody stays. Two who swap do not stay; of two who want the same, one gets it. */
function keepOffTaken(moves: Map<string, Move>, lookup: Lookup): void {
  const inOrder = [...moves.keys()].sort()
  const wanting = groupBy(inOrder, (userId) => moves.get(userId)?.to.key)
  const staying = [...wanting].flatMap(([key, userIds]) =>
    lookup.usersAt(key).some((user) => !moves.has(user.id)) ? userIds : userIds.slice(1),
  )
  for (const userId of staying) {
    const home = moves.get(userId)?.from.key
    // Whoever wanted to move in where this one stays has to stay too.
    if (home !== undefined && moves.delete(userId)) staying.push(...(wanting.get(home) ?? []))
  }
}
