// Edits of a multi-valued attribute: adding without doubling, replacing and removing all or selected elements, creating
// the element a filter describes, and keeping one primary (RFC 7644 3.5.2). Single values are edit.ts's.

import { RollcallError } from '../model/errors.ts'
import { maxValues, readElement, refuseSecondPrimary } from './attribute-value.ts'
import type { Reading } from './dialects.ts'
import type { Edit, EditContext } from './edit-kind.ts'
import type { Filter } from './filter.ts'
import { matchesFilter } from './filter-match.ts'
import { type Attributes, type AttributeValue, isAttributes, isDeepEqual, isValues, withMember } from './json.ts'
import type { Target } from './path.ts'

type Elements = readonly AttributeValue[]

// Comparisons in one request, a long text counting for several: these take some tens of milliseconds, and no identity
// provider comes near. Without it 1,000 operations on 1,000 values could hold the process for seconds.
const maxWork = 500_000
const charactersPerComparison = 64

export function editMany(current: Elements, edit: Edit, context: EditContext): Elements | undefined {
  const next = nextElements(current, edit, context)
  if (next.length > maxValues) throw invalid(edit.target, `has more than ${maxValues} values`)
  if (next.length === 0) return undefined
  const keepsPlaces = edit.kind === 'add' || (edit.kind === 'replace' && isSelective(edit.target))
  return keepsPlaces && edit.value !== undefined ? keepOnePrimary(next, current, edit.target) : next
}

function nextElements(current: Elements, edit: Edit, context: EditContext): Elements {
  if (isSelective(edit.target)) return editSelected(current, edit, context)
  if (edit.kind === 'remove') return edit.only === undefined ? [] : removeValues(current, edit.only, context)
  const values = isValues(edit.value) ? edit.value : []
  return edit.kind === 'replace' ? values : addValues(current, values, context)
}

function isSelective({ filter, sub }: Target): boolean {
  return filter !== undefined || sub !== undefined
}

function spend(context: EditContext, amount: number): void {
  context.work.done += amount
  if (context.work.done > maxWork) {
    throw new RollcallError('too_large', 'The operations compare too many values; send them in smaller requests')
  }
}

function sizeOfAll(elements: Elements): number {
  return elements.reduce<number>((sum, element) => sum + sizeOf(element), 0)
}

/** How many comparisons one look at an element counts for. */
function sizeOf(element: AttributeValue): number {
  if (!isAttributes(element)) return 1 + textLength(element) / charactersPerComparison
  let length = 0
  for (const name in element) length += textLength(element[name])
  return 1 + length / charactersPerComparison
}

function textLength(value: AttributeValue | undefined): number {
  return typeof value === 'string' ? value.length : 0
}

/** The same value of the same type is the same element and takes on what is new (RFC 7643 2.4). */
function addValues(current: Elements, values: Elements, context: EditContext): Elements {
  const next = [...current]
  for (const value of values) {
    spend(context, next.length / 4 + sizeOf(value)) // two fields at most are compared
    const index = next.findIndex((element) => isSameElement(element, value))
    const existing = next[index]
    if (existing === undefined) next.push(value)
    else if (isAttributes(existing) && isAttributes(value)) next[index] = { ...existing, ...value }
  }
  return next
}

function isSameElement(left: AttributeValue, right: AttributeValue): boolean {
  if (!isAttributes(left) || !isAttributes(right)) return left === right
  if (left['value'] === undefined || right['value'] === undefined) return isDeepEqual(left, right)
  return left['value'] === right['value'] && left['type'] === right['type']
}

function removeValues(current: Elements, only: Elements, context: EditContext): Elements {
  spend(context, (current.length * only.length) / 4)
  return current.filter((element) => !only.some((value) => isNamedBy(element, value)))
}

/** An element is named by an object whose every member it has. */
function isNamedBy(element: AttributeValue, value: AttributeValue): boolean {
  if (!isAttributes(element) || !isAttributes(value)) return isDeepEqual(element, value)
  return Object.entries(value).every(([name, member]) => isDeepEqual(element[name], member))
}

