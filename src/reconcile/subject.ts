// What has to be linked to a user: a directory's account, a login with all the ways in that it
// opened here, or an entry that an admin or an invitation made without a login.

import type { Uuid } from '../model/ids.ts'
import type { Change } from './change.ts'
import { profileOf } from './evidence.ts'
import { groupBy } from './group-by.ts'
import type { Lookup } from './person.ts'
import type { Address, ConflictFacts, DirectoryUserFacts, EntryFacts, Snapshot } from './snapshot.ts'

export interface Subject {
  /** What an admin decides about where it is not clear whose it is. */
  readonly ref: ConflictFacts['subject']
  /** What a link is written for. */
  readonly link: Extract<Change, { kind: 'link' }>['subject']
  /** Whose it is already. */
  readonly userId: Uuid | null
  readonly address: Address | null
  readonly directoryUser: DirectoryUserFacts | null
  /** All of a login's, withdrawn ones too; one or none otherwise. */
  readonly entries: readonly EntryFacts[]
}

/** The subjects of a snapshot: accounts first, then logins and entries, each in the order in which they were made. */
export function listSubjects(snapshot: Snapshot): Subject[] {
  const accounts = inOrder(snapshot.directoryUsers).map(fromAccount)
  const logins = groupBy(inOrder(snapshot.entries), (entry) => entry.identity?.id ?? entry.id)
  return [...accounts, ...[...logins.values()].flatMap(fromEntries)]
}

function fromAccount(directoryUser: DirectoryUserFacts): Subject {
  const ref = { kind: 'directory_user' as const, id: directoryUser.id }
  const { link, profile } = directoryUser
  return { ref, link: ref, userId: link?.userId ?? null, address: profile.email, directoryUser, entries: [] }
}

function fromEntries(entries: readonly EntryFacts[]): Subject[] {
  const entry = entries.find((one) => !one.withdrawn) ?? entries[0]
  if (entry === undefined) return []
  const ref = { kind: 'entry' as const, id: entry.id }
  const { identity } = entry
  const address = profileOf(entry).email
  if (identity === null) return [{ ref, link: ref, userId: entry.userId, address, directoryUser: null, entries }]
  const link = { kind: 'identity' as const, id: identity.id }
  return [{ ref, link, userId: identity.userId, address, directoryUser: null, entries }]
}

/** Whether it says nothing any more: nobody is linked or made for its sake. */
export function isSilent({ directoryUser, entries }: Subject, lookup: Lookup): boolean {
  if (directoryUser === null) return entries.every((entry) => entry.withdrawn)
  return directoryUser.deletedAt !== null || !lookup.speaks(directoryUser.directoryId)
}

/** What was asked of an admin about each subject, under the ids of its account or entries. */
export function conflictsBySubject(
  conflicts: readonly ConflictFacts[],
): (subject: Subject) => readonly ConflictFacts[] {
  const index = groupBy(conflicts, ({ subject }) => `${subject.kind}:${subject.id}`)
  return ({ ref, entries }) => {
    if (ref.kind === 'directory_user') return index.get(`directory_user:${ref.id}`) ?? []
    return entries.flatMap((entry) => index.get(`entry:${entry.id}`) ?? [])
  }
}

function inOrder<T extends { readonly createdAt: Date; readonly id: Uuid }>(subjects: readonly T[]): T[] {
  return [...subjects].sort(
    (one, other) => one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1),
  )
}
