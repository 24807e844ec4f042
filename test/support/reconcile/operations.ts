// Random lives of an organization: operations that any door could have said, with few people and
// few addresses, so that they meet. Numbers choose among what there is; what cannot be done is left
// out. Some addresses are in a domain of the organization, some in another's, some in nobody's.

import fc from 'fast-check'
import {
  addDirectory,
  addGroup,
  changeUser,
  decommission,
  deleteUser,
  joinGroup,
  leaveGroup,
  mapClaim,
  mapGroup,
  pushUser,
  recreateUser,
  unmap,
} from './directory.ts'
import { addUser, decideConflict, decideHeld, role, setDomain, setSeatLimit, team } from './facts.ts'
import { accept, addByHand, addJoinRule, disableJoinRule, invite, logIn, signUp, withdraw } from './ways-in.ts'
import { passTime, roles, type World } from './world.ts'

export interface Operation {
  readonly kind: keyof typeof operations
  /** Which of the things there are, and which of the values. */
  readonly one: number
  readonly two: number
  readonly three: number
}

const domains = ['own.test', 'later.test', 'foreign.test', 'nobody.test']
const names = ['ann', 'bob', 'cy']
const targets = [role(roles.admin), role(roles.editor), team('team-a'), team('team-b')]
const given = [{}, { roleId: roles.admin }, { roleId: roles.editor, unitId: 'team-a' }, { unitId: 'team-b' }]

function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length]
}

function address(one: number, two: number): string {
  return `${pick(names, one)}@${pick(domains, two)}`
}

/** Each gets three numbers. */
const operations = {
  pushUser(world: World, one: number, two: number, three: number) {
    const directory = pick([...world.directories.keys()], three)
    if (directory === undefined) return
    const taken = [...world.directoryUsers.values()].some((user) => user.userName === `u${one}-${two}`)
    if (!taken) pushUser(world, directory, `u${one}-${two}`, { email: address(one, two), active: three % 5 !== 0 })
  },
  pushUserByAddress(world: World, one: number, two: number, three: number) {
    const directory = pick([...world.directories.keys()], three)
    const userName = address(one, two)
    const taken = [...world.directoryUsers.values()].some((user) => user.userName === userName)
    if (directory === undefined || taken) return
    pushUser(world, directory, userName, three % 3 === 0 ? { email: address(three, two) } : {})
  },
  deactivate: onUser((world, id) => changeUser(world, id, { active: false })),
  reactivate: onUser((world, id) => changeUser(world, id, { active: true })),
  delete: onUser((world, id) => {
    if (world.directoryUsers.get(id)?.deletedAt === null) deleteUser(world, id)
  }),
  recreate: onUser((world, id) => {
    if (world.directoryUsers.get(id)?.deletedAt !== null) recreateUser(world, id)
  }),
  rename: onUser((world, id, two, three) => changeUser(world, id, { email: address(two, three) })),
  renameDisplay: onUser((world, id, two) =>
    changeUser(world, id, { displayName: two % 4 === 0 ? null : `Name ${two}` }),
  ),
  loseAddress: onUser((world, id) => changeUser(world, id, { email: null })),
  join: onUser((world, id, two) => {
    const user = world.directoryUsers.get(id)
    const group = pick([...world.groups.values()], two)
    const fits = user?.deletedAt === null && group?.directoryId === user.directoryId
    if (group !== undefined && fits) joinGroup(world, group.id, id)
  }),
  leave: onUser((world, id, two) => {
    const group = pick([...world.groups.keys()], two)
    if (group !== undefined) leaveGroup(world, group, id)
  }),
  addGroup(world: World, one: number) {
    const directory = pick([...world.directories.keys()], one)
    if (directory !== undefined && world.groups.size < 4) addGroup(world, directory, `Group ${world.groups.size}`)
  },
  map(world: World, one: number, two: number) {
    const group = pick([...world.groups.keys()], one)
    if (group !== undefined) mapGroup(world, group, pick(targets, two) ?? role(roles.admin))
  },
  mapOwner(world: World, one: number) {
    const group = pick([...world.groups.keys()], one)
    if (group !== undefined) mapGroup(world, group, role(roles.owner))
  },
  mapClaim(world: World, one: number, two: number) {
    mapClaim(world, one % 2 === 0 ? 'own' : 'wide', `g${two % 2}`, pick(targets, two) ?? role(roles.admin))
  },
  unmap(world: World, one: number) {
    const mapping = pick([...world.mappings.keys()], one)
    if (mapping !== undefined) unmap(world, mapping)
  },
  logIn(world: World, one: number, two: number, three: number) {
    const ownConnection = three % 2 === 0
    logIn(world, address(one, two), {
      ...{ connection: ownConnection ? 'own' : 'wide', ownConnection, subject: `s${one % 4}` },
      ...{ emailVerified: three % 3 === 0, groups: three % 4 === 0 ? ['g0', 'g1'] : [`g${three % 2}`] },
      displayName: `Login ${one % 4}`,
    })
  },
  signUp(world: World, one: number, two: number, three: number) {
    const rule = pick([...world.joinRules.values()], three)
    if (rule === undefined || three % 3 === 0) signUpOnce(world, address(one, two), { personal: roles.editor })
    else signUpOnce(world, `${pick(names, one)}@${rule.domain}`, { rule: rule.id })
  },
  addJoinRule(world: World, one: number, two: number) {
    const domain = pick(domains, one) ?? 'own.test'
    const known = [...world.joinRules.values()].some((rule) => rule.domain === domain)
    if (!known) addJoinRule(world, domain, pick(given, two) ?? {})
  },
  disableJoinRule(world: World, one: number) {
    const rule = pick([...world.joinRules.keys()], one)
    if (rule !== undefined) disableJoinRule(world, rule)
  },
  invite(world: World, one: number, two: number, three: number) {
    const email = address(one, two)
    const pending = [...world.invitations.values()].some((one) => one.emailKey === email && one.state === 'pending')
    if (!pending) invite(world, email, pick(given, three) ?? {})
  },
  accept(world: World, one: number) {
    const pending = [...world.invitations.values()].filter((invitation) => invitation.state === 'pending')
    const invitation = pick(pending, one)
    if (invitation !== undefined) accept(world, invitation.id)
  },
  addByHand(world: World, one: number, two: number, three: number) {
    const userId = pick([...world.users.keys()].sort(), one)
    if (three % 2 === 0 && userId !== undefined) addByHand(world, { userId }, pick(given, two) ?? {})
    else addByHand(world, { email: address(one, three) }, pick(given, two) ?? {})
  },
  withdraw(world: World, one: number) {
    const entry = pick([...world.entries.keys()].sort(), one)
    if (entry !== undefined) withdraw(world, entry)
  },
  verify: (world: World, one: number) => setDomain(world, one % 2 === 0 ? 'later.test' : 'own.test', 'own'),
  lapse: (world: World) => setDomain(world, 'later.test', null),
  addDirectory(world: World) {
    if (world.directories.size < 2) addDirectory(world, `Directory ${world.directories.size}`)
  },
  decommission(world: World, one: number) {
    const directory = pick([...world.directories.keys()], one)
    if (directory !== undefined && one % 3 === 0) decommission(world, directory)
  },
  plant(world: World, one: number, two: number, three: number) {
    addUser(world, address(one, two), { emailVerified: three % 2 === 0, elsewhere: three % 3 !== 0 })
  },
  decide(world: World, one: number, two: number) {
    const open = [...world.conflicts.values()].filter((conflict) => conflict.state === 'open')
    const conflict = pick(open, one)
    if (conflict !== undefined) decideConflict(world, conflict.id, two % 2 === 0 ? 'linked' : 'separate')
  },
  decideHeld: (world: World, one: number) => decideHeld(world, one % 2 === 0 ? 'approved' : 'rejected'),
  limit: (world: World, one: number) => setSeatLimit(world, one % 4 === 0 ? null : one % 7),
  wait: (world: World, one: number) => passTime(world, (one % 90) * 60_000),
}

