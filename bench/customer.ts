// A customer of the service, made as a customer is: through the admin API. What the bench then needs in
// bulk is put into the database by facts.ts.

import { z } from 'zod'
import { type AdminClient, createAdminClient } from '../src/demo/admin-client.ts'
import { adminKey } from './world.ts'

export interface Customer {
  readonly tenant: string
  readonly organization: string
  readonly directory: string
  readonly scimUrl: string
  readonly token: string
  readonly admin: AdminClient
}

const named = z.object({ id: z.uuid() })

/** A tenant with one organization, without a seat limit, and one directory. `slug` is the tenant's. */
export async function createCustomer(origin: string, slug: string): Promise<Customer> {
  const signal = AbortSignal.timeout(30_000)
  const made = await createAdminClient({ origin, key: adminKey, signal }).post(
    '/tenants',
    { name: slug, slug, roleSet: 'cloud' },
    z.object({ tenant: named, apiKey: z.object({ key: z.string() }) }),
  )
  const admin = createAdminClient({ origin, key: made.apiKey.key, signal })
  const organization = await admin.post('/organizations', { name: slug }, named)
  const { directory, token } = await admin.post(
    `/organizations/${organization.id}/directories`,
    { name: slug, provider: 'okta' },
    z.object({ directory: named, token: z.object({ token: z.string() }) }),
  )
  return {
    tenant: made.tenant.id,
    organization: organization.id,
    directory: directory.id,
    scimUrl: `${origin}/scim/v2/${directory.id}`,
    token: token.token,
    admin,
  }
}
