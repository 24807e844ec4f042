import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queueBackends } from '../support/queue-backends.ts'
import { everyoneOnce, inParallel, prepareService, type RunningService } from '../support/running-service.ts'

describe.each(queueBackends())('with doors and a worker in processes of their own, the queue on $name', ({ url }) => {
  let service: RunningService
  beforeAll(async () => {
    service = await prepareService(url)
    await Promise.all([service.start('serve'), service.start('work')])
  })
  afterAll(() => service.close())

  it('of fifty at once for the last five seats five are active and the others wait in line', async () => {
    const acme = await service.newOrganization({ seatLimit: 5, seatPolicy: 'waitlist' })
    const answers = await inParallel(50, 50, (index) => acme.createUser(`user${index}@acme.example`))
    expect(answers.map((answer) => answer.status)).toEqual(Array(50).fill(201))
    await acme.inSync()
    const seats = { active: 5, waitlisted: 45, seated: 5, seatsUsed: 5, ledger: 5 }
    expect(await acme.count()).toEqual({ ...everyoneOnce(50), ...seats })
  })

  it('under a blocking limit fifty at once never get more than the five seats, and whoever was accepted has one or waits', async () => {
    const acme = await service.newOrganization({ seatLimit: 5, seatPolicy: 'block' })
    const answers = await inParallel(50, 50, (index) => acme.createUser(`user${index}@acme.example`))
    const accepted = answers.filter((answer) => answer.status === 201)
    const refused = answers.filter((answer) => answer.status !== 201)
    for (const { status, body } of refused) {
      expect({ status, detail: body.detail }).toEqual({ status: 403, detail: expect.stringContaining('no seat left') })
    }
    expect(accepted.length).toBeGreaterThanOrEqual(5)
    await acme.inSync()
    const seats = { active: 5, waitlisted: accepted.length - 5, seated: 5, seatsUsed: 5, ledger: 5 }
    expect(await acme.count()).toEqual({ ...everyoneOnce(accepted.length), ...seats })
  })

  it('once the seats are taken a blocking limit refuses a newcomer, and takes one when a seat is free again', async () => {
    const acme = await service.newOrganization({ seatLimit: 5, seatPolicy: 'block', brakePercent: 100 })
    const [first] = await inParallel(5, 5, (index) => acme.createUser(`user${index}@acme.example`))
    await acme.inSync()
    const late = await acme.createUser('late@acme.example')
    expect({ status: late.status, schemas: late.body.schemas }).toEqual({
      status: 403,
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    })
    expect(await acme.count()).toEqual(everyoneOnce(5))
    expect((await acme.setActive(first?.body.id, false)).status).toBe(200)
    await acme.inSync()
    expect((await acme.createUser('late@acme.example')).status).toBe(201)
    await acme.inSync()
    expect(await acme.count()).toMatchObject({ members: 6, active: 5, seated: 5, seatsUsed: 5, ledger: 5 })
  })

  it('of two creates of one user at once one is taken and the other is told that the name is', async () => {
    const acme = await service.newOrganization()
    for (const index of [0, 1, 2, 3, 4]) {
      const pair = await inParallel(2, 2, () => acme.createUser(`user${index}@acme.example`))
      expect(pair.map((answer) => answer.status).sort()).toEqual([201, 409])
      expect(pair.find((answer) => answer.status === 409)?.body.scimType).toBe('uniqueness')
    }
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(5))
  })

  it('a userName that differs only in case is the same user', async () => {
    const acme = await service.newOrganization()
    expect((await acme.createUser('ada@acme.example')).status).toBe(201)
    expect(await acme.createUser('ADA@acme.example')).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
    expect((await acme.createUser('adah@acme.example')).status).toBe(201)
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(2))
  })
})
