import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ScimService, scim, startScimService, type TestDirectory } from '../support/scim-service.ts'
import { checkTranscript, readTranscripts, type Step, type Transcript } from './transcript.ts'

let service: ScimService
beforeAll(async () => {
  service = await startScimService()
})
afterAll(() => service.stop())

type Variables = Map<string, string>

describe.each(['okta', 'entra'] as const)('%s', (provider) => {
  const transcripts = readTranscripts(provider)

  it.each(transcripts)('%s is answered as the provider needs it', async (_file, transcript) => {
    const directory = await service.createDirectory()
    const variables: Variables = new Map([
      ['baseUrl', directory.baseUrl],
      ['nowhere', '01900000-0000-7000-8000-00000000dead'],
    ])
    for (const step of transcript.steps) await walk(step, directory, variables)
    await expectDirectory(directory, transcript.finally, variables)
    expect(service.errors).toEqual([])
  })

  it('has a transcript for each thing it does', () => {
    expect(transcripts.length).toBeGreaterThan(8)
  })
})

describe('a transcript', () => {
  const step = {
    name: 's',
    request: { method: 'GET', path: '/Users' },
    expect: { status: 200, body: { totalResults: 0 } },
  }
  const end = { users: [], groups: [] }
  const isGood = (steps: readonly object[]) => checkTranscript({ behaviour: 'b', steps, finally: end })

  it('whose step asserts nothing is none', () => {
    expect(isGood([step])).toBe(true)
    expect(isGood([step, { ...step, expect: { status: 200 } }])).toBe(false)
    expect(isGood([])).toBe(false)
  })

  it('with a misspelt word is none', () => {
    expect(isGood([{ ...step, expects: step.expect }])).toBe(false)
    expect(isGood([{ ...step, expect: { ...step.expect, abscent: ['x'] } }])).toBe(false)
  })

  it('that expects what is not so fails', async () => {
    const directory = await service.createDirectory()
    const walkWith = (body: Record<string, unknown>) =>
      walk({ ...step, request: { method: 'GET', path: '/Users' }, expect: { status: 200, body } }, directory, new Map())
    await walkWith({ Resources: [] })
    await expect(walkWith({ Resources: [{}] })).rejects.toThrow()
    await expect(walkWith({ totalResults: 1 })).rejects.toThrow()
  })
})

async function walk(
  { name, request, expect: expected, capture = {} }: Step,
  directory: TestDirectory,
  variables: Variables,
) {
  const path = encodeQuery(fill(request.path, variables, name))
  const body = request.body && (fillAll(request.body, variables, name) as object)
  const reply = await scim(directory, request.method, path, body, request.headers)
  const at = `${name}: ${request.method} ${path} answered ${reply.status} ${reply.text.slice(0, 2000)}`
  expect(reply.status, at).toBe(expected.status)
  for (const [header, value] of Object.entries(expected.headers ?? {})) {
    expect(reply.headers.get(header), `${at}, header ${header}`).toBe(fill(value, variables, name))
  }
  if (expected.status === 204) expect(reply.text, at).toBe('')
  else expect(reply.headers.get('content-type'), at).toBe('application/scim+json')
  if (expected.body !== undefined)
    expect(reply.body, at).toMatchObject(fillAll(expected.body, variables, name) as object)
  for (const missing of expected.absent ?? []) expect(valueAt(reply.body, missing), `${at}, ${missing}`).toBeUndefined()
  for (const [variable, where] of Object.entries(capture)) {
    const value = valueAt(reply.body, where)
    if (typeof value !== 'string') throw new Error(`${at}: nothing to capture at ${where}`)
    variables.set(variable, value)
  }
}

/** All users and groups of the directory, also the tombstones, in the order they came. */
async function expectDirectory(directory: TestDirectory, end: Transcript['finally'], variables: Variables) {
  const users = await service.query(
    `SELECT attributes || jsonb_build_object('id', id, 'active', active, 'deleted', deleted_at IS NOT NULL,
       'requested', EXISTS (SELECT FROM reconcile_requests r JOIN audit_entries a ON a.id = r.cause_id WHERE r.subject_id = u.id)) AS row
     FROM directory_users u WHERE directory_id = $1 ORDER BY created_at, id`,
    [directory.id],
  )
  const groups = await service.query(
    `SELECT jsonb_build_object('id', id, 'displayName', display_name, 'externalId', external_id, 'deleted', deleted_at IS NOT NULL,
       'members', (SELECT coalesce(jsonb_agg(member_value ORDER BY member_value), '[]') FROM directory_group_members m WHERE m.group_id = g.id)) AS row
     FROM directory_groups g WHERE directory_id = $1 ORDER BY created_at, id`,
    [directory.id],
  )
  const expected = fillAll(end, variables, 'finally') as Transcript['finally']
  expect(users.map(({ row }) => row)).toMatchObject(expected.users.map((user) => ({ ...user, requested: true })))
  expect(groups.map(({ row }) => row)).toMatchObject(
    expected.groups.map((group) => ({ ...group, members: [...group.members].sort() })),
  )
}

function fill(text: string, variables: Variables, where: string): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new Error(`${where}: nothing was captured as ${name}`)
    return value
  })
}

function fillAll(value: unknown, variables: Variables, where: string): unknown {
  if (typeof value === 'string') return fill(value, variables, where)
  if (Array.isArray(value)) return value.map((element) => fillAll(element, variables, where))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillAll(member, variables, where)]))
}

/** `/Users?filter=userName eq "a+b"&count=1` as it goes over the wire. */
function encodeQuery(path: string): string {
  const [before = '', query] = path.split('?', 2)
  if (query === undefined) return before
  const parameters = query.split('&').map((parameter) => {
    const equals = parameter.indexOf('=')
    return `${parameter.slice(0, equals)}=${encodeURIComponent(parameter.slice(equals + 1))}`
  })
  return `${before}?${parameters.join('&')}`
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((current, key) => {
    if (typeof current !== 'object' || current === null) return undefined
    return Object.getOwnPropertyDescriptor(current, key)?.value
  }, value)
}
