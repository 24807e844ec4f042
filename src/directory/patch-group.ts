// PATCH of a group as deltas. What the operations mean is scim/patch-group.ts's.

import { isUuid } from '../model/ids.ts'
import type { GroupDelta } from '../scim/patch-group.ts'
import { changeGroup } from './change-group.ts'
import type { DirectoryCall } from './directory-call.ts'
import { foldGroupDeltas } from './fold-group-deltas.ts'
import { noSuchGroup } from './refusals.ts'

/**
 * Applies the deltas in their order, as a whole or not at all. Of many at once on one group each keeps its effect.
 * @throws RollcallError not_found, uniqueness
 */
export async function patchGroup(call: DirectoryCall, id: string, deltas: readonly GroupDelta[]): Promise<void> {
  if (!isUuid(id)) throw noSuchGroup()
  await changeGroup(call, id, foldGroupDeltas(deltas))
}
