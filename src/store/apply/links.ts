// Which user a directory user, an identity or an entry turned out to be, and up to which generation
// each of them has been looked at. The observed generation is written even where nobody was linked:
// being in sync is that comparison.

import type { Uuid } from '../../model/ids.ts'
import type { Change } from '../../reconcile/change.ts'
import { column } from '../columns.ts'
import { type Applying, changesOf, type Happening, type Step, type Work } from './slice.ts'

type Link = Extract<Change, { kind: 'link' }>

const linkIdentities = {
  name: 'apply_link_identities',
  text: `UPDATE identities SET user_id = linked.user_id
    FROM unnest($2::uuid[], $3::uuid[]) AS linked (id, user_id)
    WHERE identities.tenant_id = $1::uuid AND identities.id = linked.id`,
}

/** A link once made is kept when a later look does not speak of it. */
const observeDirectoryUsers = {
  name: 'apply_observe_directory_users',
  text: `INSERT INTO directory_links AS known
      (tenant_id, directory_user_id, organization_id, user_id, rule, observed_generation, observed_at)
    SELECT $1::uuid, id, $2::uuid, user_id, rule, generation, $3::timestamptz
    FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::int[]) AS seen (id, user_id, rule, generation)
    ON CONFLICT (tenant_id, directory_user_id) DO UPDATE SET
      user_id = coalesce(excluded.user_id, known.user_id),
      rule = CASE WHEN excluded.user_id IS NULL AND known.user_id IS NOT NULL THEN known.rule ELSE excluded.rule END,
      observed_generation = excluded.observed_generation, observed_at = excluded.observed_at`,
}

const observeEntries = {
  name: 'apply_observe_entries',
  text: `UPDATE entries SET user_id = coalesce(seen.user_id, entries.user_id),
      observed_generation = coalesce(seen.generation, observed_generation)
    FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS seen (id, user_id, generation)
    WHERE entries.tenant_id = $1::uuid AND entries.organization_id = $2::uuid AND entries.id = seen.id`,
}

/** Links and observed generations. Links to users that were there before are worth an entry of their own. */
export function linkWork(applying: Applying): Work {
  const links = changesOf(applying.plan, 'link')
  const linked = new Map(links.map((link) => [link.subject.id, link]))
  return {
    steps: [
      ...identitySteps(applying, links),
      ...directoryUserSteps(applying, linked),
      ...entrySteps(applying, linked),
    ],
    happened: () => links.flatMap((link) => (link.rule === 'created' ? [] : [linking(link, applying)])),
  }
}

function linking(link: Link, { people }: Applying): Happening {
  const { kind, id } = link.subject
  const after = { userId: people.userId(link.user), rule: link.rule }
  return { action: `${kind}.linked`, subjectKind: kind, subjectId: id, of: link, after }
}

function identitySteps({ scope, people }: Applying, links: readonly Link[]): Step[] {
  const found = links.filter((link) => link.subject.kind === 'identity')
  if (found.length === 0) return []
  const values = () => [
    scope.tenant,
    column(found.map((link) => link.subject.id)),
    column(found.map((link) => people.userId(link.user))),
  ]
  return [{ statement: linkIdentities, values }]
}

function directoryUserSteps(applying: Applying, linked: ReadonlyMap<Uuid, Link>): Step[] {
  const { scope, organization, plan, snapshot } = applying
  const inConflict = new Set(changesOf(plan, 'raise-conflict').map((change) => change.subject.id))
  const observed = new Set(plan.observed.directoryUsers.map((user) => user.id))
  const seen = snapshot.directoryUsers.filter(({ id }) => observed.has(id) || linked.has(id) || inConflict.has(id))
  if (seen.length === 0) return []
  const values = () => [
    scope.tenant,
    organization.id,
    scope.now,
    column(seen.map(({ id }) => id)),
    column(seen.map(({ id }) => userOf(linked.get(id), applying))),
    column(seen.map(({ id }) => linked.get(id)?.rule ?? (inConflict.has(id) ? 'conflict' : 'none'))),
    column(seen.map(({ generation }) => generation)),
  ]
  return [{ statement: observeDirectoryUsers, values }]
}

function entrySteps(applying: Applying, linked: ReadonlyMap<Uuid, Link>): Step[] {
  const { scope, organization, plan, snapshot } = applying
  const generations = new Map(plan.observed.entries.map(({ id, generation }) => [id, generation]))
  const seen = snapshot.entries.flatMap((entry) => {
    const link = linked.get(entry.id) ?? linked.get(entry.identity?.id ?? '')
    const userId = userOf(link, applying) ?? entry.identity?.userId ?? null
    const generation = generations.get(entry.id) ?? null
    const same = generation === null && (userId === null || userId === entry.userId)
    return same ? [] : [{ id: entry.id, userId, generation }]
  })
  if (seen.length === 0) return []
  const values = () => [
    scope.tenant,
    organization.id,
    column(seen.map((entry) => entry.id)),
    column(seen.map((entry) => entry.userId)),
    column(seen.map((entry) => entry.generation)),
  ]
  return [{ statement: observeEntries, values }]
}

function userOf(link: Link | undefined, { people }: Applying): Uuid | null {
  return link === undefined ? null : people.userId(link.user)
}
