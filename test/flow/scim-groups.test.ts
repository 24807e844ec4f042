import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withTransaction } from '../../src/store/database.ts'
import { changeDirectoryGroup, lockDirectoryGroup } from '../../src/store/directory-groups.ts'
import { type ScimService, scim, startScimService, type TestDirectory } from '../support/scim-service.ts'

let service: ScimService
let directory: TestDirectory
let people: string[]
beforeAll(async () => {
  service = await startScimService()
  directory = await service.createDirectory()
  people = []
  for (let index = 0; index < 60; index += 1) {
    people.push((await scim(directory, 'POST', '/Users', { userName: `p${index}`, displayName: `Person ${index}` })).id)
  }
})
afterAll(async () => {
  expect(service.errors).toEqual([])
  await service.stop()
})

const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'
let count = 0
const newGroup = (members: readonly string[] = [], more: object = {}) => {
  count += 1
  return { schemas: [groupUrn], displayName: `Group ${count}`, members: members.map((value) => ({ value })), ...more }
}
const create = async (members: readonly string[] = [], more: object = {}) => {
  const created = await scim(directory, 'POST', '/Groups', newGroup(members, more))
  expect(created.status).toBe(201)
  return created.id
}
const patch = (id: string, ...Operations: object[]) =>
  scim(directory, 'PATCH', `/Groups/${id}`, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const add = (...values: string[]) => ({ op: 'add', path: 'members', value: values.map((value) => ({ value })) })
const read = (id: string, query = '') => scim(directory, 'GET', `/Groups/${id}${query}`)
const membersOf = async (id: string) => {
  const rows = await service.query('SELECT member_value FROM directory_group_members WHERE group_id = $1 ORDER BY 1', [
    id,
  ])
  return rows.map((row) => row['member_value'])
}
const person = (index: number): string => people[index] ?? ''
const some = (...indexes: number[]): string[] => indexes.map(person).sort()
/** For whom the request with the latest audit entry of a group asked to be reconciled. */
const requestedLast = async (groupId: string) => {
  const rows = await service.query(
    `SELECT r.subject_id FROM reconcile_requests r WHERE r.cause_id =
       (SELECT id FROM audit_entries WHERE subject_id = $1 ORDER BY at DESC, id DESC LIMIT 1) ORDER BY 1`,
    [groupId],
  )
  return rows.map((row) => row['subject_id'])
}
const versionOf = async (id: string) => {
  const [row] = await service.query('SELECT generation FROM directory_groups WHERE id = $1', [id])
  return row?.['generation']
}

describe('creating a group', () => {
  it('answers 201 with its members, by their names, and where it is', async () => {
    const body = newGroup([person(0), 'not-here-yet'], { externalId: 'g-1' })
    const created = await scim(directory, 'POST', '/Groups', body)
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(`${directory.baseUrl}/Groups/${created.id}`)
    expect(created.body).toMatchObject({
      schemas: [groupUrn],
      displayName: body.displayName,
      externalId: 'g-1',
      members: [
        { value: person(0), display: 'Person 0', type: 'User', $ref: `${directory.baseUrl}/Users/${person(0)}` },
        { value: 'not-here-yet' },
      ],
    })
    expect((await read(created.id)).body).toEqual(created.body)
    expect(await requestedLast(created.id)).toEqual([person(0)])
  })

  it('with members: [] makes an empty one', async () => {
    const created = await scim(directory, 'POST', '/Groups', newGroup())
    expect(created.status).toBe(201)
    expect(created.body).not.toHaveProperty('members')
  })

  it('under the name of a live group, in any case, is a duplicate; under that of a renamed or deleted one it is not', async () => {
    const body = newGroup()
    const { id } = await scim(directory, 'POST', '/Groups', body)
    const again = { ...body, displayName: body.displayName.toUpperCase() }
    const refused = await scim(directory, 'POST', '/Groups', again)
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({ scimType: 'uniqueness' })
    expect((await patch(id, { op: 'replace', value: { id, displayName: 'Renamed' } })).status).toBe(204)
    const reused = await scim(directory, 'POST', '/Groups', again)
    expect(reused.status).toBe(201)
    await scim(directory, 'DELETE', `/Groups/${reused.id}`)
    expect((await scim(directory, 'POST', '/Groups', again)).status).toBe(201)
  })

  it('keeps the id of a group inside a group, and shows it as one', async () => {
    const child = await create([person(3)])
    const parent = await create([child])
    expect((await read(parent)).body).toMatchObject({ members: [{ value: child, type: 'Group' }] })
  })
})

describe('a group’s members', () => {
  it('are added and removed by value, and only for those who joined or left is a reconcile asked', async () => {
    const id = await create([person(1), person(2)])
    expect((await patch(id, add(person(2), person(4), person(5)))).status).toBe(204)
    expect(await membersOf(id)).toEqual(some(1, 2, 4, 5))
    expect(await requestedLast(id)).toEqual(some(4, 5))

    await patch(id, { op: 'remove', path: `members[value eq "${person(1)}"]` })
    expect(await requestedLast(id)).toEqual(some(1))
    await patch(id, { op: 'Remove', path: 'members', value: [{ value: person(2) }, { value: person(9) }] })
    expect(await membersOf(id)).toEqual(some(4, 5))
    expect(await requestedLast(id)).toEqual(some(2))
  })

  it('are replaced as a set: who stays is not touched', async () => {
    const id = await create([person(1), person(2), person(3)])
    await patch(id, { op: 'replace', path: 'members', value: [{ value: person(3) }, { value: person(4) }] })
    expect(await membersOf(id)).toEqual(some(3, 4))
    expect(await requestedLast(id)).toEqual(some(1, 2, 4))
    await patch(id, { op: 'replace', path: 'members', value: [] })
    expect(await membersOf(id)).toEqual([])
    expect(await requestedLast(id)).toEqual(some(3, 4))
  })

  it('are what the operations of one request come to in their order, with the name', async () => {
    const id = await create([person(1), person(2)])
    const mixed = await patch(
      id,
      { op: 'replace', value: { id, displayName: 'Mixed' } },
      { op: 'remove', path: `members[value eq "${person(1)}"]` },
      add(person(6), person(7)),
      { op: 'remove', path: 'members', value: [{ value: person(7) }] },
    )
    expect(mixed.status).toBe(204)
    expect((await read(id)).body).toMatchObject({ displayName: 'Mixed' })
    expect(await membersOf(id)).toEqual(some(2, 6))
  })

  it('stay as they are when an operation of the request is refused', async () => {
    const id = await create([person(1)])
    const refused = await patch(id, add(person(2)), { op: 'replace', path: 'members.value', value: 'x' })
    expect(refused.status).toBe(400)
    const taken = await create()
    const [row] = await service.query('SELECT display_name FROM directory_groups WHERE id = $1', [taken])
    const conflict = await patch(
      id,
      { op: 'replace', path: 'displayName', value: row?.['display_name'] },
      add(person(2)),
    )
    expect(conflict.status).toBe(409)
    expect(await membersOf(id)).toEqual(some(1))
  })

  it('who are there already, or are not, change nothing: no version, no audit entry, no request', async () => {
    const id = await create([person(1)])
    const before = await read(id)
    await patch(id, add(person(1)))
    await patch(id, { op: 'remove', path: 'members', value: [{ value: person(8) }] })
    await patch(id, { op: 'replace', path: 'members', value: [{ value: person(1) }] })
    expect((await read(id)).body).toEqual(before.body)
    expect(await versionOf(id)).toBe(1)
    expect(await service.query('SELECT action FROM audit_entries WHERE subject_id = $1', [id])).toHaveLength(1)
  })

  it('who are nobody yet are kept as they were named, and removed by that name', async () => {
    const id = await create(['00u-okta-id', '01900000-0000-7000-8000-00000000beef'])
    expect(await requestedLast(id)).toEqual([])
    await patch(id, { op: 'remove', path: 'members[value eq "00u-okta-id"]' })
    expect(await membersOf(id)).toEqual(['01900000-0000-7000-8000-00000000beef'])
  })

  it('of another directory are nobody here', async () => {
    const other = await service.createDirectory({ tenant: directory.tenant })
    const stranger = await scim(other, 'POST', '/Users', { userName: 'stranger', displayName: 'Stranger' })
    const id = await create([stranger.id])
    expect((await read(id)).body).toMatchObject({ members: [{ value: stranger.id }] })
    expect((await read(id)).text).not.toContain('Stranger')
    expect(await requestedLast(id)).toEqual([])
  })

  it('fifty added at once by fifty requests are all there', async () => {
    const id = await create()
    const replies = await Promise.all(people.slice(0, 50).map((value) => patch(id, add(value))))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await membersOf(id)).toEqual(people.slice(0, 50).sort())
    expect(await versionOf(id)).toBe(51)
  })

  it('added, removed and exchanged at once end as every request said', async () => {
    const id = await create(people.slice(0, 20))
    await Promise.all([
      ...people.slice(0, 10).map((value) => patch(id, { op: 'remove', path: `members[value eq "${value}"]` })),
      ...people.slice(20, 30).map((value) => patch(id, add(value))),
      ...people
        .slice(10, 15)
        .map((value, index) =>
          patch(id, { op: 'remove', path: 'members', value: [{ value }] }, add(person(30 + index))),
        ),
    ])
    expect(await membersOf(id)).toEqual([...people.slice(15, 35)].sort())
  })

  it('replaced by two requests at once are what one of them said', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await create(some(0))
      const sets = [some(1, 2), some(3, 4)]
      await Promise.all(
        sets.map((set) => patch(id, { op: 'replace', path: 'members', value: set.map((value) => ({ value })) })),
      )
      expect(sets).toContainEqual(await membersOf(id))
    }
  })

  it('are not read when one is added, and 100,000 are replaced by one statement', async () => {
    const values = Array.from({ length: 100_000 }, (_, index) => `m${String(index).padStart(6, '0')}`)
    const id = await create()
    const ref = { id: directory.id, organizationId: directory.organization }
    const caller = { tenant: directory.tenant, actor: { id: 'test', door: 'scim' } } as const
    const statements: string[] = []
    const replace = (members: readonly string[]) =>
      withTransaction(service.database, caller, async (scope) => {
        await lockDirectoryGroup(scope, ref, id)
        const tx = {
          query: <Row>(statement: { text: string }, parameters: readonly unknown[]) => {
            statements.push(statement.text)
            return scope.tx.query<Row>(statement, parameters)
          },
        }
        return changeDirectoryGroup({ ...scope, tx }, ref, id, { members: { kind: 'replace', values: members } })
      })
    await replace(values)
    await replace(values.slice(1))
    expect(statements).toHaveLength(2)
    expect((await membersOf(id)).length).toBe(99_999)

    await service.query('ANALYZE directory_group_members')
    const reads = async (work: () => Promise<unknown>) => {
      const rowsRead = async () => {
        await service.query('SELECT pg_stat_force_next_flush()')
        const [row] = await service.query(
          `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_user_tables WHERE relname = 'directory_group_members'`,
        )
        return Number(row?.['read'])
      }
      const before = await rowsRead()
      await work()
      return (await rowsRead()) - before
    }
    expect(await reads(() => patch(id, add(person(0))))).toBeLessThan(10)
    expect(await membersOf(id)).toHaveLength(100_000)
  })
})

