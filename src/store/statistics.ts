// Statistics for PostgreSQL's planner. Every index begins with the tenant, many with the
// organization, and by the average of many small organizations one index looks as good as another:
// a whole organization is read for one row, and the plan is kept. The migrations tell the planner
// to think of large ones; here it is shown that there is one. Autovacuum would come by in a minute,
// or after a tenth of the table: for an import into an empty database 400 members a second, not 4,000.

import type { Scope } from './scope.ts'

const analyse = {
  text: `ANALYZE (SKIP_LOCKED) users, members, grants, units, directory_users, directory_links,
    directory_groups, directory_group_members, mappings, reconcile_requests`,
}

/** Looks at the tables that grow with an organization, in the caller's transaction. Takes some 0.1 s for each large one. */
export async function analyseTables(scope: Scope): Promise<void> {
  await scope.tx.query(analyse, [])
}
