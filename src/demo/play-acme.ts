// Acme: a verified domain, an Owner named by hand, Okta's push of 25 people, groups mapped to roles and teams, a
// SAML login of somebody the directory knows, and one of somebody it has deactivated.

import { z } from 'zod'
import { acmeGroups, acmeLeaver, acmeLogin, acmeOwner, acmePeople, type CastMember, fullName } from './cast.ts'
import { logIn } from './logins.ts'
import { createOktaPush } from './okta-push.ts'
import {
  awaitInSync,
  type MadeDirectory,
  makeDirectory,
  makeUnit,
  mapGroups,
  named,
  proveDomain,
  type Stage,
} from './stage.ts'
import { listTallies, readSummary } from './summary.ts'

export interface Acme {
  readonly id: string
  /** For SAML. */
  readonly connectionId: string
  readonly directory: MadeDirectory
}

export async function playAcme(stage: Stage): Promise<Acme> {
  const { admin, script, signal } = stage
  script.act('Acme: Okta by SCIM, logins by SAML')

  const id = await script.step('Acme was proving its domain', async () => {
    const owner = { email: acmeOwner, displayName: fullName(personOf(acmeOwner)) }
    const made = await admin.post('/organizations', { name: 'Acme', seatLimit: 30, owner }, named)
    await proveDomain(stage, made.id, 'acme.example')
    return [`acme.example is verified: its TXT record was found in DNS; ${owner.displayName} is Owner by hand`, made.id]
  })

  const { directory, okta } = await script.step('Okta was pushing to Acme', async () => {
    const directory = await makeDirectory(stage, id, { name: 'Okta', provider: 'okta' })
    const okta = createOktaPush({ baseUrl: directory.scimBaseUrl, token: directory.token, signal })
    await okta.assign(acmePeople, Object.values(acmeGroups))
    await awaitInSync(stage, id)
    const { members } = await readSummary(admin, id)
    if (members['active'] !== acmePeople.length) throw new Error(`${members['active']} members are active`)
    return [
      `Okta pushed ${acmePeople.length} people and 3 groups: ${members['active']} members, the Owner recognised among them`,
      { directory, okta },
    ]
  })

  await script.step("Acme's groups were being mapped", async () => {
    const engineering = await makeUnit(stage, id, 'team', 'Engineering')
    const sales = await makeUnit(stage, id, 'team', 'Sales')
    await mapGroups(stage, { organizationId: id, directoryId: directory.id }, [
      { group: acmeGroups.admins, target: { role: 'admin' } },
      { group: acmeGroups.engineers, target: { role: 'developer' } },
      { group: acmeGroups.engineers, target: { unit: engineering } },
      { group: acmeGroups.sales, target: { unit: sales } },
    ])
    const { roles, units } = await readSummary(admin, id)
    return [`Groups mapped, members reconciled at once: ${listTallies(roles)}; ${listTallies(units)}`, undefined]
  })

  const connectionId = await script.step(`${acmeLogin} was logging in by SAML`, async () => {
    const connection = await connectSaml(stage, id)
    const reception = await logIn(stage, connection, acmeLogin)
    if (!reception.in) throw new Error(`the page said "${reception.heading}. ${reception.sentences[0] ?? ''}"`)
    const { role, units, publicId } = reception.session.member
    if (role?.key !== 'developer') throw new Error(`the role is ${role?.key ?? 'none'} instead of developer`)
    const where = units.map(({ name }) => name).join(', ')
    return [
      `${fullName(personOf(acmeLogin))} logged in by SAML: ${role.name} in ${where}, as Okta says (${publicId})`,
      connection,
    ]
  })

  await script.step(`${acmeLeaver} was being deactivated and refused`, async () => {
    await okta.deactivate(acmeLeaver)
    await awaitInSync(stage, id)
    const reception = await logIn(stage, connectionId, acmeLeaver)
    if (reception.in) throw new Error('somebody whom the directory has deactivated was let in')
    const name = fullName(personOf(acmeLeaver))
    return [`Okta deactivated ${name}, whose login is refused: “${reception.sentences[0] ?? ''}”`, undefined]
  })
  return { id, connectionId, directory }
}

async function connectSaml({ admin, world }: Stage, organizationId: string): Promise<string> {
  const { saml } = world
  const connection = await admin.post(
    `/organizations/${organizationId}/connections`,
    {
      kind: 'saml',
      name: 'Acme SAML',
      config: { idpEntityId: saml.entityId, idpSsoUrl: saml.ssoUrl, idpCertificates: [saml.certificate] },
    },
    z.object({ id: z.string(), entityId: z.string(), acsUrl: z.string() }),
  )
  saml.addServiceProvider({ entityId: connection.entityId, acsUrl: connection.acsUrl })
  return connection.id
}

function personOf(email: string): CastMember {
  const person = acmePeople.find((one) => one.email === email)
  if (person === undefined) throw new Error(`${email} is not in the cast`)
  return person
}
