// Lets a proved person through the door of one organization, or not: looks at what the organization knows
// of them, then writes identity and entry and asks for reconciling. Shared by logins and sign-ups, in their
// transaction. A look, not the decision: member, role and seat are the reconciler's, under the lock.

import { RollcallError } from '../model/errors.ts'
import type { Uuid } from '../model/ids.ts'
import { writeAudit } from '../store/audit.ts'
import { type EntryKey, findEntry, type StoredEntry, upsertEntry } from '../store/entries.ts'
import {
  type IdentityKey,
  type IdentityProfile,
  mergeProfiles,
  type StoredIdentity,
  upsertIdentity,
} from '../store/identities.ts'
import { requestReconcile } from '../store/outbox.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { readStanding, type Standing } from '../store/standing.ts'
import { asPerson } from './context.ts'
import type { OrganizationRefusal } from './resolve-organization.ts'

/** Why somebody who has proved who they are is not let in. Shown to them in a sentence. */
export type AdmissionRefusal =
  | OrganizationRefusal
  | 'organization_inactive'
  | 'directory_user_absent'
  | 'directory_user_inactive'
  | 'entry_withdrawn'
  | 'no_seat'
  | 'sign_up_closed'

export interface Admitted {
  readonly tenant: Uuid
  readonly organizationId: Uuid
  readonly identityId: Uuid
  readonly entryId: Uuid
  readonly connectionId: Uuid | null
  /** A path of our own. */
  readonly returnTo: string | null
}

export type Admission =
  | { readonly outcome: 'admitted'; readonly admitted: Admitted }
  | { readonly outcome: 'refused'; readonly reason: AdmissionRefusal }

export interface Proof {
  readonly kind: 'oidc' | 'saml' | 'email'
  readonly key: IdentityKey
  readonly profile: IdentityProfile
  /** What was known of this identity before. */
  readonly known: StoredIdentity | undefined
}

/** How the person comes in. */
export interface Way extends Pick<EntryKey, 'organizationId' | 'kind' | 'joinRuleId'> {
  /** Undefined: nothing was said of groups. */
  readonly claimValues?: readonly string[]
  readonly roleId?: Uuid
  readonly returnTo: string | null
}

/** Writes nothing but the audit entry where the person is refused. */
export async function admit(scope: Scope<OrmTx>, proof: Proof, way: Way): Promise<Admission> {
  const { known } = proof
  const profile = mergeProfiles(known, proof.profile)
  const standing = await readStanding(scope, way.organizationId, {
    userId: known?.userId ?? null,
    email: profile.email,
  })
  if (standing === undefined) throw new RollcallError('not_found', 'The organization is gone.')
  const connectionId = way.kind === 'sso' ? proof.key.connectionId : null
  const { organizationId, kind, joinRuleId } = way
  const entry =
    known === undefined
      ? undefined
      : await findEntry(scope, { organizationId, kind, identityId: known.id, connectionId, joinRuleId })
  const refused = judge(standing, entry, kind)
  if (refused !== undefined) return refuse(scope, proof, organizationId, refused)

  const identityId = await upsertIdentity(scope, proof.kind, proof.key, profile)
  const speaking = asPerson(scope, identityId)
  const settled = entry !== undefined && standing.knownMember && isSaidAlready(proof, profile, entry, way)
  const key = { organizationId, kind, identityId, connectionId, joinRuleId }
  const entryId = settled ? entry.id : await upsertEntry(speaking, key, way)
  const causeId = await writeAudit(speaking, {
    organizationId,
    action: kind === 'sso' ? 'login.accepted' : 'sign_up.accepted',
    subjectKind: 'entry',
    subjectId: entryId,
    after: { kind, connectionId, joinRuleId, new: entry === undefined },
  })
  if (!settled) {
    await requestReconcile(speaking, organizationId, [{ kind: 'entry', id: entryId }], { urgent: true, causeId })
  }
  const admitted = { tenant: scope.tenant, organizationId, identityId, entryId, connectionId, returnTo: way.returnTo }
  return { outcome: 'admitted', admitted }
}

/** Records a refusal. No address and no name: the identity, where there is one, says who it was. */
export async function refuse(
  scope: Scope<OrmTx>,
  proof: Proof,
  organizationId: Uuid | null,
  reason: AdmissionRefusal,
): Promise<Admission> {
  const speaking = proof.known === undefined ? scope : asPerson(scope, proof.known.id)
  await writeAudit(speaking, {
    organizationId,
    action: proof.kind === 'email' ? 'sign_up.refused' : 'login.refused',
    subjectKind: proof.key.connectionId === null ? 'tenant' : 'connection',
    subjectId: proof.key.connectionId ?? scope.tenant,
    after: { reason },
  })
  return { outcome: 'refused', reason }
}

function judge(
  standing: Standing,
  entry: StoredEntry | undefined,
  kind: EntryKey['kind'],
): AdmissionRefusal | undefined {
  if (!standing.active) return 'organization_inactive'
  if (entry?.withdrawn === true) return 'entry_withdrawn'
  const { governedSince, directoryUser, seats } = standing
  if (directoryUser === 'inactive') return 'directory_user_inactive'
  // Who came in before the directory took over is not locked out because it does not know them yet.
  const governs = governedSince !== null && (entry === undefined || entry.createdAt >= governedSince)
  if (governs && kind !== 'personal' && directoryUser === 'absent') return 'directory_user_absent'
  const full = seats.policy === 'block' && seats.limit !== null && seats.used >= seats.limit
  return full && !standing.knownMember ? 'no_seat' : undefined
}

/** A login that says nothing new, of somebody who is in, needs no reconciling: it works while no worker runs. */
function isSaidAlready(proof: Proof, profile: IdentityProfile, entry: StoredEntry, way: Way): boolean {
  const { known } = proof
  if (known === undefined || known.userId === null || !entry.observed) return false
  const fields = ['email', 'emailVerified', 'displayName', 'givenName', 'familyName'] as const
  if (fields.some((field) => known[field] !== profile[field])) return false
  return way.claimValues === undefined || isSameList(way.claimValues, entry.claimValues)
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
