// Dune: a verified domain with a join rule, people who sign up with a code sent by e-mail, and one arrival more than
// there are seats.

import { duneArrivals, duneOwner, duneSeats } from './cast.ts'
import { signUp } from './logins.ts'
import { makeUnit, named, proveDomain, type Stage } from './stage.ts'
import { readSummary } from './summary.ts'

export async function playDune(stage: Stage): Promise<string> {
  const { admin, script } = stage
  script.act('Dune: sign-ups from a verified domain, and one too many for the seats')

  const id = await script.step('Dune was proving its domain', async () => {
    const owner = { email: duneOwner.email, displayName: duneOwner.name }
    const organization = { name: 'Dune', seatLimit: duneSeats, seatPolicy: 'waitlist', owner }
    const made = await admin.post('/organizations', organization, named)
    const domain = await proveDomain(stage, made.id, 'dune.example')
    const unit = await makeUnit(stage, made.id, 'team', 'Field')
    await admin.post(`/organizations/${made.id}/join-rules`, { domain, role: 'developer', unit }, named)
    return [`dune.example is verified: its people join as Developer in Field, up to ${duneSeats} seats`, made.id]
  })

  for (const [index, person] of duneArrivals.entries()) {
    const seatsBefore = duneSeats - 1 - index
    await script.step(`${person.email} was signing up`, async () => {
      const reception = await signUp(stage, stage.tenantSlug, person)
      if (reception.in !== seatsBefore > 0) {
        throw new Error(reception.in ? 'there was no seat left, and yet' : `the page said "${reception.heading}"`)
      }
      if (!reception.in) {
        const { members, organization } = await readSummary(admin, id)
        if (members['waitlisted'] !== 1)
          throw new Error(`${members['waitlisted'] ?? 0} members are on the waiting list`)
        return [
          `${person.name} signed up: all ${organization.seatsUsed} seats are taken: “${reception.heading}”`,
          undefined,
        ]
      }
      const { role, units, publicId } = reception.session.member
      const team = units.map(({ name }) => name).join(', ')
      return [
        `${person.name} signed up with the code from the mailbox: ${role?.name ?? ''} in ${team} (${publicId})`,
        undefined,
      ]
    })
  }

  return id
}
