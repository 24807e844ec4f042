// The safe fetch against real servers on loopback. Names are resolved by a fake resolver, the one thing faked here.

import { createServer, type RequestListener, type Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listenOnLoopback } from '../../../src/demo/loopback-server.ts'
import { createSafeFetch, isPublicAddress, type SafeFetchOptions } from '../../../src/identity/safe-fetch.ts'

let base: string
let stop: () => Promise<void>
let server: Server
let answer: RequestListener
let reached = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    reached += 1
    answer(request, response)
  })
  const listening = await listenOnLoopback(server, 0)
  base = `http://127.0.0.1:${listening.port}`
  stop = listening.stop
})
afterAll(() => stop())

async function fetching(url: string, options: Partial<SafeFetchOptions> = {}) {
  const safe = createSafeFetch({ allowPrivateNetworks: true, ...options })
  try {
    return await safe.fetch(url)
  } finally {
    await safe.close()
  }
}

const resolvesTo =
  (...addresses: string[]): LookupFunction =>
  (_, options, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all) callback(null, found)
    else callback(null, found[0]?.address ?? '', found[0]?.family)
  }

describe('an address is public', () => {
  test.each(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('when it is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '240.0.0.1',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'localhost',
    '',
  ])('not when it is %j', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('the safe fetch', () => {
  test('returns status, headers and body of what it may reach', async () => {
    answer = (_, response) => response.writeHead(201, { 'x-test': 'yes' }).end('{"ok":true}')
    const response = await fetching(base)
    expect([response.status, response.headers.get('x-test')]).toEqual([201, 'yes'])
    expect(await response.json()).toEqual({ ok: true })
  })

  test('sends method, headers and body', async () => {
    const seen: string[] = []
    answer = (request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => seen.push(chunk))
      request.on('end', () => response.end(`${request.method} ${request.headers['x-a']}`))
    }
    const safe = createSafeFetch({ allowPrivateNetworks: true })
    const body = new URLSearchParams({ a: '1' })
    const response = await safe.fetch(base, { method: 'POST', headers: { 'x-a': 'b' }, body })
    expect([await response.text(), seen.join('')]).toEqual(['POST b', 'a=1'])
    await safe.close()
  })

  test.each([
    ['a loopback literal', 'https://127.0.0.1/'],
    ['a private literal', 'https://10.0.0.1/'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['a literal in decimal', 'https://2130706433/'],
    ['a literal in hexadecimal', 'https://0x7f.1/'],
    ['a literal with leading zeros', 'https://0177.0.0.1/'],
    ['an IPv6 loopback literal', 'https://[::1]/'],
    ['an IPv4 address inside IPv6', 'https://[::ffff:127.0.0.1]/'],
    ['a translated address', 'https://[64:ff9b::7f00:1]/'],
  ])('does not connect to %s', async (_, url) => {
    const refused = fetching(url, { allowPrivateNetworks: false })
    await expect(refused).rejects.toMatchObject({ reason: 'address' })
  })

  test.each([
    ['to a private address', resolvesTo('127.0.0.1')],
    ['to a public and a private address', resolvesTo('8.8.8.8', '10.0.0.1')],
    ['to an IPv6 loopback address', resolvesTo('::1')],
    ['to nothing', resolvesTo()],
  ])('does not connect to a name that resolves %s', async (_, lookup) => {
    const refused = fetching('https://idp.evil.localhost/', { allowPrivateNetworks: false, lookup })
    await expect(refused).rejects.toMatchObject({ reason: 'address' })
  })

  test('connects to the very address it has checked: a second resolution never happens', async () => {
    let resolutions = 0
    const lookup: LookupFunction = (hostname, options, callback) => {
      resolutions += 1
      resolvesTo(resolutions === 1 ? '127.0.0.1' : '10.255.255.1')(hostname, options, callback)
    }
    answer = (_, response) => response.end('here')
    const { port } = new URL(base)
    const response = await fetching(`http://localhost:${port}/`, { lookup })
    expect([await response.text(), resolutions]).toEqual(['here', 1])
  })

  test.each([
    ['plain http to another machine', 'http://10.0.0.1/', 'protocol'],
    ['plain http to a name that only looks local', 'http://localhost.evil.test/', 'protocol'],
    ['a file', 'file:///etc/passwd', 'protocol'],
    ['credentials in the address', 'https://user:secret@idp.acme.test/', 'url'],
    ['what is not an address', 'idp.acme.test', 'url'],
  ])('refuses %s even where private networks are allowed', async (_, url, reason) => {
    await expect(fetching(url)).rejects.toMatchObject({ reason })
  })

  test('refuses plain http on loopback where private networks are not allowed', async () => {
    await expect(fetching(base, { allowPrivateNetworks: false })).rejects.toMatchObject({ reason: 'protocol' })
  })

  test('does not follow a redirect', async () => {
    answer = (_, response) => response.writeHead(302, { location: `${base}/other` }).end()
    reached = 0
    await expect(fetching(base)).rejects.toMatchObject({ reason: 'redirect' })
    expect(reached).toBe(1)
  })

  test('stops a body that is too large, also one that is small until it is unpacked', async () => {
    answer = (_, response) => response.end(Buffer.alloc(2_000))
    await expect(fetching(base, { maxBytes: 1_999 })).rejects.toMatchObject({ reason: 'too_large' })
    expect((await (await fetching(base, { maxBytes: 2_000 })).arrayBuffer()).byteLength).toBe(2_000)
    answer = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000)))
    await expect(fetching(base, { maxBytes: 50_000 })).rejects.toMatchObject({ reason: 'too_large' })
    expect((await (await fetching(base)).arrayBuffer()).byteLength).toBe(100_000)
  })

  test('gives up on a server that never answers, and on one that never finishes', async () => {
    answer = () => undefined
    await expect(fetching(base, { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'timeout' })
    answer = (_, response) => void response.writeHead(200).write('x')
    await expect(fetching(base, { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('says when nobody listens', async () => {
    await expect(fetching('http://127.0.0.1:1/')).rejects.toMatchObject({ reason: 'unreachable' })
  })
})
