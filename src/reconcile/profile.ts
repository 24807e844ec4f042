// A person's names and address as this plan leaves them. A person who also belongs elsewhere is
// renamed only by the organization that owns the domain of their address. Where addresses go is
// next-address.ts.

import { isProved } from './evidence.ts'
import { inPrecedence, nextAddresses } from './next-address.ts'
import type { Lookup, Person } from './person.ts'
import type { Address, Profile, UserFacts } from './snapshot.ts'

export interface KnownAs {
  readonly profile: Profile
  readonly emailVerified: boolean
}

/** Tells what each of these people is to be known as. */
export function nameEverybody(people: readonly Person[], lookup: Lookup): (person: Person) => KnownAs {
  const addresses = nextAddresses(people, lookup)
  return (person) => knownAs(person, addresses.get(person.key) ?? null, lookup)
}

const names = ['displayName', 'givenName', 'familyName'] as const

/** Whether a user is recorded under exactly this. */
export function isKnownAs(user: UserFacts, { profile, emailVerified }: KnownAs): boolean {
  return (
    emailVerified === user.emailVerified &&
    profile.email?.address === user.profile.email?.address &&
    names.every((name) => profile[name] === user.profile[name])
  )
}

function knownAs(person: Person, email: Address | null, lookup: Lookup): KnownAs {
  const { user } = person
  const said = inPrecedence(person)
  const mayRename = user === null || !user.elsewhere || lookup.ownsDomain(user.profile.email?.domain)
  const name = (which: (typeof names)[number]) => {
    const spoken = said.find(({ profile }) => profile[which] !== null)?.profile[which] ?? null
    const known = user?.profile[which] ?? null
    return mayRename ? (spoken ?? known) : known
  }
  return {
    profile: { email, displayName: name('displayName'), givenName: name('givenName'), familyName: name('familyName') },
    emailVerified: email !== null && isVerified(person, user, email, lookup),
  }
}

/** An address stays verified once it was, as long as it is the same mailbox. */
export function isVerified(person: Person, user: UserFacts | null, email: Address, lookup: Lookup): boolean {
  const was = user?.emailVerified && user.profile.email?.key === email.key
  return was || isProved(person, email, lookup)
}
