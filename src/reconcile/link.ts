// Who may become whom. Each directory user and entry of the slice is linked to a user, makes a
// new one, waits as a conflict, or stays without one; the first rule that fits decides. A link
// once made is kept. Nothing is linked by e-mail outside a domain that this organization has
// verified, and there only to a user whom nobody else could have planted.

import { parseEmail } from '../model/email.ts'
import type { Uuid } from '../model/ids.ts'
import type { Change, LinkRule, UserKey } from './change.ts'
import type { Lookup, Person } from './person.ts'
import type {
  Address,
  ConflictFacts,
  DirectoryUserFacts,
  EntryFacts,
  MemberFacts,
  Profile,
  UserFacts,
} from './snapshot.ts'

type Verdict =
  | { readonly kind: 'user'; readonly key: UserKey; readonly rule: LinkRule }
  | { readonly kind: 'conflict'; readonly candidate: UserKey; readonly reason: string }
  | { readonly kind: 'nobody' }

interface Candidate {
  readonly key: UserKey
  readonly emailVerified: boolean
  readonly elsewhere: boolean
}

interface Subject {
  readonly kind: 'directory_user' | 'entry'
  readonly id: Uuid
}

export interface Linked {
  readonly people: readonly Person[]
  readonly changes: readonly Change[]
}

/** Decides for every subject of the snapshot and gathers them into people. */
export function linkPeople(lookup: Lookup): Linked {
  const { snapshot } = lookup
  const candidates = indexCandidates(snapshot.users)
  const conflicts = indexConflicts(snapshot.conflicts)
  const raised = new Set<Uuid>()
  const identities = new Map<Uuid, UserKey>()
  const gathered = new Map<UserKey, { directoryUsers: DirectoryUserFacts[]; entries: EntryFacts[] }>()
  const changes: Change[] = []
  const keyOfDirectoryUser = new Map<Uuid, UserKey>()

  function gather(key: UserKey) {
    const found = gathered.get(key) ?? { directoryUsers: [], entries: [] }
    gathered.set(key, found)
    return found
  }

  function byAddress(subject: Subject, address: Address | null, vouched: boolean): Verdict {
    const fresh: Verdict = { kind: 'user', key: `new:${subject.kind}:${subject.id}`, rule: 'created' }
    if (address === null) return fresh
    const known = conflicts.get(subjectKey(subject)) ?? []
    const decided = known.find((conflict) => conflict.state === 'linked')
    if (decided !== undefined) return { kind: 'user', key: decided.candidateUserId, rule: 'decided' }
    const separate = new Set(known.filter((one) => one.state === 'separate').map((one) => one.candidateUserId))
    const same = (candidates.get(address.key) ?? []).filter((candidate) => !separate.has(candidate.key))
    const [first] = same
    if (first === undefined) return fresh
    if (!lookup.ownsDomain(address.domain)) {
      return {
        kind: 'conflict',
        candidate: first.key,
        reason: 'a known user has this address, and its domain is not verified here',
      }
    }
    const safe = same.filter((candidate) => !candidate.elsewhere || candidate.emailVerified)
    const [only, another] = safe
    if (only === undefined || another !== undefined || safe.length !== same.length) {
      return {
        kind: 'conflict',
        candidate: first.key,
        reason: 'known users have this address and none of them is surely this person',
      }
    }
    if (!vouched) {
      return { kind: 'conflict', candidate: only.key, reason: 'the identity provider does not vouch for this address' }
    }
    return { kind: 'user', key: only.key, rule: 'verified_domain' }
  }

  function judgeDirectoryUser(user: DirectoryUserFacts): Verdict {
    if (user.link?.userId != null) return { kind: 'user', key: user.link.userId, rule: 'known' }
    if (user.deletedAt !== null || !lookup.speaks(user.directoryId)) return { kind: 'nobody' }
    return byAddress({ kind: 'directory_user', id: user.id }, user.profile.email, true)
  }

  function judgeEntry(entry: EntryFacts): Verdict {
    const known = entry.identity === null ? entry.userId : (identities.get(entry.identity.id) ?? entry.identity.userId)
    if (known !== null) return { kind: 'user', key: known, rule: 'known' }
    if (entry.withdrawn) return { kind: 'nobody' }
    const subject: Subject = { kind: 'entry', id: entry.id }
    if (entry.identity === null) return byAddress(subject, entry.profile.email, true)
    const address = entry.identity.profile.email
    if (isGoverned(entry, lookup)) return byDirectory(entry, address)
    const verdict = byAddress(subject, address, entry.ownConnection || entry.identity.emailVerified)
    // Nobody administers a personal organization, so nobody could decide: the person stays separate.
    if (verdict.kind === 'conflict' && entry.kind === 'personal')
      return { kind: 'user', key: `new:entry:${entry.id}`, rule: 'created' }
    return verdict
  }

  /** Where a directory governs, a login is whom the directory says, or nobody. */
  function byDirectory(entry: EntryFacts, address: Address | null): Verdict {
    if (address === null || !(entry.ownConnection || lookup.ownsDomain(address.domain))) return { kind: 'nobody' }
    const matches = snapshot.directoryUsers.filter(
      (user) => user.active && user.deletedAt === null && speaksOf(user, address),
    )
    const keys = new Set(matches.flatMap((user) => keyOfDirectoryUser.get(user.id) ?? []))
    const [key] = keys
    return key === undefined || keys.size > 1 ? { kind: 'nobody' } : { kind: 'user', key, rule: 'directory' }
  }

  function settle(
    subject: Subject,
    identityId: Uuid | null,
    verdict: Verdict,
    address: Address | null,
  ): UserKey | undefined {
    if (verdict.kind === 'nobody') return undefined
    if (verdict.kind === 'conflict') {
      const open = (conflicts.get(subjectKey(subject)) ?? []).find(
        (one) => one.state === 'open' && one.candidateUserId === verdict.candidate,
      )
      if (open === undefined)
        changes.push({ kind: 'raise-conflict', subject, candidate: verdict.candidate, reason: verdict.reason })
      else raised.add(open.id)
      return undefined
    }
    if (verdict.rule === 'created' && address !== null) {
      addCandidate(candidates, address.key, { key: verdict.key, emailVerified: false, elsewhere: false })
    }
    if (verdict.rule !== 'known') {
      const linked = identityId === null ? subject : ({ kind: 'identity', id: identityId } as const)
      changes.push({ kind: 'link', subject: linked, user: verdict.key, rule: verdict.rule })
    }
    if (identityId !== null) identities.set(identityId, verdict.key)
    return verdict.key
  }

  for (const user of inOrder(snapshot.directoryUsers)) {
    const key = settle({ kind: 'directory_user', id: user.id }, null, judgeDirectoryUser(user), user.profile.email)
    if (key === undefined) continue
    keyOfDirectoryUser.set(user.id, key)
    gather(key).directoryUsers.push(user)
  }
  for (const entry of inOrder(snapshot.entries)) {
    const address = (entry.identity?.profile ?? entry.profile).email
    const key = settle({ kind: 'entry', id: entry.id }, entry.identity?.id ?? null, judgeEntry(entry), address)
    if (key !== undefined) gather(key).entries.push(entry)
  }
  for (const conflict of snapshot.conflicts) {
    if (conflict.state === 'open' && !raised.has(conflict.id))
      changes.push({ kind: 'close-conflict', conflictId: conflict.id })
  }
  return { people: assemble(lookup, gathered), changes }
}

