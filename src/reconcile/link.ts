// Who may become whom. Each subject of the slice is linked to a user, makes a new one, waits as a
// conflict, or stays without one; the first rule that fits decides. A link once made is kept.
// Nothing is linked by e-mail outside a domain that this organization has verified, and there only
// to a user whom nobody else could have planted.

import { type AddressBook, openAddressBook } from './address-book.ts'
import type { Change, LinkRule, UserKey } from './change.ts'
import { addressKeysOf, isVouchedFor } from './evidence.ts'
import { gatherPeople } from './people.ts'
import type { Lookup, Person } from './person.ts'
import type { Address, ConflictFacts, DirectoryUserFacts } from './snapshot.ts'
import { conflictsBySubject, isSilent, listSubjects, type Subject } from './subject.ts'
import { isGoverned } from './ways-in.ts'

type Verdict =
  | { readonly kind: 'user'; readonly key: UserKey; readonly rule: LinkRule }
  | { readonly kind: 'conflict'; readonly candidate: UserKey; readonly reason: string }
  | { readonly kind: 'nobody' }

export interface Linked {
  readonly people: readonly Person[]
  readonly changes: readonly Change[]
}

/** Decides for every subject of the snapshot and gathers them into people. */
export function linkPeople(lookup: Lookup): Linked {
  const { snapshot } = lookup
  const subjects = listSubjects(snapshot)
  const conflictsOf = conflictsBySubject(snapshot.conflicts)
  const verdicts = new Map<Subject, Verdict>()
  for (const subject of subjects) {
    const verdict = judgeKnown(subject, conflictsOf(subject), lookup)
    if (verdict !== undefined) verdicts.set(subject, verdict)
  }
  const book = openAddressBook(gatherPeople(ownersIn(subjects, verdicts), lookup), lookup)
  const accounts = openAccounts(lookup)
  for (const subject of subjects) {
    const verdict = verdicts.get(subject) ?? judgeNew(subject, conflictsOf(subject), { lookup, book, accounts })
    verdicts.set(subject, verdict)
    if (verdict.kind !== 'user') continue
    if (subject.directoryUser !== null) accounts.add(subject.directoryUser, verdict.key)
    if (verdict.rule === 'created' && subject.address !== null)
      book.add(subject.address, { key: verdict.key, sure: isVouched(subject) })
  }
  return {
    people: gatherPeople(ownersIn(subjects, verdicts), lookup),
    changes: [...verdicts].flatMap(([subject, verdict]) => changesOf(subject, verdict, conflictsOf(subject))),
  }
}

function ownersIn(subjects: readonly Subject[], verdicts: ReadonlyMap<Subject, Verdict>): [Subject, UserKey][] {
  return subjects.flatMap((subject): [Subject, UserKey][] => {
    const verdict = verdicts.get(subject)
    return verdict?.kind === 'user' ? [[subject, verdict.key]] : []
  })
}

/** What needs no looking at addresses: a link that was made, a subject that says nothing, an admin's word. */
function judgeKnown(subject: Subject, conflicts: readonly ConflictFacts[], lookup: Lookup): Verdict | undefined {
  if (subject.userId !== null) return { kind: 'user', key: subject.userId, rule: 'known' }
  if (isSilent(subject, lookup)) return { kind: 'nobody' }
  const decided = conflicts.find((conflict) => conflict.state === 'linked')
  return decided === undefined ? undefined : { kind: 'user', key: decided.candidateUserId, rule: 'decided' }
}

interface Around {
  readonly lookup: Lookup
  readonly book: AddressBook
  readonly accounts: Accounts
}

function judgeNew(subject: Subject, conflicts: readonly ConflictFacts[], around: Around): Verdict {
  const entries = subject.entries.filter((entry) => !entry.withdrawn)
  if (subject.directoryUser === null && entries.every((entry) => isGoverned(entry, around.lookup)))
    return judgeByDirectory(subject, conflicts, around)
  const verdict = judgeByAddress(subject, conflicts, around)
  // Nobody administers a personal organization, so nobody could decide: the person stays separate.
  const alone = verdict.kind === 'conflict' && entries.some((entry) => entry.kind === 'personal')
  return alone ? makeUser(subject) : verdict
}