describe('reading a group', () => {
  it('without its members leaves them out', async () => {
    const id = await create([person(1)])
    expect((await read(id, '?excludedAttributes=members')).body).not.toHaveProperty('members')
    expect((await read(id, '?attributes=displayName')).body).toEqual({
      schemas: [groupUrn],
      id,
      displayName: expect.any(String),
    })
    expect((await read(id)).body).toHaveProperty('members')
  })

  it('answers a reference check with the group when the member is in it, and nobody when it is not', async () => {
    const id = await create([person(1)])
    const check = (member: string) =>
      scim(
        directory,
        'GET',
        `/Groups?attributes=id&filter=${encodeURIComponent(`id eq "${id}" and members eq "${member}"`)}`,
      )
    expect((await check(person(1))).body).toMatchObject({ totalResults: 1, Resources: [{ id }] })
    expect((await check(person(2))).body).toMatchObject({ totalResults: 0, Resources: [] })
  })

  it('after a PATCH shows only what that request asks for', async () => {
    const id = await create()
    const reply = await scim(directory, 'PATCH', `/Groups/${id}?attributes=displayName`, {
      Operations: [{ op: 'replace', path: 'displayName', value: 'Shown' }],
    })
    expect(reply.status).toBe(200)
    expect(reply.body).toEqual({ schemas: [groupUrn], id, displayName: 'Shown' })
  })

  it('lists groups with their members by page', async () => {
    const of = await service.createDirectory()
    const one = await scim(of, 'POST', '/Users', { userName: 'one' })
    for (const displayName of ['A', 'B', 'C']) {
      await scim(of, 'POST', '/Groups', { displayName, members: displayName === 'B' ? [{ value: one.id }] : [] })
    }
    const list = await scim(of, 'GET', '/Groups?startIndex=2&count=2')
    expect(list.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 2 })
    expect(list.resources).toMatchObject([{ displayName: 'B', members: [{ value: one.id }] }, { displayName: 'C' }])
  })
})

