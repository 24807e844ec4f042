// Our own rules on the verified assertion: the XML whose signature node-saml checked, parsed again here.
// The library lets through most of what is refused below (wrong recipient, foreign issuer, two NameIDs,
// stale sessions, …). Returns who logged in; consuming the assertion once is the store's half.

import { refuseLogin, type SamlRefusalReason } from '../login-refusal.ts'
import { isIssuer } from './envelope.ts'
import {
  isFresh,
  nameIdFormats,
  namespaces,
  readInstantMs,
  type SamlSettings,
  samlTimes,
  type VerifiedLogin,
} from './settings.ts'
import { childrenNamed, parseStrictXml, type XmlElement } from './strict-xml.ts'

const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const statements = new Set(['AuthnStatement', 'AttributeStatement', 'AuthzDecisionStatement'])
const assertionChildren = new Set(['Issuer', 'Subject', 'Conditions', 'Advice', ...statements])
const prototypeNames = new Set(['__proto__', 'constructor', 'prototype'])
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unsafeInNameId = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]|^\s|\s$/
const idPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/

/**
 * Reads the login out of a verified assertion, or refuses it at the gate `policy`.
 * `assertionXml` must be the signed content as the library returned it, never the posted document.
 */
export function readVerifiedAssertion(
  assertionXml: string,
  settings: SamlSettings,
  expectedRequestId: string | undefined,
  now: Date,
): VerifiedLogin {
  const assertion = parseStrictXml(assertionXml)
  checkShape(assertion)
  const assertionId = assertion.attributes.get('ID') ?? ''
  if (!idPattern.test(assertionId)) refuse('assertion_id')
  const issuers = childrenNamed(assertion, namespaces.assertion, 'Issuer')
  if (issuers.length !== 1 || !isIssuer(issuers[0], settings.idpEntityId)) refuse('assertion_issuer')
  const issuedAtMs = readInstantMs(assertion.attributes.get('IssueInstant'))
  if (issuedAtMs === undefined || !isFresh(issuedAtMs, now)) return refuse('assertion_issue_instant')

  const subject = only(assertion, 'Subject', 'subject_count')
  const nameId = readNameId(subject, settings)
  const confirmedUntilMs = checkConfirmation(subject, settings, expectedRequestId, now)
  const validUntilMs = checkConditions(assertion, settings, now)
  const session = readSession(assertion, now)
  const untilMs = Math.min(issuedAtMs + samlTimes.maxAssertionAgeMs, confirmedUntilMs, validUntilMs) + samlTimes.skewMs
  return {
    issuer: settings.idpEntityId,
    subject: nameId,
    assertionId,
    notOnOrAfter: new Date(untilMs),
    attributes: readAttributes(assertion),
    ...session,
    ...(expectedRequestId === undefined ? {} : { inResponseTo: expectedRequestId }),
  }
}

function refuse(reason: SamlRefusalReason): never {
  return refuseLogin('policy', reason)
}

function only(parent: XmlElement, name: string, reason: SamlRefusalReason): XmlElement {
  const [element, ...others] = childrenNamed(parent, namespaces.assertion, name)
  if (element === undefined || others.length > 0) return refuse(reason)
  return element
}

function checkShape(assertion: XmlElement) {
  if (assertion.namespace !== namespaces.assertion || assertion.name !== 'Assertion') refuse('assertion_count')
  if (assertion.attributes.get('Version') !== '2.0') refuse('version')
  for (const child of assertion.children) {
    const known = child.namespace === namespaces.assertion && assertionChildren.has(child.name)
    // A signature stays in place when the signature that was verified is the one around the whole Response.
    const signature = child.namespace === namespaces.signature && child.name === 'Signature'
    if (!known && !signature) refuse('unexpected_element')
  }
}

function readNameId(subject: XmlElement, settings: SamlSettings): VerifiedLogin['subject'] {
  const identifiers = subject.children.filter((child) => child.name !== 'SubjectConfirmation')
  const [nameId] = identifiers
  if (identifiers.length !== 1 || nameId?.namespace !== namespaces.assertion || nameId.name !== 'NameID') {
    return refuse('name_id_count')
  }
  if (
    nameId.children.length > 0 ||
    nameId.text === '' ||
    nameId.text.length > 1024 ||
    unsafeInNameId.test(nameId.text)
  ) {
    refuse('name_id_value')
  }
  const format = nameId.attributes.get('Format') ?? nameIdFormats.unspecified
  if (format === nameIdFormats.transient || format === '' || format.length > 256) refuse('name_id_format')
  if (format === nameIdFormats.persistent) {
    // Core 8.3.7: a persistent identifier means something only within its qualifiers, so they must be ours.
    const qualifier = nameId.attributes.get('NameQualifier') ?? settings.idpEntityId
    const spQualifier = nameId.attributes.get('SPNameQualifier') ?? settings.spEntityId
    if (qualifier !== settings.idpEntityId || spQualifier !== settings.spEntityId) refuse('name_id_qualifier')
  }
  return { nameId: nameId.text, format }
}

