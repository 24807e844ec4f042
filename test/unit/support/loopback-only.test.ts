import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'

// 192.0.2.0/24 is set aside for documentation: nobody is ever there (RFC 5737).
const elsewhere = '192.0.2.1'
const refusal = /only use loopback/

const server = createServer((socket) => socket.end('here'))
let port = 0
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => server.close())

it('a test can connect to this machine, by number and by name', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const [data] = await once(connect({ host, port, autoSelectFamily: true }), 'data')
    expect(String(data)).toBe('here')
  }
})

it('a test that connects to another machine fails at once', () => {
  expect(() => connect({ host: elsewhere, port: 80 })).toThrow(refusal)
  expect(() => connect(80, elsewhere)).toThrow(refusal)
  expect(() => connect(80, 'example.com')).toThrow(refusal)
})

it('fetch goes to this machine and to no other', async () => {
  await expect(fetch(`http://${elsewhere}/`)).rejects.toMatchObject({
    cause: { message: expect.stringMatching(refusal) },
  })
  // Our small server speaks no HTTP; that it was reached is the point.
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ cause: { code: 'HPE_INVALID_CONSTANT' } })
})

it('a datagram goes to this machine and to no other', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const received = once(socket, 'message')
  socket.send('hello', socket.address().port, '127.0.0.1')
  expect(String((await received)[0])).toBe('hello')
  expect(() => socket.send('hello', 53, elsewhere)).toThrow(refusal)
  socket.close()
})

it('a resolver asks a DNS server on this machine and no other', async () => {
  const resolver = new dns.promises.Resolver({ timeout: 100, tries: 1 })
  resolver.setServers([`${elsewhere}:53`])
  expect(() => resolver.resolveTxt('example.com')).toThrow(refusal)
  resolver.setServers(['127.0.0.1:1'])
  await expect(resolver.resolveTxt('example.com')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(dns.promises.resolveTxt('example.com')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
