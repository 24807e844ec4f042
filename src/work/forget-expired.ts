// Deletes what has served: login attempts, accepted assertions, codes and sessions whose time is over. Nothing
// depends on it being done soon; a row that is over is never found again by those who look for it.

import type { Database } from '../store/database.ts'
import { deleteExpired } from '../store/expired.ts'

/** For all tenants. Answers how many rows are gone. A day's grace keeps them for whoever looks into a complaint. */
export async function forgetExpired(db: Database): Promise<number> {
  const before = new Date(db.clock().getTime() - 24 * 3_600_000)
  return deleteExpired(db, before)
}
