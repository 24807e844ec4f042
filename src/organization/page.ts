// Keyset paging for every list: the rows after a key, and the key to go on with. A list that grows or shrinks
// meanwhile neither skips nor repeats what was there all the time.

export interface PageRequest<Key> {
  /** At least 1. */
  readonly limit: number
  /** Undefined: from the beginning. */
  readonly after: Key | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** What to send as `after` for the next page; null at the end. */
  readonly next: string | null
}

/** A page out of up to `limit + 1` rows: the one too many only says that there is more. */
export function pageOf<Row extends Item, Item>(
  page: PageRequest<unknown>,
  rows: readonly Row[],
  keyOf: (row: Row) => string | number,
): Page<Item> {
  const items = rows.slice(0, page.limit)
  const last = items.at(-1)
  return { items, next: rows.length > page.limit && last !== undefined ? String(keyOf(last)) : null }
}
