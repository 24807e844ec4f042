import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// Only for the run's last line, which says whether Redis was tested.
import '../support/queue-backends.ts'
import { freePort, installedRedis, type RedisServer, startRedis } from '../support/redis.ts'
import {
  everyoneOnce,
  inParallel,
  prepareService,
  type RunningProcess,
  type RunningService,
  until,
} from '../support/running-service.ts'

describe.skipIf(installedRedis() === undefined)('with a Redis of its own', () => {
  let redis: RedisServer
  let service: RunningService
  let worker: RunningProcess

  beforeAll(async () => {
    redis = await startRedis(await freePort())
    service = await prepareService(redis.url)
    ;[, worker] = await Promise.all([service.start('serve'), service.start('work')])
  })
  afterAll(async () => {
    await service.close()
    await redis.stop()
  })

  async function ready(origin: string): Promise<number> {
    return (await fetch(`${origin}/readyz`)).status
  }

  it('pushes are answered as ever while Redis is stopped, and everything is reconciled when it is back', async () => {
    const acme = await service.newOrganization({ brakePercent: 100 })
    const early = await inParallel(5, 5, (index) => acme.createUser(`early${index}@acme.example`))
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(5))

    await redis.stop()
    await until(async () => (await ready(worker.origin)) === 503)
    expect(await ready(service.origin)).toBe(200)
    const created = await inParallel(20, 5, (index) => acme.createUser(`late${index}@acme.example`))
    expect(created.map((answer) => answer.status)).toEqual(Array(20).fill(201))
    const left = await inParallel(2, 2, (index) => acme.setActive(early[index]?.body.id, false))
    expect(left.map((answer) => [answer.status, answer.body.active])).toEqual(Array(2).fill([200, false]))
    expect(await acme.count()).toMatchObject({ said: 25, members: 5, active: 5 })

    redis = await startRedis(redis.port)
    await acme.inSync()
    const seats = { active: 23, seated: 23, seatsUsed: 23, ledger: 23 }
    expect(await acme.count()).toEqual({ ...everyoneOnce(25), ...seats })
    expect(await ready(worker.origin)).toBe(200)
    expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null })
  })
})
