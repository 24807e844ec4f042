// The load: a bounded number of requests at once over connections that stay open, as identity providers
// push. Every answer is checked; an unexpected one ends the run, because a figure of failures is none.

import { Pool } from 'undici'
import { type CpuUse, untilQuiet, type Watched, wasDisturbed, watchCpu } from './measure.ts'

export const connections = 16

/** Something that speaks SCIM under a base URL. */
export interface Target {
  readonly pool: Pool
  /** The path of the base URL. */
  readonly base: string
  readonly token: string
}

/** Opens the connections to a SCIM base URL, which has to be on loopback. `pool.close()` ends them. */
export function openTarget(url: string, token: string): Target {
  const { origin, hostname, pathname } = new URL(url)
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') throw new Error('the load is for loopback only')
  return { pool: new Pool(origin, { connections, pipelining: 1 }), base: pathname.replace(/\/$/, ''), token }
}

/** Sends one request and answers its JSON, undefined where there is none. Throws where the status is another one. */
export async function send(
  { pool, base, token }: Target,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  expected: number,
  body?: object,
): Promise<unknown> {
  const response = await pool.request({
    method,
    path: base + path,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/scim+json',
      ...(body !== undefined && { 'content-type': 'application/scim+json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.body.text()
  if (response.statusCode !== expected) {
    throw new Error(`${method} ${base}${path} was answered with ${response.statusCode}: ${text.slice(0, 500)}`)
  }
  return text === '' ? undefined : JSON.parse(text)
}

/** One repetition of something: how much, how long each took, and what it cost. */
export interface Repetition {
  readonly operations: number
  readonly seconds: number
  readonly latenciesMs: readonly number[]
  readonly cpu: CpuUse | null
}

/** Does `operation` so many times, at most `atOnce` at a time. */
export async function repeat(
  operations: number,
  atOnce: number,
  watched: Watched,
  operation: () => Promise<void>,
): Promise<Repetition> {
  const latenciesMs: number[] = []
  const stop = watchCpu(watched)
  const started = performance.now()
  let begun = 0
  const worker = async () => {
    while (begun < operations) {
      begun += 1
      const from = performance.now()
      await operation()
      latenciesMs.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { operations, seconds: (performance.now() - started) / 1000, latenciesMs, cpu: stop() }
}

export const tries = 5

/** Measures a pair when the machine is quiet, and again when it did not stay so: a few times, then the figure is what it is. */
export async function undisturbed(
  quietMs: number,
  measure: () => Promise<[Repetition, Repetition]>,
): Promise<[Repetition, Repetition]> {
  for (let again = 1; ; again += 1) {
    await untilQuiet(quietMs)
    const [one, other] = await measure()
    if (quietMs === 0 || again === tries || !wasDisturbed(one.cpu, other.cpu)) return [one, other]
  }
}
