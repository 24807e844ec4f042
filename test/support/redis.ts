// Runs a real Redis, where the machine has one. The shared one of a test run is started by
// global-setup.ts; a test that stops or kills Redis starts its own here.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithParent } from '../../src/embedded/end-with-parent.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends it at once, and what it held with it. */
  stop(): Promise<void>
}

/** The version of the `redis-server` on the PATH; undefined where there is none. */
export function installedRedis(): string | undefined {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8', stdio: 'pipe' }))?.[1]
  } catch {
    return undefined
  }
}

/** Starts an empty Redis without persistence on loopback; on a free port unless one is given. */
export async function startRedis(port?: number): Promise<RedisServer> {
  const chosen = port ?? (await freePort())
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-redis-'))
  const settings = {
    port: chosen,
    bind: '127.0.0.1',
    dir: folder,
    databases: 64,
    loglevel: 'warning',
    save: '',
    appendonly: 'no',
  }
  const flags = Object.entries({ ...settings, 'maxmemory-policy': 'noeviction' }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ])
  const server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'pipe'] })
  endWithParent(server)
  let said = ''
  for (const output of [server.stdout, server.stderr])
    output.setEncoding('utf8').on('data', (text: string) => (said += text))
  const exited = new Promise<void>((done) => server.once('exit', () => done()).once('error', () => done()))
  const stop = async () => {
    server.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  if (!(await answers(chosen, server))) {
    await stop()
    throw new Error(`redis-server did not start: ${said}`)
  }
  return { url: `redis://127.0.0.1:${chosen}`, port: chosen, stop }
}

async function answers(port: number, server: ChildProcess): Promise<boolean> {
  const end = Date.now() + 20_000
  while (Date.now() < end && server.exitCode === null && server.pid !== undefined) {
    const pong = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
      socket.once('data', (data) => done(data.toString() === '+PONG\r\n')).once('error', () => done(false))
      socket.once('close', () => done(false)).once('data', () => socket.destroy())
    })
    if (pong) return true
    await new Promise((wake) => setTimeout(wake, 20))
  }
  return false
}

/** A port that nothing listens on now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))))
    })
  })
}
