import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openTicket, sealTicket, ticketLifetimeMs } from '../../../src/identity/waiting-ticket.ts'

const keys = { current: { id: 'a', key: randomBytes(32) }, earlier: [] }
const id = '0199f000-0000-7000-8000-000000000000'
const admitted = {
  tenant: id,
  organizationId: id,
  identityId: id,
  entryId: id,
  connectionId: null,
  returnTo: '/session',
}
const now = new Date('2026-01-01T00:00:00Z')
const later = (ms: number) => new Date(now.getTime() + ms)

test('a waiting login is read back in its own browser until its time is over', () => {
  const ticket = sealTicket(keys, admitted, 'browser', now)
  expect(openTicket(keys, ticket, 'browser', now)).toEqual(admitted)
  expect(openTicket(keys, ticket, 'browser', later(ticketLifetimeMs - 1))).toEqual(admitted)
  expect(openTicket(keys, ticket, 'browser', later(ticketLifetimeMs))).toBeUndefined()
})

test('in another browser, changed, or sealed by somebody else it is nothing', () => {
  const ticket = sealTicket(keys, admitted, 'browser', now)
  expect(openTicket(keys, ticket, 'another', now)).toBeUndefined()
  expect(openTicket(keys, `${ticket.slice(0, -2)}AA`, 'browser', now)).toBeUndefined()
  const foreign = sealTicket({ current: { id: 'a', key: randomBytes(32) }, earlier: [] }, admitted, 'browser', now)
  expect(openTicket(keys, foreign, 'browser', now)).toBeUndefined()
  for (const text of ['', 'x', 'a'.repeat(10_000)]) expect(openTicket(keys, text, 'browser', now)).toBeUndefined()
})
