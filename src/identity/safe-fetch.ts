// The one way this server calls an address that an admin or an identity provider chose (discovery, keys, token
// and userinfo endpoints). Only public unicast addresses, checked on the very addresses the socket connects to,
// no redirects, a time and a size limit. Whoever creates it closes it.

import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, fetch as undiciFetch } from 'undici'

export interface SafeFetchOptions {
  /**
   * Also reach private addresses by https, and loopback by plain http as well: for tests, for development and for
   * identity providers inside one's own network. Off unless the deployment says so.
   */
  readonly allowPrivateNetworks: boolean
  /** For the whole exchange, body included. */
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Name resolution; the system's when left out. */
  readonly lookup?: LookupFunction
}

export interface SafeFetchRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | URLSearchParams | null
  readonly signal?: AbortSignal
}

export interface SafeFetch {
  /** Rejects with an {@link UnsafeFetchError} when a rule refuses; the response's body is already complete. */
  readonly fetch: (url: string, request?: SafeFetchRequest) => Promise<Response>
  readonly close: () => Promise<void>
}

export type UnsafeFetchReason = 'url' | 'protocol' | 'address' | 'redirect' | 'timeout' | 'too_large' | 'unreachable'

export class UnsafeFetchError extends Error {
  override readonly name = 'UnsafeFetchError'
  readonly reason: UnsafeFetchReason

  constructor(reason: UnsafeFetchReason, cause?: unknown) {
    super(`fetch refused: ${reason}`, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

const defaultTimeoutMs = 5_000
const defaultMaxBytes = 512 * 1024
/** 2000::/3 is all that IANA has given out for global unicast; translated and deprecated forms lie outside it. */
const globalUnicastV6 = ipaddr.IPv6.parse('2000::')

/** Creates a fetch with connections of its own. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { allowPrivateNetworks } = options
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  const lookup = guardLookup(options.lookup ?? systemLookup, allowPrivateNetworks)
  const agent = new Agent({
    connect: { lookup, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })

  async function fetch(address: string, request: SafeFetchRequest = {}): Promise<Response> {
    const url = parseUrl(address)
    checkUrl(url, allowPrivateNetworks)
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal])
    try {
      const response = await undiciFetch(url, {
        method: request.method ?? 'GET',
        headers: { ...request.headers },
        body: request.body ?? null,
        redirect: 'manual',
        signal,
        dispatcher: agent,
      })
      if (response.status >= 300 && response.status < 400) throw new UnsafeFetchError('redirect')
      const body = await readBody(response.body, maxBytes)
      const bodyless = response.status === 204 || response.status === 205
      const headers = [...response.headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
      return new Response(bodyless ? null : body, { status: response.status, headers })
    } catch (error) {
      throw explain(error, limit)
    }
  }

  return { fetch, close: () => agent.destroy() }
}

/** Whether an IP address in text form is one that anybody on the internet may be asked to connect to. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // process() turns ::ffff:127.0.0.1 into 127.0.0.1, so a mapped address is judged as what it reaches.
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed instanceof ipaddr.IPv6 && parsed.match(globalUnicastV6, 3))
}

/** https, or http to this very machine where that is allowed. */
export function isSecureUrl(url: URL, allowInsecureLoopback: boolean): boolean {
  if (url.protocol === 'https:') return true
  return (
    allowInsecureLoopback && url.protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
  )
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}

function parseUrl(address: string): URL {
  try {
    return new URL(address)
  } catch (error) {
    throw new UnsafeFetchError('url', error)
  }
}

/** The rules that need no name resolution. IP literals are judged here because the lookup never sees them. */
function checkUrl(url: URL, allowPrivateNetworks: boolean) {
  if (url.username !== '' || url.password !== '') throw new UnsafeFetchError('url')
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const literal = isIP(host) !== 0
  const plainLoopback =
    url.protocol === 'http:' && allowPrivateNetworks && (host === 'localhost' || (literal && isLoopback(host)))
  if (url.protocol !== 'https:' && !plainLoopback) throw new UnsafeFetchError('protocol')
  if (literal && !allowPrivateNetworks && !isPublicAddress(host)) throw new UnsafeFetchError('address')
}

/**
 * The socket connects to exactly what this returns, so a name cannot be checked as one address and reached as
 * another. One address that is not public refuses the name as a whole.
 */
function guardLookup(lookup: LookupFunction, allowPrivateNetworks: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error) return callback(error, '')
      const addresses = typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found
      const [first] = addresses
      const refused =
        first === undefined || !addresses.every(({ address }) => allowPrivateNetworks || isPublicAddress(address))
      if (refused) return callback(new UnsafeFetchError('address'), '')
      if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

async function readBody(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.byteLength
    // Counted after decompression, so a small body that unpacks to a large one is stopped as well.
    if (length > maxBytes) throw new UnsafeFetchError('too_large')
    chunks.push(chunk)
  }
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

function explain(error: unknown, limit: AbortSignal): UnsafeFetchError {
  if (error instanceof UnsafeFetchError) return error
  // undici wraps what the lookup refused in a TypeError "fetch failed".
  if (error instanceof Error && error.cause instanceof UnsafeFetchError) return error.cause
  return new UnsafeFetchError(limit.aborted ? 'timeout' : 'unreachable', error)
}
