// How the organizations of the demonstration stand, read through the admin API and written for people: tallies, the
// table, and why one member is what they are.

import { z } from 'zod'
import type { AdminClient } from './admin-client.ts'
import { formatTable } from './table.ts'

const tally = z.object({ name: z.string(), members: z.number() })

const summary = z.object({
  organization: z.object({ name: z.string(), seatLimit: z.number().nullable(), seatsUsed: z.number() }),
  roles: z.array(tally),
  units: z.array(tally.extend({ kind: z.string() })),
  sources: z.array(tally),
})

const detail = z.object({ members: z.record(z.string(), z.number()) })

export interface OrganizationSummary extends z.output<typeof summary> {
  /** Members by status. */
  readonly members: Readonly<Record<string, number>>
}

export async function readSummary(admin: AdminClient, organizationId: string): Promise<OrganizationSummary> {
  const path = `/organizations/${organizationId}`
  const { members } = await admin.get(path, detail)
  return { ...(await admin.get(`${path}/summary`, summary)), members }
}

/** "2 Admin, 12 Developer": what stays together in a table is joined by no-break spaces. */
export function listTallies(tallies: readonly z.output<typeof tally>[]): string {
  return tallies
    .filter(({ members }) => members > 0)
    .map(({ name, members }) => `${members}\u00a0${name.replaceAll(' ', '\u00a0')}`)
    .join(', ')
}

const statuses = ['active', 'waitlisted', 'inactive', 'awaiting_approval', 'invited']

const sources: Readonly<Record<string, string>> = {
  directory: 'directory',
  sso: 'SSO login',
  domain: 'domain sign-up',
  manual: 'by hand',
  invitation: 'invitation',
  personal: 'sign-up',
}

/** One row for each organization. */
export function tabulate(organizations: readonly OrganizationSummary[], width: number): readonly string[] {
  const columns = [
    { title: 'Organization' },
    { title: 'Members' },
    { title: 'Roles' },
    { title: 'Teams' },
    { title: 'Seats', align: 'right' as const },
    { title: 'Came from' },
  ]
  const rows = organizations.map(({ organization, members, roles, units, ...rest }) => [
    organization.name,
    listTallies(statuses.map((name) => ({ name: name.replace('_', ' '), members: members[name] ?? 0 }))),
    listTallies(roles),
    listTallies(units) || '–',
    `${organization.seatsUsed}\u00a0/\u00a0${organization.seatLimit ?? '∞'}`,
    listTallies(rest.sources.map(({ name, members: count }) => ({ name: sources[name] ?? name, members: count }))),
  ])
  return formatTable(columns, rows, width)
}
