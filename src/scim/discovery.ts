// The documents that say what is offered (RFC 7643 5-8, RFC 7644 4), made from the same data that requests are read by:
// what they promise is what is accepted. Routes, and refusing a filter on them, are the door's.

import { groupType, userType } from './core-schemas.ts'
import { type ListResponse, pageSize, renderList } from './list.ts'
import type { Attribute, ResourceType, Schema } from './schema.ts'

const resourceTypes: readonly ResourceType[] = [userType, groupType]

/** The service provider's configuration. Every member is there: authentik turns PATCH off when one is missing. */
export function renderServiceProviderConfig(baseUrl: string) {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: pageSize.max },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    pagination: {
      cursor: false,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: pageSize.default,
      maxPageSize: pageSize.max,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: "A directory's token in the Authorization header.",
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  } as const
}

/** A resource type's document. */
export function renderResourceType(type: ResourceType, baseUrl: string) {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: type.name,
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: type.schema.id,
    schemaExtensions: type.extensions.map(({ schema, required }) => ({ schema: schema.id, required })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type.name}` },
  } as const
}

/** A schema's document. */
export function renderSchema(schema: Schema, baseUrl: string) {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(renderAttribute),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` },
  } as const
}

type RenderedAttribute = Omit<Attribute, 'maxLength' | 'subAttributes'> & {
  readonly subAttributes?: readonly RenderedAttribute[]
}

function renderAttribute({ maxLength: _, subAttributes, ...attribute }: Attribute): RenderedAttribute {
  return { ...attribute, ...(subAttributes !== undefined && { subAttributes: subAttributes.map(renderAttribute) }) }
}

/** Every resource type. */
export function renderResourceTypes(baseUrl: string): ListResponse<ReturnType<typeof renderResourceType>> {
  const documents = resourceTypes.map((type) => renderResourceType(type, baseUrl))
  return renderList(documents, { totalResults: documents.length, startIndex: 1 })
}

/** Every schema. */
export function renderSchemas(baseUrl: string): ListResponse<ReturnType<typeof renderSchema>> {
  const documents = allSchemas().map((schema) => renderSchema(schema, baseUrl))
  return renderList(documents, { totalResults: documents.length, startIndex: 1 })
}

/** A resource type by the last part of its URI; undefined is a 404. */
export function findResourceType(name: string): ResourceType | undefined {
  return resourceTypes.find((type) => type.name === name)
}

/** A schema by its URN, in any case; undefined is a 404. */
export function findSchema(urn: string): Schema | undefined {
  return allSchemas().find((schema) => schema.id.toLowerCase() === urn.toLowerCase())
}

function allSchemas(): readonly Schema[] {
  return resourceTypes.flatMap((type) => [type.schema, ...type.extensions.map(({ schema }) => schema)])
}
