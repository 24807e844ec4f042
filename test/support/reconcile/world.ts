// An organization in memory: what was said about its people (facts) and what has become of it
// (derived), the model that the database has to equal. Doors are facts.ts, reconciling it is
// reconcile.ts. Ids of facts count up, as UUIDv7 do; ids of what reconciling makes are in no
// order, as gen_random_uuid()'s are, so that nothing can come to rest on them.

import type { Uuid } from '../../../src/model/ids.ts'
import type { DirectoryState, SeatPolicy } from '../../../src/model/words.ts'
import type {
  ConflictFacts,
  DirectoryUserFacts,
  EntryFacts,
  HeldChangeFacts,
  InvitationFacts,
  MappingFacts,
  MemberFacts,
  Profile,
  Role,
  UserFacts,
} from '../../../src/reconcile/snapshot.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface Subject {
  readonly kind: 'directory_user' | 'entry' | 'member' | 'organization'
  readonly id: Uuid
}

export interface StoredDirectory {
  readonly id: Uuid
  readonly name: string
  state: DirectoryState
  firstContactAt: Date | null
}

export interface StoredGroup {
  readonly id: Uuid
  readonly directoryId: Uuid
  readonly name: string
  readonly members: Set<Uuid>
  deleted: boolean
}

export interface StoredJoinRule {
  readonly id: Uuid
  readonly domain: string
  readonly roleId: Uuid | null
  readonly unitId: Uuid | null
  enabled: boolean
}

export interface StoredIdentity {
  readonly id: Uuid
  readonly kind: 'oidc' | 'saml' | 'email'
  emailVerified: boolean
  profile: Profile
  /** Derived. */
  userId: Uuid | null
}

export interface StoredEntry
  extends Mutable<Omit<EntryFacts, 'identity' | 'joinRule' | 'claimValues' | 'roleId' | 'unitId'>> {
  readonly identityId: Uuid | null
  readonly joinRuleId: Uuid | null
  claimValues: readonly string[]
  roleId: Uuid | null
  unitId: Uuid | null
}

export interface StoredInvitation extends InvitationFacts {
  state: 'pending' | 'accepted'
}

export interface StoredHeldChange extends Omit<HeldChangeFacts, 'state'> {
  readonly directoryId: Uuid
  state: HeldChangeFacts['state'] | 'superseded'
}

export interface World {
  nowMs: number
  factsMade: number
  derivedMade: number
  /** Of the order in which derived ids and rows come. */
  seed: number
  readonly organization: {
    readonly id: Uuid
    readonly roles: readonly Role[]
    readonly defaultRoleId: Uuid
    seatLimit: number | null
    seatPolicy: SeatPolicy
    seatsUsed: number
    brake: { percent: number; minimum: number }
  }
  readonly directories: Map<Uuid, StoredDirectory>
  readonly groups: Map<Uuid, StoredGroup>
  readonly mappings: Map<Uuid, MappingFacts>
  readonly joinRules: Map<Uuid, StoredJoinRule>
  /** Verified ones: this organization's own, or another's. */
  readonly domains: Map<string, 'own' | 'foreign'>
  readonly directoryUsers: Map<Uuid, Mutable<Omit<DirectoryUserFacts, 'groupIds' | 'link'>>>
  readonly identities: Map<Uuid, StoredIdentity>
  readonly entries: Map<Uuid, StoredEntry>
  readonly invitations: Map<Uuid, StoredInvitation>
  /** Derived, like all that follows. */
  readonly users: Map<Uuid, Mutable<UserFacts>>
  readonly members: Map<Uuid, Mutable<MemberFacts>>
  readonly links: Map<Uuid, { readonly userId: Uuid | null; readonly observedGeneration: number }>
  readonly conflicts: Map<Uuid, Mutable<ConflictFacts>>
  readonly heldChanges: Map<Uuid, StoredHeldChange>
  readonly removals: { readonly directoryId: Uuid; readonly atMs: number }[]
  /** Subjects that wait to be reconciled, in the order in which they were asked for. */
  readonly requests: Map<string, Subject>
}

export const roles = { owner: 'role-owner', admin: 'role-admin', editor: 'role-editor', member: 'role-member' } as const

/** Owner 100, Admin and Editor 50 each, Member 10 and the default; no limit, and the brake as it comes. */
export function createWorld(options: { seatLimit?: number | null; seed?: number; brake?: 'off' } = {}): World {
  return {
    ...{ nowMs: Date.parse('2026-01-01T00:00:00Z'), factsMade: 0, derivedMade: 0, seed: options.seed ?? 1 },
    organization: {
      id: 'organization',
      roles: [
        { id: roles.owner, key: 'owner', rank: 100, isOwner: true },
        { id: roles.admin, key: 'admin', rank: 50, isOwner: false },
        { id: roles.editor, key: 'editor', rank: 50, isOwner: false },
        { id: roles.member, key: 'member', rank: 10, isOwner: false },
      ],
      ...{ defaultRoleId: roles.member, seatLimit: options.seatLimit ?? null, seatPolicy: 'waitlist', seatsUsed: 0 },
      brake: options.brake === 'off' ? { percent: 100, minimum: 1_000_000 } : { percent: 20, minimum: 10 },
    },
    ...{ directories: new Map(), groups: new Map(), mappings: new Map(), joinRules: new Map(), domains: new Map() },
    ...{ directoryUsers: new Map(), identities: new Map(), entries: new Map(), invitations: new Map() },
    ...{ users: new Map(), members: new Map(), links: new Map(), conflicts: new Map() },
    ...{ heldChanges: new Map(), removals: [], requests: new Map() },
  }
}

/** Another world in the same state, whose derived ids and rows come in another order from here on. */
export function copyWorld(world: World, seed = world.seed): World {
  return { ...structuredClone(world), seed }
}

export function now(world: World): Date {
  return new Date(world.nowMs)
}

export function passTime(world: World, ms: number): void {
  world.nowMs += ms
}

/** The id of something said. A second passes, so that nothing is said at the same time. */
export function nextFactId(world: World, kind: string): Uuid {
  world.nowMs += 1_000
  world.factsMade += 1
  return `${kind}-${String(world.factsMade).padStart(6, '0')}`
}

export function nextDerivedId(world: World, kind: string): Uuid {
  world.derivedMade += 1
  return `${kind}-${scramble(world.seed * 1_000_003 + world.derivedMade)
    .toString(16)
    .padStart(8, '0')}-${world.derivedMade}`
}

/** As a database without ORDER BY may answer. */
export function inAnyOrder<T>(world: World, rows: Iterable<T>): T[] {
  return [...rows]
    .map((row, index) => ({ row, place: scramble(world.seed * 7_919 + index) }))
    .sort((one, other) => one.place - other.place)
    .map(({ row }) => row)
}

/** Spreads a number over 32 bits (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
