// Domain checks against a real DNS server on loopback.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DnsServer, startDnsServer } from '../../src/demo/dns-server.ts'
import type { Uuid } from '../../src/model/ids.ts'
import { challengeName, createTxtLookup, type LookUpTxt, verifyDomain } from '../../src/work/verify-domain.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  addOrganization,
  createWorld,
  type OpenDatabase,
  openDatabase,
  type World,
} from '../support/organization-fixture.ts'

let database: TestDatabase
let db: OpenDatabase
let dns: DnsServer
let lookUpTxt: LookUpTxt
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
  dns = await startDnsServer()
  dns.addZone('acme.test')
  lookUpTxt = createTxtLookup([dns.address], 1_000)
})
afterAll(async () => {
  await dns.stop()
  await db.close()
  await database.drop()
})
beforeEach(async () => {
  world = await createWorld(db.pool)
  dns.publish(challengeName('acme.test'))
  dns.publish(challengeName('eu.acme.test'))
})

const challenge = 'rollcall-domain=7b0d6c1e'

async function claim(name = 'acme.test', organization = world.organization, expires = '30 days'): Promise<Uuid> {
  const id = randomUUID()
  await db.pool.query(
    `INSERT INTO domains (tenant_id, organization_id, id, name, challenge, expires_at, check_requested_at)
     VALUES ($1, $2, $3, $4, $5, now() + $6::interval, now())`,
    [world.tenant, organization, id, name, challenge, expires],
  )
  return id
}

function check(domain: Uuid, look = lookUpTxt): Promise<void> {
  return verifyDomain(db, { lookUpTxt: look }, { tenant: world.tenant, domain })
}

async function read(id: Uuid) {
  const { rows } = await db.pool.query(
    'SELECT status, verified_at, checked_at, check_requested_at, last_error FROM domains WHERE id = $1',
    [id],
  )
  return rows[0]
}

async function requests(): Promise<unknown[]> {
  const { rows } = await db.pool.query('SELECT subject_kind, subject_id FROM reconcile_requests WHERE tenant_id = $1', [
    world.tenant,
  ])
  return rows
}

describe('a check of a claimed domain', () => {
  test('verifies it when the whole record is there, and asks for the organization to be reconciled once', async () => {
    const id = await claim()
    dns.publish(challengeName('acme.test'), 'v=spf1 -all', challenge)
    await check(id)
    expect(await read(id)).toMatchObject({
      status: 'verified',
      verified_at: expect.any(Date),
      checked_at: expect.any(Date),
      check_requested_at: null,
      last_error: null,
    })
    const wanted = [{ subject_kind: 'organization', subject_id: world.organization }]
    expect(await requests()).toEqual(wanted)
    await check(id)
    expect(await requests()).toEqual(wanted)
    const { rows } = await db.pool.query(`SELECT action FROM audit_entries WHERE tenant_id = $1`, [world.tenant])
    expect(rows).toEqual([{ action: 'domain.verified' }])
  })

  test('says which record is missing when there is none, another, or only a part of it', async () => {
    const id = await claim()
    for (const texts of [[], ['another'], [challenge.slice(0, -1)], [`${challenge} `], [`x${challenge}`]]) {
      dns.publish(challengeName('acme.test'), ...texts)
      await check(id)
      expect(await read(id)).toMatchObject({
        status: 'pending',
        check_requested_at: null,
        last_error: `There is no TXT record _rollcall-challenge.acme.test with the value ${challenge}.`,
      })
    }
    expect(await requests()).toEqual([])
  })

  test('does not take a DNS that fails for a missing record: the check stays asked for and is tried again', async () => {
    const id = await claim('elsewhere.test')
    await expect(check(id)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await read(id)).toMatchObject({
      status: 'pending',
      check_requested_at: expect.any(Date),
      last_error: expect.stringContaining('EREFUSED'),
    })
  })

  test('lets a claim fail whose time is over, and verifies it all the same when the record comes late', async () => {
    const id = await claim('acme.test', world.organization, '-1 day')
    await check(id)
    expect(await read(id)).toMatchObject({
      status: 'failed',
      last_error: expect.stringContaining('time for it is over'),
    })
    dns.publish(challengeName('acme.test'), challenge)
    await check(id)
    expect(await read(id)).toMatchObject({ status: 'verified', last_error: null })
  })

  test('gives a domain that two organizations prove at once to one of them, and tells the other', async () => {
    const other = await addOrganization(db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    const ids = [await claim(), await claim('acme.test', other)]
    dns.publish(challengeName('acme.test'), challenge)
    await Promise.all(ids.map((id) => check(id)))
    const rows = await Promise.all(ids.map(read))
    expect(rows.map((row) => row.status).sort()).toEqual(['failed', 'verified'])
    expect(rows.find((row) => row.status === 'failed')).toMatchObject({
      last_error: 'Another organization has verified acme.test.',
    })
  })

  test('refuses a sub-domain of another organization’s domain, and not one of its own', async () => {
    const other = await addOrganization(db.pool, { tenant: world.tenant, defaultRole: world.roles.member })
    const [parent, own, foreign] = [await claim(), await claim('eu.acme.test'), await claim('eu.acme.test', other)]
    dns.publish(challengeName('acme.test'), challenge)
    dns.publish(challengeName('eu.acme.test'), challenge)
    for (const id of [parent, foreign, own]) await check(id)
    expect(await read(foreign)).toMatchObject({
      status: 'failed',
      last_error: 'Another organization has verified acme.test.',
    })
    expect(await read(own)).toMatchObject({ status: 'verified' })
  })

  test('does nothing for a claim that is gone, or that was made anew while DNS was asked', async () => {
    const id = await claim()
    await check(randomUUID())
    await check(id, async () => {
      await db.pool.query(`UPDATE domains SET challenge = 'a new one' WHERE id = $1`, [id])
      return [challenge]
    })
    expect(await read(id)).toMatchObject({ status: 'pending', check_requested_at: expect.any(Date) })
  })
})
