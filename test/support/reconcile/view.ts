// What an organization comes down to, without ids of derived rows and without history: people by
// what was said about them, what they are, and what they hold. Two worlds with equal views are the
// same organization.

import type { Uuid } from '../../../src/model/ids.ts'
import type { GrantFacts, MemberFacts } from '../../../src/reconcile/snapshot.ts'
import { found } from './facts.ts'
import type { World } from './world.ts'

export interface MemberView {
  readonly status: string
  readonly reason: string | null
  readonly role: string | null
  readonly seated: boolean
  readonly grants: readonly string[]
}

export interface OrganizationView {
  /** By person. */
  readonly members: Readonly<Record<string, MemberView>>
  readonly users: Readonly<
    Record<string, { readonly names: unknown; readonly email: string | null; readonly verified: boolean }>
  >
  /** Subject and candidate. */
  readonly conflicts: readonly string[]
  readonly acceptedInvitations: readonly string[]
  readonly seatsUsed: number
}

export function viewOf(world: World): OrganizationView {
  const people = namePeople(world)
  const members = [...world.members.values()].map((member): [string, MemberView] => [
    found(people.get(member.userId)),
    memberView(member),
  ])
  const users = [...world.users.values()].map(
    ({ id, profile, emailVerified }): [string, OrganizationView['users'][string]] => {
      const { email, ...names } = profile
      return [found(people.get(id)), { names, email: email?.address ?? null, verified: emailVerified }]
    },
  )
  return {
    members: sorted(members),
    users: sorted(users),
    conflicts: [...world.conflicts.values()]
      .filter((conflict) => conflict.state === 'open')
      .map(({ subject, candidateUserId }) => `${subject.id} → ${people.get(candidateUserId)}`)
      .sort(),
    acceptedInvitations: [...world.invitations.values()]
      .filter((invitation) => invitation.state === 'accepted')
      .map((invitation) => invitation.id)
      .sort(),
    seatsUsed: world.organization.seatsUsed,
  }
}

/** The member that a fact (an account, a login, an entry) led to, as tests ask for it. */
export function memberFor(world: World, factId: Uuid): MemberView | undefined {
  const userId = userFor(world, factId)
  const member = [...world.members.values()].find((one) => one.userId === userId)
  return member === undefined ? undefined : memberView(member)
}

/** The user that an account or an entry was linked to. */
export function userFor(world: World, factId: Uuid): Uuid | undefined {
  return world.links.get(factId)?.userId ?? world.entries.get(factId)?.userId ?? undefined
}

function memberView({ status, statusReason, roleId, seated, grants }: MemberFacts): MemberView {
  return { status, reason: statusReason, role: roleId, seated, grants: grants.map(grantView).sort() }
}

function grantView({ target, source }: GrantFacts): string {
  return `${target.id} from ${source.kind} ${source.id ?? ''}`.trim()
}

/** A person is all the facts that lead to them. Those that nobody spoke of keep the id they were given. */
function namePeople(world: World): Map<Uuid, string> {
  const facts = new Map<Uuid, string[]>([...world.users.keys()].map((id) => [id, []]))
  for (const [id, { userId }] of world.links) if (userId !== null) found(facts.get(userId)).push(id)
  for (const { id, userId } of world.identities.values()) if (userId !== null) found(facts.get(userId)).push(id)
  for (const { id, kind, invitationId, userId } of world.entries.values()) {
    if (userId === null) continue
    found(facts.get(userId)).push(kind === 'invitation' && invitationId !== null ? invitationId : id)
  }
  return new Map([...facts].map(([id, spoken]) => [id, spoken.length === 0 ? id : spoken.sort().join(' + ')]))
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)))
}
