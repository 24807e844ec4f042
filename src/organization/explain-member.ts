// Why a member is what it is: for the state, the seat and every grant, the chain from what the reconciler did back to
// the request, login, rule or admin that caused it. A question to the rows; nothing is kept for it.

import type { Uuid } from '../model/ids.ts'
import type { GrantSource } from '../model/words.ts'
import {
  type AuditRow,
  type DirectoryWord,
  type EntryWord,
  type HeldWord,
  listAuditChains,
  listDirectoryWords,
  listEntryWords,
  listHeldWords,
} from '../store/explain.ts'
import { findMappings, type MappingView } from '../store/mappings.ts'
import { type GrantRow, listGrants } from '../store/member-views.ts'
import { type AdminCaller, type AdminContext, read } from './context.ts'
import { type MemberView, requireMember, toMemberView } from './read-members.ts'

export type Cause = Omit<AuditRow, 'before' | 'after' | 'causeId'>

/** The thing a grant comes from, and what was said that made it count. */
export interface Origin {
  readonly kind: 'mapping' | 'entry' | 'join_rule' | 'invitation' | 'system'
  readonly id: Uuid | null
  readonly mapping: MappingView | null
  /** Those of this person that are in the mapped group. */
  readonly directoryUsers: readonly Pick<DirectoryWord, 'id' | 'userName' | 'directory'>[]
  /** The logins, sign-ups or admin's words that it counts through. */
  readonly entries: readonly Uuid[]
  /** The latest audit entries about all of these, newest first. */
  readonly said: readonly Cause[]
}

export interface ExplainedGrant extends GrantRow {
  readonly origin: Origin
  /** From the reconciler's entry back to the first cause. */
  readonly because: readonly Cause[]
}

export interface MemberExplanation {
  readonly member: MemberView
  readonly state: { readonly status: string; readonly reason: string | null; readonly because: readonly Cause[] }
  readonly seat: { readonly seated: boolean; readonly because: readonly Cause[] }
  readonly grants: readonly ExplainedGrant[]
  readonly directoryUsers: readonly (DirectoryWord & { readonly said: readonly Cause[] })[]
  readonly entries: readonly (EntryWord & { readonly said: readonly Cause[] })[]
  readonly held: readonly HeldWord[]
}

const entriesPerSubject = 200
const saidPerThing = 10

export async function explainMember(
  context: AdminContext,
  caller: AdminCaller,
  organizationId: Uuid,
  id: Uuid,
): Promise<MemberExplanation> {
  return read(context, caller, async (scope) => {
    const member = await requireMember(scope, organizationId, id)
    const grants = await listGrants(scope, organizationId, id)
    const directoryUsers = await listDirectoryWords(scope, organizationId, member.userId)
    const entries = await listEntryWords(scope, organizationId, member.userId)
    const mappings = await findMappings(scope, organizationId, mappingIds(grants))
    const subjects = [
      id,
      ...grants.flatMap((grant) => grant.sourceId ?? []),
      ...idsOf(directoryUsers),
      ...idsOf(entries),
    ]
    const trail = new Trail(await listAuditChains(scope, subjects, entriesPerSubject))
    return {
      member: toMemberView(member),
      state: { status: member.status, reason: member.statusReason, because: trail.because(id, changesOf('status')) },
      seat: { seated: member.seated, because: trail.because(id, changesOf('seated')) },
      grants: grants.map((grant) => ({
        ...grant,
        origin: originOf(grant, { mappings, directoryUsers, entries, trail }),
        because: trail.because(id, (entry) => entry.after?.['grantId'] === grant.id),
      })),
      directoryUsers: directoryUsers.map((word) => ({ ...word, said: trail.said([word.id]) })),
      entries: entries.map((word) => ({ ...word, said: trail.said([word.id]) })),
      held: await listHeldWords(scope, organizationId, id),
    }
  })
}

/** The audit entries at hand, newest first. */
class Trail {
  readonly #entries: readonly AuditRow[]
  readonly #byId: ReadonlyMap<Uuid, AuditRow>

  constructor(entries: readonly AuditRow[]) {
    this.#entries = entries
    this.#byId = new Map(entries.map((entry) => [entry.id, entry]))
  }

  /** The latest entry about the subject that fits, and what caused it, one after the other. */
  because(subject: Uuid, fits: (entry: AuditRow) => boolean): Cause[] {
    const chain: Cause[] = []
    let entry = this.#entries.find((one) => one.subjectId === subject && fits(one))
    while (entry !== undefined && chain.length < 10) {
      chain.push(toCause(entry))
      entry = entry.causeId === null ? undefined : this.#byId.get(entry.causeId)
    }
    return chain
  }

  /** The latest entries about any of these. */
  said(subjects: readonly (Uuid | null)[]): Cause[] {
    const about = new Set(subjects)
    return this.#entries
      .filter((entry) => about.has(entry.subjectId))
      .slice(0, saidPerThing)
      .map(toCause)
  }
}

function toCause({ id, at, actor, door, action, subjectKind, subjectId }: AuditRow): Cause {
  return { id, at, actor, door, action, subjectKind, subjectId }
}

/** Whether an entry tells of this column of the member as having changed or begun. */
function changesOf(column: 'status' | 'seated'): (entry: AuditRow) => boolean {
  return ({ action, before, after }) =>
    action.startsWith('member.') && after?.[column] !== undefined && before?.[column] !== after[column]
}

function idsOf(words: readonly { readonly id: Uuid }[]): Uuid[] {
  return words.map((word) => word.id)
}

function mappingIds(grants: readonly GrantRow[]): Uuid[] {
  const ids = grants.filter((grant) => originKinds[grant.source] === 'mapping').flatMap((grant) => grant.sourceId ?? [])
  return [...new Set(ids)]
}

const originKinds: Readonly<Record<GrantSource, Origin['kind']>> = {
  directory_group: 'mapping',
  sso_claim: 'mapping',
  manual: 'entry',
  csv: 'entry',
  domain_rule: 'join_rule',
  invitation: 'invitation',
  system: 'system',
}

function originOf(
  grant: GrantRow,
  known: {
    readonly mappings: readonly MappingView[]
    readonly directoryUsers: readonly DirectoryWord[]
    readonly entries: readonly EntryWord[]
    readonly trail: Trail
  },
): Origin {
  const mapping = known.mappings.find((one) => one.id === grant.sourceId) ?? null
  const source = mapping?.source
  const directoryUsers =
    source !== undefined && 'group' in source
      ? known.directoryUsers.filter((word) => word.groups.some((group) => group.id === source.group))
      : []
  const entries = idsOf(
    known.entries.filter((word) => {
      if (source !== undefined && 'connection' in source) {
        return word.connection?.id === source.connection && word.claimValues.includes(source.claimValue)
      }
      return grant.sourceId !== null && [word.id, word.joinRule?.id, word.invitationId].includes(grant.sourceId)
    }),
  )
  return {
    kind: originKinds[grant.source],
    id: grant.sourceId,
    mapping,
    directoryUsers: directoryUsers.map(({ id, userName, directory }) => ({ id, userName, directory })),
    entries,
    said: known.trail.said([grant.sourceId, ...idsOf(directoryUsers), ...entries]),
  }
}
