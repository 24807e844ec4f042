// A deliberately small reading of XML: elements, attributes and text, with namespaces, and nothing
// else. Everything an honest SAML message never contains (DTD, entities, comments, CDATA, processing
// instructions) is refused instead of skipped, so that no two parsers can disagree about a document
// that passed here. Used on the raw message (prescan.ts) and again on the verified assertion (policy.ts).

import { SaxesParser } from 'saxes'
import { refuseLogin } from '../login-refusal.ts'

export interface XmlElement {
  /** Namespace URI, '' when none. */
  readonly namespace: string
  /** Local name, without a prefix. */
  readonly name: string
  /** Attributes by local name; those in a namespace as `{namespace}local`. Namespace declarations are left out. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** The element's own text, without that of its children. */
  readonly text: string
}

interface OpenElement extends XmlElement {
  readonly children: OpenElement[]
  text: string
}

/**
 * Limits that keep the quadratic parts of the XML signature stack harmless: without them 70 KB of empty
 * elements hold the event loop for seconds.
 */
export const xmlLimits = {
  bytes: 200_000,
  elements: 3_000,
  depth: 40,
  /** Siblings cost the library the square of their number; nobody is in a thousand groups that matter here. */
  childrenPerElement: 1_000,
  attributesPerElement: 32,
  attributes: 9_000,
  /** Different namespace prefixes in the document; canonicalisation walks those in scope for each element. */
  namespacePrefixes: 32,
} as const

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbiddenCharacters = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/

/** Parses within {@link xmlLimits}; refuses the login at the gate `prescan` otherwise. Linear in the length. */
export function parseStrictXml(xml: string): XmlElement {
  if (forbiddenCharacters.test(xml)) refuseLogin('prescan', 'control_character')
  // '<' cannot appear inside text or attribute values, so these two tests need no parser: '<!' is a DTD,
  // a comment or CDATA, and the only '<?' there may be is the XML declaration at the very start.
  if (xml.includes('<!')) refuseLogin('prescan', 'markup_declaration')
  const body = xml.startsWith('<?xml ') ? 2 : 0
  if (xml.includes('<?', body)) refuseLogin('prescan', 'processing_instruction')

  const parser = new SaxesParser({ xmlns: true, position: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  const open: OpenElement[] = []
  let root: OpenElement | undefined
  let elements = 0
  let attributeTotal = 0
  const prefixes = new Set<string>()

  parser.on('error', (error) => refuseLogin('prescan', 'not_well_formed', error))
  parser.on('doctype', () => refuseLogin('prescan', 'markup_declaration'))
  parser.on('comment', () => refuseLogin('prescan', 'markup_declaration'))
  parser.on('cdata', () => refuseLogin('prescan', 'markup_declaration'))
  parser.on('processinginstruction', () => refuseLogin('prescan', 'processing_instruction'))
  parser.on('opentag', (tag) => {
    elements += 1
    if (elements > xmlLimits.elements) refuseLogin('prescan', 'too_many_elements')
    if (open.length >= xmlLimits.depth) refuseLogin('prescan', 'too_deep')
    const attributes = new Map<string, string>()
    let count = 0
    for (const attribute of Object.values(tag.attributes)) {
      count += 1
      if (attribute.uri === xmlnsNamespace) prefixes.add(attribute.name)
      else
        attributes.set(attribute.uri === '' ? attribute.local : `{${attribute.uri}}${attribute.local}`, attribute.value)
    }
    attributeTotal += count
    if (count > xmlLimits.attributesPerElement || attributeTotal > xmlLimits.attributes) {
      refuseLogin('prescan', 'too_many_attributes')
    }
    if (prefixes.size > xmlLimits.namespacePrefixes) {
      refuseLogin('prescan', 'too_many_attributes')
    }
    const element: OpenElement = { namespace: tag.uri, name: tag.local, attributes, children: [], text: '' }
    const parent = open.at(-1)
    if (parent === undefined) root = element
    else if (parent.children.push(element) > xmlLimits.childrenPerElement) refuseLogin('prescan', 'too_many_elements')
    open.push(element)
  })
  parser.on('text', (text) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += text
  })
  parser.on('closetag', () => {
    open.pop()
  })
  parser.write(xml).close()
  if (root === undefined) return refuseLogin('prescan', 'not_well_formed')
  return root
}

/** The children with this name, in document order. */
export function childrenNamed(element: XmlElement, namespace: string, name: string): XmlElement[] {
  return element.children.filter((child) => child.namespace === namespace && child.name === name)
}

/** Every element of the document, the given one first. */
export function* everyElement(element: XmlElement): Generator<XmlElement> {
  yield element
  for (const child of element.children) yield* everyElement(child)
}
