// The bare floor that every figure is a ratio of: Express 5 and one parameterised statement for each
// operation, on the same PostgreSQL. It knows no schema, no tenancy, no audit, no outbox: just enough
// SCIM for the load to be told that it was served. A process of its own, so that its CPU can be told apart.

import { randomUUID } from 'node:crypto'
import express, { type Request } from 'express'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 16 })
const token = process.env['FLOOR_TOKEN'] ?? ''

await pool.query(`
  CREATE TABLE IF NOT EXISTS floor_users (
    directory text NOT NULL, id uuid PRIMARY KEY, user_name text NOT NULL, document jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (directory, user_name));
  CREATE INDEX IF NOT EXISTS floor_users_page ON floor_users (directory, created_at, id);
  CREATE TABLE IF NOT EXISTS floor_members (
    group_id uuid NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (group_id, user_id))`)

const statements = {
  create: 'INSERT INTO floor_users (directory, id, user_name, document) VALUES ($1, $2, $3, $4)',
  read: 'SELECT document FROM floor_users WHERE directory = $1 AND id = $2',
  probe: 'SELECT document FROM floor_users WHERE directory = $1 AND user_name = $2',
  patch: 'UPDATE floor_users SET document = document || $3::jsonb WHERE directory = $1 AND id = $2 RETURNING document',
  count: 'SELECT count(*)::int AS total FROM floor_users WHERE directory = $1',
  page: 'SELECT document FROM floor_users WHERE directory = $1 ORDER BY created_at, id OFFSET $2 LIMIT $3',
  join: 'INSERT INTO floor_members (group_id, user_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING',
}

async function run(name: keyof typeof statements, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query({ name, text: statements[name], values: [...values] })
  return rows
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function listOf(resources: readonly unknown[], totalResults: number, startIndex: number): object {
  return { totalResults, startIndex, itemsPerPage: resources.length, Resources: resources }
}

interface Operation {
  readonly path?: string
  readonly value: unknown
}

function operationsOf(request: Request): Operation[] {
  return request.body.Operations
}

const app = express()
app.use((request, response, next) => {
  if (request.headers.authorization === `Bearer ${token}`) next()
  else response.status(401).end()
})
app.use(express.json({ type: ['application/json', 'application/scim+json'], limit: '1mb' }))

app.post('/:directory/Users', async (request, response) => {
  const user = { ...request.body, id: randomUUID() }
  await run('create', [request.params.directory, user.id, user.userName, JSON.stringify(user)])
  response.status(201).json(user)
})

app.get('/:directory/Users', async (request, response) => {
  const { directory } = request.params
  const userName = /^userName eq "(.*)"$/i.exec(text(request.query['filter']))?.[1]
  if (userName !== undefined) {
    const found = await run('probe', [directory, userName])
    response.json(
      listOf(
        found.map((row) => row['document']),
        found.length,
        1,
      ),
    )
    return
  }
  const startIndex = Number(text(request.query['startIndex']) || 1)
  const [counted] = await run('count', [directory])
  const rows = await run('page', [directory, startIndex - 1, Number(text(request.query['count']) || 100)])
  response.json(
    listOf(
      rows.map((row) => row['document']),
      Number(counted?.['total']),
      startIndex,
    ),
  )
})

app.get('/:directory/Users/:id', async (request, response) => {
  const [row] = await run('read', [request.params.directory, request.params.id])
  if (row === undefined) response.status(404).end()
  else response.json(row['document'])
})

app.patch('/:directory/Users/:id', async (request, response) => {
  const changed = Object.fromEntries(operationsOf(request).map(({ path, value }) => [path ?? '', value]))
  const [row] = await run('patch', [request.params.directory, request.params.id, JSON.stringify(changed)])
  if (row === undefined) response.status(404).end()
  else response.json(row['document'])
})

app.patch('/:directory/Groups/:id', async (request, response) => {
  const ids = operationsOf(request).flatMap(({ value }) => (value as { value: string }[]).map((member) => member.value))
  await run('join', [request.params.id, ids])
  response.status(204).end()
})

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.stdout.write(`The floor listens on http://127.0.0.1:${port}\n`)
})
