// Ways into the world of world.ts other than a directory: logins, sign-ups, invitations, and people
// named by an admin.

import type { Uuid } from '../../../src/model/ids.ts'
import { address, ask, askForAddresses, found, profile } from './facts.ts'
import { nextFactId, now, type StoredEntry, type World } from './world.ts'

export interface Login {
  readonly connection?: string
  readonly subject?: string
  readonly email?: string | null
  readonly emailVerified?: boolean
  readonly displayName?: string
  /** Tenant-wide otherwise. */
  readonly ownConnection?: boolean
  readonly groups?: readonly string[]
}

/** An SSO login: the identity as it is now known, and its entry, made or said again. */
export function logIn(world: World, email: string | null, login: Login = {}): Uuid {
  const connectionId = login.connection ?? 'connection'
  const identityId = `login:${connectionId}:${login.subject ?? email}`
  const known = world.identities.get(identityId)
  const claimed = { emailVerified: login.emailVerified ?? false, profile: profile(email, login.displayName ?? null) }
  if (known !== undefined) Object.assign(known, claimed)
  else world.identities.set(identityId, { id: identityId, kind: 'oidc', userId: null, ...claimed })
  for (const other of world.entries.values()) if (other.identityId === identityId) ask(world, 'entry', other.id)
  const entry = [...world.entries.values()].find((one) => one.kind === 'sso' && one.identityId === identityId)
  if (entry === undefined)
    return enter(world, {
      ...{ kind: 'sso', identityId, connectionId, ownConnection: login.ownConnection ?? true },
      claimValues: login.groups ?? [],
    })
  world.nowMs += 1_000
  entry.generation += 1
  entry.claimValues = login.groups ?? entry.claimValues
  ask(world, 'entry', entry.id)
  return entry.id
}

/** A sign-up with an e-mailed code: by a join rule, or into a personal or default organization. */
export function signUp(world: World, email: string, how: { rule: Uuid } | { personal: Uuid }): Uuid {
  const identityId = proveAddress(world, email)
  return enter(
    world,
    'rule' in how
      ? { kind: 'domain', identityId, joinRuleId: how.rule }
      : { kind: 'personal', identityId, roleId: how.personal },
  )
}

/** The identity of whoever reads the mail of an address. */
function proveAddress(world: World, email: string): Uuid {
  const id = `code:${address(email).key}`
  if (!world.identities.has(id)) {
    const proved = { kind: 'email', emailVerified: true, userId: null } as const
    world.identities.set(id, { id, ...proved, profile: profile(email) })
  }
  return id
}

export function addJoinRule(world: World, domain: string, gives: { roleId?: Uuid; unitId?: Uuid }): Uuid {
  const id = nextFactId(world, 'rule')
  world.joinRules.set(id, { id, domain, roleId: gives.roleId ?? null, unitId: gives.unitId ?? null, enabled: true })
  return id
}

export function disableJoinRule(world: World, ruleId: Uuid): void {
  found(world.joinRules.get(ruleId)).enabled = false
  for (const entry of world.entries.values()) if (entry.joinRuleId === ruleId) ask(world, 'entry', entry.id)
}

/** Somebody named by an admin: a user, or whoever has an address. */
export function addByHand(
  world: World,
  whom: { readonly userId: Uuid } | { readonly email: string; readonly displayName?: string },
  gives: { roleId?: Uuid; unitId?: Uuid } = {},
): Uuid {
  const named = 'userId' in whom ? { userId: whom.userId } : { profile: profile(whom.email, whom.displayName ?? null) }
  return enter(world, { kind: 'manual', ...named, roleId: gives.roleId ?? null, unitId: gives.unitId ?? null })
}

function enter(world: World, entry: Partial<StoredEntry> & Pick<StoredEntry, 'kind'>): Uuid {
  const id = nextFactId(world, 'entry')
  world.entries.set(id, {
    ...{ id, identityId: null, connectionId: null, ownConnection: false, joinRuleId: null, invitationId: null },
    ...{ userId: null, profile: profile(null), roleId: null, unitId: null, claimValues: [] },
    ...{ createdAt: now(world), generation: 1, observedGeneration: 0, withdrawn: false },
    ...entry,
  })
  ask(world, 'entry', id)
  return id
}

export function withdraw(world: World, entryId: Uuid): void {
  const entry = found(world.entries.get(entryId))
  world.nowMs += 1_000
  entry.generation += 1
  entry.withdrawn = true
  ask(world, 'entry', entryId)
}

/** Pending, and whoever may answer it is looked at again. */
export function invite(world: World, email: string, gives: { roleId?: Uuid; unitId?: Uuid } = {}): Uuid {
  const id = nextFactId(world, 'invitation')
  const { key } = address(email)
  world.invitations.set(id, {
    ...{ id, emailKey: key, createdAt: now(world), state: 'pending' },
    ...{ roleId: gives.roleId ?? null, unitId: gives.unitId ?? null },
  })
  askForAddresses(world, (one) => one.key === key)
  return id
}

/** Somebody with a code sent to the address accepts; the entry stands for the invitation from now on. */
export function accept(world: World, invitationId: Uuid): Uuid {
  const invitation = found(world.invitations.get(invitationId))
  invitation.state = 'accepted'
  const identityId = proveAddress(world, invitation.emailKey)
  const { roleId, unitId } = invitation
  return enter(world, { kind: 'invitation', identityId, invitationId, roleId, unitId })
}