describe('replacing a group', () => {
  it('takes its own name, sets its members and clears what is not said', async () => {
    const body = newGroup([person(1), person(2)], { externalId: `own-${count}` })
    const { id } = await scim(directory, 'POST', '/Groups', body)
    const replaced = await scim(directory, 'PUT', `/Groups/${id}`, {
      ...body,
      id,
      externalId: undefined,
      members: [{ value: person(3) }],
    })
    expect(replaced.status).toBe(200)
    expect(replaced.body).toMatchObject({
      id,
      displayName: body.displayName,
      members: [{ value: person(3), display: 'Person 3' }],
    })
    expect(replaced.body).not.toHaveProperty('externalId')
    expect(await requestedLast(id)).toEqual(some(1, 2, 3))
    await scim(directory, 'PUT', `/Groups/${id}`, { schemas: [groupUrn], displayName: 'Nobody left' })
    expect(await membersOf(id)).toEqual([])
  })

  it('never creates one, and is refused a name that another group has', async () => {
    expect((await scim(directory, 'PUT', '/Groups/01900000-0000-7000-8000-000000000000', newGroup())).status).toBe(404)
    const taken = newGroup()
    await scim(directory, 'POST', '/Groups', taken)
    const id = await create([person(1)])
    const refused = await scim(directory, 'PUT', `/Groups/${id}`, { displayName: taken.displayName })
    expect(refused.body).toMatchObject({ status: '409', scimType: 'uniqueness' })
    expect(await membersOf(id)).toEqual(some(1))
  })
})

describe('deleting a group', () => {
  it('removes its members, asks for them, and leaves it in no list', async () => {
    const parent = await create()
    const id = await create([person(1), person(2), 'nobody'])
    await patch(parent, add(id))
    expect((await scim(directory, 'DELETE', `/Groups/${id}`)).status).toBe(204)
    expect(await requestedLast(id)).toEqual(some(1, 2))
    expect(await membersOf(id)).toEqual([])
    expect(await membersOf(parent)).toEqual([])
    for (const method of ['GET', 'DELETE']) expect((await scim(directory, method, `/Groups/${id}`)).status).toBe(404)
    expect((await patch(id, add(person(1)))).status).toBe(404)
    expect((await scim(directory, 'GET', `/Groups?filter=${encodeURIComponent(`id eq "${id}"`)}`)).body).toMatchObject({
      totalResults: 0,
    })
  })
})
