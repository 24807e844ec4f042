// Routes about tenants: made with the bootstrap key, configured with a key of their own.

import { z } from 'zod'
import { changeTenant, listTenants, readRoleSets, readTenant } from '../../organization/change-tenant.ts'
import { createTenant } from '../../organization/create-tenant.ts'
import { createApiKey } from '../../organization/issue-api-key.ts'
import { bootstrapRoute, type Route, tenantRoute } from './route.ts'
import { id, idPage, instant, key, list, name, page, pageRequest } from './schemas.ts'

const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .meta({ description: 'Lower-case letters, digits and hyphens.' })

const unknownOrganizationPolicy = z
  .enum(['refuse', 'create', 'default'])
  .meta({ description: 'What becomes of a login whose org claim names no organization.' })
const signUpPolicy = z
  .enum(['refuse', 'personal', 'default'])
  .meta({ description: 'What becomes of a sign-up that no verified domain lets in.' })

const tenant = z
  .strictObject({
    id,
    slug,
    name: z.string(),
    unknownOrganizationPolicy,
    signUpPolicy,
    defaultOrganizationId: id.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Tenant' })

const apiKey = z
  .strictObject({
    id,
    name: z.string(),
    prefix: z.string().meta({ description: 'How the key begins.' }),
    createdAt: instant,
    key: z.string().meta({ description: 'Shown this once.' }),
  })
  .meta({ id: 'NewApiKey' })

const scopeKind = z.enum(['organization', 'unit', 'workspace'])

const ownRoleSet = z.strictObject({
  key,
  name,
  roles: z
    .array(
      z
        .strictObject({
          key,
          name,
          rank: z.number().int().min(0).max(1_000_000).meta({ description: 'Higher is stronger.' }),
          scopeKind: scopeKind.default('organization'),
          permissions: z.array(z.string().min(1).max(100)).max(200).default([]),
          isOwner: z.boolean().default(false),
        })
        .meta({ id: 'NewRole' }),
    )
    .min(2)
    .max(50),
})

const presetKey = z.enum(['learning', 'claims', 'cloud', 'reseller', 'retail'])

const role = z
  .strictObject({
    id,
    key: z.string(),
    name: z.string(),
    rank: z.number().int(),
    scopeKind,
    permissions: z.array(z.string()).readonly(),
    isOwner: z.boolean(),
  })
  .meta({ id: 'Role' })

const roleSet = z
  .strictObject({ id, key: z.string(), name: z.string(), roles: z.array(role).readonly() })
  .meta({ id: 'RoleSet' })

export const tenantRoutes: readonly Route[] = [
  bootstrapRoute(
    {
      method: 'post',
      path: '/tenants',
      operationId: 'createTenant',
      summary: 'Make a tenant with its role set and its first key',
      body: z.strictObject({
        slug,
        name,
        roleSet: z.union([presetKey, ownRoleSet]).default('cloud'),
        unknownOrganizationPolicy: unknownOrganizationPolicy.optional(),
        signUpPolicy: signUpPolicy.optional(),
      }),
      example: { slug: 'acme', name: 'Acme', roleSet: 'cloud' },
      status: 201,
      answer: z.strictObject({ tenant, apiKey }),
    },
    (context, { body }) => createTenant(context, body),
  ),
  bootstrapRoute(
    {
      method: 'get',
      path: '/tenants',
      operationId: 'listTenants',
      summary: 'Every tenant of the deployment',
      query: idPage,
      status: 200,
      answer: page(tenant),
    },
    (context, { query }) => listTenants(context, pageRequest(query)),
  ),
  bootstrapRoute(
    {
      method: 'post',
      path: '/tenants/{tenantId}/api-keys',
      operationId: 'createApiKey',
      summary: 'Make a further key for a tenant',
      body: z.strictObject({ name }),
      example: { name: 'deployment' },
      status: 201,
      answer: apiKey,
    },
    (context, { params, body }) => createApiKey(context, params.tenantId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/tenant',
      operationId: 'readTenant',
      summary: "The key's tenant",
      status: 200,
      answer: tenant,
    },
    (context, { caller }) => readTenant(context, caller),
  ),
  tenantRoute(
    {
      method: 'patch',
      path: '/tenant',
      operationId: 'changeTenant',
      summary: "Change the tenant's policies",
      body: z.strictObject({
        unknownOrganizationPolicy: unknownOrganizationPolicy.optional(),
        signUpPolicy: signUpPolicy.optional(),
        defaultOrganizationId: id.nullable().optional(),
      }),
      example: { signUpPolicy: 'personal' },
      status: 200,
      answer: tenant,
    },
    (context, { caller, body }) => changeTenant(context, caller, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/roles',
      operationId: 'readRoles',
      summary: "The tenant's role sets and their roles",
      status: 200,
      answer: list(roleSet),
    },
    async (context, { caller }) => ({ items: await readRoleSets(context, caller) }),
  ),
]
