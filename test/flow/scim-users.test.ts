import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ScimService, scim, startScimService, type TestDirectory } from '../support/scim-service.ts'

let service: ScimService
let directory: TestDirectory
beforeAll(async () => {
  service = await startScimService()
  directory = await service.createDirectory()
})
afterAll(async () => {
  expect(service.errors).toEqual([])
  await service.stop()
})

const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
let count = 0
/** A user that nobody else in this file is. */
const newUser = (more: object = {}) => {
  count += 1
  return {
    schemas: [userUrn],
    userName: `User${count}@corp.example`,
    externalId: `ext-${count}`,
    active: true,
    ...more,
  }
}
const patch = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
})
const filter = (text: string) => `/Users?filter=${encodeURIComponent(text)}`
const uniqueness = (detail: string) => ({
  scimType: 'uniqueness',
  status: '409',
  detail: expect.stringContaining(detail),
})
const requestsFor = (id: string) =>
  service.query(
    `SELECT r.subject_kind, r.urgent, a.action, a.before, a.after, a.actor, a.door FROM reconcile_requests r
     JOIN audit_entries a ON a.tenant_id = r.tenant_id AND a.id = r.cause_id
     WHERE r.subject_id = $1 ORDER BY r.id`,
    [id],
  )

describe('creating a user', () => {
  it('answers 201 with what was said, verbatim, and where it is', async () => {
    const body = newUser({
      name: { givenName: 'Zoë', familyName: "O'Neil" },
      emails: [{ value: 'Zoe@Corp.example', type: 'work', primary: true }],
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'boss-1' } },
    })
    const created = await scim(directory, 'POST', '/Users', body)
    expect(created.status).toBe(201)
    expect(created.headers.get('content-type')).toBe('application/scim+json')
    expect(created.headers.get('location')).toBe(`${directory.baseUrl}/Users/${created.id}`)
    expect(created.body).toEqual({
      ...body,
      schemas: [userUrn, enterpriseUrn],
      id: created.id,
      meta: {
        resourceType: 'User',
        created: expect.stringMatching(/^\d{4}-.*Z$/),
        lastModified: expect.any(String),
        location: created.headers.get('location'),
      },
    })
    expect((await scim(directory, 'GET', `/Users/${created.id}`)).body).toEqual(created.body)
  })

  it('writes the audit entry and one reconcile request that names it, and tells the relay', async () => {
    service.wakes.length = 0
    const { id } = await scim(directory, 'POST', '/Users', newUser({ displayName: 'Ann' }))
    expect(await requestsFor(id)).toEqual([
      {
        subject_kind: 'directory_user',
        urgent: false,
        action: 'directory_user.created',
        before: null,
        after: expect.objectContaining({ displayName: 'Ann' }),
        actor: `directory:${directory.id}`,
        door: 'scim',
      },
    ])
    expect(service.wakes).toEqual([
      { kind: 'organization', tenant: directory.tenant, id: directory.organization, urgent: false },
    ])
  })

  it('never stores or returns a password, and takes no id, meta or groups', async () => {
    const mine = {
      id: '00000000-0000-4000-8000-000000000000',
      meta: { created: '1999-01-01T00:00:00Z' },
      groups: [{ value: 'g' }],
    }
    const created = await scim(directory, 'POST', '/Users', newUser({ ...mine, password: 'Secret-1!', nickName: 'N' }))
    expect(created.id).not.toBe(mine.id)
    expect(created.text).not.toMatch(/Secret|1999|"g"/)
    expect(created.body).toMatchObject({ nickName: 'N' })
    const rows = await service.query(
      `SELECT attributes::text || (SELECT string_agg(after::text, '') FROM audit_entries WHERE subject_id = $1) AS kept
       FROM directory_users WHERE id = $1`,
      [created.id],
    )
    expect(rows[0]?.['kept']).not.toMatch(/Secret|password/i)
  })

  it('under a userName that differs only in case is a duplicate', async () => {
    const first = newUser()
    expect((await scim(directory, 'POST', '/Users', first)).status).toBe(201)
    const again = await scim(directory, 'POST', '/Users', newUser({ userName: first.userName.toUpperCase() }))
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject(uniqueness('userName'))
    expect((await scim(directory, 'GET', filter(`userName eq "${first.userName.toUpperCase()}"`))).body).toMatchObject({
      totalResults: 1,
    })
  })

  it('with the externalId of an active user is a duplicate', async () => {
    const first = newUser()
    await scim(directory, 'POST', '/Users', first)
    const again = await scim(directory, 'POST', '/Users', newUser({ externalId: first.externalId }))
    expect(again.body).toMatchObject(uniqueness('externalId'))
  })

  it('twice at once makes one 201 and one 409, and one user', async () => {
    for (let round = 0; round < 10; round += 1) {
      const body = newUser()
      const replies = await Promise.all([1, 2].map(() => scim(directory, 'POST', '/Users', body)))
      expect(replies.map(({ status }) => status).sort()).toEqual([201, 409])
      expect((await scim(directory, 'GET', filter(`userName eq "${body.userName}"`))).resources).toHaveLength(1)
    }
  })

  it.each(['inactive', 'deleted'])(
    'with the externalId of an %s user brings that user back under the same id',
    async (state) => {
      const body = newUser({ title: 'Old' })
      const { id } = await scim(directory, 'POST', '/Users', body)
      if (state === 'deleted') await scim(directory, 'DELETE', `/Users/${id}`)
      else await scim(directory, 'PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: false } }))
      const renamed = { ...newUser(), externalId: body.externalId }
      const back = await scim(directory, 'POST', '/Users', renamed)
      expect(back.status).toBe(201)
      expect(back.id).toBe(id)
      expect(back.headers.get('location')).toBe(`${directory.baseUrl}/Users/${id}`)
      const read = await scim(directory, 'GET', `/Users/${id}`)
      expect(read.body).toMatchObject({ userName: renamed.userName, active: true })
      expect(read.body).not.toHaveProperty('title')
      expect((await requestsFor(id)).at(-1)).toMatchObject({ action: 'directory_user.returned' })
    },
  )

  it('with the userName of an inactive user brings that user back, unless both have an externalId', async () => {
    const body = newUser()
    const { externalId: _, ...withoutExternalId } = body
    const { id } = await scim(directory, 'POST', '/Users', { ...body, active: false })
    const somebodyElse = await scim(directory, 'POST', '/Users', { ...body, externalId: 'another' })
    expect(somebodyElse.body).toMatchObject(uniqueness('userName'))
    expect(await scim(directory, 'POST', '/Users', withoutExternalId)).toMatchObject({ status: 201, id })
  })

  it('takes the userName of a deleted user for a new one', async () => {
    const body = newUser()
    const { id } = await scim(directory, 'POST', '/Users', body)
    await scim(directory, 'DELETE', `/Users/${id}`)
    const next = await scim(directory, 'POST', '/Users', { ...body, externalId: 'next' })
    expect(next.status).toBe(201)
    expect(next.id).not.toBe(id)
  })
})

