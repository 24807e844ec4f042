// Rules on the Response element around the assertion: shape, status, destination, and which signature
// algorithms may appear at all. The envelope is often unsigned, so these rules only ever refuse; who logged
// in is read by policy.ts from the assertion whose signature was verified, never from here.

import { refuseLogin, type SamlRefusalReason } from '../login-refusal.ts'
import { isFresh, namespaces, readInstantMs, type SamlSettings } from './settings.ts'
import { childrenNamed, everyElement, type XmlElement } from './strict-xml.ts'

const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const entityFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'

const signatureMethods = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
])
const digestMethods = new Set(['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512'])
const exclusiveC14n = ['http://www.w3.org/2001/10/xml-exc-c14n#', 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments']
const canonicalisations = new Set([...exclusiveC14n, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'])
// SAML core 5.4.4: no transform but these two.
const transforms = new Set([...exclusiveC14n, 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'])

/**
 * The cheap rules, in the order that gives an admin the most useful reason first. `root` is the scanned message.
 * Says whether the Response itself carries a signature, which the library then has to verify as well.
 */
export function checkEnvelope(
  root: XmlElement,
  settings: SamlSettings,
  expectedRequestId: string | undefined,
  now: Date,
): { responseSigned: boolean } {
  if (root.namespace !== namespaces.protocol || root.name !== 'Response') refuse('not_a_response')
  if (root.attributes.get('Version') !== '2.0') refuse('version')
  if (!root.attributes.get('ID')) refuse('response_id')
  checkStatus(root)
  const assertion = checkShape(root)
  checkUniqueIds(root)
  checkSignatures(root, assertion)
  checkResponseIssuer(root, settings.idpEntityId)
  if (root.attributes.get('Destination') !== settings.acsUrl) refuse('destination')
  checkInResponseTo(root, settings, expectedRequestId)
  const issuedAtMs = readInstantMs(root.attributes.get('IssueInstant'))
  if (issuedAtMs === undefined || !isFresh(issuedAtMs, now)) refuse('response_issue_instant')
  return { responseSigned: childrenNamed(root, namespaces.signature, 'Signature').length > 0 }
}

function refuse(reason: SamlRefusalReason): never {
  return refuseLogin('envelope', reason)
}

function checkStatus(root: XmlElement) {
  const statuses = childrenNamed(root, namespaces.protocol, 'Status')
  const codes = statuses.flatMap((status) => childrenNamed(status, namespaces.protocol, 'StatusCode'))
  if (statuses.length !== 1 || codes.length !== 1) refuse('status_not_success')
  const value = codes[0]?.attributes.get('Value')
  // The code is a URN chosen by the protocol, not personal data; an admin needs it to understand the refusal.
  if (value !== success) refuseLogin('envelope', 'status_not_success', new Error(`status ${value?.slice(0, 100)}`))
}

/** Elements that the parts around the assertion's own statements may hold; signatures are walked several times. */
const maxElementsAside = 100

/** The Response may hold these children and no others, and one assertion in the whole document. */
function checkShape(root: XmlElement): XmlElement {
  const counts = new Map<string, number>()
  for (const child of root.children) {
    const name = `{${child.namespace}}${child.name}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const count = (namespace: string, name: string) => counts.get(`{${namespace}}${name}`) ?? 0
  if (count(namespaces.assertion, 'EncryptedAssertion') > 0) refuse('encrypted_assertion')
  const known =
    count(namespaces.assertion, 'Issuer') +
    count(namespaces.signature, 'Signature') +
    count(namespaces.protocol, 'Extensions') +
    count(namespaces.protocol, 'Status') +
    count(namespaces.assertion, 'Assertion')
  if (known !== root.children.length) refuse('unexpected_element')
  // By local name, as the signature library looks: an assertion hidden elsewhere is how wrapping attacks begin.
  let assertions = 0
  let aside = 0
  for (const child of root.children) if (child.name !== 'Assertion') aside += countElements(child)
  if (aside > maxElementsAside) refuse('unexpected_element')
  for (const element of everyElement(root)) {
    if (element.name === 'Assertion' || element.name === 'EncryptedAssertion') assertions += 1
    if (element !== root && element.name === 'Response') refuse('unexpected_element')
  }
  const [assertion] = childrenNamed(root, namespaces.assertion, 'Assertion')
  if (assertions !== 1 || assertion === undefined) return refuse('assertion_count')
  return assertion
}

function countElements(element: XmlElement): number {
  return element.children.reduce((count, child) => count + countElements(child), 1)
}

function checkUniqueIds(root: XmlElement) {
  const seen = new Set<string>()
  for (const element of everyElement(root)) {
    for (const [name, value] of element.attributes) {
      if (name.toLowerCase() !== 'id') continue
      if (seen.has(value)) refuse('duplicate_id')
      seen.add(value)
    }
  }
}

function checkSignatures(root: XmlElement, assertion: XmlElement) {
  const inPlace = [
    ...childrenNamed(root, namespaces.signature, 'Signature'),
    ...childrenNamed(assertion, namespaces.signature, 'Signature'),
  ]
  if (childrenNamed(assertion, namespaces.signature, 'Signature').length !== 1) refuse('not_signed')
  let signatures = 0
  for (const element of everyElement(root)) {
    if (element.namespace === namespaces.signature && element.name === 'Signature') signatures += 1
  }
  // At most one on the Response and one on the Assertion; none in extensions, advice or anywhere else.
  if (signatures !== inPlace.length || signatures > 2) refuse('signature_shape')
  for (const signature of inPlace) {
    if (countElements(signature) > maxElementsAside) refuse('signature_shape')
    checkAlgorithms(signature)
  }
}

/** One SignedInfo with one Reference, and SHA-2 everywhere: the library still accepts SHA-1. */
function checkAlgorithms(signature: XmlElement) {
  const signedInfo = onlyChild(signature, 'SignedInfo')
  const reference = onlyChild(signedInfo, 'Reference')
  const used = onlyChild(reference, 'Transforms').children.map(
    (transform) => transform.attributes.get('Algorithm') ?? '',
  )
  const allowed =
    canonicalisations.has(onlyChild(signedInfo, 'CanonicalizationMethod').attributes.get('Algorithm') ?? '') &&
    signatureMethods.has(onlyChild(signedInfo, 'SignatureMethod').attributes.get('Algorithm') ?? '') &&
    digestMethods.has(onlyChild(reference, 'DigestMethod').attributes.get('Algorithm') ?? '') &&
    used.every((algorithm) => transforms.has(algorithm))
  if (!allowed) refuse('signature_algorithm')
}

function onlyChild(element: XmlElement, name: string): XmlElement {
  const [child, ...others] = childrenNamed(element, namespaces.signature, name)
  if (child === undefined || others.length > 0) return refuse('signature_shape')
  return child
}

function checkResponseIssuer(root: XmlElement, idpEntityId: string) {
  const issuers = childrenNamed(root, namespaces.assertion, 'Issuer')
  const [issuer] = issuers
  // Profiles 4.1.4.2 lets an unsigned response leave it out; the assertion's own is always demanded.
  if (issuer === undefined && childrenNamed(root, namespaces.signature, 'Signature').length === 0) return
  if (issuers.length !== 1 || !isIssuer(issuer, idpEntityId)) refuse('response_issuer')
}

/** Whether an Issuer element names exactly this entity. */
export function isIssuer(issuer: XmlElement | undefined, idpEntityId: string): boolean {
  if (issuer === undefined || issuer.children.length > 0 || issuer.text !== idpEntityId) return false
  const format = issuer.attributes.get('Format')
  return format === undefined || format === entityFormat
}

function checkInResponseTo(root: XmlElement, settings: SamlSettings, expectedRequestId: string | undefined) {
  const inResponseTo = root.attributes.get('InResponseTo')
  if (expectedRequestId === undefined) {
    if (!settings.allowIdpInitiated) refuse('unsolicited')
    if (inResponseTo !== undefined) refuse('in_response_to')
  } else if (inResponseTo !== expectedRequestId) refuse('in_response_to')
}
