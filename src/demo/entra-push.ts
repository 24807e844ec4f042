// Pushes people and groups as Microsoft Entra ID does without the flag aadOptscim062020: capitalised operations,
// booleans as strings, members one by one (https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups).
// Access taken away is `active` set to "False".

import { randomUUID } from 'node:crypto'
import type { CastMember } from './cast.ts'
import { createScimClient, type ScimTarget } from './scim-client.ts'

const headers = {
  'content-type': 'application/scim+json; charset=utf-8',
  accept: 'application/scim+json',
  'user-agent': 'azure-ad-scim-client',
}

export interface EntraPush {
  /** What the portal's button does: asks for somebody who cannot exist. */
  testConnection(): Promise<void>
  provision(people: readonly CastMember[], groups: readonly string[]): Promise<void>
  disable(email: string): Promise<void>
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** Remembers the ids that the directory answered, as Entra does for ever. */
export function createEntraPush(target: ScimTarget): EntraPush {
  const client = createScimClient(target, headers)
  const ids = new Map<string, string>()

  function idOf(email: string): string {
    const id = ids.get(email)
    if (id === undefined) throw new Error(`${email} was never pushed`)
    return id
  }

  async function provisionPerson(person: CastMember): Promise<void> {
    const found = await client.probe('/Users', { filter: `userName eq "${person.email}"` })
    const id = found ?? (await client.create('/Users', toUser(person)))
    ids.set(person.email, id)
    await client.patch(`/Users/${id}`, [
      { op: 'Replace', path: 'title', value: person.title },
      { op: 'Add', path: `${enterprise}:department`, value: person.department },
    ])
  }

  async function provisionGroup(displayName: string, people: readonly CastMember[]): Promise<void> {
    const probe = { excludedAttributes: 'members', filter: `displayName eq "${displayName}"` }
    const id = (await client.probe('/Groups', probe)) ?? (await client.create('/Groups', toGroup(displayName)))
    const members = people.filter(({ groups }) => groups.includes(displayName))
    // Each member is a request of its own, several of them on their way at once.
    await Promise.all(
      members.map(({ email }) =>
        client.patch(`/Groups/${id}`, [{ op: 'Add', path: 'members', value: [{ $ref: null, value: idOf(email) }] }]),
      ),
    )
  }

  return {
    async testConnection() {
      await client.probe('/Users', { filter: `userName eq "${randomUUID()}"` })
    },
    async provision(people, groups) {
      for (const person of people) await provisionPerson(person)
      for (const group of groups) await provisionGroup(group, people)
    },
    async disable(email) {
      await client.patch(`/Users/${idOf(email)}`, [{ op: 'Replace', path: 'active', value: 'False' }])
    },
  }
}

function toUser(person: CastMember) {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
    externalId: person.email.split('@', 1)[0],
    userName: person.email,
    active: 'True',
    displayName: `${person.given} ${person.family}`,
    emails: [{ primary: true, type: 'work', value: person.email }],
    meta: { resourceType: 'User' },
    name: {
      formatted: `${person.given} ${person.family}`,
      familyName: person.family,
      givenName: person.given,
    },
    title: null,
    roles: [],
  }
}

function toGroup(displayName: string) {
  return {
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:Group',
      'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
    ],
    externalId: randomUUID(),
    displayName,
    meta: { resourceType: 'Group' },
  }
}
