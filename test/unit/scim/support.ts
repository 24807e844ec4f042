// What the tests of the SCIM library share.

import { expect } from 'vitest'
import { type ErrorCode, RollcallError } from '../../../src/model/errors.ts'
import { enterpriseUrn } from '../../../src/scim/core-schemas.ts'
import { type Dialect, startReading } from '../../../src/scim/dialects.ts'
import type { Attributes } from '../../../src/scim/json.ts'
import { parsePatch } from '../../../src/scim/patch.ts'
import { applyUserPatch } from '../../../src/scim/patch-user.ts'

/** The code of the RollcallError that `run` throws; undefined when it throws none. Any other error goes on. */
export function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof RollcallError) return error.code
    throw error
  }
}

/** The public text of the RollcallError that `run` throws. */
export function detailOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof RollcallError) return error.detail
    throw error
  }
}

export const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export const bob: Attributes = {
  userName: 'bob',
  active: true,
  title: 'Engineer',
  name: { givenName: 'Bob', familyName: 'Smith' },
  emails: [
    { value: 'bob@work.example', type: 'work', primary: true },
    { value: 'bob@home.example', type: 'home' },
  ],
  [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1', displayName: 'Ann' } },
}

/** Applies operations to a user (Bob, unless another is given), and sees that they left the user given as it was. */
export function patch(operations: readonly unknown[], before = bob, refuse: readonly Dialect[] = []) {
  const reading = startReading({ refuse })
  const copy = JSON.stringify(before)
  const result = applyUserPatch(before, parsePatch({ schemas: [patchUrn], Operations: operations }, reading), reading)
  expect(JSON.stringify(before)).toBe(copy)
  return { ...result, dialects: [...reading.dialects], ignored: [...reading.ignored] }
}

export const add = (path: string, value: unknown) => ({ op: 'add', path, value })
export const replace = (path: string, value: unknown) => ({ op: 'replace', path, value })
export const remove = (path: string) => ({ op: 'remove', path })
/** Bob's attributes after the operations. */
export const patched = (...operations: unknown[]) => patch(operations).attributes
/** The code with which the operations are refused. */
export const refusal = (...operations: unknown[]) => codeOf(() => patch(operations))
