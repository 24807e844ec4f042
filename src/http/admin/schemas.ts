// The words of the admin API that more than one route uses, as zod schemas: they check what comes in, type what goes
// out and describe both in the OpenAPI document. Every object is strict: an unknown member is refused by its name.

import { z } from 'zod'

export const id = z.uuid().toLowerCase().meta({ description: 'A UUID.' })

/** A time as it goes out. */
export const instant = z.date().meta({ type: 'string', format: 'date-time', description: 'RFC 3339.' })

/** The same where there may be none. */
export const maybeInstant = z
  .date()
  .nullable()
  .meta({ type: ['string', 'null'], format: 'date-time' })

/** A name that people gave, without surrounding space and without what a terminal would act upon. */
export const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must not hold control characters')

/** How a role is called in requests and answers. */
export const key = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/)
  .meta({ description: 'Lower-case letters, digits and underscores.' })

export const email = z.string().min(3).max(254).meta({ format: 'email' })

const limit = z.coerce.number().int().min(1).max(200).default(50)

/** Paging by ids, oldest first unless the route says otherwise. */
export const idPage = z.strictObject({ limit, after: id.optional() })

/** Paging by a running number, which is a 32-bit integer in the database. */
export const numberPage = z.strictObject({ limit, after: z.coerce.number().int().min(0).max(2_147_483_647).optional() })

/** Paging by a running number of 64 bits. */
export const longPage = numberPage.extend({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
})

/** What things that happened are called, as a filter. */
export const action = z.string().regex(/^[a-z_.]{1,100}$/)

export function pageRequest<Key>(query: { limit: number; after?: Key | undefined }): {
  limit: number
  after: Key | undefined
} {
  return { limit: query.limit, after: query.after }
}

export function page<S extends z.ZodType>(item: S) {
  return z.strictObject({
    items: z.array(item).readonly(),
    next: z.string().nullable().meta({ description: 'Send it as `after` for the next page; null at the end.' }),
  })
}

/** A list that is whole: there are few of these. */
export function list<S extends z.ZodType>(item: S) {
  return z.strictObject({ items: z.array(item).readonly() })
}

/** States of things as the audit trail keeps them. */
export const state = z.record(z.string(), z.unknown()).nullable()

/** A time as it comes in. */
export const futureInstant = z.iso
  .datetime({ offset: true })
  .transform((written) => new Date(written))
  .meta({ description: 'RFC 3339, in the future.' })
