// PostgreSQL refuses to run as root, and containers are often nothing but root. This file picks whom
// to run it as: ourselves when we are not root; the machine's `postgres` user where it can reach the
// folder; else a user namespace in which root's files belong to an ordinary user; else a new user.

import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { RollcallError } from '../model/errors.ts'

export interface RunAs {
  /** What goes before the program: nothing, or a wrapper that replaces itself by the program. */
  readonly prefix: readonly string[]
  /** Where set, the process changes to this user and the data belongs to them. */
  readonly user?: { readonly uid: number; readonly gid: number }
}

const asOurselves: RunAs = { prefix: [] }
const inNamespace: RunAs = { prefix: ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] }

/**
 * The first identity under which `program` runs and `folder` can be entered. Throws `unavailable`
 * when there is none.
 */
export function chooseRunAs(folder: string, program: string): RunAs {
  if (process.getuid?.() !== 0) return asOurselves
  const existing = postgresUser()
  if (existing !== undefined && works(existing, folder, program)) return existing
  if (works(inNamespace, folder, program)) return inNamespace
  const made = existing ?? createPostgresUser()
  if (made !== undefined && works(made, folder, program)) return made
  throw new RollcallError('unavailable', {
    detail: `PostgreSQL does not run as root, and no other user can enter ${folder} and run ${program}; start as an ordinary user, or from a folder that everyone may enter.`,
  })
}

/** Gives the tree to whom PostgreSQL runs as, where it belongs to someone else. */
export function giveTo(runAs: RunAs, tree: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = runAs.user ?? { uid: 0, gid: 0 }
  if (lstatSync(tree).uid === uid) return
  for (const entry of readdirSync(tree, { recursive: true, encoding: 'utf8' })) chownSync(join(tree, entry), uid, gid)
  chownSync(tree, uid, gid)
}

function works(runAs: RunAs, folder: string, program: string): boolean {
  const probe = [...runAs.prefix, '/bin/sh', '-c', 'cd "$1" && exec "$2" --version', 'sh', folder, program]
  const [command = '/bin/sh', ...args] = probe
  return spawnSync(command, args, { ...runAs.user, cwd: '/', stdio: 'ignore' }).status === 0
}

function postgresUser(): RunAs | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }))
    return { prefix: [], user: { uid: id('-u'), gid: id('-g') } }
  } catch {
    return undefined
  }
}

function createPostgresUser(): RunAs | undefined {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  spawnSync('useradd', [...flags, 'postgres'], { stdio: 'ignore' })
  return postgresUser()
}
