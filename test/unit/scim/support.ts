// What the tests of the SCIM library share.

import { type ErrorCode, RollcallError } from '../../../src/model/errors.ts'

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
