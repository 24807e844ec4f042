// Numbers: percentiles and medians, and how much CPU and memory each process used, read from /proc. Where
// there is no /proc (anything but Linux) the CPU columns stay empty and the rest works.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Which processes a figure tells apart; the driver is this process. */
export interface Watched {
  readonly servers: readonly number[]
  readonly postmaster: number
}

/** CPU seconds of user and system together. `other` is what the rest of the machine used: above a few hundredths of a core the figure is noisy. */
export interface CpuUse {
  readonly seconds: number
  readonly server: number
  readonly postgres: number
  readonly driver: number
  readonly other: number
}

const hasProc = existsSync('/proc/self/stat')
const ticksPerSecond = 100

/** Starts to count; the answer counts again and tells the difference. Null where there is no /proc. */
export function watchCpu(watched: Watched): () => CpuUse | null {
  if (!hasProc) return () => null
  const from = readAll(watched)
  return () => {
    const to = readAll(watched)
    const [server, postgres, driver] = [to.server - from.server, to.postgres - from.postgres, to.driver - from.driver]
    const other = Math.max(0, to.machine - from.machine - server - postgres - driver)
    return { seconds: (to.at - from.at) / 1000, server, postgres, driver, other }
  }
}

function readAll({ servers, postmaster }: Watched) {
  return {
    at: performance.now(),
    server: servers.reduce((sum, pid) => sum + cpuOf(pid), 0),
    postgres: cpuOfTree(postmaster),
    driver: cpuOf(process.pid),
    machine: busyOfMachine(),
  }
}

/** The fields of /proc/…/stat after the name; null for a process that is gone. */
function statOf(pid: number | string): string[] | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return line.slice(line.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function secondsIn(fields: readonly string[], ...places: readonly number[]): number {
  return places.reduce((sum, place) => sum + Number(fields[place] ?? 0), 0) / ticksPerSecond
}

function cpuOf(pid: number | string): number {
  const fields = statOf(pid)
  return fields === null ? 0 : secondsIn(fields, 11, 12)
}

/** A postmaster, the backends that it has waited for, and those that still run. */
function cpuOfTree(pid: number): number {
  const fields = statOf(pid)
  if (fields === null) return 0
  return childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), secondsIn(fields, 11, 12, 13, 14))
}

function childrenOf(pid: number): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(name)?.[1] === String(pid))
}

function busyOfMachine(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const fields = line.trim().split(/\s+/).slice(1)
  return secondsIn(fields, 0, 1, 2, 5, 6)
}

/** Resident memory in MiB, now and at its highest; null where it cannot be read. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
    return { now: field('VmRSS'), peak: field('VmHWM') }
  } catch {
    return null
  }
}

/** Whether the rest of the machine used so much of a core that the figure says more about it than about us. */
export function wasDisturbed(...uses: readonly (CpuUse | null)[]): boolean {
  return uses.some((use) => use !== null && use.other > use.seconds * disturbedShare)
}

const disturbedShare = 0.25
const quietShare = 0.1

/** Waits until the machine does next to nothing for a second, or until `limitMs` have passed: a figure is worth what the machine was quiet. */
export async function untilQuiet(limitMs: number): Promise<void> {
  if (!hasProc) return
  for (const end = performance.now() + limitMs; performance.now() < end; ) {
    const before = busyOfMachine()
    await pause(1_000)
    if (busyOfMachine() - before < quietShare) return
  }
}
