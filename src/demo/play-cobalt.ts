// Cobalt: nobody has made it when its first person logs in over a connection of the whole tenant. The org claim, as
// Zitadel sends it, names it; the tenant's policy lets it be made; a claim value gives a role.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { cobaltAccounts } from './cast.ts'
import { logIn, type SignedIn } from './logins.ts'
import type { OidcAccount } from './oidc-provider.ts'
import { awaitInSync, named, type Stage } from './stage.ts'

const groupOfDevelopers = 'developers'

export interface Cobalt {
  readonly id: string
  /** For OpenID Connect; the whole tenant's. */
  readonly connectionId: string
}

export async function playCobalt(stage: Stage): Promise<Cobalt> {
  const { admin, script } = stage
  script.act('Cobalt: an OpenID login with an organization claim')
  const [first, ...others] = cobaltAccounts
  if (first === undefined) throw new Error('nobody is in the cast of Cobalt')

  const { id, connectionId } = await script.step(`${first.email} was logging in by OpenID Connect`, async () => {
    const connectionId = await connectOidc(stage)
    const { organization, member } = await enter(stage, connectionId, first)
    return [
      `${first.name} logged in; the claim named ${organization.name}, made at once (${member.publicId}, ${member.role?.name ?? 'no role'})`,
      { id: organization.id, connectionId },
    ]
  })

  await script.step("Cobalt's claim was being mapped", async () => {
    const mapping = {
      source: { connection: connectionId, claimValue: groupOfDevelopers },
      target: { role: 'developer' },
    }
    await admin.post(`/organizations/${id}/mappings`, mapping, named)
    await awaitInSync(stage, id)
    const { member } = await enter(stage, connectionId, first)
    if (member.role?.key !== 'developer') throw new Error(`the role is ${member.role?.key ?? 'none'}`)
    return [`The claim value “${groupOfDevelopers}” was mapped: ${first.name} is ${member.role.name} now`, undefined]
  })

  for (const account of others) {
    await script.step(`${account.email} was logging in by OpenID Connect`, async () => {
      const { organization, member } = await enter(stage, connectionId, account)
      if (organization.id !== id) throw new Error(`the login ended in another organization, ${organization.name}`)
      return [`${account.name} logged in, into the same organization, as ${member.role?.name ?? 'nothing'}`, undefined]
    })
  }
  return { id, connectionId }
}

async function connectOidc({ admin, world }: Stage): Promise<string> {
  const client = { client_id: 'rollcall', client_secret: randomBytes(24).toString('base64url') }
  const connection = await admin.post(
    '/connections',
    {
      kind: 'oidc',
      name: 'Zitadel',
      clientSecret: client.client_secret,
      config: {
        issuer: world.oidc.issuer,
        clientId: client.client_id,
        organizationClaim: { preset: 'zitadel' },
        groupsClaim: 'groups',
      },
    },
    z.object({ id: z.string(), redirectUri: z.string() }),
  )
  world.oidc.addClient({ ...client, redirect_uris: [connection.redirectUri] })
  return connection.id
}

async function enter(stage: Stage, connectionId: string, account: OidcAccount): Promise<SignedIn> {
  const reception = await logIn(stage, connectionId, account.sub)
  if (!reception.in) throw new Error(`the page said "${reception.heading}. ${reception.sentences[0] ?? ''}"`)
  return reception.session
}
