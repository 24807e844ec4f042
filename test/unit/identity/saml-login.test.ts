// Genuine logins of auth0's samlp walked over HTTP, as a browser would, and verified by our service provider.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPlainBrowser } from '../../../src/demo/plain-browser.ts'
import { type SamlProvider, startSamlProvider } from '../../../src/demo/saml-provider.ts'
import { refusalOf } from '../../../src/identity/login-refusal.ts'
import { createAuthnRequest, spMetadata, verifyResponse } from '../../../src/identity/saml/service-provider.ts'
import type { SamlSettings } from '../../../src/identity/saml/settings.ts'

const serviceProvider = { entityId: 'https://rollcall.test/saml/c1', acsUrl: 'https://rollcall.test/saml/c1/acs' }
const ada = {
  nameId: 'ada-7f3a',
  attributes: { email: 'ada@acme.test', org: 'acme', groups: ['staff', 'engineering'] },
}
const bob = { nameId: 'bob-22', attributes: { email: 'bob@acme.test' } }
let provider: SamlProvider
let settings: SamlSettings

beforeAll(async () => {
  provider = await startSamlProvider({
    entityId: 'https://idp.acme.test/metadata',
    users: [ada, bob],
    serviceProviders: [serviceProvider],
  })
  settings = settingsFor(provider)
})
afterAll(() => provider.stop())

function settingsFor(idp: SamlProvider): SamlSettings {
  return {
    connectionId: 'c1',
    spEntityId: serviceProvider.entityId,
    acsUrl: serviceProvider.acsUrl,
    idpEntityId: idp.entityId,
    idpSsoUrl: idp.ssoUrl,
    idpCertificates: [idp.certificate],
    allowIdpInitiated: false,
  }
}

async function walk(url: string) {
  const { form } = await createPlainBrowser().get(url)
  return { action: form?.action ?? '', fields: new Map(Object.entries(form?.fields ?? {})) }
}

describe('a genuine samlp login', () => {
  test('yields issuer, subject with format, attributes and the request it answers', async () => {
    const { requestId, redirectUrl } = await createAuthnRequest(settings, 'relay-1')
    const form = await walk(`${redirectUrl}&login_hint=ada@acme.test`)
    expect(form.action).toBe(serviceProvider.acsUrl)
    expect(form.fields.get('RelayState')).toBe('relay-1')
    const now = new Date()
    const login = await verifyResponse(settings, {
      samlResponse: form.fields.get('SAMLResponse') ?? '',
      expectedRequestId: requestId,
      now,
    })
    expect(login.issuer).toBe(provider.entityId)
    expect(login.subject).toEqual({
      nameId: 'ada-7f3a',
      format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    })
    expect(Object.getPrototypeOf(login.attributes)).toBe(null)
    expect({ ...login.attributes }).toEqual({
      email: ['ada@acme.test'],
      org: ['acme'],
      groups: ['staff', 'engineering'],
    })
    expect(login.inResponseTo).toBe(requestId)
    expect(login.notOnOrAfter.getTime()).toBeGreaterThan(now.getTime())
    expect(login.notOnOrAfter.getTime()).toBeLessThanOrEqual(now.getTime() + 360_000)
  })

  test('is accepted when the Response is signed as well', async () => {
    const idp = await startSamlProvider({
      entityId: 'https://idp.both.test',
      users: [ada],
      serviceProviders: [serviceProvider],
      signResponse: true,
    })
    const { requestId, redirectUrl } = await createAuthnRequest(settingsFor(idp), 'r')
    const form = await walk(redirectUrl)
    const samlResponse = form.fields.get('SAMLResponse') ?? ''
    expect(
      Buffer.from(samlResponse, 'base64')
        .toString()
        .match(/<(?:\w+:)?Signature /g),
    ).toHaveLength(2)
    const login = await verifyResponse(settingsFor(idp), {
      samlResponse,
      expectedRequestId: requestId,
      now: new Date(),
    })
    expect(login.subject.nameId).toBe('ada-7f3a')
    await idp.stop()
  })

  test('that nobody asked for is refused, unless the connection opted in', async () => {
    const form = await walk(`${provider.ssoUrl}?sp=${encodeURIComponent(serviceProvider.entityId)}&login_hint=bob-22`)
    const posted = {
      samlResponse: form.fields.get('SAMLResponse') ?? '',
      expectedRequestId: undefined,
      now: new Date(),
    }
    const refused = await verifyResponse(settings, posted).catch(refusalOf)
    expect(refused).toMatchObject({ gate: 'envelope', reason: 'unsolicited' })
    const login = await verifyResponse({ ...settings, allowIdpInitiated: true }, posted)
    expect(login.subject.nameId).toBe('bob-22')
    expect(login.inResponseTo).toBeUndefined()
  })
})

test('the metadata of a connection names its own issuer and consumer address and never changes by itself', () => {
  const xml = spMetadata(settings)
  expect(xml).toContain(`entityID="${serviceProvider.entityId}"`)
  expect(xml).toContain(`Location="${serviceProvider.acsUrl}"`)
  expect(xml).toContain('WantAssertionsSigned="true"')
  expect(spMetadata(settings)).toBe(xml)
})
