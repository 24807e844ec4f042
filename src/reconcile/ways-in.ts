// Which of the ways that lead a person here count. A directory's live word comes first, then its
// tombstone, then the rest; where a directory governs, who came later by a login or a sign-up
// counts only with the directory's word behind it.

import type { CountingWays, Lookup, Ways } from './person.ts'
import type { DirectoryUserFacts, EntryFacts } from './snapshot.ts'

/**
 * A deletion in the directory ends every way in that is older; a later invitation or an admin's
 * word brings the person back.
 */
export function countWays(ways: Ways, lookup: Lookup): CountingWays {
  const spoken = ways.directoryUsers.filter((user) => lookup.speaks(user.directoryId))
  const live = spoken.filter((user) => user.deletedAt === null)
  const deletedAt = live.length > 0 ? null : latest(spoken)
  const entries = ways.entries.filter((entry) => {
    if (entry.withdrawn || (deletedAt !== null && entry.createdAt < deletedAt)) return false
    return live.length > 0 || !isGoverned(entry, lookup)
  })
  return { spoken, live, deletedAt, entries }
}

/** An entry that came after a directory took over holds nobody by itself. */
export function isGoverned(entry: EntryFacts, lookup: Lookup): boolean {
  const decides = entry.kind === 'sso' || entry.kind === 'domain'
  return decides && lookup.governedSince !== null && entry.createdAt >= lookup.governedSince
}

function latest(tombstones: readonly DirectoryUserFacts[]): Date | null {
  return tombstones.reduce<Date | null>(
    (last, { deletedAt }) => (deletedAt !== null && (last === null || deletedAt > last) ? deletedAt : last),
    null,
  )
}
