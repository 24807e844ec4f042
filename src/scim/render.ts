// Resources out: what the directory keeps becomes SCIM JSON, with schemas, meta and groups computed and the request's
// projection applied (RFC 7643 3.1, RFC 7644 3.9). Lists of them are list.ts's, reading them in is resource.ts's.

import { groupType, userType } from './core-schemas.ts'
import { type Attributes, type AttributeValue, isAttributes, ownMember } from './json.ts'
import type { MemberRef } from './member.ts'
import { everything, type Projection, project } from './projection.ts'
import type { ResourceType } from './schema.ts'

export interface RenderOptions {
  /** The directory's SCIM base without a slash at its end: https://host/scim/v2/{directory}. */
  readonly baseUrl: string
  readonly projection?: Projection
}

interface Stored {
  readonly id: string
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Becomes meta.version as a weak entity tag; leave it out where no ETag is offered. */
  readonly version?: number
}

export interface StoredUser extends Stored {
  readonly attributes: Attributes
  /** The groups the user is a member of; leave it out where they were not loaded. */
  readonly groups?: readonly {
    readonly id: string
    readonly displayName: string
    readonly type?: 'direct' | 'indirect'
  }[]
}

export interface StoredGroup extends Stored {
  readonly displayName: string
  readonly externalId: string | null
  readonly attributes?: Attributes
  /** Leave it out where the members were not loaded; [] renders no members. */
  readonly members?: readonly MemberRef[]
}

/** A resource's URI: its meta.location and the Location header. */
export function locationOf(type: ResourceType, id: string, baseUrl: string): string {
  return `${baseUrl}${type.endpoint}/${id}`
}

/**
 * A user as SCIM JSON; `groups` is there when the user has any. `active` always is: unsaid it means true, which is how
 * it is kept and found, and Okta's import wants it on every user.
 */
export function renderUser(user: StoredUser, options: RenderOptions): Attributes {
  const groups = (user.groups ?? []).map(({ id, displayName, type = 'direct' }) => ({
    value: id,
    $ref: locationOf(groupType, id, options.baseUrl),
    display: displayName,
    type,
  }))
  const attributes = { active: true, ...user.attributes, ...(groups.length > 0 && { groups }) }
  return render(userType, user, attributes, options)
}

/** A group as SCIM JSON. A member's $ref is what the provider sent, else follows from its type. */
export function renderGroup(group: StoredGroup, options: RenderOptions): Attributes {
  const members = (group.members ?? []).map((member) => renderMember(member, options.baseUrl))
  const attributes: Attributes = {
    ...group.attributes,
    displayName: group.displayName,
    ...(group.externalId !== null && { externalId: group.externalId }),
    ...(members.length > 0 && { members }),
  }
  return render(groupType, group, attributes, options)
}

function renderMember({ value, display, type, $ref }: MemberRef, baseUrl: string): Attributes {
  const endpoint = type === 'User' ? userType : type === 'Group' ? groupType : undefined
  const uri = $ref ?? (endpoint && locationOf(endpoint, value, baseUrl))
  return {
    value,
    ...(uri !== undefined && { $ref: uri }),
    ...(display !== undefined && { display }),
    ...(type !== undefined && { type }),
  }
}

function render(type: ResourceType, stored: Stored, attributes: Attributes, options: RenderOptions): Attributes {
  const resource: Attributes = {
    schemas: schemasOf(type, attributes),
    id: stored.id,
    ...returnable(type, attributes),
    meta: {
      resourceType: type.name,
      created: stored.createdAt.toISOString(),
      lastModified: stored.updatedAt.toISOString(),
      location: locationOf(type, stored.id, options.baseUrl),
      ...(stored.version !== undefined && { version: `W/"${stored.version}"` }),
    },
  }
  return project(type, resource, options.projection ?? everything)
}

/** An extension is listed exactly when its data is there (RFC 7643 3). */
function schemasOf(type: ResourceType, attributes: Attributes): readonly string[] {
  const extensions = type.extensions.map(({ schema }) => schema.id).filter((urn) => hasData(ownMember(attributes, urn)))
  return [type.schema.id, ...extensions]
}

function hasData(value: AttributeValue | undefined): boolean {
  return isAttributes(value) && Object.keys(value).length > 0
}

const returnableNames = new WeakMap<ResourceType, ReadonlySet<string>>()

/** What the schemas know and may return: never a password, whatever is stored. */
function returnable(type: ResourceType, attributes: Attributes): Attributes {
  const known = returnableNames.get(type) ?? namesOf(type)
  returnableNames.set(type, known)
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => known.has(name)))
}

function namesOf(type: ResourceType): ReadonlySet<string> {
  const core = [...type.schema.attributes, ...type.common]
    .filter(({ name, returned }) => returned !== 'never' && !['id', 'schemas', 'meta'].includes(name))
    .map(({ name }) => name)
  return new Set([...core, ...type.extensions.map(({ schema }) => schema.id)])
}