describe('when no seat is left under the policy block', () => {
  let full: TestDirectory
  let inactive: string
  beforeAll(async () => {
    full = await service.createDirectory()
    inactive = (await scim(full, 'POST', '/Users', newUser({ externalId: 'sleeper', userName: 'sleeper' }))).id
    await scim(full, 'PATCH', `/Users/${inactive}`, patch({ op: 'replace', path: 'active', value: false }))
    await service.query(`UPDATE organizations SET seat_limit = 1, seats_used = 1 WHERE id = $1`, [full.organization])
  })
  const rows = () =>
    service.query(
      `SELECT (SELECT count(*)::int FROM directory_users WHERE directory_id = $1) AS users,
        (SELECT count(*)::int FROM audit_entries WHERE organization_id = $2) AS audits,
        (SELECT count(*)::int FROM reconcile_requests WHERE organization_id = $2) AS requests`,
      [full.id, full.organization],
    )

  it('a new active user is refused with what to do about it, and nothing is written', async () => {
    const before = await rows()
    const refused = await scim(full, 'POST', '/Users', newUser())
    expect(refused.status).toBe(403)
    expect(refused.body).toMatchObject({ status: '403', detail: expect.stringMatching(/seat limit/) })
    expect(await rows()).toEqual(before)
  })

  it('an inactive new user is taken, and a duplicate is still called one', async () => {
    const body = newUser({ active: false })
    expect((await scim(full, 'POST', '/Users', body)).status).toBe(201)
    const active = newUser({ active: false })
    const { id } = await scim(full, 'POST', '/Users', active)
    expect(
      (await scim(full, 'PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'active', value: true }))).status,
    ).toBe(200)
    expect((await scim(full, 'POST', '/Users', { ...active, active: true })).status).toBe(409)
  })

  it('who comes back is not refused', async () => {
    const back = await scim(full, 'POST', '/Users', newUser({ externalId: 'sleeper' }))
    expect(back).toMatchObject({ status: 201, id: inactive })
  })

  it('the policy waitlist takes everybody', async () => {
    await service.query(`UPDATE organizations SET seat_policy = 'waitlist' WHERE id = $1`, [full.organization])
    expect((await scim(full, 'POST', '/Users', newUser())).status).toBe(201)
  })
})

describe('changing a user', () => {
  it('by PUT clears what is no longer said, and ignores what is read-only', async () => {
    const body = newUser({ title: 'Boss', nickName: 'B' })
    const { id } = await scim(directory, 'POST', '/Users', body)
    const replaced = await scim(directory, 'PUT', `/Users/${id}`, {
      ...body,
      nickName: undefined,
      title: 'Chief',
      id: 'other',
      meta: { location: 'x' },
      groups: [],
    })
    expect(replaced.status).toBe(200)
    expect(replaced.body).toMatchObject({ id, title: 'Chief' })
    expect(replaced.body).not.toHaveProperty('nickName')
    expect((await requestsFor(id)).at(-1)).toMatchObject({
      action: 'directory_user.updated',
      before: { title: 'Boss', nickName: 'B' },
      after: { title: 'Chief' },
    })
  })

  it('by PUT never creates one', async () => {
    const unknown = '01900000-0000-7000-8000-000000000000'
    expect((await scim(directory, 'PUT', `/Users/${unknown}`, newUser())).status).toBe(404)
    expect((await scim(directory, 'PUT', `/Users/no-uuid`, newUser())).status).toBe(404)
  })

  it('without a difference writes nothing and keeps lastModified', async () => {
    const body = newUser({ displayName: 'Same' })
    const created = await scim(directory, 'POST', '/Users', body)
    const replies = [
      await scim(directory, 'PUT', `/Users/${created.id}`, body),
      await scim(
        directory,
        'PATCH',
        `/Users/${created.id}`,
        patch({ op: 'replace', path: 'displayName', value: 'Same' }),
      ),
      await scim(directory, 'PATCH', `/Users/${created.id}`, patch()),
    ]
    for (const reply of replies) {
      expect(reply.status).toBe(200)
      expect(reply.body).toEqual(created.body)
    }
    expect(await requestsFor(created.id)).toHaveLength(1)
    expect(await service.query('SELECT generation FROM directory_users WHERE id = $1', [created.id])).toEqual([
      { generation: 1 },
    ])
  })

  it('gives it another userName when that one is free, and refuses it with 409 when it is not', async () => {
    const [one, two] = [newUser(), newUser()]
    const { id } = await scim(directory, 'POST', '/Users', one)
    await scim(directory, 'POST', '/Users', two)
    const rename = (userName: string) =>
      scim(directory, 'PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'userName', value: userName }))
    expect((await rename(two.userName.toLowerCase())).body).toMatchObject(uniqueness('userName'))
    expect((await scim(directory, 'PUT', `/Users/${id}`, { ...one, externalId: two.externalId })).body).toMatchObject(
      uniqueness('externalId'),
    )
    expect((await rename('free@corp.example')).body).toMatchObject({ userName: 'free@corp.example' })
    expect((await scim(directory, 'GET', filter(`userName eq "${one.userName}"`))).body).toMatchObject({
      totalResults: 0,
    })
  })

  it('by a PATCH that fails in its last operation changes nothing', async () => {
    const { id, body } = await scim(directory, 'POST', '/Users', newUser({ title: 'T' }))
    const failed = await scim(
      directory,
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'replace', path: 'title', value: 'New' }, { op: 'replace', path: 'active', value: 'perhaps' }),
    )
    expect(failed.status).toBe(400)
    expect(failed.body).toMatchObject({ scimType: 'invalidValue' })
    expect((await scim(directory, 'GET', `/Users/${id}`)).body).toEqual(body)
  })

  it('fifty times at once loses none of the changes', async () => {
    const { id } = await scim(directory, 'POST', '/Users', newUser())
    const numbers = Array.from({ length: 50 }, (_, index) => index)
    const replies = await Promise.all(
      numbers.map((number) =>
        scim(
          directory,
          'PATCH',
          `/Users/${id}`,
          patch({ op: 'add', path: 'phoneNumbers', value: [{ value: `+${number}`, type: 'other' }] }),
        ),
      ),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    const rows = await service.query(
      `SELECT jsonb_array_length(attributes -> 'phoneNumbers') AS kept, generation FROM directory_users WHERE id = $1`,
      [id],
    )
    expect(rows).toEqual([{ kept: 50, generation: 51 }])
    expect(await requestsFor(id)).toHaveLength(51)
  })
})

describe('a user who is deactivated', () => {
  it('stays so until somebody says active: true; null, remove and silence do not let them in again', async () => {
    const { id } = await scim(directory, 'POST', '/Users', { ...newUser(), active: false })
    const { body } = await scim(directory, 'GET', `/Users/${id}`)
    const { active: _unsaid, ...silent } = body as Record<string, unknown>
    const attempts = [
      ['PATCH', patch({ op: 'replace', path: 'active', value: null })],
      ['PATCH', patch({ op: 'remove', path: 'active' })],
      ['PUT', silent],
    ] as const
    for (const [method, sent] of attempts) {
      expect((await scim(directory, method, `/Users/${id}`, sent)).body).toMatchObject({ active: false })
    }
    const back = await scim(directory, 'PATCH', `/Users/${id}`, patch({ op: 'replace', path: 'active', value: true }))
    expect(back.body).toMatchObject({ active: true })
  })

  it('stays readable, findable and in groups', async () => {
    const body = newUser()
    const { id } = await scim(directory, 'POST', '/Users', body)
    const group = await scim(directory, 'POST', '/Groups', {
      displayName: 'Keeps the inactive',
      members: [{ value: id }],
    })
    await scim(directory, 'PATCH', `/Users/${id}`, patch({ op: 'Replace', path: 'active', value: 'False' }))
    const found = await scim(directory, 'GET', filter(`userName eq "${body.userName}"`))
    expect(found.resources).toEqual([
      expect.objectContaining({ id, active: false, groups: [expect.objectContaining({ value: group.id })] }),
    ])
    expect((await scim(directory, 'GET', `/Users/${id}`)).status).toBe(200)
    expect((await scim(directory, 'GET', `/Groups/${group.id}`)).body).toMatchObject({ members: [{ value: id }] })
  })
})

describe('a user who is deleted', () => {
  it('is gone from reads, lists and groups, and its tombstone is asked to be reconciled', async () => {
    const body = newUser()
    const { id } = await scim(directory, 'POST', '/Users', body)
    const group = await scim(directory, 'POST', '/Groups', {
      displayName: 'Loses the deleted',
      members: [{ value: id }],
    })
    const gone = await scim(directory, 'DELETE', `/Users/${id}`)
    expect(gone.status).toBe(204)
    expect(gone.text).toBe('')
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      const reply = await scim(
        directory,
        method,
        `/Users/${id}`,
        method === 'PUT' ? body : method === 'PATCH' ? patch() : undefined,
      )
      expect(reply.status).toBe(404)
      expect(reply.body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404' })
    }
    expect((await scim(directory, 'GET', filter(`userName eq "${body.userName}"`))).body).toMatchObject({
      totalResults: 0,
      Resources: [],
    })
    expect((await scim(directory, 'GET', `/Groups/${group.id}`)).body).not.toHaveProperty('members')
    expect((await requestsFor(id)).at(-1)).toMatchObject({ action: 'directory_user.deleted' })
  })
})

describe('listing users', () => {
  let of: TestDirectory
  beforeAll(async () => {
    of = await service.createDirectory()
    for (let index = 0; index < 25; index += 1) {
      await scim(of, 'POST', '/Users', newUser({ userName: `page-${index}`, active: index % 2 === 0 }))
    }
  })
  const names = (resources: readonly Record<string, unknown>[]) => resources.map((one) => one['userName'])

  it('walks every user once, in the order they came, whatever the size of the pages', async () => {
    const seen: unknown[] = []
    for (let startIndex = 1; startIndex <= 25; startIndex += 10) {
      const page = await scim(of, 'GET', `/Users?startIndex=${startIndex}&count=10`)
      expect(page.body).toMatchObject({ totalResults: 25, startIndex, itemsPerPage: page.resources.length })
      seen.push(...names(page.resources))
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `page-${index}`))
  })

  it('counts what the filter finds, also on a page beyond the end', async () => {
    const active = (more: string) => scim(of, 'GET', `${filter('active eq true')}${more}`)
    expect((await active('&count=3')).body).toMatchObject({ totalResults: 13, itemsPerPage: 3 })
    expect((await active('&startIndex=100')).body).toMatchObject({ totalResults: 13, itemsPerPage: 0, Resources: [] })
    expect((await active('&count=0')).body).toMatchObject({ totalResults: 13, itemsPerPage: 0, Resources: [] })
    expect((await active('&startIndex=-5&count=-1')).body).toMatchObject({
      startIndex: 1,
      totalResults: 13,
      Resources: [],
    })
  })

  it('shows only the attributes that were asked for', async () => {
    const some = await scim(of, 'GET', '/Users?count=1&attributes=userName')
    expect(some.resources).toEqual([{ schemas: [userUrn], id: expect.any(String), userName: 'page-0' }])
    const less = await scim(of, 'GET', '/Users?count=1&excludedAttributes=userName,meta')
    expect(less.resources[0]).toHaveProperty('externalId')
    expect(less.resources[0]).not.toHaveProperty('userName')
  })
})
