import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RollcallError } from '../../src/model/errors.ts'
import { enterpriseUrn, groupType, userType } from '../../src/scim/core-schemas.ts'
import { startReading } from '../../src/scim/dialects.ts'
import { parseFilter } from '../../src/scim/filter.ts'
import { matchesFilter } from '../../src/scim/filter-match.ts'
import { renderUser } from '../../src/scim/render.ts'
import { parseUser } from '../../src/scim/resource.ts'
import { withStatement } from '../../src/store/database.ts'
import { insertDirectoryGroup } from '../../src/store/directory-groups.ts'
import { listDirectoryGroups, listDirectoryUsers } from '../../src/store/directory-lists.ts'
import { insertDirectoryUser } from '../../src/store/directory-users.ts'
import { userFilterSql } from '../../src/store/filter-sql.ts'
import type { Scope } from '../../src/store/scope.ts'
import { type ScimService, startScimService, type TestDirectory } from '../support/scim-service.ts'

let service: ScimService
let directory: TestDirectory
beforeAll(async () => {
  service = await startScimService()
  directory = await service.createDirectory()
})
afterAll(() => service.stop())

const reading = () => startReading()
const page = { startIndex: 1, count: 200 }
const run = <Result>(of: TestDirectory, work: (scope: Scope) => Promise<Result>) =>
  withStatement(service.database, { tenant: of.tenant, actor: { id: 'test', door: 'scim' } }, work)
const refOf = (of: TestDirectory) => ({ id: of.id, organizationId: of.organization })

async function addUser(of: TestDirectory, body: object): Promise<string> {
  const id = service.database.newId()
  const outcome = await run(of, (scope) => insertDirectoryUser(scope, refOf(of), id, parseUser(body, reading())))
  expect(outcome).toBe('created')
  return id
}

const listUsers = (of: TestDirectory, filter: string, at = page) =>
  run(of, (scope) =>
    listDirectoryUsers(scope, refOf(of), { filter: parseFilter(filter, userType, reading()), page: at, groups: true }),
  )

/** What PostgreSQL says it would do with the statements of `work`. */
async function explain(of: TestDirectory, work: (scope: Scope) => Promise<unknown>): Promise<string> {
  const plans: string[] = []
  await run(of, (scope) =>
    work({
      ...scope,
      tx: {
        query: async <Row>({ text }: { text: string }, values: readonly unknown[]): Promise<Row[]> => {
          const rows = await service.query(`EXPLAIN ${text}`, values)
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
          return []
        },
      },
    }),
  )
  return plans.join('\n')
}

