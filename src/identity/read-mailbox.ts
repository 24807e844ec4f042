// The mailbox page of a deployment without a mail server: what would have been sent. For the people who run it
// on their own machine; the door offers it only where compose says so.

import { type MailboxMail, readMailbox as read } from '../store/mails.ts'
import type { IdentityContext } from './context.ts'

export type { MailboxMail }

/** The latest fifty, newest first. */
export function readMailbox(context: IdentityContext): Promise<MailboxMail[]> {
  return read(context.db, 50)
}
