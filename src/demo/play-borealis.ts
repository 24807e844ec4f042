// Borealis: Entra ID's push in its older shapes, an Owner by an explicit mapping, and two people whose access is
// taken away with the string "False".

import { borealisGroups, borealisLeavers, borealisPeople } from './cast.ts'
import { createEntraPush } from './entra-push.ts'
import { awaitInSync, makeDirectory, makeUnit, mapGroups, named, type Stage } from './stage.ts'
import { listTallies, readSummary } from './summary.ts'

export async function playBorealis(stage: Stage): Promise<string> {
  const { admin, script, signal } = stage
  script.act('Borealis: Microsoft Entra ID by SCIM, in its older shapes')

  const { id, entra } = await script.step('Entra ID was pushing to Borealis', async () => {
    const { id } = await admin.post('/organizations', { name: 'Borealis', seatLimit: 12 }, named)
    const directory = await makeDirectory(stage, id, { name: 'Entra ID', provider: 'entra' })
    const entra = createEntraPush({ baseUrl: directory.scimBaseUrl, token: directory.token, signal })
    await entra.testConnection()
    await entra.provision(borealisPeople, Object.values(borealisGroups))
    const department = await makeUnit(stage, id, 'department', 'Research')
    await mapGroups(stage, { organizationId: id, directoryId: directory.id }, [
      { group: borealisGroups.owners, target: { role: 'owner' }, grantsOwner: true },
      { group: borealisGroups.analysts, target: { role: 'developer' } },
      { group: borealisGroups.analysts, target: { unit: department } },
    ])
    const { roles, units } = await readSummary(admin, id)
    return [
      `Entra pushed ${borealisPeople.length} people and 2 groups, which were mapped: ${listTallies(roles)}; ${listTallies(units)}`,
      { id, entra },
    ]
  })

  await script.step('Entra ID was taking access away', async () => {
    for (const email of borealisLeavers) await entra.disable(email)
    await awaitInSync(stage, id)
    const { members, organization } = await readSummary(admin, id)
    if (members['inactive'] !== borealisLeavers.length) throw new Error(`${members['inactive']} members are inactive`)
    return [
      `Entra set active to "False" for ${borealisLeavers.length}: ${members['active']} active, ${members['inactive']} inactive, ${organization.seatsUsed} of ${organization.seatLimit} seats used`,
      undefined,
    ]
  })
  return id
}
