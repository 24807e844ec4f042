// Every way a SAML response may be wrong although the identity provider's signature holds, each one change away from
// a genuine samlp response and signed with the provider's real key. The gate in the expectation shows who refused:
// `library` is node-saml by itself, everything else is ours. What needs no signature is in saml-forgeries.test.ts.

import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../src/identity/login-refusal.ts'
import { createAuthnRequest, verifyResponse } from '../../src/identity/saml/service-provider.ts'
import {
  type Change,
  createSamlFixture,
  envelopeEnd,
  forgeResponse,
  genuineResponse,
  same,
  swap,
  toForm,
} from './forged-saml.ts'

const { now, requestId, keys, foreign, settings, base, verify, refused } = createSamlFixture()
const iso = (offsetMs: number) => new Date(now.getTime() + offsetMs).toISOString()
const minuteMs = 60_000
const inAssertion = (attribute: string, value: string) =>
  swap(new RegExp(`(<saml:Assertion [^>]*)${attribute}="[^"]*"`), `$1${attribute}="${value}"`)

describe('the positive twin', () => {
  test('of every forgery below, the unchanged response signed the same way, is accepted', async () => {
    const login = await verify(await forgeResponse(base, same))
    expect(login.subject.nameId).toBe('ada-7f3a')
    expect(login.sessionIndex).toBe('_s1')
    expect(login.attributes.groups).toEqual(['staff', 'engineering'])
  })

  test('signed by samlp itself is accepted, with the Response signed as well or not', async () => {
    expect((await verify(toForm(await genuineResponse(base)))).subject.nameId).toBe('ada-7f3a')
    const both = toForm(await genuineResponse(base, { signResponse: true }))
    expect((await verify(both)).subject.nameId).toBe('ada-7f3a')
  })

  test('is accepted under any of several certificates, in PEM or bare base64, while a key is rolled over', async () => {
    const bare = keys.certificate.replace(/-----[A-Z ]+-----|\n/g, '')
    const posted = await forgeResponse(base, same)
    expect((await verify(posted, { idpCertificates: [foreign.certificate, bare] })).subject.nameId).toBe('ada-7f3a')
    expect(await refused(posted, { idpCertificates: [foreign.certificate] })).toMatchObject({ gate: 'library' })
  })

  test('is accepted within the clock skew and with line breaks in the base64', async () => {
    const posted = await forgeResponse(base, swap(/( NotOnOrAfter=")[^"]*"/g, `$1${iso(-30_000)}"`))
    expect((await verify(posted.replace(/.{76}/g, '$&\r\n'))).subject.nameId).toBe('ada-7f3a')
  })

  test('verifies again unchanged, because consuming it once is the store’s decision', async () => {
    const posted = await forgeResponse(base, same)
    const [first, second] = await Promise.all([verify(posted), verify(posted)])
    expect(first.assertionId).toBe(second.assertionId)
    expect(first.notOnOrAfter.getTime()).toBeGreaterThan(now.getTime())
  })
})

const envelopeCases: [string, Change, string][] = [
  [
    'a Destination that is another address',
    swap(/Destination="[^"]*"/, 'Destination="https://other.test/acs"'),
    'destination',
  ],
  ['no Destination', swap(/ Destination="[^"]*"/, ''), 'destination'],
  [
    'a Response from another issuer',
    swap(/(<samlp:Response.*?<saml:Issuer[^>]*>)[^<]*/s, '$1https://idp.evil.test'),
    'response_issuer',
  ],
  [
    'two Issuers on the Response',
    swap(/(<saml:Issuer xmlns:saml[^>]*>[^<]*<\/saml:Issuer>)/, '$1$1'),
    'response_issuer',
  ],
  [
    'a status other than Success beside a valid assertion',
    swap('status:Success', 'status:Requester'),
    'status_not_success',
  ],
  ['two statuses', swap(/(<samlp:Status>.*?<\/samlp:Status>)/s, '$1$1'), 'status_not_success'],
  ['no status', swap(/<samlp:Status>.*?<\/samlp:Status>/s, ''), 'status_not_success'],
  ['an answer to another request', swap(/(<samlp:Response[^>]*InResponseTo=")[^"]*/, '$1_another'), 'in_response_to'],
  [
    'an answer to no request where one is pending',
    swap(/(<samlp:Response[^>]*) InResponseTo="[^"]*"/, '$1'),
    'in_response_to',
  ],
  [
    'a Response issued in the future',
    swap(/(<samlp:Response[^>]*IssueInstant=")[^"]*/, `$1${iso(2 * minuteMs)}`),
    'response_issue_instant',
  ],
  [
    'a Response issued too long ago',
    swap(/(<samlp:Response[^>]*IssueInstant=")[^"]*/, `$1${iso(-7 * minuteMs)}`),
    'response_issue_instant',
  ],
  ['no ID on the Response', swap(/(<samlp:Response[^>]*) ID="[^"]*"/, '$1'), 'response_id'],
  [
    'a Response inside the Response',
    swap(envelopeEnd, `<samlp:Extensions><samlp:Response/></samlp:Extensions>${envelopeEnd}`),
    'unexpected_element',
  ],
  ['SAML 1.1', swap(/(<samlp:Response[^>]*Version=")2.0/, '$11.1'), 'version'],
  [
    'an element that does not belong there',
    swap(envelopeEnd, `<x:Extra xmlns:x="urn:x"/>${envelopeEnd}`),
    'unexpected_element',
  ],
  ['two assertions', swap(/(<saml:Assertion .*<\/saml:Assertion>)/s, '$1$1'), 'assertion_count'],
  [
    'an assertion hidden in extensions',
    swap(
      envelopeEnd,
      `<samlp:Extensions><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/></samlp:Extensions>${envelopeEnd}`,
    ),
    'assertion_count',
  ],
  [
    'a second element with the assertion’s ID',
    (xml) =>
      swap(
        envelopeEnd,
        `<samlp:Extensions><x:y xmlns:x="urn:x" Id="${/<saml:Assertion [^>]*ID="([^"]*)"/.exec(xml)?.[1]}"/></samlp:Extensions>${envelopeEnd}`,
      )(xml),
    'duplicate_id',
  ],
  [
    'an encrypted assertion',
    swap(
      /<saml:Assertion .*<\/saml:Assertion>/s,
      '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
    ),
    'encrypted_assertion',
  ],
  ['a stripped signature', swap(/<Signature .*<\/Signature>/s, ''), 'not_signed'],
  [
    'a signature out of place',
    swap(/(<Signature .*<\/Signature>)(.*)<\/saml:Subject>/s, '$1$2$1</saml:Subject>'),
    'signature_shape',
  ],
  ['two signatures on the assertion', swap(/(<Signature .*<\/Signature>)/s, '$1$1'), 'not_signed'],
  ['a second Reference', swap(/(<Reference .*<\/Reference>)/s, '$1$1'), 'signature_shape'],
  ['a second SignedInfo', swap(/(<SignedInfo>.*<\/SignedInfo>)/s, '$1$1'), 'signature_shape'],
  [
    'an HMAC signature',
    swap(/(SignatureMethod Algorithm=")[^"]*/, '$1http://www.w3.org/2000/09/xmldsig#hmac-sha1'),
    'signature_algorithm',
  ],
  [
    'an XSLT transform',
    swap(/(Transform Algorithm=")[^"]*/, '$1http://www.w3.org/TR/1999/REC-xslt-19991116'),
    'signature_algorithm',
  ],
  ['a LogoutResponse', (xml) => xml.replaceAll('samlp:Response', 'samlp:LogoutResponse'), 'not_a_response'],
]

describe('the envelope gate refuses', () => {
  test.each(envelopeCases)('%s', async (_, change, reason) => {
    expect(await refused(await forgeResponse(base, same, change))).toMatchObject({ gate: 'envelope', reason })
  })

  test.each([
    ['signature', { signatureAlgorithm: 'rsa-sha1' }],
    ['digest', { digestAlgorithm: 'sha1' }],
  ] as const)('a SHA-1 %s', async (_, weak) => {
    const posted = toForm(await genuineResponse({ ...base, ...weak }))
    expect(await refused(posted)).toMatchObject({ gate: 'envelope', reason: 'signature_algorithm' })
  })

  test('an answer to a request of another connection', async () => {
    const other = await createAuthnRequest({ ...settings, connectionId: 'c2' }, 'relay')
    const posted = await forgeResponse({ ...base, inResponseTo: other.requestId }, same)
    expect(await refused(posted)).toMatchObject({ gate: 'envelope', reason: 'in_response_to' })
    expect((await verify(posted, {}, other.requestId)).inResponseTo).toBe(other.requestId)
  })

  test('an answer to some request when none is pending, even where unsolicited responses are accepted', async () => {
    const answer = await forgeResponse(base, same)
    const posted = { samlResponse: answer, expectedRequestId: undefined, now }
    const open = { ...settings, allowIdpInitiated: true }
    expect(await verifyResponse(open, posted).catch(refusalOf)).toMatchObject({ reason: 'in_response_to' })
    const unsolicited = await forgeResponse({ ...base, inResponseTo: undefined }, same)
    const closed = verifyResponse(settings, { ...posted, samlResponse: unsolicited })
    expect(await closed.catch(refusalOf)).toMatchObject({ reason: 'unsolicited' })
    expect((await verifyResponse(open, { ...posted, samlResponse: unsolicited })).subject.nameId).toBe('ada-7f3a')
  })
})

const nameId = /<saml:NameID[^>]*>[^<]*<\/saml:NameID>/
const confirmation = /<saml:SubjectConfirmation .*?<\/saml:SubjectConfirmation>/s
const policyCases: [string, Change, string][] = [
  [
    'an assertion from another issuer',
    swap(/(<saml:Assertion .*?<saml:Issuer>)[^<]*/s, '$1https://idp.evil.test'),
    'assertion_issuer',
  ],
  ['an assertion issued in the future', inAssertion('IssueInstant', iso(2 * minuteMs)), 'assertion_issue_instant'],
  ['an IssueInstant without a time zone', inAssertion('IssueInstant', iso(0).slice(0, -1)), 'assertion_issue_instant'],
  ['an assertion that is not SAML 2.0', inAssertion('Version', '1.1'), 'version'],
  ['a Recipient that is another address', swap(/Recipient="[^"]*"/, 'Recipient="https://other.test/acs"'), 'recipient'],
  ['no Recipient', swap(/ Recipient="[^"]*"/, ''), 'recipient'],
  [
    'a confirmation without an end',
    swap(/(<saml:SubjectConfirmationData[^>]*) NotOnOrAfter="[^"]*"/, '$1 NotBefore="2020-01-01T00:00:00Z"'),
    'library_refused',
  ],
  [
    'a confirmation for another request',
    swap(/(<saml:SubjectConfirmationData[^>]*InResponseTo=")[^"]*/, '$1_other'),
    'library_refused',
  ],
  [
    'a confirmation for no request',
    swap(/(<saml:SubjectConfirmationData[^>]*) InResponseTo="[^"]*"/, '$1'),
    'confirmation_in_response_to',
  ],
  ['no confirmation', swap(confirmation, ''), 'subject_confirmation_count'],
  [
    'two confirmations',
    swap(/(<saml:SubjectConfirmation .*?<\/saml:SubjectConfirmation>)/s, '$1$1'),
    'subject_confirmation_count',
  ],
  ['a holder-of-key confirmation', swap('cm:bearer', 'cm:holder-of-key'), 'subject_confirmation_method'],
  ['a sender-vouches confirmation', swap('cm:bearer', 'cm:sender-vouches'), 'subject_confirmation_method'],
  [
    'no NameID, although an attribute is called nameID',
    (xml) =>
      swap(
        '</saml:AttributeStatement>',
        '<saml:Attribute Name="nameID"><saml:AttributeValue>victim</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>',
      )(swap(nameId, '')(xml)),
    'name_id_count',
  ],
  ['two NameIDs', swap(/(<saml:NameID[^>]*>)([^<]*)(<\/saml:NameID>)/, '$1$2$3$1victim$3'), 'name_id_count'],
  ['a BaseID beside the NameID', swap(nameId, '<saml:BaseID/>$&'), 'name_id_count'],
  ['an empty NameID', swap(/(<saml:NameID[^>]*>)[^<]*/, '$1'), 'name_id_value'],
  ['an element inside the NameID', swap(/(<saml:NameID[^>]*>)/, '$1<saml:x/>'), 'name_id_value'],
  ['a NameID with a line break', swap(/(<saml:NameID[^>]*>)/, '$1ada\n'), 'name_id_value'],
  ['a NameID with a C1 control character', swap(/(<saml:NameID[^>]*>)/, '$1ada\u0085'), 'name_id_value'],
  ['a NameID with a space at its end', swap(/(<saml:NameID[^>]*>[^<]*)/, '$1 '), 'name_id_value'],
  ['a transient NameID', swap('nameid-format:persistent', 'nameid-format:transient'), 'name_id_format'],
  [
    'a persistent NameID meant for another service provider',
    swap('<saml:NameID ', '<saml:NameID SPNameQualifier="https://other.test" '),
    'name_id_qualifier',
  ],
  [
    'a persistent NameID of another authority',
    swap('<saml:NameID ', '<saml:NameID NameQualifier="https://other.test" '),
    'name_id_qualifier',
  ],
  ['two Subjects', swap(/(<saml:Subject>.*<\/saml:Subject>)/s, '$1$1'), 'subject_count'],
  ['no AuthnStatement', swap(/<saml:AuthnStatement .*<\/saml:AuthnStatement>/s, ''), 'authn_statement'],
  [
    'an authentication in the future',
    swap(/AuthnInstant="[^"]*"/, `AuthnInstant="${iso(2 * minuteMs)}"`),
    'authn_statement',
  ],
  ['an AuthnStatement without context', swap(/<saml:AuthnContext>.*<\/saml:AuthnContext>/s, ''), 'authn_statement'],
  [
    'a session that is already over',
    swap('<saml:AuthnStatement ', `<saml:AuthnStatement SessionNotOnOrAfter="${iso(-2 * minuteMs)}" `),
    'session_expired',
  ],
  [
    'a condition nobody knows',
    swap('</saml:Conditions>', '<x:Never xmlns:x="urn:x"/></saml:Conditions>'),
    'conditions',
  ],
  [
    'a second AudienceRestriction that leaves us out',
    swap(
      '</saml:Conditions>',
      '<saml:AudienceRestriction><saml:Audience>https://other.test</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
    ),
    'library_refused',
  ],
  ['no Conditions', swap(/<saml:Conditions .*<\/saml:Conditions>/s, ''), 'library_refused'],
  [
    'a statement nobody knows',
    swap('</saml:Assertion>', '<x:Statement xmlns:x="urn:x"/></saml:Assertion>'),
    'unexpected_element',
  ],
  ['an attribute named __proto__', swap('Name="email"', 'Name="__proto__"'), 'attribute_name'],
  ['an attribute named constructor', swap('Name="email"', 'Name="constructor"'), 'attribute_name'],
  ['an attribute without a name', swap('Name="email"', 'FriendlyName="email"'), 'attribute_name'],
  ['an assertion without a usable ID', inAssertion('ID', 'a b'), 'assertion_id'],
]

describe('an assertion properly signed by the identity provider is refused with', () => {
  test.each(policyCases)('%s', async (_, change, reason) => {
    const gate = reason === 'library_refused' ? 'library' : 'policy'
    expect(await refused(await forgeResponse(base, change))).toMatchObject({ gate, reason })
  })

  test.each([
    ['another audience', swap(/(<saml:Audience>)[^<]*/, '$1https://other.test')],
    ['an audience that only begins with ours', swap(/(<saml:Audience>[^<]*)/, '$1/more')],
    ['no audience', swap(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/s, '')],
    ['conditions that are over', swap(/(<saml:Conditions[^>]*NotOnOrAfter=")[^"]*/, `$1${iso(-2 * minuteMs)}`)],
    ['conditions that do not hold yet', swap(/(<saml:Conditions[^>]*NotBefore=")[^"]*/, `$1${iso(2 * minuteMs)}`)],
    [
      'a confirmation that is over',
      swap(/(<saml:SubjectConfirmationData[^>]*NotOnOrAfter=")[^"]*/, `$1${iso(-2 * minuteMs)}`),
    ],
    ['an age beyond what is accepted', inAssertion('IssueInstant', iso(-7 * minuteMs))],
  ])('%s', async (_, change) => {
    expect(await refused(await forgeResponse(base, change))).toMatchObject({ gate: 'library' })
  })

  test.each([
    ['a confirmation that is over', 'confirmation_expired', 6 * minuteMs, /(<saml:Conditions[^>]*NotOnOrAfter=")[^"]*/],
    [
      'conditions that are over',
      'conditions_expired',
      6 * minuteMs,
      /(<saml:SubjectConfirmationData[^>]*NotOnOrAfter=")[^"]*/,
    ],
  ])('%s by the clock that was passed in, not the library’s', async (_, reason, later, other) => {
    const posted = await forgeResponse({ ...base, lifetimeInSeconds: 60 }, swap(other, `$1${iso(60 * minuteMs)}`))
    const at = (ms: number) =>
      verifyResponse(settings, {
        samlResponse: posted,
        expectedRequestId: requestId,
        now: new Date(now.getTime() + ms),
      })
    expect((await at(minuteMs)).subject.nameId).toBe('ada-7f3a')
    expect(await at(later - minuteMs).catch(refusalOf)).toMatchObject({ gate: 'policy', reason })
  })

  test('an expired confirmation when unsolicited', async () => {
    const posted = await forgeResponse(
      { ...base, inResponseTo: undefined },
      swap(/(<saml:SubjectConfirmationData[^>]*NotOnOrAfter=")[^"]*/, `$1${iso(-2 * minuteMs)}`),
    )
    const refusal = await verifyResponse(
      { ...settings, allowIdpInitiated: true },
      { samlResponse: posted, expectedRequestId: undefined, now },
    ).catch(refusalOf)
    expect(refusal).toMatchObject({ gate: 'policy', reason: 'confirmation_expired' })
  })
})

describe('what a refusal shows', () => {
  test('to a person is one generic sentence, whatever the reason', async () => {
    const shown = new Set<string>()
    for (const change of [swap('status:Success', 'status:Requester'), swap('ada-7f3a', 'victim')]) {
      const error = await verify(await forgeResponse(base, same, change)).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'login_refused' })
      shown.add(Reflect.get(Object(error), 'detail'))
    }
    expect(shown.size).toBe(1)
  })

  test('a RelayState that is not an opaque id is never sent', async () => {
    await expect(createAuthnRequest(settings, 'https://evil.test/')).rejects.toMatchObject({ code: 'invalid_value' })
    const { redirectUrl, requestId: id } = await createAuthnRequest(settings, 'f0d1c2b3-opaque')
    const url = new URL(redirectUrl)
    expect(url.searchParams.get('RelayState')).toBe('f0d1c2b3-opaque')
    expect(url.searchParams.get('tenant')).toBe('7')
    expect(id).toMatch(/^_[0-9a-f]{40}$/)
  })
})
