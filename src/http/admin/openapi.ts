// The OpenAPI 3.1 document, made of the routes' own schemas.

import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { paramNames, type Route } from './route.ts'

const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    errors: z
      .array(z.strictObject({ pointer: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'What is wrong with the input, member by member.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' })

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>

/** `serverUrl`: where the API is reached, with its path. */
export function describeRoutes(routes: readonly Route[], serverUrl: string): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'tenantKey', {
    type: 'http',
    scheme: 'bearer',
    description: "A tenant's key (rck_…). The tenant of the request is the key's.",
  })
  registry.registerComponent('securitySchemes', 'bootstrapKey', {
    type: 'http',
    scheme: 'bearer',
    description: "The deployment's key. Makes tenants and their keys, and nothing else.",
  })
  for (const route of routes) register(registry, route)
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Rollcall admin API',
      version: '1',
      description: 'Organizations, their directories, connections, domains, mappings and members.',
    },
    servers: [{ url: serverUrl }],
  })
}

function register(registry: OpenAPIRegistry, route: Route): void {
  const names = paramNames(route.path)
  const params = z.object(Object.fromEntries(names.map((name) => [name, z.uuid()])))
  const { query, body, answer } = route
  registry.registerPath({
    method: route.method,
    path: route.path,
    operationId: route.operationId,
    summary: route.summary,
    security: [{ [route.access === 'bootstrap' ? 'bootstrapKey' : 'tenantKey']: [] }],
    request: {
      ...(names.length === 0 ? {} : { params }),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: body, example: route.example } } } }),
    },
    responses: {
      [route.status]:
        answer === undefined
          ? { description: 'Done; there is nothing to say.' }
          : { description: 'Done.', content: { 'application/json': { schema: answer } } },
      default: { description: 'Not done.', content: { 'application/problem+json': { schema: problem } } },
    },
  })
}
