// Resources, lists, errors and discovery documents out.

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
import { isWanted, parseProjection } from '../../../src/scim/projection.ts'
import { renderGroup, renderUser } from '../../../src/scim/render.ts'
import { parseUser, storedAttributes } from '../../../src/scim/resource.ts'
import type { Attribute } from '../../../src/scim/schema.ts'
import { codeOf } from './support.ts'

const baseUrl = 'https://rollcall.example/scim/v2/d1'
const stored = {
  id: 'u1',
  createdAt: new Date('2024-05-01T12:00:00Z'),
  updatedAt: new Date('2024-05-02T12:00:00.123Z'),
}
const attributes = {
  userName: 'bob',
  externalId: 'e1',
  name: { givenName: 'Bob', familyName: 'Smith' },
  emails: [{ value: 'b@x', type: 'work', primary: true }, { display: 'only' }],
  [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1', displayName: 'Ann' } },
}

function show(wanted: { attributes?: string; excludedAttributes?: string }) {
  const projection = parseProjection(userType, wanted, startReading())
  return renderUser({ ...stored, attributes }, { baseUrl, projection })
}

describe('a user', () => {
  test('is what was said, with schemas, id and meta', () => {
    expect(renderUser({ ...stored, attributes, version: 3 }, { baseUrl })).toEqual({
      schemas: [userUrn, enterpriseUrn],
      id: 'u1',
      ...attributes,
      meta: {
        resourceType: 'User',
        created: '2024-05-01T12:00:00.000Z',
        lastModified: '2024-05-02T12:00:00.123Z',
        location: `${baseUrl}/Users/u1`,
        version: 'W/"3"',
      },
    })
  })

  test('lists an extension exactly when its data is there', () => {
    expect(renderUser({ ...stored, attributes: { userName: 'b' } }, { baseUrl })['schemas']).toEqual([userUrn])
    expect(
      renderUser({ ...stored, attributes: { userName: 'b', [enterpriseUrn]: {} } }, { baseUrl })['schemas'],
    ).toEqual([userUrn])
  })

  test('shows its groups where they were loaded and there are any', () => {
    const groups = [{ id: 'g1', displayName: 'Admins' }]
    expect(renderUser({ ...stored, attributes, groups }, { baseUrl })['groups']).toEqual([
      { value: 'g1', $ref: `${baseUrl}/Groups/g1`, display: 'Admins', type: 'direct' },
    ])
    expect(renderUser({ ...stored, attributes, groups: [] }, { baseUrl })).not.toHaveProperty('groups')
  })

  test('never shows a password or what no schema knows, even if it were stored', () => {
    const odd = storedAttributes({ ...attributes, password: 'x', 'urn:gone': { a: 1 }, id: 'other', meta: {} })
    const shown = renderUser({ ...stored, attributes: odd }, { baseUrl })
    expect(shown).not.toHaveProperty('password')
    expect(shown).not.toHaveProperty(['urn:gone'])
    expect(shown).toMatchObject({ id: 'u1', meta: { resourceType: 'User' } })
  })

  test('reads back what was written, verbatim', () => {
    const body = { schemas: [userUrn, enterpriseUrn], ...attributes, displayName: ' Ünïcode\t😀 ', title: '' }
    const { attributes: kept } = parseUser(body, startReading())
    expect(renderUser({ ...stored, attributes: kept }, { baseUrl })).toMatchObject(body)
  })
})

describe('a projection', () => {
  test.each([
    ['a plain name', { attributes: 'userName' }, { userName: 'bob' }],
    ['names in any case', { attributes: 'USERNAME, externalid' }, { userName: 'bob', externalId: 'e1' }],
    ['a sub-attribute', { attributes: 'name.givenName' }, { name: { givenName: 'Bob' } }],
    ['a sub-attribute of many values', { attributes: 'emails.value' }, { emails: [{ value: 'b@x' }] }],
    ['a whole and its part', { attributes: 'name,name.givenName' }, { name: attributes.name }],
    ['a qualified name', { attributes: `${userUrn}:name.familyName` }, { name: { familyName: 'Smith' } }],
    [
      'an extension attribute',
      { attributes: `${enterpriseUrn}:department` },
      { [enterpriseUrn]: { department: 'R&D' } },
    ],
    [
      'an extension sub-attribute',
      { attributes: `${enterpriseUrn}:manager.value` },
      { [enterpriseUrn]: { manager: { value: 'm1' } } },
    ],
    ['a whole extension', { attributes: enterpriseUrn }, { [enterpriseUrn]: attributes[enterpriseUrn] }],
    ['nothing that exists', { attributes: 'nonsense' }, {}],
    ['a prototype key', { attributes: '__proto__,constructor' }, {}],
    [
      'an attribute less its part',
      { attributes: 'name', excludedAttributes: 'name.givenName' },
      { name: { familyName: 'Smith' } },
    ],
  ])('of %s', (_, wanted, expected) => {
    expect(show(wanted)).toEqual({ schemas: [userUrn, enterpriseUrn], id: 'u1', ...expected })
  })

  test('of the whole core leaves extensions out', () => {
    expect(show({ attributes: userUrn })).not.toHaveProperty([enterpriseUrn])
    expect(show({ attributes: userUrn })).toMatchObject({ userName: 'bob', emails: attributes.emails })
  })

  test('may take away, but never id and schemas', () => {
    const shown = show({ excludedAttributes: `id,schemas,meta,emails.type,name,${enterpriseUrn}:manager.displayName` })
    expect(shown).toEqual({
      schemas: [userUrn, enterpriseUrn],
      id: 'u1',
      userName: 'bob',
      externalId: 'e1',
      emails: [{ value: 'b@x', primary: true }, { display: 'only' }],
      [enterpriseUrn]: { department: 'R&D', manager: { value: 'm1' } },
    })
  })

  test('that is empty shows everything', () => {
    expect(show({ attributes: '', excludedAttributes: '' })).toEqual(show({}))
    expect(show({})).toHaveProperty('meta')
  })

  test('tells whether members have to be loaded', () => {
    const wants = (wanted: { attributes?: string; excludedAttributes?: string }) =>
      isWanted(parseProjection(groupType, wanted, startReading()), 'members')
    expect(wants({})).toBe(true)
    expect(wants({ excludedAttributes: 'members' })).toBe(false)
    expect(wants({ attributes: 'displayName' })).toBe(false)
    expect(wants({ attributes: 'members.value' })).toBe(true)
    expect(wants({ attributes: `${groupUrn}:MEMBERS` })).toBe(true)
  })
})

describe('a group', () => {
  const group = { ...stored, id: 'g1', displayName: 'Admins', externalId: null }

  test('shows its members with what they said, and a $ref that follows from the type', () => {
    const members = [
      { value: 'u1', type: 'User', display: 'Bob' },
      { value: 'g2', type: 'Group' },
      { value: 'u3' },
      { value: 'u4', type: 'User', $ref: 'https://elsewhere/Users/u4' },
    ]
    expect(renderGroup({ ...group, members }, { baseUrl })).toMatchObject({
      schemas: [groupUrn],
      id: 'g1',
      displayName: 'Admins',
      members: [
        { value: 'u1', $ref: `${baseUrl}/Users/u1`, display: 'Bob', type: 'User' },
        { value: 'g2', $ref: `${baseUrl}/Groups/g2`, type: 'Group' },
        { value: 'u3' },
        { value: 'u4', $ref: 'https://elsewhere/Users/u4', type: 'User' },
      ],
      meta: { resourceType: 'Group', location: `${baseUrl}/Groups/g1` },
    })
  })

  test('has no members or externalId where there are none', () => {
    const shown = renderGroup({ ...group, members: [] }, { baseUrl })
    expect(shown).not.toHaveProperty('members')
    expect(shown).not.toHaveProperty('externalId')
    expect(renderGroup({ ...group, externalId: 'e' }, { baseUrl })).toHaveProperty('externalId', 'e')
  })
})

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
