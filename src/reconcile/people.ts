// Gathers subjects into people, once it is known whose each of them is.

import type { UserKey } from './change.ts'
import { reachableAt } from './evidence.ts'
import { groupBy } from './group-by.ts'
import type { Lookup, Person, Ways } from './person.ts'
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
  return [...new Set([...subjects.keys(), ...members.keys()])].map((key) => {
    const theirs = (subjects.get(key) ?? []).map(([subject]) => subject)
    const ways = {
      directoryUsers: theirs.flatMap(({ directoryUser }) => directoryUser ?? []),
      entries: theirs.flatMap(({ entries }) => entries),
    }
    const person = { key, user: users.get(key) ?? null, member: members.get(key) ?? null, ...ways }
    return { ...person, invitations: invite(ways) }
  })
}

/** Gives each person the pending invitations that they answer. Each is answered once, by whoever comes first. */
function inviter(lookup: Lookup): (ways: Ways) => InvitationFacts[] {
  const pending = groupBy(lookup.snapshot.invitations, (invitation) => invitation.emailKey)
  if (pending.size === 0) return () => []
  return (ways) => {
    const { deletedAt } = countWays(ways, lookup)
    return [...reachableAt(ways, lookup)].flatMap((key) => {
      const invited = (pending.get(key) ?? []).filter(({ createdAt }) => deletedAt === null || createdAt >= deletedAt)
      if (invited.length > 0) pending.delete(key)
      return invited
    })
  }
}
