// The admin API as its users see it: JSON over HTTP with a key. Answers are parsed with the caller's schema; an
// answer that is not the expected one is an error that says what the door said.

import { z } from 'zod'

export interface AdminClient {
  get<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>>
  post<S extends z.ZodType>(path: string, body: object | undefined, answer: S): Promise<z.output<S>>
  patch<S extends z.ZodType>(path: string, body: object, answer: S): Promise<z.output<S>>
  /** Every page of a list, one after another. */
  list<S extends z.ZodType>(path: string, item: S): Promise<z.output<S>[]>
}

export interface AdminTarget {
  /** Of the service, without a slash at the end. */
  readonly origin: string
  readonly key: string
  readonly signal: AbortSignal
}

const problem = z.object({ detail: z.string() })

/** Paths are those below /admin/v1. */
export function createAdminClient(target: AdminTarget): AdminClient {
  async function send<S extends z.ZodType>(method: string, path: string, body: object | undefined, answer: S) {
    const response = await fetch(`${target.origin}/admin/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${target.key}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: target.signal,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${reasonIn(text)}`)
    const parsed = answer.safeParse(text === '' ? undefined : JSON.parse(text))
    if (!parsed.success) throw new Error(`${method} ${path} answered something else:\n${z.prettifyError(parsed.error)}`)
    return parsed.data
  }

  async function list<S extends z.ZodType>(path: string, item: S): Promise<z.output<S>[]> {
    const page = z.object({ items: z.array(item), next: z.string().nullable().default(null) })
    const items: z.output<S>[] = []
    for (let after: string | null = ''; after !== null; ) {
      const query: string = after === '' ? '' : `${path.includes('?') ? '&' : '?'}after=${encodeURIComponent(after)}`
      const found: z.output<typeof page> = await send('GET', path + query, undefined, page)
      items.push(...found.items)
      after = found.next
    }
    return items
  }

  return {
    get: (path, answer) => send('GET', path, undefined, answer),
    post: (path, body, answer) => send('POST', path, body, answer),
    patch: (path, body, answer) => send('PATCH', path, body, answer),
    list,
  }
}

function reasonIn(text: string): string {
  try {
    return problem.parse(JSON.parse(text)).detail
  } catch {
    return text.slice(0, 300)
  }
}
