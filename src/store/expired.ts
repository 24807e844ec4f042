// Rows that are good for a while only, deleted for the whole deployment at once: there is no tenant to ask for.

import type { Database } from './database.ts'

/** Deletes login attempts, accepted assertions, e-mail codes and sessions that expired before then; answers how many. */
export async function deleteExpired(db: Database, before: Date): Promise<number> {
  const where = { expiresAt: { lt: before } }
  const { loginAttempt, consumedAssertion, emailCode, session } = db.prisma
  const deleted = [
    await loginAttempt.deleteMany({ where }),
    await consumedAssertion.deleteMany({ where }),
    await emailCode.deleteMany({ where }),
    await session.deleteMany({ where }),
  ]
  return deleted.reduce((sum, { count }) => sum + count, 0)
}
