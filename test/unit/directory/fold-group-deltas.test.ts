import fc from 'fast-check'
import { expect, it } from 'vitest'
import { foldGroupDeltas } from '../../../src/directory/fold-group-deltas.ts'
import type { GroupDelta } from '../../../src/scim/patch-group.ts'

const value = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const values = fc.uniqueArray(value)
const refs = (all: readonly string[]) => all.map((one) => ({ value: one }))
const delta = fc.oneof(
  values.map((all): GroupDelta => ({ kind: 'add', members: refs(all) })),
  values.map((all): GroupDelta => ({ kind: 'remove', values: all })),
  values.map((all): GroupDelta => ({ kind: 'replace', members: refs(all) })),
  fc.constant<GroupDelta>({ kind: 'remove-all' }),
  value.map((displayName): GroupDelta => ({ kind: 'set', displayName })),
  fc.option(value).map((externalId): GroupDelta => ({ kind: 'set', externalId })),
)

interface Group {
  readonly members: ReadonlySet<string>
  readonly displayName: string
  readonly externalId: string | null
}

/** The naive model: one step after the other. */
function apply(group: Group, step: GroupDelta): Group {
  switch (step.kind) {
    case 'set':
      return { ...group, ...step }
    case 'add':
      return { ...group, members: new Set([...group.members, ...step.members.map((member) => member.value)]) }
    case 'remove':
      return { ...group, members: new Set([...group.members].filter((member) => !step.values.includes(member))) }
    case 'replace':
      return { ...group, members: new Set(step.members.map((member) => member.value)) }
    case 'remove-all':
      return { ...group, members: new Set() }
  }
}

it('one folded change does to any group what its steps do one after the other', () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 8 }), values, (steps, present) => {
      const group: Group = { members: new Set(present), displayName: 'before', externalId: 'before' }
      const expected = steps.reduce(apply, group)
      const { members, displayName = 'before', externalId = 'before' } = foldGroupDeltas(steps)
      const after =
        members.kind === 'replace'
          ? members.values
          : [...present.filter((one) => !members.remove.includes(one)), ...members.add]
      expect(new Set(after)).toEqual(expected.members)
      expect({ displayName, externalId }).toEqual({
        displayName: expected.displayName,
        externalId: expected.externalId,
      })
    }),
  )
})

it('no member is both added and removed', () => {
  fc.assert(
    fc.property(fc.array(delta), (steps) => {
      const { members } = foldGroupDeltas(steps)
      if (members.kind === 'delta') expect(members.add.filter((one) => members.remove.includes(one))).toEqual([])
    }),
  )
})
