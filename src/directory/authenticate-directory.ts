// Who pushes: a bearer token and the directory of the URL become a DirectoryCall, which every use case
// here takes first. What was found about a token is believed for one second: a push is thousands of
// requests with one token, and a second is how long a revocation or a pause may take in any process.

import { RollcallError } from '../model/errors.ts'
import { isUuid, type Uuid } from '../model/ids.ts'
import { hashToken } from '../store/bearer-token.ts'
import type { Database } from '../store/database.ts'
import { type DirectoryToken, findDirectoryToken } from '../store/directory-tokens.ts'
import type { DirectoryCall } from './directory-call.ts'
import { createContactRecorder } from './record-contact.ts'

export interface DirectoryAuthenticator {
  /**
   * `authorization` is the header as it came, `directoryId` the URL's.
   * @throws RollcallError unauthenticated, the same for every reason; unavailable while the directory is paused
   */
  authenticate(authorization: string | undefined, directoryId: string): Promise<DirectoryCall>
  /** Ends what this process believes about the directory's tokens, for changes that were made here. */
  forget(directoryId: Uuid): void
}

const believedForMs = 1000
const maxBelieved = 1000
const pausedRetryAfterSeconds = 300

interface Believed {
  readonly token: DirectoryToken
  readonly call: DirectoryCall
  readonly untilMs: number
}

/** One for each process. Tokens that do not exist are not remembered: each is one look at an index. */
export function createDirectoryAuthenticator(database: Database): DirectoryAuthenticator {
  const believed = new Map<string, Believed>()
  const recordContact = createContactRecorder()

  async function look(secret: string): Promise<Believed | undefined> {
    const hash = hashToken(secret)
    const key = Buffer.from(hash).toString('base64')
    const nowMs = database.clock().getTime()
    const known = believed.get(key)
    if (known !== undefined && nowMs < known.untilMs) return known
    believed.delete(key)
    const token = await findDirectoryToken(database.pool, hash)
    if (token === undefined) return undefined
    const found = { token, call: callOf(database, token), untilMs: nowMs + believedForMs }
    const [oldest] = believed.keys()
    if (believed.size >= maxBelieved && oldest !== undefined) believed.delete(oldest)
    believed.set(key, found)
    return found
  }

  return {
    async authenticate(authorization, directoryId) {
      const secret = /^Bearer +([\w~+/.=-]{16,512}) *$/i.exec(authorization ?? '')?.[1]
      const found = secret === undefined || !isUuid(directoryId) ? undefined : await look(secret)
      if (found === undefined || !isUsable(found.token, database.clock())) throw unauthenticated()
      await recordContact(found.call, found.token, directoryId.toLowerCase())
      if (found.token.directoryId !== directoryId.toLowerCase()) throw unauthenticated()
      if (found.token.directoryState === 'paused' || !found.token.organizationActive) throw paused()
      return found.call
    },
    forget(directoryId) {
      for (const [key, { token }] of believed) if (token.directoryId === directoryId) believed.delete(key)
    },
  }
}

function callOf(database: Database, token: DirectoryToken): DirectoryCall {
  return {
    database,
    caller: { tenant: token.tenant, actor: { id: `directory:${token.directoryId}`, door: 'scim' } },
    directory: { id: token.directoryId, organizationId: token.organizationId },
  }
}

function isUsable({ revokedAt, expiresAt, directoryState }: DirectoryToken, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || now < expiresAt) && directoryState !== 'decommissioned'
}

function unauthenticated(): RollcallError {
  return new RollcallError('unauthenticated', 'Send a valid token of this directory as Authorization: Bearer …')
}

/** Also for a deactivated organization: the identity provider keeps its changes and sends them again. */
function paused(): RollcallError {
  return new RollcallError('unavailable', {
    detail: 'This directory is paused; what was sent has not been taken and can be sent again later',
    retryAfterSeconds: pausedRetryAfterSeconds,
  })
}
