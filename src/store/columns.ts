// Columns of a set-wise statement: one array literal per column, for `unnest($n::uuid[], …)`. The
// driver writes the same literals, but only while it sends; made beforehand, they are ready while the
// statement before is still running (apply/steps.ts).

type Cell = string | number | boolean | null

/** Letters, digits and what UUIDs and words are made of need no quotes; anything else gets them, the word NULL too. */
const plain = /^(?!null$)[\w.:-]+$/i

/** A PostgreSQL array literal of one column. */
export function column(cells: readonly Cell[]): string {
  let literal = ''
  for (const cell of cells) literal += `${literal === '' ? '' : ','}${literalOf(cell)}`
  return `{${literal}}`
}

function literalOf(cell: Cell): string {
  if (cell === null) return 'NULL'
  if (typeof cell !== 'string' || plain.test(cell)) return String(cell)
  return `"${cell.replace(/["\\]/g, '\\$&')}"`
}
