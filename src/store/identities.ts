// Identities: somebody proved to be this subject, at a connection or by an e-mailed code. A fact; which
// user it is, is derived by the reconciler. E-mail is what the subject says of itself, never the key.

import type { Uuid } from '../model/ids.ts'
import type { OrmTx, Scope } from './scope.ts'

/** Who a proof is about. `connectionId` null and issuer `email`: proved by a code. */
export interface IdentityKey {
  readonly connectionId: Uuid | null
  readonly issuer: string
  /** For SAML `<NameID format>|<NameID>`. */
  readonly subject: string
}

export interface IdentityProfile {
  readonly email: string | null
  readonly emailVerified: boolean
  readonly displayName: string | null
  readonly givenName: string | null
  readonly familyName: string | null
}

export interface StoredIdentity extends IdentityProfile {
  readonly id: Uuid
  /** Null: not reconciled yet, or nobody. */
  readonly userId: Uuid | null
}

export async function findIdentity(scope: Scope<OrmTx>, key: IdentityKey): Promise<StoredIdentity | undefined> {
  const found = await scope.tx.orm.identity.findFirst({
    where: { tenantId: scope.tenant, ...key },
    select: {
      id: true,
      userId: true,
      email: true,
      emailVerified: true,
      displayName: true,
      givenName: true,
      familyName: true,
    },
  })
  return found ?? undefined
}

/** What a new proof leaves of what was known: a provider that no longer sends a value has not taken it back. */
export function mergeProfiles(known: IdentityProfile | undefined, said: IdentityProfile): IdentityProfile {
  if (known === undefined) return said
  const keepsEmail = said.email === null
  return {
    email: keepsEmail ? known.email : said.email,
    emailVerified: keepsEmail ? known.emailVerified : said.emailVerified,
    displayName: said.displayName ?? known.displayName,
    givenName: said.givenName ?? known.givenName,
    familyName: said.familyName ?? known.familyName,
  }
}

const upsert = {
  name: 'upsert_identity',
  text: `INSERT INTO identities (tenant_id, id, kind, connection_id, issuer, subject,
      email, email_verified, display_name, given_name, family_name, created_at, last_seen_at)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::uuid, $5::text, $6::text,
      $7::text, $8::boolean, $9::text, $10::text, $11::text, $12::timestamptz, $12::timestamptz)
    ON CONFLICT (tenant_id, connection_id, issuer, subject) DO UPDATE SET
      email = EXCLUDED.email, email_verified = EXCLUDED.email_verified, display_name = EXCLUDED.display_name,
      given_name = EXCLUDED.given_name, family_name = EXCLUDED.family_name, last_seen_at = EXCLUDED.last_seen_at
    RETURNING id`,
}

/** Makes the identity or brings it up to date; of two first logins at once both get the same one. Holds its row until the commit. */
export async function upsertIdentity(
  scope: Scope,
  kind: 'oidc' | 'saml' | 'email',
  key: IdentityKey,
  profile: IdentityProfile,
): Promise<Uuid> {
  const [row] = await scope.tx.query<{ id: Uuid }>(upsert, [
    scope.tenant,
    scope.newId(),
    kind,
    key.connectionId,
    key.issuer,
    key.subject,
    profile.email,
    profile.emailVerified,
    profile.displayName,
    profile.givenName,
    profile.familyName,
    scope.now,
  ])
  if (row === undefined) throw new Error('an identity without a row')
  return row.id
}
