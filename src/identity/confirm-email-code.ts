// The second half of a sign-up: the code that was sent proves the address, and the person goes where it leads:
// into the organization whose verified domain it is in, or where the tenant sends everybody else. One
// transaction, which also counts a wrong answer.

import { timingSafeEqual } from 'node:crypto'
import { type EmailAddress, parseEmail } from '../model/email.ts'
import { isUuid, type Uuid } from '../model/ids.ts'
import { consumeEmailCode, maxCodeAttempts, type StoredEmailCode, takeCodeAttempt } from '../store/email-codes.ts'
import { findPersonalEntry } from '../store/entries.ts'
import { findIdentity, mergeProfiles, upsertIdentity } from '../store/identities.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { findOpenJoinRule } from '../store/sign-up-rules.ts'
import { findTenant } from '../store/tenants.ts'
import { type Admission, admit, type Proof, refuse, type Way } from './admit.ts'
import { hashSecret, type IdentityContext, inTransaction } from './context.ts'
import { hashCode, readCode } from './email-code.ts'
import { openSignUp } from './request-email-code.ts'
import { makeOrganization } from './resolve-organization.ts'

export interface CodeAnswer {
  readonly tenantSlug: string
  readonly codeId: string
  /** As it was typed. */
  readonly code: string
  readonly browser: string | undefined
}

export type Confirmation =
  | Admission
  | { readonly outcome: 'wrong_code'; readonly attemptsLeft: number }
  /** Unknown to this browser, too old, used, or answered too often: all of them look alike. */
  | { readonly outcome: 'code_over' }

/** Throws `not_found` for an unknown tenant. */
export async function confirmEmailCode(context: IdentityContext, answer: CodeAnswer): Promise<Confirmation> {
  const tenant = await openSignUp(context, answer.tenantSlug)
  const browserHash = hashSecret(answer.browser)
  const { codeId } = answer
  if (browserHash === undefined || !isUuid(codeId)) return { outcome: 'code_over' }
  return inTransaction(context, tenant.id, { id: 'signup', door: 'signup' }, async (scope): Promise<Confirmation> => {
    const sent = await takeCodeAttempt(scope, codeId, browserHash)
    if (sent === undefined) return { outcome: 'code_over' }
    if (!isRight(sent, answer.code)) return { outcome: 'wrong_code', attemptsLeft: maxCodeAttempts - sent.attempts }
    await consumeEmailCode(scope, sent.id)
    const email = parseEmail(sent.email)
    return email === null ? { outcome: 'code_over' } : signUp(scope, sent, email)
  })
}

function isRight(sent: StoredEmailCode, typed: string): boolean {
  const code = readCode(typed)
  return code !== undefined && timingSafeEqual(hashCode(sent.id, code), sent.codeHash)
}

async function signUp(scope: Scope<OrmTx>, sent: StoredEmailCode, email: EmailAddress): Promise<Admission> {
  const key = { connectionId: null, issuer: 'email', subject: email.key }
  const named = { displayName: sent.displayName, givenName: null, familyName: null }
  const profile = { email: email.address, emailVerified: true, ...named }
  const proof: Proof = { kind: 'email', key, profile, known: await findIdentity(scope, key) }
  const rule = await findOpenJoinRule(scope, email.domain)
  if (rule !== undefined) {
    const { organizationId, id: joinRuleId } = rule
    return admit(scope, proof, { organizationId, kind: 'domain', joinRuleId, returnTo: null })
  }
  const way = await wayOfOnesOwn(scope, proof, email)
  return way === undefined ? refuse(scope, proof, null, 'sign_up_closed') : admit(scope, proof, way)
}

/** Where an earlier sign-up led, or what the tenant offers to people whom no domain lets in. */
async function wayOfOnesOwn(scope: Scope<OrmTx>, proof: Proof, email: EmailAddress): Promise<Way | undefined> {
  const own = (organizationId: Uuid): Way => ({ organizationId, kind: 'personal', joinRuleId: null, returnTo: null })
  const earlier = proof.known === undefined ? undefined : await findPersonalEntry(scope, proof.known.id)
  if (earlier !== undefined) return own(earlier.organizationId)
  const tenant = await findTenant(scope)
  if (tenant?.signUpPolicy === 'default' && tenant.defaultOrganizationId) return own(tenant.defaultOrganizationId)
  if (tenant?.signUpPolicy !== 'personal') return undefined
  // Holds the identity's row: of two codes confirmed at once, the second finds what the first has made.
  const identityId = await upsertIdentity(scope, 'email', proof.key, mergeProfiles(proof.known, proof.profile))
  const meanwhile = await findPersonalEntry(scope, identityId)
  if (meanwhile !== undefined) return own(meanwhile.organizationId)
  const name = `${firstName(proof.profile.displayName, email)}'s Organization`
  const made = await makeOrganization(scope, { name, kind: 'personal' })
  if (made === undefined) return undefined
  return { ...own(made.id), ...(made.ownerRoleId === undefined ? {} : { roleId: made.ownerRoleId }) }
}

/** Of the name that was given, or as much of one as the address shows. */
function firstName(displayName: string | null, email: EmailAddress): string {
  const given = displayName?.split(' ')[0]
  if (given !== undefined && given !== '') return given
  const [local = ''] = email.address.split(/[@._+-]/, 1)
  return local === '' ? 'My' : local.charAt(0).toUpperCase() + local.slice(1)
}
