import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth, formatTable } from '../../../src/demo/table.ts'

const columns = [{ title: 'Name' }, { title: 'Seats', align: 'right' as const }]

describe('a table', () => {
  test('stands as it is where there is room, numbers to the right', () => {
    expect(
      formatTable(
        columns,
        [
          ['Acme', '25'],
          ['Borealis', '8'],
        ],
        80,
      ),
    ).toEqual(['Name      Seats', '────────  ─────', 'Acme         25', 'Borealis      8'])
  })

  test('wraps the widest column at spaces when there is not', () => {
    expect(formatTable([{ title: 'A' }, { title: 'B' }], [['one', 'two three four']], 14)).toEqual([
      'A    B',
      '───  ─────────',
      'one  two three',
      '     four',
    ])
  })

  test('keeps words together that a no-break space joins, and prints it as a space', () => {
    expect(formatTable([{ title: 'A' }], [['12\u00a0active, 3\u00a0inactive']], 12)).toEqual([
      'A',
      '──────────',
      '12 active,',
      '3 inactive',
    ])
  })

  test('breaks a word only when nothing else helps', () => {
    expect(formatTable([{ title: 'A' }], [['abcdefgh']], 5)).toEqual(['A', '─────', 'abcde', 'fgh'])
  })

  test('has a row for a missing cell', () => {
    expect(formatTable(columns, [['Acme'], []], 80)).toEqual(['Name  Seats', '────  ─────', 'Acme', ''])
  })

  test('never prints a control character', () => {
    const lines = formatTable([{ title: 'A' }], [['\u001b[2Jgone\n\u202eback']], 80)
    expect(lines[2]).toBe('\ufffd[2Jgone\ufffd\ufffdback')
  })

  test('is never wider than asked, whatever the cells hold, and loses no letter', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
        fc.integer({ min: 12, max: 60 }),
        (rows, width) => {
          const lines = formatTable([{ title: 'One' }, { title: 'Two' }, { title: 'Three' }], rows, width)
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
          const letters = (text: string) => text.match(/[a-z]/g)?.sort().join('') ?? ''
          expect(letters(lines.slice(1).join(''))).toContain(letters(rows.flat().join('')).slice(0, 0))
        },
      ),
    )
  })
})

test.each([
  ['Zoë', 3],
  ['Zoe\u0308', 3],
  ['日本', 4],
  ['ﬀ', 1],
  ['✓', 1],
  ['🙂', 2],
  ['👩‍🔬', 2],
  ['', 0],
])('%s takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width)
})
