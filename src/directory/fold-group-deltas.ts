// The ordered steps of a group's PATCH as one change: what the last step says of a member is what holds.
// So a request of a thousand steps is one statement, and no value is both added and removed.

import type { GroupDelta } from '../scim/patch-group.ts'
import type { GroupChange } from '../store/directory-groups.ts'

/** Equal to applying the steps one after the other, whoever is in the group now. */
export function foldGroupDeltas(deltas: readonly GroupDelta[]): GroupChange {
  const added = new Set<string>()
  const removed = new Set<string>()
  let replaces = false
  let names: Pick<GroupChange, 'displayName' | 'externalId'> = {}
  const add = (values: readonly string[]) => {
    for (const value of values) {
      added.add(value)
      removed.delete(value)
    }
  }
  const startOver = () => {
    replaces = true
    added.clear()
    removed.clear()
  }
  for (const delta of deltas) {
    switch (delta.kind) {
      case 'set': {
        const { kind: _, ...set } = delta
        names = { ...names, ...set }
        break
      }
      case 'add':
        add(delta.members.map(({ value }) => value))
        break
      case 'remove':
        for (const value of delta.values) {
          removed.add(value)
          added.delete(value)
        }
        break
      case 'replace':
        startOver()
        add(delta.members.map(({ value }) => value))
        break
      case 'remove-all':
        startOver()
    }
  }
  const members: GroupChange['members'] = replaces
    ? { kind: 'replace', values: [...added] }
    : { kind: 'delta', add: [...added], remove: [...removed] }
  return { ...names, members }
}
