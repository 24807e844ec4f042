import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { withTransaction } from '../../src/store/database.ts'
import { requestReconcile } from '../../src/store/outbox.ts'
import { addDirectoryUsers, type OpenDatabase, openDatabase, request } from '../support/organization-fixture.ts'
import { queueBackends } from '../support/queue-backends.ts'
import {
  type PushedOrganization,
  prepareService,
  type RunningProcess,
  type RunningService,
  until,
} from '../support/running-service.ts'

const backlog = 3_000

describe.each(queueBackends())('with a backlog of thousands, the queue on $name', ({ url }) => {
  let service: RunningService
  let database: OpenDatabase
  let worker: RunningProcess | undefined
  beforeAll(async () => {
    service = await prepareService(url)
    database = openDatabase(service.databaseUrl)
    await service.start('serve')
  })
  afterAll(async () => {
    await worker?.end('SIGKILL')
    await database.close()
    await service.close()
  })

  it('somebody whom one waits for is a member long before the rest of the backlog', async () => {
    const [acme, other] = [await service.newOrganization(), await service.newOrganization()]
    const [users, others] = [await pushed(acme), await pushed(other)]
    worker = await service.start('work', { SLICE_SIZE: '10', WORKER_CONCURRENCY: '1' })
    await until(async () => (await acme.count()).members + (await other.count()).members > 0)
    const last = [users.at(-1) ?? '', others.at(-1) ?? '']
    await ask(acme, last[0] ?? '')
    await ask(other, last[1] ?? '')
    await until(async () => (await links(last)) === 2)
    const left = (await acme.count()).pending + (await other.count()).pending
    // Each waited for the turn of one job at most, not for its place among six thousand.
    expect(left).toBeGreaterThan(1.5 * backlog)
  })

  /** Users that a directory has pushed, each with its request: fast, because how they came is not in question. */
  async function pushed(organization: PushedOrganization): Promise<string[]> {
    const place = { tenant: await tenantOf(organization), organization: organization.id }
    const users = await addDirectoryUsers(database.pool, place, organization.directory, backlog)
    await request(database.pool, place, 'directory_user', users)
    return users
  }

  /** As a login asks for the person who came. */
  async function ask(organization: PushedOrganization, id: string): Promise<void> {
    const caller = {
      tenant: await tenantOf(organization),
      actor: { id: `directory:${organization.directory}`, door: 'scim' as const },
    }
    await withTransaction(database, caller, (scope) =>
      requestReconcile(scope, organization.id, [{ kind: 'directory_user', id }], { urgent: true, causeId: null }),
    )
  }

  async function tenantOf({ admin }: PushedOrganization): Promise<string> {
    return (await admin.get('/tenant', z.object({ id: z.string() }))).id
  }

  async function links(ids: readonly string[]): Promise<number> {
    const { rows } = await database.pool.query<{ count: number }>(
      'SELECT count(*)::int FROM directory_links WHERE directory_user_id = ANY ($1::uuid[]) AND user_id IS NOT NULL',
      [ids],
    )
    return rows[0]?.count ?? 0
  }
})