function editSelected(current: Elements, edit: Edit, context: EditContext): Elements {
  const { filter, conditions } = edit.target
  spend(context, sizeOfAll(current) * Math.max(1, conditions))
  const isSelected = (element: AttributeValue) => filter === undefined || matchesFilter(filter, element)
  if (edit.kind === 'remove') return removeSelected(current, edit, isSelected)
  if (edit.value === undefined) return edit.kind === 'add' ? current : removeSelected(current, edit, isSelected)
  const { value } = edit
  let found = false
  const next = current.map((element) => {
    if (!isSelected(element)) return element
    found = true
    return setElement(element, edit, value)
  })
  return found ? next : [...current, createElement(edit.target, value, context.reading)]
}

function removeSelected(current: Elements, edit: Edit, isSelected: (element: AttributeValue) => boolean): Elements {
  const { sub } = edit.target
  if (sub === undefined) return current.filter((element) => !isSelected(element))
  return current.flatMap((element) => {
    if (!isSelected(element) || !isAttributes(element)) return [element]
    const left = withMember(element, sub.name, undefined)
    return left !== element && saysNothing(left) ? [] : [left]
  })
}

/** What is left of an e-mail whose address was removed is no e-mail. */
function saysNothing(element: Attributes): boolean {
  return Object.keys(element).every((name) => name === 'type' || name === 'primary' || name === 'display')
}

function setElement(element: AttributeValue, edit: Edit, value: AttributeValue): AttributeValue {
  const { sub, filter } = edit.target
  if (sub !== undefined) return isAttributes(element) ? { ...element, [sub.name]: value } : element
  if (!isAttributes(value)) return value
  if (!isAttributes(element)) return value
  return edit.kind === 'replace' ? { ...selectedParts(element, filter), ...value } : { ...element, ...value }
}

/** A replaced element keeps what selected it: replacing emails[type eq "work"] leaves it the work address. */
function selectedParts(element: Attributes, filter: Filter | undefined): Attributes {
  const described = (filter && describedBy(filter)) ?? {}
  return Object.fromEntries(Object.entries(element).filter(([name]) => Object.hasOwn(described, name)))
}

/** Nothing was selected: Entra ID expects the element to be made; RFC 7644 3.5.2.3 alone would answer noTarget. */
function createElement(target: Target, value: AttributeValue, reading: Reading): AttributeValue {
  const described = target.filter === undefined ? {} : readDescribed(target, target.filter, reading)
  if (target.sub !== undefined) return { ...described, [target.sub.name]: value }
  return isAttributes(value) ? { ...described, ...value } : value
}

function readDescribed({ attribute }: Target, filter: Filter, reading: Reading): Attributes {
  const described = describedBy(filter)
  if (described === undefined || !reading.allows('filtered-path-creates')) {
    throw new RollcallError('no_target', `No value of ${attribute.name} meets the filter`)
  }
  // The filter's values now become the user's, and are held to the same rules.
  const read = readElement(attribute, described, attribute.name, reading)
  return isAttributes(read) ? read : {}
}

/** The element that a filter of nothing but `eq` and `and` describes; undefined for any other. */
function describedBy(filter: Filter): Attributes | undefined {
  if (filter.kind === 'compare') return filter.operator === 'eq' ? { [filter.path.key]: filter.value } : undefined
  if (filter.kind !== 'and') return undefined
  let described: Attributes = {}
  for (const part of filter.filters) {
    const more = describedBy(part)
    if (more === undefined) return undefined
    described = { ...described, ...more }
  }
  return described
}

/** A value that becomes the primary one ends the others being it (RFC 7644 3.5.2). */
function keepOnePrimary(next: Elements, before: Elements, target: Target): Elements {
  const risen = next.filter((element, index) => isPrimary(element) && !isPrimary(before[index]))
  if (risen.length === 0) return next
  refuseSecondPrimary(risen, target.attribute.name)
  return next.map((element) =>
    isPrimary(element) && element !== risen[0] && isAttributes(element) ? { ...element, primary: false } : element,
  )
}

function isPrimary(element: AttributeValue | undefined): boolean {
  return isAttributes(element) && element['primary'] === true
}

function invalid(target: Target, problem: string): RollcallError {
  return new RollcallError('invalid_value', `${target.attribute.name} ${problem}`)
}