describe('a filter in SQL', () => {
  const words = ['a', 'B', 'ab', 'Ab', 'b"c', "x'y", 'a%', '_', '\\', 'Ä', 'z z'] as const
  const word = fc.constantFrom(...words)
  const optionalWord = fc.option(word, { nil: undefined })
  const element = fc.record(
    { value: word, type: fc.constantFrom('work', 'home', 'Work'), primary: fc.boolean(), display: word },
    { requiredKeys: ['value'] },
  )
  const withOnePrimary = (elements: readonly { primary?: boolean }[]) =>
    elements.filter((one, index) => !one.primary || elements.findIndex((other) => other.primary) === index)
  const body = fc.record(
    {
      active: fc.boolean(),
      displayName: word,
      nickName: word,
      title: word,
      name: fc.record({ givenName: optionalWord, familyName: optionalWord, middleName: optionalWord }),
      emails: fc.array(element, { maxLength: 3 }).map(withOnePrimary),
      phoneNumbers: fc.array(element, { maxLength: 2 }).map(withOnePrimary),
      [enterpriseUrn]: fc.record({ department: optionalWord, costCenter: optionalWord }),
    },
    { requiredKeys: ['active'] },
  )

  const texts = [
    'userName',
    'externalId',
    'displayName',
    'nickName',
    'title',
    'name.givenName',
    'name.middleName',
    'emails.value',
    'emails.type',
    'emails',
    'phoneNumbers.display',
    'groups.display',
    `${enterpriseUrn}:department`,
    `${enterpriseUrn}:costCenter`,
  ] as const
  const operator = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le')
  const quoted = word.map((text) => JSON.stringify(text))
  const comparison = fc.oneof(
    fc.tuple(fc.constantFrom(...texts), operator, quoted).map((parts) => parts.join(' ')),
    fc
      .constantFrom(...texts, 'name', 'active', 'groups', 'meta.created', enterpriseUrn.concat(':manager'))
      .map((name) => `${name} pr`),
    fc.tuple(fc.constantFrom('eq', 'ne'), fc.boolean()).map(([op, value]) => `active ${op} ${value}`),
    fc
      .tuple(
        fc.constantFrom('eq', 'ne', 'gt', 'le'),
        fc.constantFrom('2001-01-01T00:00:00Z', '2999-01-01T00:00:00+02:00'),
      )
      .map(([op, at]) => `meta.lastModified ${op} "${at}"`),
  )
  const inElement = fc.oneof(
    fc.tuple(fc.constantFrom('value', 'type', 'display'), operator, quoted).map((parts) => parts.join(' ')),
    fc.constantFrom('primary eq true', 'primary ne true', 'display pr', 'not (type eq "work")'),
  )
  const elementFilter = fc
    .tuple(
      fc.constantFrom('emails', 'phoneNumbers'),
      fc.array(inElement, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(' and ', ' or '),
    )
    .map(([name, parts, joiner]) => `${name}[${parts.join(joiner)}]`)
  const { filter } = fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      comparison,
      elementFilter,
      fc
        .tuple(tie('filter'), fc.constantFrom('and', 'or'), tie('filter'))
        .map(([left, op, right]) => `(${left} ${op} ${right})`),
      tie('filter').map((inner) => `not (${inner})`),
    ),
  }))

  it('finds exactly what the same filter finds in memory', async () => {
    const of = await service.createDirectory()
    const bodies = fc.sample(body, { numRuns: 60, seed: 11 })
    const ids: string[] = []
    for (const [index, one] of bodies.entries()) {
      ids.push(
        await addUser(of, {
          ...one,
          userName: `${words[index % words.length]}-${index}`,
          ...(index % 3 > 0 && { externalId: `${words[index % 7]}${index}` }),
        }),
      )
    }
    for (const [index, displayName] of ['a', 'Ab', 'z z'].entries()) {
      const members = ids.filter((_, position) => position % (index + 2) === 0)
      await run(of, (scope) =>
        insertDirectoryGroup(scope, refOf(of), {
          id: service.database.newId(),
          displayName,
          externalId: null,
          members,
        }),
      )
    }
    const everybody = await run(of, (scope) =>
      listDirectoryUsers(scope, refOf(of), { filter: undefined, page, groups: true }),
    )
    const resources = everybody.resources.map((user) => renderUser(user, { baseUrl: 'http://localhost' }))
    expect(resources).toHaveLength(60)

    let matched = 0
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const parsed = parseFilter(text, userType, reading())
        const expected = resources.filter((resource) => matchesFilter(parsed, resource)).map(({ id }) => id)
        const found = await listUsers(of, text)
        expect(found.resources.map(({ id }) => id)).toEqual(expected)
        expect(found.total).toBe(expected.length)
        if (expected.length > 0 && expected.length < 60) matched += 1
      }),
      { numRuns: 400 },
    )
    expect(matched).toBeGreaterThan(100)
  })

  it('has no word of the request in its text', () => {
    const hostile = `x' OR true; DROP TABLE users; --`
    const filters = [
      `userName eq "${hostile}"`,
      `nickName co "${hostile}"`,
      `emails[type eq "${hostile}" and value sw "${hostile}"]`,
      `groups.display eq "${hostile}"`,
      `id co "${hostile}"`,
    ]
    for (const text of filters) {
      const { condition, values } = userFilterSql(parseFilter(text, userType, reading()), 3)
      expect(condition).not.toContain('DROP')
      expect(condition).not.toContain('nickName')
      expect(JSON.stringify(values)).toContain('DROP')
    }
  })

  it.each(['schemas eq "urn:x"', 'meta.location co "x"', 'meta.resourceType eq "User"', 'groups.type eq "direct"'])(
    'is refused as invalid where it could not be answered: %s',
    (text) => {
      const compile = () => userFilterSql(parseFilter(text, userType, reading()), 3)
      expect(compile).toThrow(expect.objectContaining({ code: 'invalid_filter' } satisfies Partial<RollcallError>))
    },
  )

  it('never reaches another directory, also with or', async () => {
    const [mine, other] = [await service.createDirectory(), await service.createDirectory()]
    const ids = [await addUser(mine, { userName: 'me' }), await addUser(other, { userName: 'they' })]
    expect((await listUsers(mine, 'userName eq "me" or userName pr')).resources.map(({ id }) => id)).toEqual([ids[0]])
    expect((await listUsers(mine, `id eq "${ids[1]}"`)).total).toBe(0)
    expect((await listUsers(other, `id eq "${ids[1]}"`)).total).toBe(1)
  })
})

