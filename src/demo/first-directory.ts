// The start without a demonstration: one tenant, one empty organization, one directory, made through
// the admin door.

import { z } from 'zod'
import { createAdminClient } from './admin-client.ts'

export interface FirstDirectoryOptions {
  readonly origin: string
  readonly adminKey: string
  readonly signal: AbortSignal
}

const named = z.object({ id: z.string() })

/** Answers the directory's id and its token, which nobody can read again later. */
export async function makeFirstDirectory({ origin, adminKey, signal }: FirstDirectoryOptions) {
  const bootstrap = createAdminClient({ origin, key: adminKey, signal })
  const suffix = (await bootstrap.list('/tenants', named)).length
  const slug = suffix === 0 ? 'first' : `first-${suffix + 1}`
  const { apiKey } = await bootstrap.post(
    '/tenants',
    { name: 'First tenant', slug, roleSet: 'cloud' },
    z.object({ apiKey: z.object({ key: z.string() }) }),
  )
  const admin = createAdminClient({ origin, key: apiKey.key, signal })
  const organization = await admin.post('/organizations', { name: 'First organization' }, named)
  const made = await admin.post(
    `/organizations/${organization.id}/directories`,
    { name: 'First directory', provider: 'other' },
    z.object({ directory: named, token: z.object({ token: z.string() }) }),
  )
  return { directoryId: made.directory.id, token: made.token.token }
}