/** Profiles 4.1.4.2–3: one bearer confirmation, for this address, this request, not yet over. Returns its end. */
function checkConfirmation(
  subject: XmlElement,
  settings: SamlSettings,
  expectedRequestId: string | undefined,
  now: Date,
): number {
  const confirmation = only(subject, 'SubjectConfirmation', 'subject_confirmation_count')
  if (confirmation.attributes.get('Method') !== bearer) refuse('subject_confirmation_method')
  const data = only(confirmation, 'SubjectConfirmationData', 'subject_confirmation_data')
  if (data.attributes.get('Recipient') !== settings.acsUrl) refuse('recipient')
  const untilMs = readInstantMs(data.attributes.get('NotOnOrAfter'))
  if (untilMs === undefined) return refuse('subject_confirmation_data')
  if (now.getTime() - samlTimes.skewMs >= untilMs) refuse('confirmation_expired')
  if (isAhead(data.attributes.get('NotBefore'), now, 'subject_confirmation_data')) refuse('confirmation_expired')
  if (data.attributes.get('InResponseTo') !== expectedRequestId) refuse('confirmation_in_response_to')
  return untilMs
}

/** Core 2.5: returns when the conditions end (Infinity when they name no end). Unknown conditions are not met. */
function checkConditions(assertion: XmlElement, settings: SamlSettings, now: Date): number {
  const conditions = only(assertion, 'Conditions', 'conditions')
  if (isAhead(conditions.attributes.get('NotBefore'), now, 'conditions')) refuse('conditions_not_yet_valid')
  const until = conditions.attributes.get('NotOnOrAfter')
  const untilMs = until === undefined ? Number.POSITIVE_INFINITY : readInstantMs(until)
  if (untilMs === undefined) return refuse('conditions')
  if (now.getTime() - samlTimes.skewMs >= untilMs) refuse('conditions_expired')
  const restrictions = childrenNamed(conditions, namespaces.assertion, 'AudienceRestriction')
  const harmless = ['OneTimeUse', 'ProxyRestriction'].flatMap((name) =>
    childrenNamed(conditions, namespaces.assertion, name),
  )
  if (restrictions.length + harmless.length !== conditions.children.length) refuse('conditions')
  const forUs = (restriction: XmlElement) =>
    childrenNamed(restriction, namespaces.assertion, 'Audience').some(
      (audience) => audience.children.length === 0 && audience.text === settings.spEntityId,
    )
  if (restrictions.length === 0 || !restrictions.every(forUs)) refuse('audience')
  return untilMs
}

function isAhead(notBefore: string | undefined, now: Date, reason: SamlRefusalReason): boolean {
  if (notBefore === undefined) return false
  const ms = readInstantMs(notBefore)
  if (ms === undefined) return refuse(reason)
  return now.getTime() + samlTimes.skewMs < ms
}

function readSession(assertion: XmlElement, now: Date): Pick<VerifiedLogin, 'sessionIndex' | 'sessionNotOnOrAfter'> {
  const found = childrenNamed(assertion, namespaces.assertion, 'AuthnStatement')
  if (found.length === 0) refuse('authn_statement')
  let endMs: number | undefined
  for (const statement of found) {
    const authenticatedAtMs = readInstantMs(statement.attributes.get('AuthnInstant'))
    if (authenticatedAtMs === undefined || authenticatedAtMs > now.getTime() + samlTimes.skewMs)
      refuse('authn_statement')
    if (childrenNamed(statement, namespaces.assertion, 'AuthnContext').length !== 1) refuse('authn_statement')
    const end = statement.attributes.get('SessionNotOnOrAfter')
    if (end === undefined) continue
    const ms = readInstantMs(end)
    if (ms === undefined) return refuse('authn_statement')
    if (now.getTime() - samlTimes.skewMs >= ms) refuse('session_expired')
    endMs = Math.min(endMs ?? ms, ms)
  }
  const sessionIndex = found[0]?.attributes.get('SessionIndex')
  return {
    ...(sessionIndex === undefined ? {} : { sessionIndex }),
    ...(endMs === undefined ? {} : { sessionNotOnOrAfter: new Date(endMs) }),
  }
}

/** Values that hold elements instead of text (a nested NameID, say) are left out. */
function readAttributes(assertion: XmlElement): Readonly<Record<string, readonly string[]>> {
  const attributes: Record<string, string[]> = Object.create(null)
  for (const statement of childrenNamed(assertion, namespaces.assertion, 'AttributeStatement')) {
    for (const attribute of childrenNamed(statement, namespaces.assertion, 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? ''
      if (name === '' || prototypeNames.has(name)) refuse('attribute_name')
      const values = childrenNamed(attribute, namespaces.assertion, 'AttributeValue')
        .filter((value) => value.children.length === 0)
        .map((value) => value.text)
      attributes[name] = [...(attributes[name] ?? []), ...values]
    }
  }
  return attributes
}