describe('a probe', () => {
  const users = 3000
  beforeAll(async () => {
    await service.query(
      `INSERT INTO directory_users (tenant_id, organization_id, directory_id, id, user_name, external_id, display_name, email, attributes, created_at, updated_at)
       SELECT $1, $2, $3, gen_random_uuid(), 'User-' || n || '@corp.example', 'ext-' || n, 'User ' || n, 'user-' || n || '@corp.example',
         jsonb_build_object('userName', 'User-' || n || '@corp.example', 'active', true, 'emails',
           jsonb_build_array(jsonb_build_object('type', 'work', 'value', 'User-' || n || '@corp.example'))), now(), now()
       FROM generate_series(1, $4) AS n`,
      [directory.tenant, directory.organization, directory.id, users],
    )
    await service.query(
      `INSERT INTO directory_groups (tenant_id, organization_id, directory_id, id, display_name, attributes, created_at, updated_at)
       SELECT $1, $2, $3, gen_random_uuid(), 'Group ' || n, '{}', now(), now() FROM generate_series(1, $4) AS n`,
      [directory.tenant, directory.organization, directory.id, users],
    )
    await service.query('ANALYZE directory_users, directory_groups')
  })

  it.each([
    ['userName eq "uSER-77@corp.example"', 'directory_users_user_name'],
    ['externalId eq "ext-77"', 'directory_users_external_id'],
    ['userName eq "user-77@corp.example" and active eq true', 'directory_users_user_name'],
    ['emails[type eq "work"].value eq "user-77@CORP.example"', 'directory_users_emails'],
    ['emails.value eq "user-77@corp.example"', 'directory_users_emails'],
  ])('for %s is answered by the index %s', async (text, index) => {
    expect((await listUsers(directory, text)).total).toBe(1)
    const plan = await explain(directory, (scope) =>
      listDirectoryUsers(scope, refOf(directory), {
        filter: parseFilter(text, userType, reading()),
        page,
        groups: true,
      }),
    )
    expect(plan).toContain(index)
    expect(plan).not.toMatch(/Seq Scan on directory_users/)
  })

  it('for a group by its displayName is answered by its index', async () => {
    const query = { filter: parseFilter('displayName eq "GROUP 77"', groupType, reading()), page }
    const find = (scope: Scope) => listDirectoryGroups(scope, refOf(directory), query)
    expect((await run(directory, find)).total).toBe(1)
    expect(await explain(directory, find)).toContain('directory_groups_display_name')
  })

  it('for nobody finds nobody, and neither counts nor pages', async () => {
    const text = 'userName eq "4ad2a1a5-9be3-4c3c-b1f6-9a8a0a0f9f10"'
    expect(await listUsers(directory, text)).toEqual({ total: 0, resources: [] })
    const plan = await explain(directory, (scope) =>
      listDirectoryUsers(scope, refOf(directory), {
        filter: parseFilter(text, userType, reading()),
        page,
        groups: true,
      }),
    )
    expect(plan).not.toMatch(/Limit/)
  })

  it('with a page beyond what it found says how many there are and shows none', async () => {
    const text = 'userName eq "user-77@corp.example"'
    expect(await listUsers(directory, text, { startIndex: 2, count: 10 })).toEqual({ total: 1, resources: [] })
    expect(await listUsers(directory, text, { startIndex: 1, count: 0 })).toEqual({ total: 1, resources: [] })
  })
})
