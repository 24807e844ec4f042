// What the identity providers of the demonstration send SCIM with: a bearer token, their own name, and an error that
// says what the door answered. The requests themselves are in okta-push.ts and entra-push.ts.

import { z } from 'zod'

export interface ScimTarget {
  /** With the directory's id, without a slash at the end. */
  readonly baseUrl: string
  readonly token: string
  readonly signal?: AbortSignal | undefined
}

export interface ScimClient {
  /** Asks for resources by a filter, as vendors probe before they create; answers the first one's id. */
  probe(path: string, query: Readonly<Record<string, string>>): Promise<string | undefined>
  /** Answers the new resource's id; anything but 201 is an error. */
  create(path: string, resource: object): Promise<string>
  patch(path: string, operations: readonly object[]): Promise<void>
}

const resource = z.object({ id: z.string() })
const listResponse = z.object({ totalResults: z.number().int(), Resources: z.array(resource).default([]) })
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** `headers`: what the vendor sends with each request. */
export function createScimClient(target: ScimTarget, headers: Readonly<Record<string, string>>): ScimClient {
  async function send(method: string, path: string, expected: readonly number[], body?: object): Promise<unknown> {
    const response = await fetch(target.baseUrl + path, {
      method,
      headers: { ...headers, authorization: `Bearer ${target.token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(target.signal === undefined ? {} : { signal: target.signal }),
    })
    const text = await response.text()
    if (!expected.includes(response.status)) {
      throw new Error(`${method} ${path.split('?', 1)[0]} was answered with ${response.status}: ${text.slice(0, 300)}`)
    }
    return text === '' ? undefined : JSON.parse(text)
  }

  return {
    async probe(path, query) {
      const found = listResponse.parse(await send('GET', `${path}?${encodeQuery(query)}`, [200]))
      return found.Resources[0]?.id
    },
    async create(path, created) {
      return resource.parse(await send('POST', path, [201], created)).id
    },
    async patch(path, operations) {
      await send('PATCH', path, [200, 204], { schemas: [patchOp], Operations: operations })
    },
  }
}

/** Spaces as %20: vendors do not send the form encoding. */
function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}
