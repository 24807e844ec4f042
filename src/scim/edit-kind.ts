// The kinds of edits that operations are compiled to, and what applying them shares. Applied in edit.ts and edit-many.ts.

import type { Reading } from './dialects.ts'
import type { AttributeValue } from './json.ts'
import type { Target } from './path.ts'

/**
 * `value` undefined unassigns what it replaces and adds nothing. A remove with `only` takes out exactly those values.
 */
export type Edit =
  | { readonly kind: 'add' | 'replace'; readonly target: Target; readonly value: AttributeValue | undefined }
  | { readonly kind: 'remove'; readonly target: Target; readonly only: readonly AttributeValue[] | undefined }

/** What applying edits needs beside the edit; `work` is counted over all edits of one request. */
export interface EditContext {
  readonly reading: Reading
  readonly work: { done: number }
}
