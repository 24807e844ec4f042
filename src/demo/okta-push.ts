// Pushes people and groups as Okta's provisioning does: a probe by filter before each create, then the shapes of its
// catalogue apps (https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/). Deactivation is a PATCH
// without a path; Okta never deletes users.

import { randomBytes } from 'node:crypto'
import type { CastMember } from './cast.ts'
import { createScimClient, type ScimTarget } from './scim-client.ts'

const headers = {
  'content-type': 'application/scim+json; charset=utf-8',
  accept: 'application/scim+json',
  'user-agent': 'Okta SCIM Client 1.0.0',
}

export interface OktaPush {
  /** One probe and one create for each person, then the same for each group and its members. */
  assign(people: readonly CastMember[], groups: readonly string[]): Promise<void>
  deactivate(email: string): Promise<void>
}

/** Remembers the ids that the directory answered, as Okta does. */
export function createOktaPush(target: ScimTarget): OktaPush {
  const client = createScimClient(target, headers)
  const ids = new Map<string, string>()

  function idOf(email: string): string {
    const id = ids.get(email)
    if (id === undefined) throw new Error(`${email} was never pushed`)
    return id
  }

  async function assignPerson(person: CastMember, index: number): Promise<void> {
    const found = await client.probe('/Users', probeFor('userName', person.email))
    ids.set(person.email, found ?? (await client.create('/Users', toUser(person, index))))
  }

  async function assignGroup(displayName: string, people: readonly CastMember[]): Promise<void> {
    const id =
      (await client.probe('/Groups', probeFor('displayName', displayName))) ??
      (await client.create('/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName,
        members: [],
      }))
    const members = people
      .filter(({ groups }) => groups.includes(displayName))
      .map(({ email }) => ({ value: idOf(email), display: email }))
    // Okta repeats the name with every change of the members.
    await client.patch(`/Groups/${id}`, [
      { op: 'replace', value: { id, displayName } },
      { op: 'add', path: 'members', value: members },
    ])
  }

  return {
    async assign(people, groups) {
      for (const [index, person] of people.entries()) await assignPerson(person, index)
      for (const group of groups) await assignGroup(group, people)
    },
    async deactivate(email) {
      await client.patch(`/Users/${idOf(email)}`, [{ op: 'replace', value: { active: false } }])
    },
  }
}

function probeFor(attribute: string, value: string) {
  return { filter: `${attribute} eq "${value}"`, startIndex: '1', count: '100' }
}

function toUser(person: CastMember, index: number) {
  return {
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    ],
    userName: person.email,
    name: { givenName: person.given, familyName: person.family },
    emails: [{ primary: true, value: person.email, type: 'work' }],
    title: person.title,
    displayName: `${person.given} ${person.family}`,
    locale: 'en-US',
    externalId: `00udemo${String(index + 1).padStart(13, '0')}`,
    groups: [],
    // Okta fills the attribute with something random where passwords are not synchronised.
    password: randomBytes(9).toString('base64url'),
    active: true,
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: person.department },
  }
}