function onUser(change: (world: World, id: string, two: number, three: number) => void) {
  return (world: World, one: number, two: number, three: number) => {
    const id = pick([...world.directoryUsers.keys()], one)
    if (id !== undefined) change(world, id, two, three)
  }
}

function signUpOnce(world: World, email: string, how: Parameters<typeof signUp>[2]): void {
  const known = [...world.entries.values()].some(
    (entry) => entry.identityId === `code:${email}` && entry.joinRuleId === ('rule' in how ? how.rule : null),
  )
  if (!known) signUp(world, email, how)
}

export function perform(world: World, { kind, one, two, three }: Operation): void {
  operations[kind](world, one, two, three)
}

const limited: readonly Operation['kind'][] = ['limit', 'decideHeld', 'wait']
const alone: readonly Operation['kind'][] = ['mapOwner']

const kinds = (Object.keys(operations) as Operation['kind'][]).filter(
  (kind) => !limited.includes(kind) && !alone.includes(kind),
)

/** What fills an organization comes more often than what empties it. */
const often: readonly Operation['kind'][] = [
  ...(['pushUser', 'pushUser', 'pushUser', 'pushUserByAddress', 'pushUserByAddress', 'logIn', 'logIn'] as const),
  ...(['addGroup', 'map', 'map', 'join', 'join', 'rename'] as const),
]

const number = fc.nat({ max: 59 })

function operationsOf(...which: readonly Operation['kind'][]): fc.Arbitrary<Operation> {
  return fc.record({ kind: fc.constantFrom(...which), one: number, two: number, three: number })
}

/** What decides who belongs and as what, without limits, brake and Owners: there order counts by intention. */
export const saying: fc.Arbitrary<Operation> = operationsOf(...kinds, ...often)

/** Everything that can happen. */
export const happening: fc.Arbitrary<Operation> = operationsOf(...kinds, ...often, ...limited, ...alone)

/** A start that is worth something: domains, a join rule, and a directory with two groups if asked for. */
export function prepare(world: World, governed: boolean): void {
  setDomain(world, 'own.test', 'own')
  setDomain(world, 'foreign.test', 'foreign')
  addJoinRule(world, 'own.test', { roleId: roles.editor })
  if (!governed) return
  const directory = addDirectory(world)
  mapGroup(world, addGroup(world, directory, 'Admins'), role(roles.admin))
  mapGroup(world, addGroup(world, directory, 'Team A'), team('team-a'))
}
