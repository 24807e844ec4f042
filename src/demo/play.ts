// Plays the demonstration through the doors of a running service, as identity providers, people and an admin would:
// four invented companies, each with its own way in. Says what happens while it happens, then how things stand.

import { z } from 'zod'
import { createAdminClient } from './admin-client.ts'
import { acmeBoth } from './cast.ts'
import { explainInWords } from './explain-in-words.ts'
import type { OutsideWorld } from './outside-world.ts'
import { playAcme } from './play-acme.ts'
import { playBorealis } from './play-borealis.ts'
import { playCobalt } from './play-cobalt.ts'
import { playDune } from './play-dune.ts'
import { attempt, createScript, type Stage } from './stage.ts'
import { readSummary, tabulate } from './summary.ts'

export interface DemonstrationOptions {
  /** Where the service is reached, without a slash at the end; its own public URL. */
  readonly origin: string
  /** The bootstrap key. */
  readonly adminKey: string
  /** Gets one line of text at a time. */
  readonly print: (line: string) => void
  readonly signal: AbortSignal
  /** The service has to resolve names through `world.dnsServer`. Stays up: whoever started it stops it. */
  readonly world: OutsideWorld
  /** How wide the table may be, in columns; the terminal's width when left out. */
  readonly width?: number
}

export interface PlayedDemonstration {
  /** Of Acme: its directory, as Okta knows it. */
  readonly directoryId: string
  readonly scimBaseUrl: string
  readonly token: string
  readonly tenantSlug: string
  /** The key of the demonstration's tenant for the admin API. */
  readonly tenantKey: string
}

const widthWithoutTerminal = 100

/** Rejects with an error that names the step and what the door answered. Can be played again: each time a new tenant. */
export async function playDemonstration(options: DemonstrationOptions): Promise<PlayedDemonstration> {
  const { origin, print, signal, world } = options
  const width = options.width ?? process.stdout.columns ?? widthWithoutTerminal
  const script = createScript(print, width, process.stdout.isTTY ? '✓' : '-')
  script.act('A demonstration: four invented companies come in through the doors of this service.')
  const { tenantSlug, tenantKey } = await script.step('making the tenant', () => makeTenant(options))
  const admin = createAdminClient({ origin, key: tenantKey, signal })
  const stage: Stage = { origin, tenantSlug, admin, world, signal, script }

  const acme = await playAcme(stage)
  const borealis = await playBorealis(stage)
  const cobalt = await playCobalt(stage)
  const dune = await playDune(stage)

  const [table, explanation] = await attempt('looking at how things stand', async () => {
    const ids = [acme.id, borealis, cobalt.id, dune]
    const organizations = await Promise.all(ids.map((id) => readSummary(admin, id)))
    return [tabulate(organizations, width), await explainInWords(admin, acme.id, acmeBoth)] as const
  })
  print('')
  for (const line of table) print(line)
  print('')
  for (const line of explanation) script.say(line)
  script.act('To try in a browser, while this process runs:')
  print(`  log in as one of Acme (SAML)     ${origin}/sso/${acme.connectionId}/start`)
  print(`  log in as one of Cobalt (OpenID) ${origin}/sso/${cobalt.connectionId}/start`)
  print(`  sign up with a code              ${origin}/signup/${tenantSlug}, codes in ${origin}/mailbox`)

  const { id: directoryId, scimBaseUrl, token } = acme.directory
  return { directoryId, scimBaseUrl, token, tenantSlug, tenantKey }
}

interface MadeTenant {
  readonly tenantSlug: string
  readonly tenantKey: string
}

/** A tenant whose logins may make organizations and whose sign-ups always lead somewhere. */
async function makeTenant({ origin, adminKey, signal }: DemonstrationOptions): Promise<readonly [string, MadeTenant]> {
  const bootstrap = createAdminClient({ origin, key: adminKey, signal })
  const taken = new Set((await bootstrap.list('/tenants', z.object({ slug: z.string() }))).map(({ slug }) => slug))
  let tenantSlug = 'demo'
  for (let number = 2; taken.has(tenantSlug); number += 1) tenantSlug = `demo-${number}`
  const { apiKey } = await bootstrap.post(
    '/tenants',
    {
      slug: tenantSlug,
      name: 'Demo',
      roleSet: 'cloud',
      unknownOrganizationPolicy: 'create',
      signUpPolicy: 'personal',
    },
    z.object({ apiKey: z.object({ key: z.string() }) }),
  )
  return [
    `A tenant “${tenantSlug}” with the roles Owner, Admin, Developer and Viewer`,
    { tenantSlug, tenantKey: apiKey.key },
  ]
}
