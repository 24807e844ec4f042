// The User, EnterpriseUser and Group schemas of RFC 7643 4 and 8.7.1 as data: the only place that says what an
// attribute is. Two declared differences: manager.displayName can be written (Okta sends it, and what was said is read
// back), and members have a `display`. The lookup is in schema.ts, the documents made from this are in discovery.ts.

import type { Attribute, ResourceType, Schema } from './schema.ts'

export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'

// 512 UTF-16 units are at most 1,536 bytes of UTF-8: below what a PostgreSQL index entry can hold.
const indexed = { maxLength: 512 } as const

type Traits = Partial<Omit<Attribute, 'name' | 'description'>>

function define(name: string, description: string, traits: Traits = {}): Attribute {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...traits,
  }
}

function complex(name: string, description: string, subAttributes: readonly Attribute[], traits: Traits = {}) {
  return define(name, description, { type: 'complex', subAttributes, ...traits })
}

/** A multi-valued attribute with the usual value, display, type and primary (RFC 7643 2.4). */
function plural(name: string, description: string, kinds: readonly string[], value: Traits = {}): Attribute {
  const canonicalValues = kinds.length === 0 ? {} : { canonicalValues: kinds }
  const subAttributes = [
    define('value', 'The value itself.', value),
    define('display', 'A name for the value, for people to read.'),
    define('type', 'What kind of value it is.', canonicalValues),
    define('primary', 'Whether it is the preferred one; true at most once.', { type: 'boolean' }),
  ]
  return complex(name, description, subAttributes, { multiValued: true })
}

const readOnly = { mutability: 'readOnly' } as const

const commonAttributes: readonly Attribute[] = [
  define('schemas', 'The URNs of the schemas whose attributes are present.', {
    type: 'reference',
    multiValued: true,
    caseExact: true,
    returned: 'always',
    mutability: 'readOnly',
  }),
  define('id', 'The identifier given by this service.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  define('externalId', 'The identifier given by the identity provider.', { caseExact: true, ...indexed }),
  complex(
    'meta',
    'What the service knows about the resource.',
    [
      define('resourceType', 'The name of its resource type.', { caseExact: true, ...readOnly }),
      define('created', 'When it was created.', { type: 'dateTime', ...readOnly }),
      define('lastModified', 'When it was last changed.', { type: 'dateTime', ...readOnly }),
      define('location', 'Its URI.', { type: 'reference', caseExact: true, ...readOnly }),
      define('version', 'Its version.', { caseExact: true, ...readOnly }),
    ],
    readOnly,
  ),
]

const userSchema: Schema = {
  id: userUrn,
  name: 'User',
  description: 'A person as the identity provider describes them.',
  attributes: [
    define('userName', 'The unique name the person is known by at the identity provider.', {
      required: true,
      uniqueness: 'server',
      ...indexed,
    }),
    complex('name', "The parts of the person's name.", [
      define('formatted', 'The whole name, ready for display.'),
      define('familyName', 'The family name.', indexed),
      define('givenName', 'The given name.', indexed),
      define('middleName', 'The middle names.'),
      define('honorificPrefix', 'What stands before the name, such as a title.'),
      define('honorificSuffix', 'What stands after the name, such as III.'),
    ]),
    define('displayName', 'The name to show.', indexed),
    define('nickName', 'What the person is called casually.'),
    define('profileUrl', "The URL of the person's profile.", {
      type: 'reference',
      referenceTypes: ['external'],
      caseExact: true,
    }),
    define('title', "The person's job title.", indexed),
    define('userType', 'The relationship to the organization, such as Contractor.'),
    define('preferredLanguage', 'The preferred language, as in Accept-Language.'),
    define('locale', 'The locale for dates, numbers and money.'),
    define('timezone', 'The time zone, in the Olson form.'),
    define('active', 'Whether the person may use the service.', { type: 'boolean' }),
    define('password', 'Accepted and thrown away: never stored, never returned.', {
      mutability: 'writeOnly',
      returned: 'never',
    }),
    plural('emails', "The person's e-mail addresses.", ['work', 'home', 'other'], indexed),
    plural('phoneNumbers', "The person's phone numbers.", ['work', 'home', 'mobile', 'fax', 'pager', 'other']),
    plural('ims', "The person's instant messaging addresses.", [
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ]),
    plural('photos', 'URLs of pictures of the person.', ['photo', 'thumbnail'], {
      type: 'reference',
      referenceTypes: ['external'],
      caseExact: true,
    }),
    complex(
      'addresses',
      "The person's postal addresses.",
      [
        define('formatted', 'The whole address, ready for a label.'),
        define('streetAddress', 'Street, house number and the like.'),
        define('locality', 'The city.'),
        define('region', 'The state or region.'),
        define('postalCode', 'The postal code.'),
        define('country', 'The country.'),
        define('type', 'What kind of address it is.', { canonicalValues: ['work', 'home', 'other'] }),
        define('primary', 'Whether it is the preferred one; true at most once.', { type: 'boolean' }),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'The groups the person belongs to; changed through the groups.',
      [
        define('value', "The group's id.", { caseExact: true, ...readOnly }),
        define('$ref', "The group's URI.", {
          type: 'reference',
          referenceTypes: ['User', 'Group'],
          caseExact: true,
          ...readOnly,
        }),
        define('display', "The group's name.", readOnly),
        define('type', 'How the person belongs to it.', { canonicalValues: ['direct', 'indirect'], ...readOnly }),
      ],
      { multiValued: true, ...readOnly },
    ),
    plural('entitlements', 'Things the person is entitled to.', []),
    plural('roles', 'Roles the person has at the identity provider.', []),
    plural('x509Certificates', "The person's certificates.", [], { type: 'binary', caseExact: true }),
  ],
}

const enterpriseSchema: Schema = {
  id: enterpriseUrn,
  name: 'EnterpriseUser',
  description: 'What an employer adds about a person.',
  attributes: [
    define('employeeNumber', 'The number the organization gave the person.'),
    define('costCenter', 'The cost center.'),
    define('organization', 'The organization.'),
    define('division', 'The division.'),
    define('department', 'The department.', indexed),
    complex('manager', "The person's manager.", [
      define('value', "The manager's id.", { caseExact: true, ...indexed }),
      define('$ref', "The manager's URI.", { type: 'reference', referenceTypes: ['User'], caseExact: true }),
      define('displayName', "The manager's name."),
    ]),
  ],
}

const immutable = { mutability: 'immutable' } as const

export const groupSchema: Schema = {
  id: groupUrn,
  name: 'Group',
  description: 'A group of people and groups at the identity provider.',
  attributes: [
    define('displayName', 'The name of the group.', { required: true, ...indexed }),
    complex(
      'members',
      'Who belongs to the group.',
      [
        define('value', "The member's id.", { caseExact: true, ...immutable, ...indexed }),
        define('$ref', "The member's URI.", {
          type: 'reference',
          referenceTypes: ['User', 'Group'],
          caseExact: true,
          ...immutable,
        }),
        define('display', "The member's name.", { ...immutable, ...indexed }),
        define('type', 'What the member is.', { canonicalValues: ['User', 'Group'], ...immutable }),
      ],
      { multiValued: true },
    ),
  ],
}

export const userType: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'People',
  schema: userSchema,
  extensions: [{ schema: enterpriseSchema, required: false }],
  common: commonAttributes,
}

export const groupType: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'Groups of people',
  schema: groupSchema,
  extensions: [],
  common: commonAttributes,
}
