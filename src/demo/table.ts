// A table for the terminal that fits the width it is given: cells wrap at spaces, and the widest columns give way
// first. Widths are counted in columns of the terminal, not in characters. No colours, no dependencies.

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const gap = '  '
/** Below this a column is not narrowed while another one still can be. */
const leastWidth = 4

/**
 * The lines of the table, each at most `width` columns wide as long as there is room for one column per cell. A
 * no-break space in a cell keeps words together and is printed as a space; control characters are never printed.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
    columns.map((_, index) => printable(row[index] ?? '')),
  )
  const widths = fitWidths(
    columns.map((_, index) => Math.max(...cells.map((row) => displayWidth(row[index] ?? '')))),
    columns.map((_, index) => Math.max(...cells.map((row) => widestWord(row[index] ?? '')))),
    width - gap.length * (columns.length - 1),
  )
  const wrapped = cells.map((row) => row.map((cell, index) => wrapText(cell, widths[index] ?? 1)))
  const used = columns.map((_, index) => Math.max(...wrapped.flatMap((row) => (row[index] ?? []).map(displayWidth))))
  const [head = [], ...body] = wrapped.map((row) => formatRow(row, columns, used))
  return [...head, used.map((columnWidth) => '─'.repeat(columnWidth)).join(gap), ...body.flat()]
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u
/** Unicode's East Asian Wide and Fullwidth blocks (UAX 11), as coarse as a terminal needs them. */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u

/** How many columns of a terminal the text takes. */
export function displayWidth(text: string): number {
  let columns = 0
  for (const { segment } of segmenter.segment(text)) {
    if (!zeroWidth.test(segment)) columns += wide.test(segment) || segment.includes('\ufe0f') ? 2 : 1
  }
  return columns
}

/** Names come from outside, and a control character moves the cursor or worse. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

function widestWord(text: string): number {
  return Math.max(0, ...text.split(' ').map(displayWidth))
}

/**
 * Takes from the widest column, one at a time, until all fit: first down to the widest word of each, then further,
 * which breaks words.
 */
function fitWidths(natural: readonly number[], words: readonly number[], available: number): number[] {
  const widths = [...natural]
  for (const floors of [words, words.map(() => leastWidth), words.map(() => 1)]) {
    for (let excess = sum(widths) - available; excess > 0; excess -= 1) {
      const widest = Math.max(
        ...widths.map((columnWidth, index) => (columnWidth > (floors[index] ?? 1) ? columnWidth : 0)),
      )
      if (widest === 0) break
      const index = widths.findIndex((columnWidth, at) => columnWidth === widest && columnWidth > (floors[at] ?? 1))
      widths[index] = widest - 1
    }
  }
  return widths
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function formatRow(
  cells: readonly (readonly string[])[],
  columns: readonly Column[],
  widths: readonly number[],
): string[] {
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ align }, index) => pad(cells[index]?.[line] ?? '', widths[index] ?? 1, align ?? 'left'))
      .join(gap)
      .trimEnd(),
  )
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'left' ? text + space : space + text
}

/** Lines of at most `width` columns, broken at spaces; a word longer than that is broken too. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((whole) => breakWord(whole, width))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (displayWidth(longer) <= width) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line].map((done) => done.replaceAll('\u00a0', ' '))
}

function breakWord(word: string, width: number): string[] {
  const parts: string[] = []
  let part = ''
  for (const { segment } of segmenter.segment(word)) {
    if (part !== '' && displayWidth(part + segment) > width) {
      parts.push(part)
      part = ''
    }
    part += segment
  }
  return [...parts, part]
}
