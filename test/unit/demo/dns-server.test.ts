import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DnsServer, startDnsServer } from '../../../src/demo/dns-server.ts'

let server: DnsServer
let resolver: Resolver

beforeAll(async () => {
  server = await startDnsServer()
  server.addZone('acme.example')
  server.publish('_challenge.acme.example', 'token=1', 'another')
  resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([server.address])
})
afterAll(() => server.stop())

test('a published TXT record is answered, whatever the case of the name', async () => {
  expect(await resolver.resolveTxt('_Challenge.ACME.example')).toEqual([['token=1'], ['another']])
})

test('a name that holds nothing in a known zone does not exist, the zone itself does', async () => {
  await expect(resolver.resolveTxt('nothing.acme.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  await expect(resolver.resolveTxt('acme.example')).rejects.toMatchObject({ code: 'ENODATA' })
  await expect(resolver.resolve4('_challenge.acme.example')).rejects.toMatchObject({ code: 'ENODATA' })
})

test('a foreign zone is refused, and passed on where there is a resolver for it', async () => {
  await expect(resolver.resolveTxt('elsewhere.example')).rejects.toMatchObject({ code: 'EREFUSED' })
  server.addZone('real.example')
  server.publish('real.example', 'there')
  const local = await startDnsServer({ forwardTo: server.address })
  local.addZone('invented.example')
  local.publish('invented.example', 'here')
  const both = new Resolver({ timeout: 1_000, tries: 1 })
  both.setServers([local.address])
  expect(await both.resolveTxt('invented.example')).toEqual([['here']])
  expect(await both.resolveTxt('real.example')).toEqual([['there']])
  await local.stop()
})

test('what is not a question gets no answer and does no harm', async () => {
  const [, port] = server.address.split(':')
  const socket = createSocket('udp4')
  for (const message of ['', 'x', '\0'.repeat(12), '\xff'.repeat(40)]) {
    await new Promise((resolve) => socket.send(Buffer.from(message, 'latin1'), Number(port), '127.0.0.1', resolve))
  }
  socket.close()
  expect(await resolver.resolveTxt('_challenge.acme.example')).toHaveLength(2)
})

test('a record outside the known zones cannot be published, and one taken back is gone', async () => {
  expect(() => server.publish('other.example', 'x')).toThrow('does not answer')
  server.publish('gone.acme.example', 'x')
  expect(await resolver.resolveTxt('gone.acme.example')).toEqual([['x']])
  server.publish('gone.acme.example')
  await expect(resolver.resolveTxt('gone.acme.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
})
