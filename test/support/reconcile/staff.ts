// A directory with staff, to take people away from.

import { addDirectory, addGroup, changeUser, mapGroup, pushUser } from './directory.ts'
import { role, setDomain } from './facts.ts'
import { reconcile } from './reconcile.ts'
import { createWorld, roles, type World } from './world.ts'

/** A directory of so many, all of them Admins by a group. */
export function staffed(count: number) {
  const world = createWorld()
  setDomain(world, 'acme.test', 'own')
  const directory = addDirectory(world)
  const accounts = Array.from({ length: count }, (_, index) => pushUser(world, directory, `user${index}@acme.test`))
  const group = addGroup(world, directory, 'Admins', accounts)
  const mapping = mapGroup(world, group, role(roles.admin))
  reconcile(world)
  return { world, directory, accounts, group, mapping }
}

export const count = (world: World, status: string) =>
  [...world.members.values()].filter((member) => member.status === status).length

export const heldNow = (world: World) => [...world.heldChanges.values()].filter((change) => change.state === 'held')

export function deactivate(world: World, accounts: readonly string[]): void {
  for (const account of accounts) changeUser(world, account, { active: false })
}
