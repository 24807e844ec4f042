// Why a member is what they are, in sentences: the admin API's explanation, read for somebody who has never seen it.

import { z } from 'zod'
import type { AdminClient } from './admin-client.ts'

const cause = z.object({ actor: z.string(), action: z.string() })

const explanation = z.object({
  member: z.object({
    publicId: z.string(),
    email: z.string().nullable(),
    displayName: z.string().nullable(),
    role: z.string().nullable(),
  }),
  state: z.object({ status: z.string(), because: z.array(cause) }),
  seat: z.object({ seated: z.boolean() }),
  grants: z.array(
    z.object({
      kind: z.enum(['role', 'unit', 'workspace']),
      name: z.string(),
      roleKey: z.string().nullable(),
      reason: z.string(),
      because: z.array(cause),
    }),
  ),
  directoryUsers: z.array(
    z.object({ directory: z.object({ id: z.string(), name: z.string() }), userName: z.string(), active: z.boolean() }),
  ),
})

type Explanation = z.output<typeof explanation>

/** A few lines about the member with this address. */
export async function explainInWords(
  admin: AdminClient,
  organizationId: string,
  email: string,
): Promise<readonly string[]> {
  const path = `/organizations/${organizationId}/members`
  const [found] = await admin.list(`${path}?email=${encodeURIComponent(email)}`, z.object({ id: z.string() }))
  if (found === undefined) throw new Error(`nobody in the organization has the address ${email}`)
  const explained = await admin.get(`${path}/${found.id}/explain`, explanation)
  const { member, state, seat, grants, directoryUsers } = explained
  const who = member.displayName ?? member.email ?? member.publicId
  const effective = grants.find(({ roleKey }) => roleKey !== null && roleKey === member.role)?.name
  const said = directoryUsers.map(({ directory, active }) => `${directory.name} says ${active ? 'active' : 'inactive'}`)
  const because = chain(explained, state.because).join(' ← ')
  return [
    `Why is ${who} ${effective ?? 'a member'}? (${member.publicId}; the strongest role counts)`,
    `  ${state.status}, ${seat.seated ? 'with' : 'without'} a seat: ${[...said, because].join('; ')}`,
    ...grants.map(
      (grant) => `  ${grant.kind} ${grant.name}: ${[grant.reason, ...chain(explained, grant.because)].join(' ← ')}`,
    ),
  ]
}

/** From what the reconciler did back to who caused it. */
function chain(explained: Explanation, causes: readonly z.output<typeof cause>[]): string[] {
  return causes.map(({ action, actor }) => `${action.replace(/[._]/g, ' ')} by ${speaker(explained, actor)}`)
}

function speaker({ directoryUsers }: Explanation, actor: string): string {
  const [kind, id] = actor.split(':', 2)
  if (kind === 'directory')
    return directoryUsers.find(({ directory }) => directory.id === id)?.directory.name ?? 'a directory'
  const names: Readonly<Record<string, string>> = {
    reconciler: 'the reconciler',
    key: 'an admin',
    bootstrap: 'the deployment',
    person: 'the person',
  }
  return names[kind ?? ''] ?? actor
}
