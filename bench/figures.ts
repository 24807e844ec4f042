// What was measured, and how it is shown: lines while the bench runs, Markdown tables at its end.

import type { Repetition } from './load.ts'
import { median, percentile } from './measure.ts'

/** One side of a comparison: the floor, or the service. */
export interface Side {
  /** Operations a second: the median of the repetitions. */
  readonly rate: number
  /** Over all repetitions. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU milliseconds for each operation; null where they cannot be read. */
  readonly serverMs: number | null
  readonly postgresMs: number | null
}

export function sideOf(repetitions: readonly Repetition[]): Side {
  const latencies = repetitions.flatMap((one) => one.latenciesMs).sort((one, other) => one - other)
  const operations = repetitions.reduce((sum, one) => sum + one.operations, 0)
  const total = (part: 'server' | 'postgres') =>
    repetitions.some((one) => one.cpu === null)
      ? null
      : (repetitions.reduce((sum, one) => sum + (one.cpu?.[part] ?? 0), 0) * 1000) / operations
  return {
    rate: median(repetitions.map(rateOf)),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    serverMs: total('server'),
    postgresMs: total('postgres'),
  }
}

export function rateOf({ operations, seconds }: Repetition): number {
  return operations / seconds
}

/** Cores that the rest of the machine used meanwhile: the median of the repetitions, and the most. */
export function disturbance(repetitions: readonly Repetition[]): string {
  const cores = repetitions.flatMap(({ cpu }) => (cpu === null ? [] : [cpu.other / cpu.seconds]))
  return cores.length === 0 ? '–' : `${median(cores).toFixed(2)} (${Math.max(...cores).toFixed(2)})`
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function ms(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–'
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(value)
}

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: (readonly string[])[]
}

/** The first column is words and stands left, the others are numbers and stand right. */
export function toMarkdown({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = line(head.map((_, index) => (index === 0 ? '---' : '---:')))
  return [`### ${title}`, '', line(head), rule, ...rows.map(line), ''].join('\n')
}
