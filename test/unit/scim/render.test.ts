// Resources out: computed members, groups and members, projections.

import { describe, expect, test } from 'vitest'
import { enterpriseUrn, groupType, groupUrn, userType, userUrn } from '../../../src/scim/core-schemas.ts'
import { startReading } from '../../../src/scim/dialects.ts'
import { isWanted, parseProjection } from '../../../src/scim/projection.ts'
import { renderGroup, renderUser } from '../../../src/scim/render.ts'
import { parseUser, storedAttributes } from '../../../src/scim/resource.ts'

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
      active: true,
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

  test('says active also where nobody did, and keeps what was said', () => {
    expect(renderUser({ ...stored, attributes: { userName: 'bob' } }, { baseUrl })).toMatchObject({ active: true })
    const inactive = renderUser({ ...stored, attributes: { userName: 'bob', active: false } }, { baseUrl })
    expect(inactive).toMatchObject({ active: false })
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
      active: true,
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
