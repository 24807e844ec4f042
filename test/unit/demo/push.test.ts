// What the demonstration's pushes put on the wire, seen by a server that knows no SCIM beyond ids.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CastMember } from '../../../src/demo/cast.ts'
import { createEntraPush } from '../../../src/demo/entra-push.ts'
import { listenOnLoopback } from '../../../src/demo/loopback-server.ts'
import { createOktaPush } from '../../../src/demo/okta-push.ts'

const ada: CastMember = {
  given: 'Ada',
  family: 'Okafor',
  email: 'ada@acme.example',
  title: 'Head of IT',
  department: 'IT',
  groups: ['Staff'],
}
const bob: CastMember = { ...ada, given: 'Bob', email: 'bob@acme.example' }

interface Seen {
  readonly line: string
  readonly body: unknown
}

let seen: Seen[]
let refuse: string | undefined
let baseUrl: string
let stop: () => Promise<void>

beforeEach(async () => {
  seen = []
  refuse = undefined
  const server: Server = createServer((request, response) => {
    void answer(request).then(([status, body]) => response.writeHead(status).end(body))
  })
  const listening = await listenOnLoopback(server, 0)
  baseUrl = `http://127.0.0.1:${listening.port}/scim`
  stop = listening.stop
})
afterEach(() => stop())

async function answer(request: IncomingMessage): Promise<[number, string]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const line = `${request.method} ${decodeURIComponent((request.url ?? '').replace('/scim', ''))}`
  if (request.headers.authorization !== 'Bearer secret') return [401, '']
  if (refuse !== undefined && line.startsWith(refuse)) return [403, '{"detail":"No seat is left"}']
  seen.push({ line, body: text === '' ? undefined : JSON.parse(text) })
  if (request.method === 'GET') return [200, '{"totalResults":0}']
  return request.method === 'POST' ? [201, `{"id":"id-${seen.length}"}`] : [204, '']
}

const patchOp = ['urn:ietf:params:scim:api:messages:2.0:PatchOp']

test('Okta probes before each create, repeats a group’s name with its members, and deactivates without a path', async () => {
  const push = createOktaPush({ baseUrl, token: 'secret' })
  await push.assign([ada, { ...bob, groups: [] }], ['Staff'])
  await push.deactivate(bob.email)
  expect(seen.map(({ line }) => line)).toEqual([
    'GET /Users?filter=userName eq "ada@acme.example"&startIndex=1&count=100',
    'POST /Users',
    'GET /Users?filter=userName eq "bob@acme.example"&startIndex=1&count=100',
    'POST /Users',
    'GET /Groups?filter=displayName eq "Staff"&startIndex=1&count=100',
    'POST /Groups',
    'PATCH /Groups/id-6',
    'PATCH /Users/id-4',
  ])
  expect(seen[1]?.body).toMatchObject({ userName: 'ada@acme.example', active: true, groups: [], locale: 'en-US' })
  expect(seen[6]?.body).toEqual({
    schemas: patchOp,
    Operations: [
      { op: 'replace', value: { id: 'id-6', displayName: 'Staff' } },
      { op: 'add', path: 'members', value: [{ value: 'id-2', display: 'ada@acme.example' }] },
    ],
  })
  expect(seen[7]?.body).toEqual({ schemas: patchOp, Operations: [{ op: 'replace', value: { active: false } }] })
})

test('Entra writes booleans as strings and operations in capitals, and adds members one by one', async () => {
  const push = createEntraPush({ baseUrl, token: 'secret' })
  await push.testConnection()
  await push.provision([ada, bob], ['Staff'])
  await push.disable(bob.email)
  expect(seen[0]?.line).toMatch(/^GET \/Users\?filter=userName eq "[0-9a-f-]{36}"$/)
  expect(seen[2]?.body).toMatchObject({ userName: 'ada@acme.example', active: 'True', roles: [], title: null })
  expect(seen[3]?.body).toMatchObject({
    Operations: [{ op: 'Replace', path: 'title', value: 'Head of IT' }, { op: 'Add' }],
  })
  expect(seen.find(({ line }) => line.startsWith('GET /Groups'))?.line).toBe(
    'GET /Groups?excludedAttributes=members&filter=displayName eq "Staff"',
  )
  const members = seen.filter(({ line }) => line.startsWith('PATCH /Groups/'))
  expect(members.map(({ body }) => body)).toEqual(
    expect.arrayContaining(
      ['id-3', 'id-6'].map((value) => ({
        schemas: patchOp,
        Operations: [{ op: 'Add', path: 'members', value: [{ $ref: null, value }] }],
      })),
    ),
  )
  expect(members).toHaveLength(2)
  expect(seen.at(-1)?.body).toEqual({
    schemas: patchOp,
    Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
  })
})

test('an answer that was not expected stops the push with what the door said, without the filter', async () => {
  refuse = 'POST /Users'
  const push = createOktaPush({ baseUrl, token: 'secret' })
  await expect(push.assign([ada], [])).rejects.toThrow(
    'POST /Users was answered with 403: {"detail":"No seat is left"}',
  )
  const stranger = createOktaPush({ baseUrl, token: 'wrong' })
  await expect(stranger.assign([ada], [])).rejects.toThrow(/^GET \/Users was answered with 401/)
  await expect(push.deactivate('nobody@acme.example')).rejects.toThrow('never pushed')
})
