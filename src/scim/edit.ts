// One change at one place of a resource: add, replace or remove (RFC 7644 3.5.2.1-3), as a pure function from
// attributes to attributes. Nothing is changed in place; where nothing changes, the same object comes back.
// Values were read before (attribute-value.ts), targets resolved before (path.ts); multi-valued ones go on in edit-many.ts.

import { RollcallError } from '../model/errors.ts'
import type { Edit, EditContext } from './edit-kind.ts'
import { editMany } from './edit-many.ts'
import {
  type Attributes,
  type AttributeValue,
  isAttributes,
  isDeepEqual,
  isValues,
  ownMember,
  withMember,
} from './json.ts'
import type { Target } from './path.ts'

/**
 * Applies an edit.
 * @throws RollcallError no_target when a filter selects nothing that could be created, mutability for a change of an
 * immutable attribute or an unassigned required one, invalid_value for a second primary, too_large for too much work
 */
export function applyEdit(attributes: Attributes, edit: Edit, context: EditContext): Attributes {
  const { extension, attribute } = edit.target
  if (extension === undefined) return editIn(attributes, edit, context)
  const held = ownMember(attributes, extension)
  const container = isAttributes(held) ? held : {}
  const edited = editIn(container, edit, context)
  if (edited === container) return attributes
  // An extension is there exactly when it has data (RFC 7644 3.5.2).
  const isEmpty = Object.keys(edited).length === 0
  if (isEmpty && attribute.required) throw unassigned(edit.target)
  return withMember(attributes, extension, isEmpty ? undefined : edited)
}

function editIn(container: Attributes, edit: Edit, context: EditContext): Attributes {
  const { attribute } = edit.target
  const current = ownMember(container, attribute.name)
  const next = nextValue(current, edit, context)
  if (next === current || isDeepEqual(next, current)) return container
  if (next === undefined && attribute.required) throw unassigned(edit.target)
  if (attribute.mutability === 'immutable' && current !== undefined) {
    throw new RollcallError('mutability', `${edit.target.key} can be set only once`)
  }
  return withMember(container, attribute.name, next)
}

function nextValue(current: AttributeValue | undefined, edit: Edit, context: EditContext): AttributeValue | undefined {
  const { attribute, sub } = edit.target
  if (attribute.multiValued) return editMany(isValues(current) ? current : [], edit, context)
  if (attribute.type === 'complex') return editComplex(isAttributes(current) ? current : undefined, edit)
  if (sub !== undefined) throw unassigned(edit.target)
  if (edit.kind === 'remove') return undefined
  return edit.kind === 'add' ? (edit.value ?? current) : edit.value
}

function editComplex(current: Attributes | undefined, edit: Edit): AttributeValue | undefined {
  const { sub } = edit.target
  const merged = mergeComplex(current, edit)
  if (merged === undefined || Object.keys(merged).length === 0) return undefined
  if (sub?.required && merged[sub.name] === undefined) throw unassigned(edit.target)
  return merged
}

function mergeComplex(current: Attributes | undefined, edit: Edit): Attributes | undefined {
  const { sub } = edit.target
  const value = edit.kind === 'remove' ? undefined : edit.value
  if (value === undefined) {
    if (edit.kind === 'add') return current
    // Without its value, a manager's name and URI say nothing.
    return sub === undefined || sub.name === 'value' ? undefined : withMember(current ?? {}, sub.name, undefined)
  }
  const given = sub === undefined ? value : { [sub.name]: value }
  if (!isAttributes(given)) return current
  // What is not given stays (RFC 7644 3.5.2.3), except that another manager does not keep the old one's name and URI.
  const names = ownMember(given, 'value') === undefined || isDeepEqual(given['value'], current?.['value'])
  return names ? { ...current, ...given } : given
}

function unassigned({ key }: Target): RollcallError {
  // RFC 7644 3.5.2.2 names `mutability` for this.
  return new RollcallError('mutability', `${key} is required and cannot be removed`)
}
