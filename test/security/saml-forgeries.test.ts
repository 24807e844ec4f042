// SAML responses that the identity provider never signed like this: foreign keys, changed content, wrapped
// assertions, and XML that must not reach the signature library at all. The positive twins are in saml-gates.test.ts.

import { describe, expect, test } from 'vitest'
import { prescan } from '../../src/identity/saml/prescan.ts'
import { xmlLimits } from '../../src/identity/saml/strict-xml.ts'
import {
  type Change,
  createSamlFixture,
  envelopeEnd,
  forgeResponse,
  genuineResponse,
  same,
  signElement,
  swap,
  toForm,
} from './forged-saml.ts'

const { keys, foreign, base, verify, refused } = createSamlFixture()

describe('a response that the identity provider did not sign like this is refused:', () => {
  test('signed with somebody else’s key, whose certificate it carries', async () => {
    const posted = await forgeResponse({ ...base, keys: foreign }, same)
    expect(Buffer.from(posted, 'base64').toString()).toContain('X509Certificate')
    expect(await refused(posted)).toMatchObject({ gate: 'library' })
  })

  test.each([
    ['NameID', swap('ada-7f3a', 'victim')],
    ['attribute', swap('ada@acme.test', 'victim@acme.test')],
    [
      'audience restriction',
      swap(/<saml:AudienceRestriction>/, '<saml:AudienceRestriction><saml:Audience>x</saml:Audience>'),
    ],
    ['signature value', swap(/<SignatureValue>..../, '<SignatureValue>AAAA')],
    ['digest', swap(/<DigestValue>..../, '<DigestValue>AAAA')],
  ])('a %s changed after signing', async (_, change) => {
    expect(await refused(await forgeResponse(base, same, change))).toMatchObject({ gate: 'library' })
  })

  test('a Response signature that no longer holds, although the assertion’s does', async () => {
    const both = await genuineResponse(base, { signResponse: true })
    const tampered = toForm(swap(/(<samlp:Response[^>]*IssueInstant=")[^"]*/, `$1${new Date().toISOString()}`)(both))
    expect(await refused(tampered)).toMatchObject({ gate: 'library' })
    expect((await verify(toForm(both))).subject.nameId).toBe('ada-7f3a')
  })

  test('a Response signature alone, without one on the assertion', async () => {
    const posted = toForm(signElement(await genuineResponse(base, { signAssertion: false }), 'Response', keys))
    expect(await refused(posted)).toMatchObject({ gate: 'envelope', reason: 'not_signed' })
  })

  // Signature wrapping: the signed assertion is kept somewhere, and one of the attacker's takes its place.
  const signedAssertion = /<saml:Assertion .*<\/saml:Assertion>/s
  const evil = (xml: string) =>
    (signedAssertion.exec(xml)?.[0] ?? '')
      .replace(/<Signature .*<\/Signature>/s, '')
      .replace('ada-7f3a', 'victim')
      .replace(/ID="[^"]*"/, 'ID="_evil"')
  const wrappings: [string, Change][] = [
    ['beside the signed one, before it', (xml) => xml.replace(signedAssertion, (signed) => evil(xml) + signed)],
    ['beside the signed one, after it', (xml) => xml.replace(signedAssertion, (signed) => signed + evil(xml))],
    [
      'around the signed one',
      (xml) =>
        xml.replace(signedAssertion, (signed) => evil(xml).replace('</saml:Assertion>', `${signed}</saml:Assertion>`)),
    ],
    [
      'with the signed one in its Advice',
      (xml) =>
        xml.replace(signedAssertion, (signed) =>
          evil(xml).replace('</saml:Conditions>', `</saml:Conditions><saml:Advice>${signed}</saml:Advice>`),
        ),
    ],
    [
      'with the signed one inside its Signature’s Object',
      (xml) =>
        xml.replace(signedAssertion, (signed) => {
          const signature = /<Signature .*<\/Signature>/s.exec(signed)?.[0] ?? ''
          const bare = signed.replace(signature, '')
          return evil(xml).replace(
            '<saml:Subject>',
            `${signature.replace('</Signature>', `<Object>${bare}</Object></Signature>`)}<saml:Subject>`,
          )
        }),
    ],
    [
      'with the signed one in the extensions',
      (xml) =>
        xml
          .replace(signedAssertion, evil(xml))
          .replace(envelopeEnd, `<samlp:Extensions>${signedAssertion.exec(xml)?.[0]}</samlp:Extensions>${envelopeEnd}`),
    ],
    [
      'with the whole genuine Response inside the forged one',
      (xml) => xml.replace(signedAssertion, evil(xml)).replace('</samlp:Response>', `${xml}</samlp:Response>`),
    ],
    [
      'carrying the signature of the genuine one',
      (xml) =>
        xml.replace(signedAssertion, (signed) =>
          evil(xml).replace('<saml:Subject>', `${/<Signature .*<\/Signature>/s.exec(signed)?.[0]}<saml:Subject>`),
        ),
    ],
  ]
  test.each(wrappings)('an assertion of the attacker’s %s', async (_, wrap) => {
    const posted = await forgeResponse(base, same, wrap)
    expect(Buffer.from(posted, 'base64').toString()).toContain('victim')
    expect(await refused(posted)).toMatchObject({ reason: expect.any(String) })
  })
})

