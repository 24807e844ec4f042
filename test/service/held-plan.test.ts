import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queueBackends } from '../support/queue-backends.ts'
import {
  everyoneOnce,
  inParallel,
  type PushedOrganization,
  prepareService,
  type RunningService,
} from '../support/running-service.ts'

const heldPlan = z.object({
  id: z.string(),
  state: z.string(),
  hash: z.string(),
  counts: z.record(z.string(), z.number()),
})
const heldChange = z.object({ email: z.string(), kind: z.string(), why: z.string(), state: z.string() })
const shown = z.object({ plan: heldPlan, changes: z.object({ items: z.array(heldChange) }) })

describe.each(queueBackends())('when a directory takes half of its people away, the queue on $name', ({ url }) => {
  let service: RunningService
  let acme: PushedOrganization
  let leavers: { readonly id: string; readonly userName: string }[]

  beforeAll(async () => {
    service = await prepareService(url)
    await Promise.all([service.start('serve'), service.start('work')])
  })
  afterAll(() => service.close())

  beforeEach(async () => {
    acme = await service.newOrganization({ brakePercent: 20, brakeMinimum: 10 })
    const answers = await inParallel(60, 10, (index) => acme.createUser(`user${index}@acme.example`))
    leavers = answers.slice(0, 30).map(({ body }) => ({ id: body.id, userName: body.userName }))
    await acme.inSync()
    expect(await acme.count()).toEqual(everyoneOnce(60))
    const left = await inParallel(30, 5, (index) => acme.setActive(leavers[index]?.id ?? '', false))
    expect(left.map((answer) => [answer.status, answer.body.active])).toEqual(Array(30).fill([200, false]))
    await acme.inSync()
  })

  async function readBack(): Promise<boolean[]> {
    return inParallel(30, 5, async (index) => (await acme.scim('GET', `/Users/${leavers[index]?.id}`)).body.active)
  }

  /** The plans that wait, with whom they hold. */
  async function waiting() {
    const plans = await acme.admin.list(`${acme.path}/held-plans`, heldPlan)
    return Promise.all(plans.map((plan) => acme.admin.get(`${acme.path}/held-plans/${plan.id}?limit=200`, shown)))
  }

  async function decide(verb: 'approve' | 'reject'): Promise<void> {
    for (const { plan } of await waiting()) {
      await acme.admin.post(`${acme.path}/held-plans/${plan.id}/${verb}`, { hash: plan.hash }, heldPlan)
    }
    await acme.inSync()
    expect(await waiting()).toEqual([])
  }

  it('no more than a fifth lose their seat, an admin sees who waits and why, and approving lets all of them go', async () => {
    const { active, ...before } = await acme.count()
    // A fifth of sixty are twelve; SCIM reads back what was written all the same.
    expect(active).toBeGreaterThanOrEqual(48)
    expect(before).toMatchObject({ members: 60, seated: active, seatsUsed: active, ledger: active })
    expect(await readBack()).toEqual(Array(30).fill(false))

    const held = (await waiting()).flatMap(({ changes }) => changes.items)
    expect(held).toHaveLength(active - 30)
    expect(new Set(held.map((change) => change.email)).size).toBe(held.length)
    const names = leavers.map((leaver) => leaver.userName)
    for (const change of held) {
      expect(change).toEqual({
        email: expect.toSatisfy((email: string) => names.includes(email)),
        kind: 'deactivate',
        why: expect.stringContaining('inactive'),
        state: 'held',
      })
    }

    await decide('approve')
    const seats = { active: 30, seated: 30, seatsUsed: 30, ledger: 30 }
    expect(await acme.count()).toEqual({ ...everyoneOnce(60), ...seats })
  })

  it('rejecting keeps their seats, and whoever the directory takes back is simply a member', async () => {
    const { active } = await acme.count()
    expect(active).toBeGreaterThanOrEqual(48)
    await decide('reject')
    expect(await acme.count()).toMatchObject({ active, seated: active, seatsUsed: active, ledger: active })
    expect(await readBack()).toEqual(Array(30).fill(false))
    await inParallel(30, 5, (index) => acme.setActive(leavers[index]?.id ?? '', true))
    await acme.inSync()
    expect(await acme.count()).toMatchObject({ active: 60, seated: 60, seatsUsed: 60, ledger: 60 })
  })
})