function judgeByAddress(subject: Subject, conflicts: readonly ConflictFacts[], { lookup, book }: Around): Verdict {
  const { address } = subject
  if (address === null) return makeUser(subject)
  const separate = idsIn(conflicts, 'separate')
  const same = book.find(address).filter((candidate) => !separate.has(candidate.key))
  const asked = idsIn(conflicts, 'open')
  const likely = same.find((candidate) => asked.has(candidate.key)) ?? same[0]
  if (likely === undefined) return makeUser(subject)
  const doubt = (reason: string): Verdict => ({ kind: 'conflict', candidate: likely.key, reason })
  if (!lookup.ownsDomain(address.domain))
    return doubt('a known user has this address, and its domain is not verified here')
  if (same.length > 1 || !likely.sure)
    return doubt('known users have this address and none of them is surely this person')
  if (!isVouched(subject)) return doubt('the identity provider does not vouch for this address')
  return { kind: 'user', key: likely.key, rule: 'verified_domain' }
}

/**
 * Where a directory governs, a login is whom the directory says, or nobody. Of several accounts
 * that speak of its address, the one counts whose user has it.
 */
function judgeByDirectory(subject: Subject, conflicts: readonly ConflictFacts[], around: Around): Verdict {
  const { address, entries } = subject
  if (address === null) return { kind: 'nobody' }
  const meant = around.accounts.find(address)
  const holders = around.book.find(address).flatMap(({ key }) => meant.filter((account) => account.key === key))
  const [account, another] = holders.length > 0 ? holders : meant
  if (account === undefined || another !== undefined || !account.active) return { kind: 'nobody' }
  const { key } = account
  if (idsIn(conflicts, 'separate').has(key)) return { kind: 'nobody' }
  const trusted = around.lookup.ownsDomain(address.domain) && isVouched(subject)
  if (trusted || entries.some((entry) => entry.ownConnection)) return { kind: 'user', key, rule: 'directory' }
  return { kind: 'conflict', candidate: key, reason: 'the identity provider does not vouch for this address' }
}

function makeUser({ ref }: Subject): Verdict {
  return { kind: 'user', key: `new:${ref.kind}:${ref.id}`, rule: 'created' }
}

/** A directory answers for whom it names; of a login one way in is enough. */
function isVouched({ directoryUser, entries }: Subject): boolean {
  return directoryUser !== null || entries.some((entry) => !entry.withdrawn && isVouchedFor(entry))
}

function idsIn(conflicts: readonly ConflictFacts[], state: ConflictFacts['state']): ReadonlySet<UserKey> {
  return new Set(conflicts.filter((one) => one.state === state).map((one) => one.candidateUserId))
}

function changesOf(subject: Subject, verdict: Verdict, conflicts: readonly ConflictFacts[]): Change[] {
  const candidate = verdict.kind === 'conflict' ? verdict.candidate : null
  const open = conflicts.filter((conflict) => conflict.state === 'open')
  const changes: Change[] = open
    .filter((conflict) => conflict.candidateUserId !== candidate)
    .map(({ id }) => ({ kind: 'close-conflict', conflictId: id }))
  if (verdict.kind === 'user' && verdict.rule !== 'known')
    changes.push({ kind: 'link', subject: subject.link, user: verdict.key, rule: verdict.rule })
  if (verdict.kind === 'conflict' && open.every((conflict) => conflict.candidateUserId !== candidate)) {
    const { reason } = verdict
    changes.push({ kind: 'raise-conflict', subject: subject.ref, candidate: verdict.candidate, reason })
  }
  return changes
}

/** Whom the directories know by an address. */
interface Accounts {
  add(user: DirectoryUserFacts, key: UserKey): void
  /** Each user once; active if any of their accounts at this address is. */
  find(address: Address): readonly { readonly key: UserKey; readonly active: boolean }[]
}

function openAccounts(lookup: Lookup): Accounts {
  const byAddress = new Map<string, Map<UserKey, boolean>>()
  return {
    add(user, key) {
      if (user.deletedAt !== null || !lookup.speaks(user.directoryId)) return
      for (const addressKey of addressKeysOf(user)) {
        const known = byAddress.get(addressKey) ?? new Map<UserKey, boolean>()
        byAddress.set(addressKey, known.set(key, user.active || known.get(key) === true))
      }
    },
    find: ({ key }) => [...(byAddress.get(key) ?? [])].map(([user, active]) => ({ key: user, active })),
  }
}
