// How a login or a sign-up ends in the browser: on to where the person wanted to go, a page that waits, or a
// page that says where they stand. Why, in full, is in the audit trail and the log.

import type { Request, Response } from 'express'
import type { Admission, AdmissionRefusal } from '../../identity/admit.ts'
import { completeLogin, type LoginOutcome, type Standstill, sessionLifetimeMs } from '../../identity/complete-login.ts'
import { ticketLifetimeMs } from '../../identity/waiting-ticket.ts'
import { html } from './html.ts'
import { sendPage } from './layout.ts'
import type { WebDoor } from './web-door.ts'

/** How long a browser is remembered for the sake of a login that is under way. */
const browserLifetimeMs = 3_600_000

export async function endAdmission(
  door: WebDoor,
  request: Request,
  response: Response,
  admission: Admission,
): Promise<void> {
  if (admission.outcome === 'refused') {
    sendRefusal(response, admission.reason)
    return
  }
  const browser = door.cookies.read(request, 'browser')
  const session = door.cookies.read(request, 'session')
  sendOutcome(door, response, await completeLogin(door.context, admission.admitted, { browser, session }))
}

export function sendOutcome(door: WebDoor, response: Response, outcome: LoginOutcome): void {
  if (outcome.outcome === 'waiting') {
    rememberBrowser(door, response, outcome.browser)
    door.cookies.set(response, 'waiting', outcome.ticket, ticketLifetimeMs)
    response.redirect(303, '/session/wait')
    return
  }
  door.cookies.clear(response, 'waiting')
  if (outcome.outcome === 'session') {
    door.cookies.set(response, 'session', outcome.token, sessionLifetimeMs)
    response.redirect(303, outcome.returnTo ?? '/session')
    return
  }
  sendStandstill(response, outcome.outcome, outcome.organizationName)
}

export function rememberBrowser(door: WebDoor, response: Response, browser: string): void {
  door.cookies.set(response, 'browser', browser, browserLifetimeMs)
}

export function sendWaiting(response: Response): void {
  sendPage(response, 200, {
    title: 'One moment',
    refreshSeconds: 2,
    body: html`<h1>One moment</h1>
<p>Your login worked. Your account is being set up; this page moves on by itself.</p>
<p class="soft small"><a href="/session/wait">Look again now</a></p>`,
  })
}

const refusals: Readonly<Record<AdmissionRefusal, string>> = {
  organization_absent: 'Your identity provider did not say which organization you belong to.',
  organization_ambiguous: 'Your identity provider named several organizations. Choose one there and try again.',
  organization_mismatch: 'Your identity provider named another organization than the one you are signing in to.',
  organization_unknown: 'Your organization is not set up here yet.',
  organization_inactive: 'This organization is not active at the moment.',
  directory_user_absent: 'Your organization manages its people in a directory, and you are not in it yet.',
  directory_user_inactive: 'Your account was deactivated by your organization.',
  entry_withdrawn: 'An administrator has ended your access to this organization.',
  no_seat: 'All seats of this organization are taken.',
  sign_up_closed: 'Your address does not belong to an organization that lets people join by themselves.',
}

function sendRefusal(response: Response, reason: AdmissionRefusal): void {
  sendPage(response, 403, {
    title: 'You cannot come in',
    body: html`<h1>You cannot come in</h1>
<p>${refusals[reason]}</p>
<p class="soft">An administrator of your organization can help.</p>`,
  })
}

const standstills: Readonly<Record<Standstill, { readonly title: string; readonly text: string }>> = {
  waitlisted: {
    title: 'You are on the waiting list',
    text: 'All seats are taken. You get in by yourself as soon as one is free, in the order of arrival.',
  },
  conflict: {
    title: 'An administrator has to look at this',
    text: 'Somebody with your address is known here already, and it is not certain that this is you.',
  },
  inactive: { title: 'Your account is not active', text: 'It was deactivated; nothing of it is lost.' },
  awaiting_approval: { title: 'Waiting for approval', text: 'An administrator has to let you in first.' },
  not_admitted: { title: 'You cannot come in', text: 'You are not a member of this organization.' },
}

export function sendStandstill(response: Response, standstill: Standstill, organizationName: string): void {
  const { title, text } = standstills[standstill]
  const where = organizationName === '' ? undefined : html`<p class="soft">${organizationName}</p>`
  sendPage(response, 403, { title, body: html`<h1>${title}</h1>\n${where}\n<p>${text}</p>` })
}