/** An entry that came after a directory took over holds nobody by itself. */
export function isGoverned(entry: EntryFacts, lookup: Lookup): boolean {
  const decides = entry.kind === 'sso' || entry.kind === 'domain'
  return decides && lookup.governedSince !== null && entry.createdAt >= lookup.governedSince
}

function speaksOf(user: DirectoryUserFacts, address: Address): boolean {
  return user.profile.email?.key === address.key || parseEmail(user.userName)?.key === address.key
}

function assemble(
  lookup: Lookup,
  gathered: ReadonlyMap<UserKey, { directoryUsers: DirectoryUserFacts[]; entries: EntryFacts[] }>,
): Person[] {
  const { snapshot } = lookup
  const users = new Map(snapshot.users.map((user) => [user.id, user]))
  const members = new Map(snapshot.members.map((member) => [member.userId, member]))
  const keys = new Set<UserKey>([...gathered.keys(), ...members.keys()])
  return [...keys].map((key) => {
    const { directoryUsers, entries } = gathered.get(key) ?? { directoryUsers: [], entries: [] }
    const person = { key, user: users.get(key) ?? null, member: members.get(key) ?? null, directoryUsers, entries }
    return { ...person, invitations: invitationsFor(person, lookup) }
  })
}

/** Pending invitations to an address that this person has proved, by a code or through a verified domain. */
function invitationsFor(
  person: {
    user: UserFacts | null
    member: MemberFacts | null
    directoryUsers: readonly DirectoryUserFacts[]
    entries: readonly EntryFacts[]
  },
  lookup: Lookup,
): Person['invitations'] {
  if (lookup.snapshot.invitations.length === 0) return []
  const proved = new Set<string>()
  for (const entry of person.entries) {
    const email = entry.identity?.profile.email
    if (email && (entry.identity?.kind === 'email' || lookup.ownsDomain(email.domain))) proved.add(email.key)
  }
  for (const user of person.directoryUsers) {
    const email = user.profile.email
    if (user.active && email !== null && lookup.ownsDomain(email.domain)) proved.add(email.key)
  }
  return lookup.snapshot.invitations.filter((invitation) => proved.has(invitation.emailKey))
}

function inOrder<T extends { readonly createdAt: Date; readonly id: Uuid }>(subjects: readonly T[]): T[] {
  return [...subjects].sort(
    (one, other) => one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1),
  )
}

function indexCandidates(users: readonly UserFacts[]): Map<string, Candidate[]> {
  const index = new Map<string, Candidate[]>()
  for (const user of users) {
    if (user.profile.email === null) continue
    addCandidate(index, user.profile.email.key, {
      key: user.id,
      emailVerified: user.emailVerified,
      elsewhere: user.elsewhere,
    })
  }
  return index
}

function addCandidate(index: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, [candidate])
  else found.push(candidate)
}

function indexConflicts(conflicts: readonly ConflictFacts[]): Map<string, ConflictFacts[]> {
  const index = new Map<string, ConflictFacts[]>()
  for (const conflict of conflicts) {
    const key = subjectKey(conflict.subject)
    index.set(key, [...(index.get(key) ?? []), conflict])
  }
  return index
}

function subjectKey(subject: Subject): string {
  return `${subject.kind}:${subject.id}`
}
