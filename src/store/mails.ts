// Mail waiting to be sent, written in the transaction of what it tells of. Sending is work/send-mail.ts;
// which text it has is the use case's.

import type { Uuid } from '../model/ids.ts'
import type { Database } from './database.ts'
import type { OrmTx, Scope } from './scope.ts'

export interface MailText {
  readonly recipient: string
  readonly subject: string
  /** Plain text. Gone once it was sent over SMTP. */
  readonly body: string
}

export interface PendingMail extends MailText {
  readonly id: Uuid
  readonly attempts: number
}

/** Writes a mail and tells the relay of it after the commit. */
export async function insertMail(scope: Scope<OrmTx>, mail: MailText): Promise<Uuid> {
  const id = scope.newId()
  await scope.tx.orm.mail.create({ data: { tenantId: scope.tenant, id, createdAt: scope.now, ...mail } })
  scope.touched.job('mail', id)
  return id
}

const lockPending = {
  name: 'lock_pending_mail',
  text: `SELECT id, recipient, subject, body, attempts FROM mails
    WHERE tenant_id = $1::uuid AND id = $2::uuid AND sent_at IS NULL AND failed_at IS NULL
    FOR UPDATE SKIP LOCKED`,
}

/** The mail, locked until the commit; undefined when it is gone, or another worker is sending it. */
export async function lockPendingMail(scope: Scope, id: Uuid): Promise<PendingMail | undefined> {
  const [row] = await scope.tx.query<PendingMail>(lockPending, [scope.tenant, id])
  return row
}

const markSent = {
  name: 'mark_mail_sent',
  text: `UPDATE mails SET sent_at = $3::timestamptz, attempts = attempts + 1, last_error = NULL,
      body = CASE WHEN $4::boolean THEN body ELSE '' END
    WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

/** `keepBody` where the row itself is the mailbox. */
export async function markMailSent(scope: Scope, id: Uuid, options: { keepBody: boolean }): Promise<void> {
  await scope.tx.query(markSent, [scope.tenant, id, scope.now, options.keepBody])
}

const markTried = {
  name: 'mark_mail_tried',
  text: `UPDATE mails SET attempts = attempts + 1, last_error = $4::text,
      failed_at = CASE WHEN $5::boolean THEN $3::timestamptz END, body = CASE WHEN $5::boolean THEN '' ELSE body END
    WHERE tenant_id = $1::uuid AND id = $2::uuid`,
}

/** Records a failure; a final one gives the mail up and clears its text. */
export async function markMailTried(
  scope: Scope,
  id: Uuid,
  failure: { readonly reason: string; readonly final: boolean },
): Promise<void> {
  await scope.tx.query(markTried, [scope.tenant, id, scope.now, failure.reason, failure.final])
}

export interface MailboxMail extends MailText {
  readonly createdAt: Date
}

/** The latest mails of all tenants, newest first, for the page that stands in for a mail server. */
export async function readMailbox(db: Database, limit: number): Promise<MailboxMail[]> {
  const select = { recipient: true, subject: true, body: true, createdAt: true }
  return db.prisma.mail.findMany({ select, where: { sentAt: { not: null } }, orderBy: { id: 'desc' }, take: limit })
}
