// The demonstration against the whole service in one process: doors, relay and workers as compose builds them.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type ServiceSettings, startDoors, startWork } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { createAdminClient } from '../../src/demo/admin-client.ts'
import { type OutsideWorld, startOutsideWorld } from '../../src/demo/outside-world.ts'
import { type PlayedDemonstration, playDemonstration } from '../../src/demo/play.ts'
import { displayWidth } from '../../src/demo/table.ts'
import { createLogger } from '../../src/log.ts'
import { createTestDatabase } from '../support/database.ts'

const adminKey = `rcb_${randomBytes(32).toString('base64url')}`
const width = 150
const lines: string[] = []
const stopping: (() => Promise<void>)[] = []
let world: OutsideWorld
let origin: string
let interruption: unknown
let played: PlayedDemonstration

beforeAll(async () => {
  const database = await createTestDatabase()
  stopping.push(() => database.drop())
  world = await startOutsideWorld()
  stopping.push(() => world.stop())
  const settings: ServiceSettings = {
    config: readConfig({ PORT: '0' }),
    databaseUrl: database.url,
    queueUrl: database.url,
    adminKey,
    encryptionKey: randomBytes(32),
    allowPrivateNetworks: true,
    dnsResolvers: [world.dnsServer],
    mailbox: true,
    log: createLogger('warn'),
  }
  const work = await startWork(settings)
  stopping.push(() => work.close())
  const doors = await startDoors(settings)
  stopping.push(() => doors.close())
  origin = doors.publicUrl

  const interrupt = new AbortController()
  const untilOkta = (line: string) => void (line.includes('acme.example is verified') && interrupt.abort())
  interruption = await play(untilOkta, interrupt.signal).catch((error: unknown) => error)
  played = await play((line) => void lines.push(line), AbortSignal.timeout(50_000))
})
afterAll(async () => {
  for (const stop of stopping.reverse()) await stop()
})

function play(print: (line: string) => void, signal: AbortSignal): Promise<PlayedDemonstration> {
  return playDemonstration({ origin, adminKey, print, signal, world, width })
}

test('every step is told as it happens, and nothing is wider than the terminal', () => {
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
  const text = lines.join('\n').replace(/\n {4}/g, ' ')
  const told = text.match(/^ {2}- .*\(\d+\.\d s\)$/gm) ?? []
  expect(told).toHaveLength(15)
  expect(text).toMatch(/Okta pushed 25 people and 3 groups: 25 members/)
  expect(text).toMatch(/1 Owner, 1 Admin, 12 Developer, 11 Viewer; 13 Engineering, 9 Sales/)
  expect(text).toMatch(/Grace Mbeki logged in by SAML: Developer in Engineering/)
  expect(text).toMatch(/Okta deactivated Victor Almeida, whose login is refused: “Your account was deactivated/)
  expect(text).toMatch(/Entra set active to "False" for 2: 8 active, 2 inactive/)
  expect(text).toMatch(/Mara Lindholm logged in; the claim named Cobalt, made at once/)
  expect(text).toMatch(/Stellan Frost signed up: all 3 seats are taken: “You are on the waiting list”/)
})

test('it ends with a table of the organizations: members, roles, teams, seats, where they came from', () => {
  const start = lines.findIndex((line) => line.startsWith('Organization'))
  const table = lines.slice(start, lines.indexOf('', start)).join('\n')
  expect(table).toMatch(/^Acme +24 active, 1 inactive +1 Owner, .*13 Engineering, .*24 \/ 30 +24 directory/m)
  expect(table).toMatch(/^Borealis +8 active, 2 inactive .*5 Research +8 \/ 12 +10 directory/m)
  expect(table).toMatch(/^Cobalt +2 active +1 Developer, 1 Viewer .* 2 SSO login/m)
  expect(table).toMatch(/^Dune +3 active, 1 waitlisted .*3 Field +3 \/ 3 +3 domain/m)
})

test('it explains one member in words, back to who caused it', () => {
  const text = lines.slice(lines.findIndex((line) => line.startsWith('Why is'))).join('\n')
  expect(text).toMatch(/^Why is Bruno Keller Admin\?/)
  expect(text.replace(/\n {4}/g, ' ')).toContain(
    'role Admin: member of the directory group Acme Admins ← grant added by the reconciler ← mapping created by an admin',
  )
})

test('the address and the token it answers open the directory of 25', async () => {
  const { scimBaseUrl, token, directoryId } = played
  expect(scimBaseUrl).toBe(`${origin}/scim/v2/${directoryId}`)
  const list = async (bearer: string) =>
    fetch(`${scimBaseUrl}/Users?count=3`, { headers: { authorization: `Bearer ${bearer}` } })
  expect(await (await list(token)).json()).toMatchObject({ totalResults: 25, itemsPerPage: 3 })
  expect((await list(`${token}x`)).status).toBe(401)
})

test('what is there is what was told, and nothing waits for an admin but the one without a seat', async () => {
  const admin = createAdminClient({ origin, key: played.tenantKey, signal: AbortSignal.timeout(10_000) })
  const found = await admin.list(
    '/organizations',
    z.object({ id: z.string(), name: z.string(), seatsUsed: z.number() }),
  )
  expect(found.map(({ name, seatsUsed }) => [name, seatsUsed])).toEqual([
    ['Acme', 24],
    ['Borealis', 8],
    ['Cobalt', 2],
    ['Dune', 3],
  ])
  const attention = z.object({ attention: z.array(z.object({ reason: z.string() })) })
  const reasons = await Promise.all(found.map(({ id }) => admin.get(`/organizations/${id}`, attention)))
  expect(reasons.map((one) => one.attention.map(({ reason }) => reason))).toEqual([[], [], [], ['seats_exhausted']])
})

test('an interrupted demonstration names its step and does not stand in the way of the next', () => {
  expect(String(interruption)).toContain('The demonstration went wrong while Okta was pushing to Acme')
  expect(played.tenantSlug).toBe('demo-2')
})

test('a wrong admin key is named with what the door answered', async () => {
  const wrong = playDemonstration({
    origin,
    adminKey: `rcb_${'x'.repeat(43)}`,
    print: () => {},
    signal: AbortSignal.timeout(10_000),
    world,
  })
  await expect(wrong).rejects.toThrow(
    'The demonstration went wrong while making the tenant: GET /tenants was answered with 401: Send an API key',
  )
})
