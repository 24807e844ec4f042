// What a transcript is: one thing that an identity provider does, as the requests it sends and what of
// each answer it depends on. Adding a vendor's quirk is adding a file. Walking them is replay.test.ts.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const object = z.record(z.string(), z.unknown())

const step = z
  .strictObject({
    name: z.string().min(1),
    request: z.strictObject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
      /** After the directory's base URL, readable: the walker encodes what stands behind `?`. */
      path: z.string().startsWith('/'),
      headers: z.record(z.string(), z.string()).optional(),
      body: object.optional(),
    }),
    expect: z.strictObject({
      status: z.number().int(),
      headers: z.record(z.string(), z.string()).optional(),
      /** A part of the answer: objects may have more members, arrays may not. */
      body: object.optional(),
      /** Paths such as `Resources.0.title` that must not be there. */
      absent: z.array(z.string()).optional(),
    }),
    /** Names for values of the answer, by path; `${name}` stands for them in later steps. */
    capture: z.record(z.string(), z.string()).optional(),
  })
  .refine(
    ({ expect }) => expect.status === 204 || expect.body !== undefined || expect.absent !== undefined,
    'the step asserts nothing about its answer',
  )

const transcript = z.strictObject({
  /** What the provider does, as a sentence's end: "Okta …". */
  behaviour: z.string().min(1),
  steps: z.array(step).min(1),
  /** What the directory holds in the end: all of it, and of each at least what is said. */
  finally: z.strictObject({
    users: z.array(
      z.looseObject({
        userName: z.string(),
        active: z.boolean(),
        deleted: z.boolean().default(false),
        id: z.string().optional(),
      }),
    ),
    groups: z.array(
      z.looseObject({
        displayName: z.string(),
        members: z.array(z.string()),
        deleted: z.boolean().default(false),
        id: z.string().optional(),
      }),
    ),
  }),
})

export type Transcript = z.infer<typeof transcript>
export type Step = z.infer<typeof step>

/** Every transcript of a provider, by file name. A file of another shape is an error that names it. */
export function readTranscripts(provider: 'okta' | 'entra'): readonly (readonly [string, Transcript])[] {
  const folder = join(import.meta.dirname, provider)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const parsed = transcript.safeParse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
      if (!parsed.success) throw new Error(`${provider}/${file}: ${z.prettifyError(parsed.error)}`)
      return [file, parsed.data] as const
    })
}

export const checkTranscript = (input: unknown): boolean => transcript.safeParse(input).success
