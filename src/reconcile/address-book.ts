// Who has an address: the users that somebody new may turn out to be, and whether this is surely
// them or could have been planted by somebody else.

import type { UserKey } from './change.ts'
import { isAnybodyVouching } from './evidence.ts'
import { nextAddresses } from './next-address.ts'
import type { Lookup, Person } from './person.ts'
import { isVerified } from './profile.ts'
import type { Address, UserFacts } from './snapshot.ts'

export interface Candidate {
  readonly key: UserKey
  /** Nobody else could have made a user of this address. */
  readonly sure: boolean
}

export interface AddressBook {
  find(address: Address): readonly Candidate[]
  add(address: Address, candidate: Candidate): void
}

/** Lists the snapshot's users under the addresses that they are about to have; `known` are the people known so far. */
export function openAddressBook(known: readonly Person[], lookup: Lookup): AddressBook {
  const people = new Map(known.map((person) => [person.key, person]))
  const addresses = nextAddresses(known, lookup)
  const book = new Map<string, Candidate[]>()

  function add({ key }: Address, candidate: Candidate) {
    const found = book.get(key)
    if (found === undefined) book.set(key, [candidate])
    else found.push(candidate)
  }

  for (const user of [...lookup.snapshot.users].sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const email = addresses.has(user.id) ? addresses.get(user.id) : user.profile.email
    if (email) add(email, { key: user.id, sure: isSure(user, email, people.get(user.id), lookup) })
  }
  return { find: ({ key }) => book.get(key) ?? [], add }
}

function isSure(user: UserFacts, email: Address, person: Person | undefined, lookup: Lookup): boolean {
  if (person === undefined) return user.emailVerified
  if (isVerified(person, user, email, lookup)) return true
  return !user.elsewhere && isAnybodyVouching(person, email)
}
