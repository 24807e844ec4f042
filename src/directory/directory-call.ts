// What every use case of a directory is given first: the database, and whose directory asks. Made by
// authenticate-directory.ts; the SCIM door hands it on without looking inside.

import type { Caller, Database } from '../store/database.ts'
import type { DirectoryRef } from '../store/directory-tokens.ts'

/** An authenticated request of one directory. */
export interface DirectoryCall {
  readonly database: Database
  readonly caller: Caller
  readonly directory: DirectoryRef
}
