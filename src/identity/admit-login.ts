// The half of an SSO login that both protocols share, in the transaction that also uses the login up: who is
// it, which organization, may they in.

import type { StoredConnection } from '../store/connections.ts'
import { findIdentity } from '../store/identities.ts'
import type { OrmTx, Scope } from '../store/scope.ts'
import { type Admission, admit, type Proof, refuse } from './admit.ts'
import type { ProvedLogin } from './proved-login.ts'
import { resolveOrganization } from './resolve-organization.ts'

export async function admitLogin(
  scope: Scope<OrmTx>,
  connection: StoredConnection,
  login: ProvedLogin,
  returnTo: string | null,
): Promise<Admission> {
  const { kind, issuer, subject, profile, groups } = login
  const key = { connectionId: connection.id, issuer, subject }
  const proof: Proof = { kind, key, profile, known: await findIdentity(scope, key) }
  const organization = await resolveOrganization(scope, connection, login.organization)
  if ('refused' in organization) return refuse(scope, proof, connection.organizationId, organization.refused)
  return admit(scope, proof, {
    organizationId: organization.id,
    kind: 'sso',
    joinRuleId: null,
    returnTo,
    ...(groups === undefined ? {} : { claimValues: groups }),
  })
}
