// The endpoints under /Users: parse, one use case, render (RFC 7644 3.3 to 3.6).

import { createUser as create } from '../../directory/create-user.ts'
import { deleteUser as remove } from '../../directory/delete-user.ts'
import { listUsers as list } from '../../directory/list-users.ts'
import { patchUser as patch } from '../../directory/patch-user.ts'
import { readUser as read } from '../../directory/read-user.ts'
import { replaceUser as replace } from '../../directory/replace-user.ts'
import { userType } from '../../scim/core-schemas.ts'
import { parseFilter } from '../../scim/filter.ts'
import { parsePage, renderList } from '../../scim/list.ts'
import { parsePatch } from '../../scim/patch.ts'
import { isWanted, type Projection } from '../../scim/projection.ts'
import { locationOf, renderUser, type StoredUser } from '../../scim/render.ts'
import { parseUser } from '../../scim/resource.ts'
import type { Attribute, ResourceType } from '../../scim/schema.ts'
import { readProjection, type ScimRequest } from './request.ts'
import { noContent, type ScimAnswer } from './respond.ts'

/** Entra ID asks `manager eq "…"` without the schema of the extension, to see whether a reference is there. */
const filteredType: ResourceType = { ...userType, common: [...userType.common, ...managerByValue()] }

function managerByValue(): readonly Attribute[] {
  const extended = userType.extensions.flatMap(({ schema }) => schema.attributes)
  return extended
    .filter(({ name }) => name === 'manager')
    .map((manager) => ({
      ...manager,
      subAttributes: (manager.subAttributes ?? []).filter(({ name }) => name === 'value'),
    }))
}

export async function createUser(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, userType)
  const user = await create(request.call, parseUser(request.body, request.reading))
  const location = locationOf(userType, user.id, request.baseUrl)
  return { status: 201, location, body: render(user, request, projection) }
}

export async function readUser(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, userType)
  const user = await read(request.call, request.id, { groups: isWanted(projection, 'groups') })
  return { status: 200, body: render(user, request, projection) }
}

export async function listUsers(request: ScimRequest): Promise<ScimAnswer> {
  const { query, reading, call } = request
  const projection = readProjection(request, userType)
  const page = parsePage(query)
  const filter = query['filter'] === undefined ? undefined : parseFilter(query['filter'], filteredType, reading)
  const found = await list(call, { filter, page, groups: isWanted(projection, 'groups') })
  const resources = found.resources.map((user) => render(user, request, projection))
  return { status: 200, body: renderList(resources, { totalResults: found.total, startIndex: page.startIndex }) }
}

export async function replaceUser(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, userType)
  const user = await replace(request.call, request.id, parseUser(request.body, request.reading))
  return { status: 200, body: render(user, request, projection) }
}

/** 200 with the user: Entra ID and Okta read it. */
export async function patchUser(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, userType)
  const operations = parsePatch(request.body, request.reading)
  const user = await patch(request.call, request.id, operations, request.reading)
  return { status: 200, body: render(user, request, projection) }
}

export async function deleteUser(request: ScimRequest): Promise<ScimAnswer> {
  await remove(request.call, request.id)
  return noContent
}

function render(user: StoredUser, { baseUrl }: ScimRequest, projection: Projection): object {
  return renderUser(user, { baseUrl, projection })
}
