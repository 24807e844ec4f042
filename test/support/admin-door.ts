// The admin door on a real port with a database of its own, and a client that holds every answer against the OpenAPI
// document the door itself serves.

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import express from 'express'
import { adminPath, adminRouter } from '../../src/http/admin/router.ts'
import type { AdminContext } from '../../src/organization/context.ts'
import { reconcileOrganization } from '../../src/work/reconcile-organization.ts'
import { createTestDatabase } from './database.ts'
import { type OpenDatabase, openDatabase } from './organization-fixture.ts'

export const bootstrapKey = 'test-bootstrap-key'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: checked against the document, then read by the test
  readonly body: any
}

export interface AdminClient {
  readonly key: string
  readonly tenant: string
  call(method: string, path: string, body?: unknown): Promise<Answer>
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  patch(path: string, body?: unknown): Promise<Answer>
  delete(path: string): Promise<Answer>
}

export interface Operation {
  readonly operationId: string
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: object; readonly example: unknown }>>
  }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

export interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export interface TestDoor {
  readonly db: OpenDatabase
  readonly context: AdminContext
  readonly base: string
  readonly document: Document
  /** What reached the last resort for unknown errors. */
  readonly reported: unknown[]
  /** Of which the SCIM door was told. */
  readonly changedDirectories: string[]
  client(key: string, tenant?: string): AdminClient
  /** A new tenant with the cloud roles, and a client with its key. */
  newTenant(body?: object): Promise<AdminClient>
  /** Works off what an organization asked for, as a worker would. */
  reconcile(tenant: string, organization: string): Promise<void>
  close(): Promise<void>
}

export async function openAdminDoor(options: { clock?: () => Date } = {}): Promise<TestDoor> {
  const database = await createTestDatabase()
  const db = openDatabase(database.url, options.clock)
  const reported: unknown[] = []
  const changedDirectories: string[] = []
  const context: AdminContext = {
    db,
    bootstrapKey,
    publicUrl: 'https://rollcall.test',
    sealingKeys: { current: { id: 'test', key: randomBytes(32) }, earlier: [] },
    randomBytes: (length) => randomBytes(length),
    directoryChanged: (id) => void changedDirectories.push(id),
  }
  const app = express()
  app.use(
    adminPath,
    adminRouter({ context, allowInsecureLoopback: true, report: (error) => void reported.push(error) }),
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${adminPath}`
  const document = (await (await fetch(`${base}/openapi.json`)).json()) as Document
  const check = answerChecker(document)
  let tenants = 0

  function client(key: string, tenant = ''): AdminClient {
    const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
      const response = await fetch(`${base}${path}`, {
        method: method.toUpperCase(),
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const answer = {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      }
      check(method, path, answer)
      return answer
    }
    return {
      key,
      tenant,
      call,
      get: (path) => call('get', path),
      post: (path, body) => call('post', path, body),
      patch: (path, body) => call('patch', path, body),
      delete: (path) => call('delete', path),
    }
  }

  return {
    db,
    context,
    base,
    document,
    reported,
    changedDirectories,
    client,
    async newTenant(body = {}) {
      tenants += 1
      const made = await client(bootstrapKey).post('/tenants', { slug: `tenant-${tenants}`, name: 'Tenant', ...body })
      if (made.status !== 201) throw new Error(`no tenant: ${JSON.stringify(made.body)}`)
      return client(made.body.apiKey.key, made.body.tenant.id)
    },
    async reconcile(tenant, organization) {
      const failures: unknown[] = []
      await reconcileOrganization(
        db,
        { tenant, organization },
        {
          sliceSize: 500,
          maxSlices: 100,
          shouldStop: () => false,
          onSynced: () => {},
          onFailure: ({ error }) => void failures.push(error),
        },
      )
      if (failures.length > 0) throw failures[0]
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await db.close()
      await database.drop()
    },
  }
}

/** Throws where an answer is not what the document promises: another status, a missing or an unlisted member. */
function answerChecker(document: Document): (method: string, path: string, answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema({ $id: 'document', ...document })
  const compiled = new Map<string, ValidateFunction>()
  const matchers = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
  }))
  return (method, path, answer) => {
    const [pathname = ''] = path.split('?')
    const template = matchers.find(({ pattern }) => pattern.test(pathname))?.template
    const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()]
    if (template === undefined || operation === undefined) return
    const promised = answer.status < 400 ? String(answer.status) : 'default'
    const response = operation.responses[promised]
    if (response === undefined) throw new Error(`${operation.operationId} does not promise ${answer.status}`)
    const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
    if (response.content === undefined) {
      if (answer.body !== undefined) throw new Error(`${operation.operationId} promises no body`)
      return
    }
    if (response.content[type] === undefined) throw new Error(`${operation.operationId} does not promise ${type}`)
    const at = ['paths', template, method.toLowerCase(), 'responses', promised, 'content', type, 'schema']
    const pointer = `document#/${at.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: pointer })
    compiled.set(pointer, validate)
    if (!validate(answer.body)) {
      throw new Error(`${operation.operationId}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(answer.body)}`)
    }
  }
}
