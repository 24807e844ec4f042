// What Okta and Entra ID send when they push people, as the load sends it.

const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User'
const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export function userNameOf(key: string): string {
  return `${key}@people.example`
}

/** A user as Okta creates one. `key` stands in every attribute that differs between people. */
export function newUser(key: string): object {
  return {
    schemas: [userUrn],
    userName: userNameOf(key),
    externalId: `00u-${key}`,
    name: { givenName: 'Robin', familyName: `Family-${key}` },
    displayName: `Robin Family-${key}`,
    emails: [{ primary: true, value: userNameOf(key), type: 'work' }],
    locale: 'en-US',
    groups: [],
    active: true,
  }
}

/** The question that comes before every create and update. */
export function probe(key: string): string {
  return `/Users?filter=${encodeURIComponent(`userName eq "${userNameOf(key)}"`)}&startIndex=1&count=100`
}

/** An update as Entra ID sends it without the flag for RFC conformance. */
export function entraPatch(displayName: string, active: boolean): object {
  return {
    schemas: [patchUrn],
    Operations: [
      { op: 'Replace', path: 'displayName', value: displayName },
      { op: 'Replace', path: 'active', value: active ? 'True' : 'False' },
    ],
  }
}

/** One more member of a group, as Entra ID sends it. */
export function addMember(id: string): object {
  return { schemas: [patchUrn], Operations: [{ op: 'Add', path: 'members', value: [{ value: id }] }] }
}
