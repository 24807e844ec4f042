// Makes the database cluster on disk: initdb, the access rules, the roles and the one database. It
// is prepared in a folder beside its place and renamed when complete, so that a start that was cut
// short leaves nothing half made. Running the server is in postgres.ts.

import { spawn } from 'node:child_process'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RollcallError } from '../model/errors.ts'
import type { PostgresBinaries } from './binaries.ts'
import { giveTo, type RunAs } from './run-as.ts'

export interface ClusterPlan {
  /** Where the finished cluster goes; must not exist yet. */
  readonly folder: string
  readonly password: string
  readonly adminPassword: string
  /** false skips waiting for the disk: for throw-away test clusters only. */
  readonly durable: boolean
}

/**
 * Creates a UTF-8 cluster with the built-in C.UTF-8 locale, which sorts and folds case alike on
 * every system. It holds a superuser `postgres`, a plain role `rollcall` that may create databases,
 * and that role's database `rollcall`: the service runs without superuser rights here as in
 * production, so row-level security and missing privileges show.
 */
export async function createCluster(plan: ClusterPlan, binaries: PostgresBinaries, runAs: RunAs): Promise<void> {
  const draft = `${plan.folder}.new`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  giveTo(runAs, draft)
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const initdb = [binaries.initdb, '-D', draft, '-U', 'postgres', '--auth=trust', '--no-instructions', ...locale]
  await runToEnd(plan.durable ? initdb : [...initdb, '--no-sync'], runAs, '')
  // Only by TCP on loopback and only with a password: other people may have accounts on this machine.
  const rules = ['127.0.0.1/32', '::1/128'].map((address) => `host all all ${address} scram-sha-256\n`)
  await writeFile(join(draft, 'pg_hba.conf'), rules.join(''))
  // Single-user mode executes one command per line, before any port is open.
  const commands = [
    `ALTER ROLE postgres PASSWORD '${plan.adminPassword}';`,
    `CREATE ROLE rollcall LOGIN CREATEDB PASSWORD '${plan.password}';`,
    'CREATE DATABASE rollcall OWNER rollcall;',
  ]
  const single = [binaries.postgres, '--single', '-j', '-D', draft, ...(plan.durable ? [] : ['-F']), 'postgres']
  await runToEnd(single, runAs, commands.map((command) => `${command}\n\n`).join(''))
  await rename(draft, plan.folder)
}

/** The caller's PG* and LC_* variables must not steer this server. Windows needs its own to load libraries. */
const environment =
  process.platform === 'win32'
    ? {}
    : { env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } }

/** Starts a program under the chosen identity, in its own process group so that Ctrl-C does not reach it. */
export function spawnAs(command: readonly string[], runAs: RunAs) {
  const [program = '', ...args] = [...runAs.prefix, ...command]
  return spawn(program, args, {
    ...runAs.user,
    cwd: '/',
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'ignore', 'pipe'],
    ...environment,
    windowsHide: true,
  })
}

async function runToEnd(command: readonly string[], runAs: RunAs, input: string): Promise<void> {
  const child = spawnAs(command, runAs)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  child.stdin.on('error', () => {}) // a child that failed early says so on stderr
  child.stdin.end(input)
  const code = await new Promise((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  // Single-user mode ends with 0 even where a command failed.
  const failed = code !== 0 || /^(?:ERROR|FATAL|PANIC):|(?: |^)(?:ERROR|FATAL|PANIC): {2}/m.test(said)
  if (!failed) return
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !/WARNING|HINT/.test(line))
  throw new RollcallError('unavailable', {
    detail: `The embedded PostgreSQL could not be set up: ${lines.at(-1) ?? `${command[0]} ended with ${String(code)}`}`,
    cause: said,
  })
}
