// What an audit entry shows of a change: the attributes that differ, as they were and as they are.

import { type Attributes, isDeepEqual } from '../scim/json.ts'

/** Whole attributes (and whole extensions), not their parts. Both are empty when nothing differs. */
export function changedAttributes(from: Attributes, to: Attributes): { before: Attributes; after: Attributes } {
  return { before: pickDiffering(from, to), after: pickDiffering(to, from) }
}

function pickDiffering(attributes: Attributes, other: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name, value]) => !isDeepEqual(value, Object.hasOwn(other, name) ? other[name] : undefined),
    ),
  )
}
