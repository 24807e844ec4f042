// What members, grants and their explanations look like in answers.

import { z } from 'zod'
import { id, instant, maybeInstant, state } from './schemas.ts'

export const memberStatus = z.enum(['invited', 'awaiting_approval', 'waitlisted', 'active', 'inactive', 'removed'])

const place = z.strictObject({ id, name: z.string() })

const memberShape = {
  id,
  publicId: z.string().meta({ description: 'ORG{n}-U-{seq}.', example: 'ORG12-U-7' }),
  number: z.number().int(),
  userId: id,
  email: z.string().nullable(),
  displayName: z.string().nullable(),
  status: memberStatus,
  statusReason: z.string().nullable(),
  role: z.string().nullable().meta({ description: 'Key of the effective role: the strongest of its grants.' }),
  seated: z.boolean(),
  source: z.string().meta({ description: 'The way in that made this member.' }),
  units: z.array(place).readonly(),
  workspaces: z.array(place).readonly(),
  createdAt: instant,
  changedAt: instant,
}
export const member = z.strictObject(memberShape).meta({ id: 'Member' })

const grantShape = {
  id,
  kind: z.enum(['role', 'unit', 'workspace']),
  targetId: id,
  name: z.string(),
  roleKey: z.string().nullable(),
  source: z.enum(['manual', 'invitation', 'directory_group', 'sso_claim', 'domain_rule', 'csv', 'system']),
  sourceId: id.nullable().meta({ description: 'The mapping, entry, join rule or invitation.' }),
  reason: z.string(),
  createdAt: instant,
}
export const memberDetail = z
  .strictObject({ ...memberShape, grants: z.array(z.strictObject(grantShape).meta({ id: 'Grant' })).readonly() })
  .meta({ id: 'MemberDetail' })

const mappingShape = {
  id,
  source: z.union([
    z.strictObject({ group: id, directory: id, displayName: z.string(), deleted: z.boolean() }),
    z.strictObject({ connection: id, claimValue: z.string() }),
  ]),
  target: z.union([
    z.strictObject({ role: z.string(), name: z.string() }),
    z.strictObject({ unit: id, name: z.string() }),
    z.strictObject({ workspace: id, name: z.string() }),
  ]),
  createdAt: instant,
}
export const mapping = z.strictObject(mappingShape).meta({ id: 'Mapping' })
export const createdMapping = z
  .strictObject({
    ...mappingShape,
    requested: z.number().int().meta({ description: 'How many people are reconciled because of it.' }),
  })
  .meta({ id: 'CreatedMapping' })

const causeShape = {
  id,
  at: instant,
  actor: z.string().meta({ description: 'directory:…, key:…, person:…, bootstrap or reconciler.' }),
  door: z.string(),
  action: z.string(),
  subjectKind: z.string(),
  subjectId: id,
}
const causes = z.array(z.strictObject(causeShape).meta({ id: 'Cause' })).readonly()
const because = causes.meta({ description: 'From what the reconciler did back to the first cause.' })
const said = causes.meta({ description: 'The latest audit entries about it, newest first.' })

export const auditEntry = z
  .strictObject({ ...causeShape, before: state, after: state, causeId: id.nullable() })
  .meta({ id: 'AuditEntry' })

const namedDirectory = z.strictObject({ id, name: z.string(), state: z.string() })

const origin = z
  .strictObject({
    kind: z.enum(['mapping', 'entry', 'join_rule', 'invitation', 'system']),
    id: id.nullable(),
    mapping: z.union([mapping, z.null()]),
    directoryUsers: z
      .array(z.strictObject({ id, userName: z.string(), directory: namedDirectory }))
      .readonly()
      .meta({ description: 'Those of this person that are in the mapped group.' }),
    entries: z.array(id).readonly().meta({ description: 'The ways in that it counts through.' }),
    said,
  })
  .meta({ id: 'Origin', description: 'The thing that a grant comes from.' })

export const explanation = z
  .strictObject({
    member,
    state: z.strictObject({ status: z.string(), reason: z.string().nullable(), because }),
    seat: z.strictObject({ seated: z.boolean(), because }),
    grants: z.array(z.strictObject({ ...grantShape, origin, because })).readonly(),
    directoryUsers: z
      .array(
        z.strictObject({
          id,
          directory: namedDirectory,
          userName: z.string(),
          active: z.boolean(),
          deletedAt: maybeInstant,
          rule: z.string().meta({ description: 'The rule by which it was linked to this person.' }),
          groups: z.array(z.strictObject({ id, displayName: z.string() })).readonly(),
          said,
        }),
      )
      .readonly(),
    entries: z
      .array(
        z.strictObject({
          id,
          kind: z.enum(['sso', 'domain', 'invitation', 'manual', 'personal']),
          email: z.string().nullable(),
          connection: z.strictObject({ id, name: z.string() }).nullable(),
          joinRule: z.strictObject({ id, domain: z.string() }).nullable(),
          invitationId: id.nullable(),
          claimValues: z.array(z.string()).readonly(),
          createdAt: instant,
          withdrawnAt: maybeInstant,
          said,
        }),
      )
      .readonly(),
    held: z
      .array(
        z.strictObject({
          planId: id,
          kind: z.enum(['deactivate', 'remove', 'demote']),
          why: z.string(),
          state: z.string(),
          createdAt: instant,
        }),
      )
      .readonly()
      .meta({ description: 'What is to happen and waits for an admin.' }),
  })
  .meta({ id: 'MemberExplanation' })
