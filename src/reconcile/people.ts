// Gathers subjects into people, once it is known whose each of them is. People come in the order in
// which they were first heard of, and so do their numbers and their places on the waitlist.

import type { UserKey } from './change.ts'
import { reachableAt } from './evidence.ts'
import { groupBy } from './group-by.ts'
import type { CountingWays, Lookup, Person, Ways } from './person.ts'
import type { InvitationFacts } from './snapshot.ts'
import type { Subject } from './subject.ts'
import { countWays } from './ways-in.ts'

/** Everybody whom a subject was found to be, and everybody who is a member already. */
export function gatherPeople(owned: Iterable<readonly [Subject, UserKey]>, lookup: Lookup): Person[] {
  const { snapshot } = lookup
  const subjects = groupBy(owned, ([, key]) => key)
  const users = new Map(snapshot.users.map((user) => [user.id, user]))
  const members = new Map(snapshot.members.map((member) => [member.userId, member]))
  const invite = inviter(lookup)
  const keys = new Set([...subjects.keys(), ...members.keys()])
  const people = [...keys].map((key) => {
    const theirs = (subjects.get(key) ?? []).map(([subject]) => subject)
    const directoryUsers = theirs.flatMap(({ directoryUser }) => directoryUser ?? [])
    const entries = theirs.flatMap((subject) => subject.entries)
    const ways = { directoryUsers, entries }
    return { key, ways, since: firstHeardOf(ways) }
  })
  people.sort((one, other) => one.since - other.since || (one.key < other.key ? -1 : 1))
  return people.map(({ key, ways }) => {
    const counting = countWays(ways, lookup)
    const invitations = invite(ways, counting)
    return { key, user: users.get(key) ?? null, member: members.get(key) ?? null, ...ways, counting, invitations }
  })
}

/** Gives each person the pending invitations that they answer. Each is answered once, by whoever comes first. */
function inviter(lookup: Lookup): (ways: Ways, counting: CountingWays) => InvitationFacts[] {
  const pending = groupBy(lookup.snapshot.invitations, (invitation) => invitation.emailKey)
  if (pending.size === 0) return () => []
  return (ways, { deletedAt }) =>
    [...reachableAt(ways, lookup)].flatMap((key) => {
      const invited = (pending.get(key) ?? []).filter(({ createdAt }) => deletedAt === null || createdAt >= deletedAt)
      if (invited.length > 0) pending.delete(key)
      return invited
    })
}

/** When somebody first spoke of this person, in milliseconds; infinite where nobody does. */
function firstHeardOf({ directoryUsers, entries }: Ways): number {
  let first = Number.POSITIVE_INFINITY
  for (const { createdAt } of directoryUsers) first = Math.min(first, createdAt.getTime())
  for (const { createdAt } of entries) first = Math.min(first, createdAt.getTime())
  return first
}
