// The sign-up door: an address, the code that was sent there, and in. Every address gets the same answers, so the
// pages tell nobody who is known here.

import express, { type Response, type Router } from 'express'
import { confirmEmailCode } from '../../identity/confirm-email-code.ts'
import { openSignUp, requestEmailCode } from '../../identity/request-email-code.ts'
import { RollcallError } from '../../model/errors.ts'
import { type Html, html } from '../pages/html.ts'
import { sendPage } from '../pages/layout.ts'
import { endAdmission, rememberBrowser } from '../pages/login-outcome.ts'
import {
  errorPage,
  limitRequests,
  onlyOwnForms,
  readField,
  readForm,
  type WebDoor,
  withBrowserHeaders,
} from '../pages/web-door.ts'
import { noSuchRoute } from '../problem.ts'

export const signUpPath = '/signup'

/** To be mounted at `signUpPath`. */
export function signUpRouter(door: WebDoor): Router {
  const { context, cookies, limits } = door
  const hourMs = 3_600_000
  const router = express.Router({ caseSensitive: true, strict: true })
  router.use(withBrowserHeaders(door))
  const own = onlyOwnForms(door)
  const form = readForm(16 * 1024)

  router.get('/:tenantSlug', async (request, response) => {
    const tenant = await openSignUp(context, readField(request.params, 'tenantSlug'))
    sendPage(response, 200, {
      title: tenant.name,
      body: addressForm(readField(request.params, 'tenantSlug'), tenant.name),
    })
  })

  router.post('/:tenantSlug', limitRequests(limits.codesPerHour, hourMs), own, form, async (request, response) => {
    const tenantSlug = readField(request.params, 'tenantSlug')
    const entered = { email: readField(request.body, 'email'), displayName: readField(request.body, 'name') }
    const browser = cookies.read(request, 'browser')
    try {
      const sent = await requestEmailCode(context, { tenantSlug, browser, ...entered })
      rememberBrowser(door, response, sent.browser)
      response.redirect(303, `${signUpPath}/${tenantSlug}/confirm?id=${sent.codeId}`)
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== 'invalid_value') throw error
      const tenant = await openSignUp(context, tenantSlug)
      sendPage(response, 400, { title: tenant.name, body: addressForm(tenantSlug, tenant.name, error.detail, entered) })
    }
  })

  router.get('/:tenantSlug/confirm', async (request, response) => {
    await openSignUp(context, readField(request.params, 'tenantSlug'))
    sendCodeForm(response, 200, readField(request.params, 'tenantSlug'), readField(request.query, 'id'))
  })

  router.post(
    '/:tenantSlug/confirm',
    limitRequests(limits.answersPerHour, hourMs),
    own,
    form,
    async (request, response) => {
      const tenantSlug = readField(request.params, 'tenantSlug')
      const codeId = readField(request.body, 'id')
      const code = readField(request.body, 'code')
      const browser = cookies.read(request, 'browser')
      const confirmation = await confirmEmailCode(context, { tenantSlug, codeId, code, browser })
      if (confirmation.outcome === 'wrong_code') {
        sendCodeForm(response, 400, tenantSlug, codeId, leftSentence(confirmation.attemptsLeft))
      } else if (confirmation.outcome === 'code_over') sendCodeOver(response, tenantSlug)
      else await endAdmission(door, request, response, confirmation)
    },
  )

  router.use(noSuchRoute)
  router.use(errorPage(door))
  return router
}

function addressForm(
  slug: string,
  tenantName: string,
  complaint?: string,
  entered = { email: '', displayName: '' },
): Html {
  return html`<h1>Sign up for ${tenantName}</h1>
<p class="soft">We send a code to your address. If your company is here already, you join it.</p>
${complaint === undefined ? undefined : html`<p class="warn" role="alert">${complaint}</p>`}
<form method="post" action="${signUpPath}/${slug}">
<label for="name">Your name</label>
<input id="name" name="name" autocomplete="name" maxlength="100" value="${entered.displayName}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="email" maxlength="254" required value="${entered.email}">
<button>Send me a code</button>
</form>`
}

function sendCodeForm(response: Response, status: number, slug: string, codeId: string, complaint?: string): void {
  sendPage(response, status, {
    title: 'Enter the code',
    body: html`<h1>Enter the code</h1>
<p class="soft">It is in the mail we have just sent you, and good for ten minutes in this browser.</p>
${complaint === undefined ? undefined : html`<p class="warn" role="alert">${complaint}</p>`}
<form method="post" action="${signUpPath}/${slug}/confirm">
<input type="hidden" name="id" value="${codeId}">
<label for="code">Code</label>
<input class="code" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required autofocus>
<button>Continue</button>
</form>
<p class="soft small"><a href="${signUpPath}/${slug}">Use another address</a></p>`,
  })
}

function leftSentence(attemptsLeft: number): string {
  if (attemptsLeft === 0) return 'That is not the code, and it was the last try. Ask for a new one.'
  return `That is not the code. ${attemptsLeft === 1 ? 'One try is' : `${attemptsLeft} tries are`} left.`
}

function sendCodeOver(response: Response, slug: string): void {
  sendPage(response, 400, {
    title: 'This code is no longer good',
    body: html`<h1>This code is no longer good</h1>
<p>It was used, is older than ten minutes, was answered wrongly too often, or was asked for in another browser.</p>
<p><a href="${signUpPath}/${slug}">Ask for a new one</a></p>`,
  })
}
