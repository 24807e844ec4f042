// Routes about organizations themselves: making, reading and configuring them.

import { z } from 'zod'
import { changeOrganization } from '../../organization/change-organization.ts'
import { createOrganization } from '../../organization/create-organization.ts'
import { listOrganizationPage, readOrganization } from '../../organization/read-organization.ts'
import { type Route, tenantRoute } from './route.ts'
import { email, id, instant, key, name, numberPage, page, pageRequest } from './schemas.ts'

const kind = z.enum(['organization', 'group', 'personal'])
const seatLimit = z.number().int().min(0).max(10_000_000).nullable().meta({ description: 'Null: no limit.' })
const seatPolicy = z
  .enum(['block', 'waitlist'])
  .meta({ description: 'What becomes of a newcomer when no seat is left.' })
const brakePercent = z
  .number()
  .int()
  .min(0)
  .max(100)
  .meta({ description: 'A plan that takes more than this part of a directory’s members away within an hour is held.' })
const brakeMinimum = z
  .number()
  .int()
  .min(1)
  .max(1_000_000)
  .meta({ description: 'Fewer removals than this are never held.' })

const organizationShape = {
  id,
  number: z.number().int().meta({ description: 'The n of the public ids of its members, ORG{n}-U-{seq}.' }),
  name: z.string(),
  kind,
  status: z.enum(['active', 'inactive']),
  roleSet: z.string(),
  defaultRole: z.string().meta({ description: 'What a member without any grant is.' }),
  seatLimit,
  seatPolicy,
  seatsUsed: z.number().int(),
  brakePercent,
  brakeMinimum,
  createdAt: instant,
}

export const organization = z.strictObject(organizationShape).meta({ id: 'Organization' })

const count = z.number().int()

const organizationDetail = z
  .strictObject({
    ...organizationShape,
    members: z.strictObject({
      invited: count,
      awaiting_approval: count,
      waitlisted: count,
      active: count,
      inactive: count,
      removed: count,
    }),
    attention: z
      .array(
        z.strictObject({
          reason: z.enum([
            'seats_exhausted',
            'held',
            'last_owner_protected',
            'conflict',
            'mapping_without_effect',
            'set_aside',
          ]),
          count,
        }),
      )
      .readonly()
      .meta({ description: 'What an admin should look at.' }),
  })
  .meta({ id: 'OrganizationDetail' })

const settings = {
  seatLimit: seatLimit.optional(),
  seatPolicy: seatPolicy.optional(),
  defaultRole: key.optional(),
  brakePercent: brakePercent.optional(),
  brakeMinimum: brakeMinimum.optional(),
}

export const organizationRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'post',
      path: '/organizations',
      operationId: 'createOrganization',
      summary: 'Make an organization, with a Default workspace and, where one is named, an owner',
      body: z.strictObject({
        name,
        kind: kind.optional(),
        roleSet: key.optional(),
        ...settings,
        owner: z.strictObject({ email, displayName: name.optional() }).optional(),
      }),
      example: { name: 'Acme', seatLimit: 25, owner: { email: 'ada@acme.example' } },
      status: 201,
      answer: organization,
    },
    (context, { caller, body }) => createOrganization(context, caller, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations',
      operationId: 'listOrganizations',
      summary: 'The organizations of the tenant',
      query: numberPage,
      status: 200,
      answer: page(organization),
    },
    (context, { caller, query }) => listOrganizationPage(context, caller, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}',
      operationId: 'readOrganization',
      summary: 'An organization, its members by status, and what an admin should look at',
      status: 200,
      answer: organizationDetail,
    },
    (context, { caller, params }) => readOrganization(context, caller, params.organizationId),
  ),
  tenantRoute(
    {
      method: 'patch',
      path: '/organizations/{organizationId}',
      operationId: 'changeOrganization',
      summary: 'Change settings of an organization',
      body: z.strictObject({
        name: name.optional(),
        ...settings,
        allowBelowUse: z
          .boolean()
          .optional()
          .meta({ description: 'Accept a seat limit below use. Nobody loses a seat by it.' }),
      }),
      example: { seatLimit: 50, seatPolicy: 'waitlist' },
      status: 200,
      answer: organization,
    },
    (context, { caller, params, body }) => changeOrganization(context, caller, params.organizationId, body),
  ),
]
