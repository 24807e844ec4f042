// The endpoints under /Groups: parse, one use case, render (RFC 7644 3.3 to 3.6).

import { createGroup as create } from '../../directory/create-group.ts'
import { deleteGroup as remove } from '../../directory/delete-group.ts'
import { listGroups as list } from '../../directory/list-groups.ts'
import { patchGroup as patch } from '../../directory/patch-group.ts'
import { readGroup as read } from '../../directory/read-group.ts'
import { replaceGroup as replace } from '../../directory/replace-group.ts'
import { groupType } from '../../scim/core-schemas.ts'
import { parseFilter } from '../../scim/filter.ts'
import { parsePage, renderList } from '../../scim/list.ts'
import { parsePatch } from '../../scim/patch.ts'
import { parseGroupPatch } from '../../scim/patch-group.ts'
import { isWanted, type Projection } from '../../scim/projection.ts'
import { locationOf, renderGroup, type StoredGroup } from '../../scim/render.ts'
import { parseGroup } from '../../scim/resource.ts'
import { readProjection, type ScimRequest } from './request.ts'
import { noContent, type ScimAnswer } from './respond.ts'

export async function createGroup(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, groupType)
  const group = await create(request.call, parseGroup(request.body, request.reading), membersOf(projection))
  const location = locationOf(groupType, group.id, request.baseUrl)
  return { status: 201, location, body: render(group, request, projection) }
}

export async function readGroup(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, groupType)
  const group = await read(request.call, request.id, membersOf(projection))
  return { status: 200, body: render(group, request, projection) }
}

export async function listGroups(request: ScimRequest): Promise<ScimAnswer> {
  const { query, reading, call } = request
  const projection = readProjection(request, groupType)
  const page = parsePage(query)
  const filter = query['filter'] === undefined ? undefined : parseFilter(query['filter'], groupType, reading)
  const found = await list(call, { filter, page, ...membersOf(projection) })
  const resources = found.resources.map((group) => render(group, request, projection))
  return { status: 200, body: renderList(resources, { totalResults: found.total, startIndex: page.startIndex }) }
}

export async function replaceGroup(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, groupType)
  const parsed = parseGroup(request.body, request.reading)
  const group = await replace(request.call, request.id, parsed, membersOf(projection))
  return { status: 200, body: render(group, request, projection) }
}

/** 204, so that nobody has to read the members; with the body only when `attributes` asks for some of it. */
export async function patchGroup(request: ScimRequest): Promise<ScimAnswer> {
  const projection = readProjection(request, groupType)
  const deltas = parseGroupPatch(parsePatch(request.body, request.reading), request.reading)
  await patch(request.call, request.id, deltas)
  if (projection.only === undefined) return noContent
  const group = await read(request.call, request.id, membersOf(projection))
  return { status: 200, body: render(group, request, projection) }
}

export async function deleteGroup(request: ScimRequest): Promise<ScimAnswer> {
  await remove(request.call, request.id)
  return noContent
}

function membersOf(projection: Projection): { readonly members: boolean } {
  return { members: isWanted(projection, 'members') }
}

function render(group: StoredGroup, { baseUrl }: ScimRequest, projection: Projection): object {
  return renderGroup(group, { baseUrl, projection })
}
