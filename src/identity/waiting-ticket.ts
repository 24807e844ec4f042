// What a browser carries while its login waits to be reconciled: a sealed note of who was admitted where. It
// opens only beside the cookie of the browser that it was made for, and only for a few minutes.

import { z } from 'zod'
import { type SealingKeys, seal, unseal } from '../store/seal.ts'
import type { Admitted } from './admit.ts'

export const ticketLifetimeMs = 600_000

const ticket = z.strictObject({
  tenant: z.uuid(),
  organizationId: z.uuid(),
  identityId: z.uuid(),
  entryId: z.uuid(),
  connectionId: z.uuid().nullable(),
  returnTo: z.string().nullable(),
  until: z.number(),
})

/** `browser` is the cookie's value. */
export function sealTicket(keys: SealingKeys, admitted: Admitted, browser: string, now: Date): string {
  const note = JSON.stringify({ ...admitted, until: now.getTime() + ticketLifetimeMs })
  return Buffer.from(seal(keys, note, context(browser))).toString('base64url')
}

/** Undefined for anything but a ticket of this browser that is still good. */
export function openTicket(keys: SealingKeys, text: string, browser: string, now: Date): Admitted | undefined {
  try {
    const note: unknown = JSON.parse(unseal(keys, Buffer.from(text, 'base64url'), context(browser)))
    const { until, ...admitted } = ticket.parse(note)
    return now.getTime() < until ? admitted : undefined
  } catch {
    return undefined
  }
}

function context(browser: string): string {
  return `waiting-login:${browser}`
}
