// Sends one mail over SMTP, or leaves it in the local mailbox where there is no mail server. The row is locked
// while it is sent, so a job that runs twice at once sends once; a crash between sending and committing sends
// again, with the same Message-ID. Writing mails is the use cases'.

import { createTransport } from 'nodemailer'
import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import type { MailKey } from '../queue/jobs.ts'
import { type Database, withTransaction } from '../store/database.ts'
import { lockPendingMail, type MailText, markMailSent, markMailTried, type PendingMail } from '../store/mails.ts'

export interface MailSender {
  /** Rejects when the server did not take it. `id` becomes the Message-ID. */
  send(mail: MailText & { readonly id: Uuid }): Promise<void>
  close(): void
}

export interface SmtpSettings {
  /** smtp:// or smtps://, with credentials where the server wants them. */
  readonly smtpUrl: string
  readonly from: string
}

/** After this many failures a mail is given up. The codes in most of them are long useless by then. */
export const maxTries = 8

/** A sender over SMTP with short limits: a server that hangs must not hold a worker and a row for minutes. */
export function createMailSender({ smtpUrl, from }: SmtpSettings): MailSender {
  const timeoutMs = 10_000
  const url = new URL(smtpUrl)
  const transport = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    secure: url.protocol === 'smtps:',
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? 'localhost'
  return {
    async send({ id, recipient, subject, body }) {
      // An object, because a text may hold several addresses.
      const to = { name: '', address: recipient }
      await transport.sendMail({ from, to, subject, text: body, messageId: `<${id}@${domain}>` })
    },
    close: () => transport.close(),
  }
}

/** `sender` null: the mail stays in the mailbox. Throws `unavailable` when it has to be tried again. */
export async function sendMail(
  db: Database,
  deps: { readonly sender: MailSender | null },
  key: MailKey,
): Promise<void> {
  const caller = { tenant: key.tenant, actor: { id: 'mailer', door: 'work' } } as const
  const failure = await withTransaction(db, caller, async (scope) => {
    const mail = await lockPendingMail(scope, key.mail)
    if (mail === undefined) return undefined
    const reason = await trySending(deps.sender, mail)
    if (reason === undefined) {
      await markMailSent(scope, mail.id, { keepBody: deps.sender === null })
      return undefined
    }
    const final = mail.attempts + 1 >= maxTries
    await markMailTried(scope, mail.id, { reason, final })
    return final ? undefined : reason
  })
  if (failure !== undefined) throw new RollcallError('unavailable', `The mail could not be sent (${failure}).`)
}

/** Undefined when it was sent; otherwise why not, without the server's words, which repeat the address. */
async function trySending(sender: MailSender | null, mail: PendingMail): Promise<string | undefined> {
  try {
    await sender?.send(mail)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
    const status = error instanceof Error && 'responseCode' in error ? ` ${Number(error.responseCode)}` : ''
    return `${code}${status}`
  }
}
