// Routes about an organization's directories, their tokens and the groups they sent.

import { z } from 'zod'
import {
  changeDirectoryState,
  createDirectory,
  listDirectoryGroupPage,
  listDirectoryPage,
  readDirectory,
} from '../../organization/directories.ts'
import { revokeDirectoryToken, rotateDirectoryToken } from '../../organization/directory-tokens.ts'
import { type Route, tenantRoute } from './route.ts'
import { futureInstant, id, idPage, instant, maybeInstant, name, page, pageRequest } from './schemas.ts'

const provider = z.enum(['okta', 'entra', 'other'])
const count = z.number().int()

const directoryShape = {
  id,
  name: z.string(),
  provider,
  state: z.enum(['pending', 'active', 'paused', 'decommissioned']),
  scimBaseUrl: z.string().meta({ description: 'What the identity provider is given, with a token.' }),
  createdAt: instant,
  firstContactAt: maybeInstant,
  lastContactAt: maybeInstant,
}
const directory = z.strictObject(directoryShape).meta({ id: 'Directory' })

const tokenShape = {
  id,
  prefix: z.string().meta({ description: 'How the token begins.' }),
  createdAt: instant,
  expiresAt: maybeInstant,
  lastUsedAt: maybeInstant,
}
const newToken = z
  .strictObject({ ...tokenShape, token: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'NewDirectoryToken' })

const directoryDetail = z
  .strictObject({
    ...directoryShape,
    counts: z.strictObject({ users: count, activeUsers: count, groups: count }),
    sync: z.strictObject({
      inSync: z.boolean(),
      pending: count.meta({ description: 'Requests that wait for a worker.' }),
      setAside: count.meta({ description: 'Requests that failed too often and wait for an admin.' }),
      behind: count.meta({ description: 'Users whose latest word has not been reconciled.' }),
    }),
    tokens: z.array(z.strictObject(tokenShape).meta({ id: 'DirectoryToken' })).readonly(),
  })
  .meta({ id: 'DirectoryDetail' })

const directoryGroup = z
  .strictObject({ id, displayName: z.string(), externalId: z.string().nullable(), memberCount: count })
  .meta({ id: 'DirectoryGroup' })

const base = '/organizations/{organizationId}/directories'
const one = '/organizations/{organizationId}/directories/{directoryId}'

export const directoryRoutes: readonly Route[] = [
  tenantRoute(
    {
      method: 'post',
      path: base,
      operationId: 'createDirectory',
      summary: 'Make a directory with its first token',
      body: z.strictObject({ name, provider: provider.default('other') }),
      example: { name: 'Okta', provider: 'okta' },
      status: 201,
      answer: z.strictObject({ directory, token: newToken }),
    },
    (context, { caller, params, body }) => createDirectory(context, caller, params.organizationId, body),
  ),
  tenantRoute(
    {
      method: 'get',
      path: base,
      operationId: 'listDirectories',
      summary: 'The directories of an organization',
      query: idPage,
      status: 200,
      answer: page(directory),
    },
    (context, { caller, params, query }) =>
      listDirectoryPage(context, caller, params.organizationId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'get',
      path: one,
      operationId: 'readDirectory',
      summary: 'A directory, its live tokens, and how far its users are reconciled',
      status: 200,
      answer: directoryDetail,
    },
    (context, { caller, params }) => readDirectory(context, caller, params.organizationId, params.directoryId),
  ),
  tenantRoute(
    {
      method: 'patch',
      path: one,
      operationId: 'changeDirectory',
      summary: 'Pause a directory, let it go on, or end it for good',
      body: z.strictObject({ state: z.enum(['active', 'paused', 'decommissioned']) }),
      example: { state: 'paused' },
      status: 200,
      answer: directory,
    },
    (context, { caller, params, body }) =>
      changeDirectoryState(context, caller, params.organizationId, params.directoryId, body.state),
  ),
  tenantRoute(
    {
      method: 'get',
      path: '/organizations/{organizationId}/directories/{directoryId}/groups',
      operationId: 'listDirectoryGroups',
      summary: 'The groups that a directory sent',
      query: idPage,
      status: 200,
      answer: page(directoryGroup),
    },
    (context, { caller, params, query }) =>
      listDirectoryGroupPage(context, caller, params.organizationId, params.directoryId, pageRequest(query)),
  ),
  tenantRoute(
    {
      method: 'post',
      path: '/organizations/{organizationId}/directories/{directoryId}/tokens',
      operationId: 'createDirectoryToken',
      summary: 'Make a further token, and say how long the others go on',
      body: z.strictObject({
        expiresAt: futureInstant.optional(),
        expireOthersAfterSeconds: z
          .number()
          .int()
          .min(0)
          .max(365 * 86_400)
          .optional()
          .meta({ description: 'The overlap; left out, the other tokens go on as they are.' }),
      }),
      example: { expireOthersAfterSeconds: 86_400 },
      status: 201,
      answer: newToken,
    },
    (context, { caller, params, body }) =>
      rotateDirectoryToken(context, caller, params.organizationId, params.directoryId, body),
  ),
  tenantRoute(
    {
      method: 'delete',
      path: '/organizations/{organizationId}/directories/{directoryId}/tokens/{tokenId}',
      operationId: 'revokeDirectoryToken',
      summary: 'Take a token away',
      status: 204,
    },
    (context, { caller, params }) =>
      revokeDirectoryToken(context, caller, params.organizationId, params.directoryId, params.tokenId),
  ),
]
