// Tells whether a recorded process is still that process. A number alone is not enough: numbers are
// reused, and in a restarted container the same few come round every time. Used by data-lock.ts and
// postgres.ts.

import { execFile } from 'node:child_process'
import { readFile, readlink, realpath } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether any process has this number now, ours to signal or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * When the process began, as a text that only serves comparison; an empty text where the system
 * does not say, undefined where the process is gone.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
    // Field 22, counted after the last bracket because a program's name may hold spaces and brackets.
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  }
  if (process.platform === 'win32') return ''
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim()
}

/** Whether the process is a PostgreSQL server at work in this data folder. */
export async function isPostmasterOf(pid: number, clusterFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform === 'linux') {
    // A postmaster's working directory is its data folder.
    const [cwd, folder] = await Promise.all([readlink(`/proc/${pid}/cwd`), realpath(clusterFolder)]).catch(() => [])
    return cwd !== undefined && cwd === folder
  }
  if (process.platform === 'win32') return true
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.includes('postgres') && stdout.includes(clusterFolder)
}
