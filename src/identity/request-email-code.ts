// The first half of a sign-up: sends a code to an address. Whether anybody has the address, or whether it would
// be let in, makes no difference to what happens here, so nobody can find out. Mail and code are one transaction.

import { parseEmail } from '../model/email.ts'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { countRecentCodes, insertEmailCode } from '../store/email-codes.ts'
import { insertMail } from '../store/mails.ts'
import { tenantOfSlug } from '../store/tenant-of.ts'
import { afterMs, hashKnownSecret, type IdentityContext, inTransaction, usableSecret } from './context.ts'
import { codeLifetimeMs, hashCode, makeCode } from './email-code.ts'

export interface CodeRequest {
  readonly tenantSlug: string
  readonly email: string
  /** How the person wants to be called; what a personal organization is named after. */
  readonly displayName: string | undefined
  /** The browser's cookie, where it has a usable one. */
  readonly browser: string | undefined
}

export interface SentCode {
  readonly codeId: Uuid
  readonly browser: string
}

/** For one address, in the hour before. */
const maxCodesAnHour = 5

/** Throws `not_found` for an unknown tenant, `invalid_value` for what is no address, `rate_limited` after five codes in an hour. */
export async function requestEmailCode(context: IdentityContext, request: CodeRequest): Promise<SentCode> {
  const tenant = await openSignUp(context, request.tenantSlug)
  const email = parseEmail(request.email.trim())
  if (email === null) throw new RollcallError('invalid_value', 'Enter an e-mail address.')
  const displayName = readDisplayName(request.displayName)
  const browser = usableSecret(context, request.browser)

  return inTransaction(context, tenant.id, { id: 'signup', door: 'signup' }, async (scope) => {
    if ((await countRecentCodes(scope, email.key, afterMs(scope, -3_600_000))) >= maxCodesAnHour) {
      const detail = 'Too many codes were sent to this address. Try again in an hour.'
      throw new RollcallError('rate_limited', { detail, retryAfterSeconds: 3_600 })
    }
    const id = scope.newId()
    const code = makeCode(context.randomBytes)
    await insertEmailCode(scope, {
      id,
      email: email.address,
      emailKey: email.key,
      codeHash: hashCode(id, code),
      displayName,
      browserHash: hashKnownSecret(browser),
      expiresAt: afterMs(scope, codeLifetimeMs),
    })
    const mailId = await insertMail(scope, {
      recipient: email.address,
      subject: `Your code for ${tenant.name}`,
      body: mailText(tenant.name, code),
    })
    await writeAudit(scope, {
      organizationId: null,
      action: 'email_code.sent',
      subjectKind: 'email_code',
      subjectId: id,
      after: { mailId },
    })
    return { codeId: id, browser }
  })
}

/** The tenant whose sign-up stands at this address. */
export async function openSignUp(context: IdentityContext, slug: string): Promise<{ id: Uuid; name: string }> {
  const tenant = /^[a-z0-9][a-z0-9-]{0,62}$/.test(slug) ? await tenantOfSlug(context.db, slug) : undefined
  if (tenant === undefined) throw new RollcallError('not_found', 'There is no sign-up at this address.')
  return tenant
}

function readDisplayName(text: string | undefined): string | null {
  const name = (text ?? '').normalize('NFC').replace(/\s+/g, ' ').trim()
  if (name === '') return null
  if (name.length > 100 || /[\p{C}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new RollcallError('invalid_value', 'Enter a name of at most 100 letters.')
  }
  return name
}

function mailText(tenantName: string, code: string): string {
  return [
    `Your code for ${tenantName}: ${code.slice(0, 4)} ${code.slice(4)}`,
    '',
    'Enter it on the page where you asked for it, within ten minutes.',
    'If you did not ask for a code, somebody mistyped an address and you need do nothing.',
    '',
  ].join('\n')
}
