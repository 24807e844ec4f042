// People of the demonstration at the front doors: logging in through their identity provider, signing up with the
// code from the mailbox. Each has a browser of their own; what they are told is what the page says.

import { z } from 'zod'
import { awaitCondition } from './await-condition.ts'
import type { Arrival } from './cast.ts'
import { createPlainBrowser, type Page, type PlainBrowser } from './plain-browser.ts'

export interface FrontDoor {
  /** Of the service, without a slash at the end. */
  readonly origin: string
  readonly signal: AbortSignal
}

export type Reception =
  | { readonly in: true; readonly session: SignedIn }
  /** The page that was shown instead. */
  | { readonly in: false; readonly heading: string; readonly sentences: readonly string[] }

export type SignedIn = z.output<typeof signedIn>

const signedIn = z.object({
  organization: z.object({ id: z.string(), name: z.string() }),
  member: z.object({
    id: z.string(),
    publicId: z.string(),
    role: z.object({ key: z.string(), name: z.string() }).nullable(),
    units: z.array(z.object({ name: z.string() })),
  }),
})

/** Through the identity provider behind the connection, as the account that the hint names. */
export async function logIn(door: FrontDoor, connectionId: string, loginHint: string): Promise<Reception> {
  const browser = createPlainBrowser(door)
  const start = `${door.origin}/sso/${connectionId}/start?login_hint=${encodeURIComponent(loginHint)}`
  const page = await browser.get(start)
  // A SAML provider answers with a form that posts itself to the consumer address.
  const arrived = page.form === undefined || isOurs(door, page) ? page : await submit(browser, page, {})
  return receive(door, browser, arrived)
}

/** Asks for a code, reads it in the mailbox and enters it. */
export async function signUp(door: FrontDoor, tenantSlug: string, person: Arrival): Promise<Reception> {
  const browser = createPlainBrowser(door)
  const form = await browser.get(`${door.origin}/signup/${tenantSlug}`)
  const asked = await submit(browser, form, { name: person.name, email: person.email })
  const code = await readCode(door, person.email)
  return receive(door, browser, await submit(browser, asked, { code }))
}

function isOurs(door: FrontDoor, page: Page): boolean {
  return new URL(page.url).origin === new URL(door.origin).origin
}

async function submit(browser: PlainBrowser, page: Page, entered: Readonly<Record<string, string>>): Promise<Page> {
  if (page.form === undefined) throw new Error(`there is no form on the page "${headingOf(page)}" (${page.status})`)
  return browser.post(page.form.action, { ...page.form.fields, ...entered })
}

/** Sees a waiting page through, then says whether the person is in. */
async function receive(door: FrontDoor, browser: PlainBrowser, first: Page): Promise<Reception> {
  const isWaiting = (page: Page) => new URL(page.url).pathname === '/session/wait' && page.status === 200
  const page = isWaiting(first)
    ? await awaitCondition('a login to be let in', door.signal, async () => {
        const next = await browser.get(first.url)
        return isWaiting(next) ? undefined : next
      })
    : first
  if (page.status === 200 && isOurs(door, page) && new URL(page.url).pathname === '/session') {
    return { in: true, session: signedIn.parse(await browser.getJson(`${door.origin}/session`)) }
  }
  // Whoever is not let in is told so; any other page is an accident.
  if (page.status !== 403) throw new Error(`it ended on the page "${headingOf(page)}" (${page.status})`)
  return { in: false, heading: headingOf(page), sentences: sentencesOf(page) }
}

/** From the newest mail to the address; it stands in the mailbox once it was sent. */
async function readCode(door: FrontDoor, email: string): Promise<string> {
  const browser = createPlainBrowser(door)
  return awaitCondition(`a mail to ${email} in the mailbox`, door.signal, async () => {
    const { html, status } = await browser.get(`${door.origin}/mailbox`)
    if (status !== 200) throw new Error(`the mailbox answered with ${status}`)
    const mail = html.split('<h2>').find((part) => part.includes(`To ${email},`))
    return mail
      ?.match(/\b(\d{4}) (\d{4})\b/)
      ?.slice(1)
      .join('')
  })
}

function headingOf(page: Page): string {
  return textOf(page.html.match(/<h1>(.*?)<\/h1>/s)?.[1] ?? '')
}

function sentencesOf(page: Page): string[] {
  return [...page.html.matchAll(/<p[^>]*>(.*?)<\/p>/gs)].map((match) => textOf(match[1] ?? ''))
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

function textOf(markup: string): string {
  return markup
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+|#\d+);/g, (whole, name: string) => entities[name] ?? whole)
    .trim()
}
