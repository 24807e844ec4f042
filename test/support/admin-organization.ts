// An organization behind the admin door with its owner, for the tests of what admins do with members.

import type { AdminClient, TestDoor } from './admin-door.ts'
import { addDirectoryUsers, request } from './organization-fixture.ts'

export interface AdminOrganization {
  readonly tenant: AdminClient
  readonly id: string
  /** Its path below /admin/v1. */
  readonly base: string
  /** For what is written by plain SQL. */
  readonly place: { readonly tenant: string; readonly organization: string }
  reconcile(): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: checked against the document, then read by the test
  memberByEmail(email: string): Promise<any>
  /** A directory whose users were pushed, reconciled once. */
  pushed(count: number): Promise<{ readonly directory: string; readonly users: readonly string[] }>
}

/** A new tenant with the organization Acme, whose owner Ada is a member already. */
export async function openOrganization(door: TestDoor): Promise<AdminOrganization> {
  const tenant = await door.newTenant()
  const owner = { email: 'ada@acme.example', displayName: 'Ada' }
  const id: string = (await tenant.post('/organizations', { name: 'Acme', owner })).body.id
  const base = `/organizations/${id}`
  const place = { tenant: tenant.tenant, organization: id }
  const reconcile = () => door.reconcile(tenant.tenant, id)
  await reconcile()
  return {
    tenant,
    id,
    base,
    place,
    reconcile,
    memberByEmail: async (email) => (await tenant.get(`${base}/members?email=${email}`)).body.items[0],
    async pushed(count) {
      const made = await tenant.post(`${base}/directories`, { name: 'Okta', provider: 'okta' })
      const directory: string = made.body.directory.id
      await tenant.patch(`${base}/directories/${directory}`, { state: 'active' })
      const users = await addDirectoryUsers(door.db.pool, place, directory, count)
      await request(door.db.pool, place, 'directory_user', users)
      await reconcile()
      return { directory, users }
    },
  }
}
