import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOutboxReader, createWaker, type OutboxListener, type Wake } from '../../src/store/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let pool: pg.Pool
let listener: OutboxListener
/** What came, notification by notification. */
let heard: (readonly Wake[])[]
let onHeard = () => {}

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 2 })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})
beforeEach(async () => {
  heard = []
  await new Promise<void>((listening) => {
    listener = createOutboxReader({ pool, connectionString: database.url }).listen({
      onWakes(wakes) {
        heard.push(wakes)
        onHeard()
      },
      onListening: listening,
      onLost: () => {},
    })
  })
})
afterEach(() => listener.close())

const organization = (urgent = false): Wake => ({
  kind: 'organization',
  tenant: randomUUID(),
  id: randomUUID(),
  urgent,
})

async function untilHeard(wake: Wake): Promise<void> {
  while (!heard.flat().some((one) => one.id === wake.id)) {
    await new Promise<void>((resolve) => {
      onHeard = resolve
    })
  }
}

describe('telling the relay', () => {
  test('a burst is told in few notifications, and none of it is left out', async () => {
    const waker = createWaker(pool, () => {})
    const told = Array.from({ length: 300 }, () => organization())
    for (const wake of told) {
      waker.wake(wake)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const wake of told) await untilHeard(wake)
    expect(heard.flat()).toHaveLength(told.length)
    expect(heard.length).toBeLessThan(told.length / 5)
  })

  test('whoever is waited for does not wait for the rest between two notifications', async () => {
    const restMs = 600_000
    const waker = createWaker(pool, () => {}, restMs)
    const [first, urgent] = [organization(), organization(true)]
    waker.wake(first)
    await untilHeard(first)
    waker.wake(urgent)
    await untilHeard(urgent)
    await waker.idle()
  })

  test('closing tells at once what is still to be told', async () => {
    const restMs = 600_000
    const waker = createWaker(pool, () => {}, restMs)
    const [first, second] = [organization(), organization()]
    waker.wake(first)
    await untilHeard(first)
    waker.wake(second)
    await waker.idle()
    await untilHeard(second)
  })
})