describe('the form and prescan gates refuse', () => {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>'
  const cases: [string, Change, string][] = [
    ['a DTD', (xml) => `<!DOCTYPE x>${xml}`, 'markup_declaration'],
    ['an entity', (xml) => `<!DOCTYPE x [<!ENTITY e "v">]>${xml.replace('ada-7f3a', '&e;')}`, 'markup_declaration'],
    [
      'an external entity',
      (xml) => `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xml}`,
      'markup_declaration',
    ],
    ['a comment in the NameID', swap('ada-7f3a', 'ada<!-- x -->-7f3a'), 'markup_declaration'],
    ['CDATA in the NameID', swap('ada-7f3a', 'ada<![CDATA[-7f3a]]>'), 'markup_declaration'],
    ['a processing instruction in the NameID', swap('ada-7f3a', 'ada<?x victim?>-7f3a'), 'processing_instruction'],
    [
      'a processing instruction before the root',
      (xml) => `<?xml-stylesheet href="x"?>${xml}`,
      'processing_instruction',
    ],
    ['a second XML declaration', (xml) => `${declaration}${declaration}${xml}`, 'processing_instruction'],
    ['a control character', swap('ada-7f3a', 'ada\u0001'), 'control_character'],
    ['a control character as a reference', swap('ada-7f3a', 'ada&#1;'), 'not_well_formed'],
    [
      'a control character that only XML 1.1 allows',
      (xml) => `<?xml version="1.1"?>${xml.replace('ada-7f3a', 'ada&#1;')}`,
      'not_well_formed',
    ],
    ['an undeclared entity', swap('ada-7f3a', '&nbsp;'), 'not_well_formed'],
    ['an unclosed element', swap('</samlp:Response>', ''), 'not_well_formed'],
    ['two roots', (xml) => xml + xml, 'not_well_formed'],
    ['text after the root', (xml) => `${xml}x`, 'not_well_formed'],
    ['a prefix that is not declared', swap(envelopeEnd, `<y:z/>${envelopeEnd}`), 'not_well_formed'],
    ['the same attribute twice', swap('<samlp:Response ', '<samlp:Response Version="2.0" '), 'not_well_formed'],
    ['nothing', () => '   ', 'not_well_formed'],
    ['nothing but text', () => 'hello', 'not_well_formed'],
    [
      'too many elements',
      swap(envelopeEnd, `${`<a>${'<a/>'.repeat(500)}</a>`.repeat(6)}${envelopeEnd}`),
      'too_many_elements',
    ],
    ['too many siblings', swap(envelopeEnd, `<a>${'<a/>'.repeat(1_001)}</a>${envelopeEnd}`), 'too_many_elements'],
    ['too deep a nesting', swap(envelopeEnd, `${'<a>'.repeat(50)}${'</a>'.repeat(50)}${envelopeEnd}`), 'too_deep'],
    [
      'too many attributes',
      swap('<samlp:Response ', `<samlp:Response ${Array.from({ length: 40 }, (_, i) => `a${i}=""`).join(' ')} `),
      'too_many_attributes',
    ],
    [
      'too many namespace prefixes',
      swap(envelopeEnd, `${Array.from({ length: 40 }, (_, i) => `<a xmlns:p${i}="u"/>`).join('')}${envelopeEnd}`),
      'too_many_attributes',
    ],
  ]
  test.each(cases)('%s', async (_, change, reason) => {
    expect(await refused(await forgeResponse(base, same, change))).toMatchObject({ gate: 'prescan', reason })
  })

  test.each([
    ['what is not base64', '<samlp:Response/>', 'not_base64'],
    ['the empty string', '', 'not_base64'],
    ['base64url', '-_-_', 'not_base64'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0xff, 0xfe, 0x3e]).toString('base64'), 'not_utf8'],
    ['more than fits', Buffer.alloc(xmlLimits.bytes + 1, ' ').toString('base64'), 'too_large'],
    ['a field of any size, at once', 'A'.repeat(4_000_000), 'too_large'],
  ])('%s', async (_, posted, reason) => {
    expect(await refused(posted)).toMatchObject({ gate: 'form', reason })
  })

  test('an XML declaration is no reason to refuse', async () => {
    const posted = await forgeResponse(base, same, (xml) => declaration + xml)
    expect((await verify(posted)).subject.nameId).toBe('ada-7f3a')
  })

  test.each([70_000, 190_000])('%i bytes of empty elements within milliseconds', (size) => {
    const posted = toForm(`<a>${'<a/>'.repeat(size / 4)}</a>`)
    const startedAt = performance.now()
    expect(() => prescan(posted)).toThrow()
    expect(performance.now() - startedAt).toBeLessThan(100)
  })

  test('more than a hundred elements beside the assertion or inside its signature', async () => {
    const bulk = '<a/>'.repeat(200)
    const aside = swap(envelopeEnd, `<samlp:Extensions>${bulk}</samlp:Extensions>${envelopeEnd}`)
    expect(await refused(await forgeResponse(base, same, aside))).toMatchObject({ reason: 'unexpected_element' })
    const inside = swap('</Signature>', `<Object>${bulk}</Object></Signature>`)
    expect(await refused(await forgeResponse(base, same, inside))).toMatchObject({ reason: 'signature_shape' })
  })

  test('nothing of an assertion with hundreds of groups, and its price stays within bounds', async () => {
    const groups = Array.from({ length: 900 }, (_, index) => `group ${index}`)
    const posted = await forgeResponse({ ...base, attributes: { groups, roles: groups } }, same)
    const startedAt = performance.now()
    expect((await verify(posted)).attributes.groups).toHaveLength(900)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})
