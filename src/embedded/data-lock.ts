// One process per data folder. The lock is a file that names its owner; a lock whose owner is gone
// is taken over. PostgreSQL guards its own files besides; this lock is what makes the refusal one
// clear sentence, and what tells an orphaned server from one in use.

import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RollcallError } from '../model/errors.ts'
import { startOf } from './process-identity.ts'

export interface DataLock {
  release(): Promise<void>
}

/** Takes the folder for this process. Throws `unavailable` while another live process owns it. */
export async function lockDataFolder(folder: string): Promise<DataLock> {
  const path = join(folder, 'owner.lock')
  const own = JSON.stringify({ pid: process.pid, start: (await startOf(process.pid)) ?? '' })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, own, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      // A hard link either appears whole or not at all, so no one ever reads half a lock.
      if (await created(draft, path)) return { release: () => rm(path, { force: true }) }
      const owner = await readOwner(path)
      if (owner !== undefined && (await startOf(owner.pid)) === owner.start) {
        throw new RollcallError('unavailable', {
          detail: `The data folder ${folder} is in use by another Rollcall (process ${owner.pid}); stop that one, or choose another folder.`,
        })
      }
      await rm(path, { force: true })
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw new RollcallError('unavailable', {
    detail: `Several processes are starting in the data folder ${folder} at once.`,
  })
}

async function created(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function readOwner(path: string): Promise<{ pid: number; start: string } | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || !('start' in owner)) return undefined
    if (typeof owner.pid !== 'number' || typeof owner.start !== 'string') return undefined
    return { pid: owner.pid, start: owner.start }
  } catch {
    return undefined
  }
}
