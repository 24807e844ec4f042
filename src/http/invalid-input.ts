// Input that does not have the shape a door asks for: turns zod's issues into one error that names every wrong
// member, so that a client can fix them at once. Rendering it is problem.ts.

import type { z } from 'zod'
import { RollcallError } from '../model/errors.ts'

export interface InvalidMember {
  /** JSON pointer (RFC 6901) into the body, or `?name` for a query parameter. */
  readonly pointer: string
  readonly detail: string
}

export class InvalidInput extends RollcallError {
  readonly members: readonly InvalidMember[]

  constructor(members: readonly InvalidMember[]) {
    const [first] = members
    super('invalid_value', first === undefined ? 'The input is not valid.' : sentence(first, members.length - 1))
    this.members = members
  }
}

/** The parsed value; throws InvalidInput. Values never come back in the error, only names and what was expected. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, where: 'body' | 'query'): z.output<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new InvalidInput(parsed.error.issues.flatMap((issue) => describe(issue, where)))
}

type Issue = z.core.$ZodIssue

function describe(issue: Issue, where: 'body' | 'query'): InvalidMember[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key], where),
      detail: `The member ${JSON.stringify(printable(key))} is not known here.`,
    }))
  }
  if (issue.code === 'invalid_union') return describeUnion(issue, where)
  return [{ pointer: pointerTo(issue.path, where), detail: issue.message }]
}

/** Of several forms, the one that came nearest is worth explaining: the one with the fewest complaints. */
function describeUnion(issue: Issue & { code: 'invalid_union' }, where: 'body' | 'query'): InvalidMember[] {
  const forms = issue.errors
    .map((issues) => issues.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }, where)))
    .sort((one, other) => one.length - other.length)
  return forms[0] ?? [{ pointer: pointerTo(issue.path, where), detail: issue.message }]
}

function pointerTo(path: readonly PropertyKey[], where: 'body' | 'query'): string {
  const names = path.map((part) => printable(String(part)))
  if (where === 'query') return `?${names.join('.')}`
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A name that the caller made up: cut, and without what a terminal or a log would act upon. */
function printable(name: string): string {
  return name.slice(0, 100).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD')
}

function sentence(first: InvalidMember, others: number): string {
  const where = first.pointer === '' ? 'The body' : first.pointer
  return `${where}: ${first.detail}${others > 0 ? ` (and ${others} more)` : ''}`
}
