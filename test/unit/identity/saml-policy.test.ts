// The policy by itself, on assertions as a library that checked nothing but the signature would hand them over. What
// node-saml refuses today is refused here too, so that changing or losing the library loses no rule.

import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../../src/identity/login-refusal.ts'
import { readVerifiedAssertion } from '../../../src/identity/saml/policy.ts'
import type { SamlSettings } from '../../../src/identity/saml/settings.ts'

const now = new Date('2026-03-01T12:00:00Z')
const settings: SamlSettings = {
  connectionId: 'c1',
  spEntityId: 'https://rollcall.test/sp',
  acsUrl: 'https://rollcall.test/acs',
  idpEntityId: 'https://idp.acme.test',
  idpSsoUrl: 'https://idp.acme.test/sso',
  idpCertificates: [],
  allowIdpInitiated: false,
}
const assertion = `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" Version="2.0" IssueInstant="2026-03-01T12:00:00Z">
  <Issuer>https://idp.acme.test</Issuer>
  <Subject>
    <NameID>ada</NameID>
    <SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <SubjectConfirmationData Recipient="https://rollcall.test/acs" InResponseTo="_r1" NotOnOrAfter="2026-03-01T12:05:00Z"/>
    </SubjectConfirmation>
  </Subject>
  <Conditions NotBefore="2026-03-01T12:00:00Z" NotOnOrAfter="2026-03-01T12:10:00Z">
    <AudienceRestriction><Audience>https://rollcall.test/sp</Audience></AudienceRestriction>
    <OneTimeUse/>
  </Conditions>
  <AuthnStatement AuthnInstant="2026-03-01T08:00:00Z"><AuthnContext/></AuthnStatement>
</Assertion>`

const read = (xml: string, at = now) => readVerifiedAssertion(xml, settings, '_r1', at)

function reasonOf(xml: string, at = now): unknown {
  try {
    return read(xml, at)
  } catch (error) {
    return refusalOf(error)
  }
}

function change(from: string, to: string): string {
  if (!assertion.includes(from)) throw new Error(`nothing to change: ${from}`)
  return assertion.replace(from, to)
}

describe('a verified assertion', () => {
  test('that keeps every rule is read, with the unspecified format for a NameID that names none', () => {
    expect(read(assertion)).toEqual({
      issuer: 'https://idp.acme.test',
      subject: { nameId: 'ada', format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified' },
      assertionId: '_a1',
      inResponseTo: '_r1',
      attributes: {},
      notOnOrAfter: new Date('2026-03-01T12:06:00Z'),
    })
  })

  test('is accepted until the instant it names as its end and not from then on', () => {
    const { notOnOrAfter } = read(assertion)
    expect(read(assertion, new Date(notOnOrAfter.getTime() - 1)).subject.nameId).toBe('ada')
    expect(reasonOf(assertion, notOnOrAfter)).toMatchObject({ gate: 'policy' })
  })

  test('may leave the limits of its conditions out; age and confirmation still end it', () => {
    const open = change(' NotBefore="2026-03-01T12:00:00Z" NotOnOrAfter="2026-03-01T12:10:00Z"', '')
    expect(read(open).notOnOrAfter).toEqual(new Date('2026-03-01T12:06:00Z'))
  })

  test('names the end of the session that the identity provider wants', () => {
    const xml = change(
      '<AuthnStatement ',
      '<AuthnStatement SessionNotOnOrAfter="2026-03-01T20:00:00Z" SessionIndex="s1" ',
    )
    expect(read(xml)).toMatchObject({ sessionIndex: 's1', sessionNotOnOrAfter: new Date('2026-03-01T20:00:00Z') })
  })

  test('has the values of a repeated attribute joined, and those that hold elements left out', () => {
    const xml = change(
      '</Assertion>',
      `<AttributeStatement>
        <Attribute Name="groups"><AttributeValue>a</AttributeValue></Attribute>
        <Attribute Name="groups"><AttributeValue>b</AttributeValue><AttributeValue><NameID>c</NameID></AttributeValue></Attribute>
      </AttributeStatement></Assertion>`,
    )
    expect(read(xml).attributes['groups']).toEqual(['a', 'b'])
  })

  test.each([
    ['is something else', '<Other/>', 'assertion_count'],
    ['has its name in another namespace', change('urn:oasis:names:tc:SAML:2.0:assertion', 'urn:x'), 'assertion_count'],
    [
      'is meant for another audience',
      change('<Audience>https://rollcall.test/sp', '<Audience>https://other.test'),
      'audience',
    ],
    [
      'is meant for ours and yet restricted to another',
      change('<OneTimeUse/>', '<AudienceRestriction><Audience>x</Audience></AudienceRestriction>'),
      'audience',
    ],
    [
      'is meant for nobody in particular',
      change('<AudienceRestriction><Audience>https://rollcall.test/sp</Audience></AudienceRestriction>', ''),
      'audience',
    ],
    ['has no conditions', assertion.replace(/<Conditions.*<\/Conditions>/s, ''), 'conditions'],
    ['has conditions twice', assertion.replace(/(<Conditions.*<\/Conditions>)/s, '$1$1'), 'conditions'],
    [
      'has conditions that end at no known time',
      change('NotOnOrAfter="2026-03-01T12:10:00Z"', 'NotOnOrAfter="never"'),
      'conditions',
    ],
    [
      'has conditions that begin at no known time',
      change('NotBefore="2026-03-01T12:00:00Z"', 'NotBefore=""'),
      'conditions',
    ],
    [
      'holds only later',
      change('NotBefore="2026-03-01T12:00:00Z"', 'NotBefore="2026-03-01T12:02:00Z"'),
      'conditions_not_yet_valid',
    ],
    [
      'held only earlier',
      change('NotOnOrAfter="2026-03-01T12:10:00Z"', 'NotOnOrAfter="2026-03-01T11:58:00Z"'),
      'conditions_expired',
    ],
    ['is confirmed without an end', change(' NotOnOrAfter="2026-03-01T12:05:00Z"', ''), 'subject_confirmation_data'],
    [
      'was confirmed only earlier',
      change('NotOnOrAfter="2026-03-01T12:05:00Z"', 'NotOnOrAfter="2026-03-01T11:58:00Z"'),
      'confirmation_expired',
    ],
    [
      'is confirmed only later',
      change(' InResponseTo=', ' NotBefore="2026-03-01T12:02:00Z" InResponseTo='),
      'confirmation_expired',
    ],
    [
      'is confirmed for another request',
      change('InResponseTo="_r1"', 'InResponseTo="_r2"'),
      'confirmation_in_response_to',
    ],
    [
      'ends the session at no known time',
      change('<AuthnStatement ', '<AuthnStatement SessionNotOnOrAfter="soon" '),
      'authn_statement',
    ],
    ['was authenticated at no known time', change('AuthnInstant="2026-03-01T08:00:00Z"', ''), 'authn_statement'],
    [
      'was issued too long ago',
      change('IssueInstant="2026-03-01T12:00:00Z"', 'IssueInstant="2026-03-01T11:54:00Z"'),
      'assertion_issue_instant',
    ],
  ])('that %s is refused', (_, xml, reason) => {
    expect(reasonOf(xml)).toMatchObject({ gate: 'policy', reason })
  })
})
