// Lists, errors and discovery documents out.

import { describe, expect, test } from 'vitest'
import { RollcallError } from '../../../src/model/errors.ts'
import { enterpriseUrn, groupType, groupUrn, userType, userUrn } from '../../../src/scim/core-schemas.ts'
import { startReading } from '../../../src/scim/dialects.ts'
import {
  findResourceType,
  findSchema,
  renderResourceTypes,
  renderSchemas,
  renderServiceProviderConfig,
} from '../../../src/scim/discovery.ts'
import { renderScimError } from '../../../src/scim/error.ts'
import { parsePage, renderList } from '../../../src/scim/list.ts'
import { renderUser } from '../../../src/scim/render.ts'
import { parseUser } from '../../../src/scim/resource.ts'
import type { Attribute } from '../../../src/scim/schema.ts'
import { codeOf } from './support.ts'

const baseUrl = 'https://rollcall.example/scim/v2/d1'
const stored = { id: 'u1', createdAt: new Date(0), updatedAt: new Date(0) }

describe('a list', () => {
  test('says how many there are, where this page starts and how many it holds', () => {
    expect(renderList(['a', 'b'], { totalResults: 7, startIndex: 3 })).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 7,
      startIndex: 3,
      itemsPerPage: 2,
      Resources: ['a', 'b'],
    })
    expect(renderList([], { totalResults: 0, startIndex: 1 })).toMatchObject({ Resources: [], itemsPerPage: 0 })
  })

  test.each([
    [{}, { startIndex: 1, count: 100 }],
    [
      { startIndex: '', count: '' },
      { startIndex: 1, count: 100 },
    ],
    [
      { startIndex: '11', count: '10' },
      { startIndex: 11, count: 10 },
    ],
    [
      { startIndex: 11, count: 10 },
      { startIndex: 11, count: 10 },
    ],
    [{ startIndex: '0' }, { startIndex: 1, count: 100 }],
    [
      { startIndex: '-5', count: '-5' },
      { startIndex: 1, count: 0 },
    ],
    [{ count: '0' }, { startIndex: 1, count: 0 }],
    [{ count: '100000' }, { startIndex: 1, count: 200 }],
    [{ startIndex: '999999999999999' }, { startIndex: 2_000_000_000, count: 100 }],
  ])('reads the page %j', (query, expected) => {
    expect(parsePage(query)).toEqual(expected)
  })

  test.each([{ count: 'ten' }, { count: '1.5' }, { startIndex: '1e3' }, { startIndex: ['1', '2'] }, { count: 1.5 }])(
    'refuses the page %j',
    (query) => {
      expect(codeOf(() => parsePage(query))).toBe('invalid_value')
    },
  )
})

describe('an error', () => {
  test('has its status as a string, its type and its public text, and nothing of the cause', () => {
    const error = new RollcallError('invalid_filter', { detail: 'Bad filter', cause: new Error('secret') })
    expect(renderScimError(error)).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '400',
      scimType: 'invalidFilter',
      detail: 'Bad filter',
    })
  })

  test('without a SCIM type has none', () => {
    expect(renderScimError(new RollcallError('not_found', 'No such user'))).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
      detail: 'No such user',
    })
  })
})

describe('discovery', () => {
  test('the configuration has every member and promises only what is done', () => {
    expect(renderServiceProviderConfig(baseUrl)).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { supported: true, maxResults: 200 },
      changePassword: { supported: false },
      sort: { supported: false },
      etag: { supported: false },
      authenticationSchemes: [{ type: 'oauthbearertoken', primary: true }],
      meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
    })
  })

  test('resource types name their schemas', () => {
    const list = renderResourceTypes(baseUrl)
    expect(list).toMatchObject({ totalResults: 2, itemsPerPage: 2 })
    expect(list.Resources[0]).toMatchObject({
      id: 'User',
      endpoint: '/Users',
      schema: userUrn,
      schemaExtensions: [{ schema: enterpriseUrn, required: false }],
      meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/User` },
    })
    expect(findResourceType('Group')).toBe(groupType)
    expect(findResourceType('Nonsense')).toBeUndefined()
  })

  test('schemas say everything RFC 7643 7 asks of an attribute, and nothing of ours', () => {
    const list = renderSchemas(baseUrl)
    expect(list.Resources.map(({ id }) => id)).toEqual([userUrn, enterpriseUrn, groupUrn])
    const check = (attribute: object) => {
      expect(Object.keys(attribute)).toEqual(
        expect.arrayContaining([
          'name',
          'type',
          'multiValued',
          'description',
          'required',
          'caseExact',
          'mutability',
          'returned',
          'uniqueness',
        ]),
      )
      expect(attribute).not.toHaveProperty('maxLength')
      if ('subAttributes' in attribute && Array.isArray(attribute.subAttributes)) attribute.subAttributes.forEach(check)
    }
    for (const schema of list.Resources) schema.attributes.forEach(check)
    expect(list.Resources[0]?.attributes.find(({ name }) => name === 'password')).toMatchObject({
      mutability: 'writeOnly',
      returned: 'never',
    })
    expect(list.Resources[0]?.attributes.find(({ name }) => name === 'groups')).toMatchObject({
      mutability: 'readOnly',
    })
    expect(findSchema(userUrn.toUpperCase())?.id).toBe(userUrn)
    expect(findSchema('urn:nonsense')).toBeUndefined()
  })

  test('every writable attribute the User schema shows is accepted and read back', () => {
    const value = (attribute: Attribute): unknown => {
      const parts = (attribute.subAttributes ?? []).map((sub) => [sub.name, value(sub)])
      const single = attribute.type === 'boolean' ? true : `a ${attribute.name}`
      const one = attribute.type === 'complex' ? Object.fromEntries(parts) : single
      return attribute.multiValued ? [one] : one
    }
    for (const schema of [userType.schema, ...userType.extensions.map((extension) => extension.schema)]) {
      const writable = schema.attributes.filter(({ mutability }) => mutability === 'readWrite')
      const said = Object.fromEntries(writable.map((attribute) => [attribute.name, value(attribute)]))
      const body = schema === userType.schema ? said : { userName: 'b', [schema.id]: said }
      const reading = startReading()
      const { attributes } = parseUser({ schemas: [schema.id], ...body }, reading)
      expect([...reading.ignored, ...reading.dialects]).toEqual([])
      expect(renderUser({ ...stored, attributes }, { baseUrl })).toMatchObject(body)
    }
  })
})
