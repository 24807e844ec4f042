// What every act of the demonstration plays on: the tenant's admin API, the outside world, and the lines that are
// printed as things happen. A step that goes wrong says at which step and what the door answered.

import { z } from 'zod'
import type { AdminClient } from './admin-client.ts'
import { awaitCondition } from './await-condition.ts'
import type { OutsideWorld } from './outside-world.ts'
import { wrapText } from './table.ts'

export interface Stage {
  /** Of the service, without a slash at the end. */
  readonly origin: string
  readonly tenantSlug: string
  readonly admin: AdminClient
  readonly world: OutsideWorld
  readonly signal: AbortSignal
  readonly script: Script
}

export interface Script {
  act(title: string): void
  /** Runs the step, then prints what it answers with the time it took. */
  step<T>(doing: string, run: () => Promise<readonly [line: string, result: T]>): Promise<T>
  /** Prints text that may be longer than a line. */
  say(text: string): void
}

/** Before what does not fit on the first line; at least as long as what stands before that one. */
const indent = '    '

/** `width` in columns of the terminal; `tick` stands before each thing done. */
export function createScript(print: (line: string) => void, width: number, tick: string): Script {
  const sayBehind = (lead: string, text: string) => {
    const [first = '', ...others] = wrapText(text, width - indent.length)
    print(lead + first)
    for (const other of others) print(indent + other)
  }
  return {
    act(title) {
      print('')
      print(title)
    },
    async step(doing, run) {
      const start = performance.now()
      const [line, result] = await attempt(doing, run)
      sayBehind(`  ${tick} `, `${line} (${((performance.now() - start) / 1000).toFixed(1)}\u00a0s)`)
      return result
    },
    say: (text) => sayBehind(text.match(/^ */)?.[0] ?? '', text.trimStart()),
  }
}

/** `doing` completes the sentence that an error becomes. */
export async function attempt<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The demonstration went wrong while ${doing}: ${reason}`, { cause })
  }
}

export const named = z.object({ id: z.string() })

/** Everything that was said has been reconciled. What failed too often and was set aside ends the wait. */
export async function awaitInSync({ admin, signal }: Stage, organizationId: string): Promise<void> {
  const sync = z.object({ inSync: z.boolean(), setAside: z.number() })
  await awaitCondition('the organization to be in sync', signal, async () => {
    const { inSync, setAside } = await admin.get(`/organizations/${organizationId}/sync`, sync)
    if (setAside > 0) throw new Error(`${setAside} reconcile requests were set aside; the log says why`)
    return inSync ? true : undefined
  })
}

/** Claims the domain, puts the record that the answer asks for into DNS, and has it checked. Answers the claim's id. */
export async function proveDomain(stage: Stage, organizationId: string, name: string): Promise<string> {
  const { admin, world, signal } = stage
  const path = `/organizations/${organizationId}/domains`
  const claim = z.object({
    id: z.string(),
    status: z.string(),
    record: z.object({ name: z.string(), value: z.string() }),
    lastError: z.string().nullable(),
  })
  const { id, record } = await admin.post(path, { name }, claim)
  world.dns.addZone(name)
  world.dns.publish(record.name, record.value)
  await admin.post(`${path}/${id}/verify`, undefined, claim)
  await awaitCondition(`${name} to be verified`, signal, async () => {
    const found = (await admin.list(path, claim)).find((one) => one.id === id)
    if (found?.status === 'failed') throw new Error(found.lastError ?? 'the domain could not be verified')
    return found?.status === 'verified' ? true : undefined
  })
  await awaitInSync(stage, organizationId)
  return id
}

export interface MadeDirectory {
  readonly id: string
  readonly scimBaseUrl: string
  readonly token: string
}

export async function makeDirectory(
  { admin }: Stage,
  organizationId: string,
  input: { readonly name: string; readonly provider: 'okta' | 'entra' },
): Promise<MadeDirectory> {
  const made = z.object({
    directory: z.object({ id: z.string(), scimBaseUrl: z.string() }),
    token: z.object({ token: z.string() }),
  })
  const { directory, token } = await admin.post(`/organizations/${organizationId}/directories`, input, made)
  return { ...directory, token: token.token }
}

/** Lets groups of a directory give roles, teams and departments, and waits until their members have them. */
export async function mapGroups(
  stage: Stage,
  place: { readonly organizationId: string; readonly directoryId: string },
  mappings: readonly { readonly group: string; readonly target: object; readonly grantsOwner?: true }[],
): Promise<void> {
  const path = `/organizations/${place.organizationId}`
  const shape = z.object({ id: z.string(), displayName: z.string() })
  const groups = await stage.admin.list(`${path}/directories/${place.directoryId}/groups`, shape)
  for (const { group, ...mapping } of mappings) {
    const found = groups.find(({ displayName }) => displayName === group)
    if (found === undefined) throw new Error(`the directory has no group ${group}`)
    await stage.admin.post(`${path}/mappings`, { ...mapping, source: { group: found.id } }, named)
  }
  await awaitInSync(stage, place.organizationId)
}

export async function makeUnit(
  { admin }: Stage,
  organizationId: string,
  kind: 'team' | 'department',
  name: string,
): Promise<string> {
  return (await admin.post(`/organizations/${organizationId}/units`, { kind, name }, named)).id
}
