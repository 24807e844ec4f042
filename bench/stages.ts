// Where a slice's time goes. The worker's own functions, called here one after another in this process with
// a clock between them; what the queue adds is in reconcile.ts.

import { makePlan } from '../src/reconcile/plan.ts'
import { applyPlan } from '../src/store/apply/apply-plan.ts'
import { claimSlice, lockOrganization } from '../src/store/claim.ts'
import { withTransaction } from '../src/store/database.ts'
import { openDatabase } from '../src/store/open-database.ts'
import { loadSnapshot } from '../src/store/snapshot/load.ts'
import { createCustomer } from './customer.ts'
import { addMappedGroups, fillDirectory, requestEverybody } from './facts.ts'
import { count, ms, type Table } from './figures.ts'
import { median, untilQuiet } from './measure.ts'
import { startService, type World } from './world.ts'

export interface StagesOptions {
  readonly members: number
  readonly groups: number
  readonly sliceSize: number
  readonly quietMs: number
  readonly print: (line: string) => void
}

const stages = ['lock, claim', 'load', 'plan', 'apply', 'commit'] as const

export async function measureStages(world: World, options: StagesOptions): Promise<Table> {
  const database = await world.createDatabase()
  const doors = await startService('serve', { databaseUrl: database.url, queueUrl: database.url })
  const customer = await createCustomer(doors.origin, 'stages')
  await fillDirectory(database.pool, customer, options.members)
  await doors.stop()
  await addMappedGroups(database.pool, customer, options.groups)
  await database.pool.query('DELETE FROM reconcile_requests')
  await requestEverybody(database.pool, customer)
  const db = openDatabase({ connectionString: database.url, poolSize: 2, clock: () => new Date(), onError: () => {} })
  const caller = { tenant: customer.tenant, actor: { id: 'reconciler', door: 'work' } } as const
  const slices: (readonly number[])[] = []
  try {
    await world.settle()
    await untilQuiet(options.quietMs)
    for (let more = true; more; ) {
      const at = [performance.now()]
      more = await withTransaction(db, caller, async (scope) => {
        const organization = await lockOrganization(scope, customer.organization)
        if (organization === null) throw new Error('the organization is gone')
        const requests = await claimSlice(scope, customer.organization, options.sliceSize)
        at.push(performance.now())
        if (requests.length < options.sliceSize) return false
        const snapshot = await loadSnapshot(scope, organization, requests)
        at.push(performance.now())
        const plan = makePlan(snapshot)
        at.push(performance.now())
        await applyPlan(scope, { organization, requests, snapshot, plan })
        at.push(performance.now())
        return true
      })
      at.push(performance.now())
      if (more) slices.push(at.slice(1).map((time, index) => time - (at[index] ?? 0)))
    }
  } finally {
    await db.close()
    await database.drop()
  }
  // The first ones are not compiled yet.
  const warm = slices.slice(Math.floor(slices.length / 4))
  const row = stages.map((_, stage) => ms(median(warm.map((slice) => slice[stage] ?? 0))))
  const whole = median(warm.map((slice) => slice.reduce((sum, part) => sum + part, 0)))
  options.print(`stages: ${stages.map((stage, index) => `${stage} ${row[index]} ms`).join(', ')}`)
  return {
    title: `A slice of ${count(options.sliceSize)} newcomers, in ms (the median of ${count(warm.length)} slices)`,
    head: ['', ...stages, 'all', 'members /s'],
    rows: [['one after another', ...row, ms(whole), count((options.sliceSize * 1000) / whole)]],
  }
}
