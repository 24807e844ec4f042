// Tests talk to servers they started themselves and to nothing else. Whatever tries to leave this
// machine fails at once with a sentence that says so, instead of depending on somebody's network.

import { Socket as DatagramSocket } from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'

const loopback = new net.BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function refuseUnlessLoopback(host: string, what: string): void {
  const family = net.isIP(host)
  if (host === 'localhost' || host.endsWith('.localhost')) return
  if (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')) return
  throw new Error(`Tests may only use loopback, but something wanted ${what} ${host}`)
}

/** The host in any of the forms that net.Socket.connect takes; undefined for a path or the default host. */
function hostOf(args: readonly unknown[]): string | undefined {
  // net.connect() calls the method with its arguments already normalised into one array.
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null) {
    return 'host' in first && typeof first.host === 'string' && !('path' in first && first.path)
      ? first.host
      : undefined
  }
  return typeof second === 'string' ? second : undefined
}

function guard(owner: object, method: string, check: (self: unknown, args: readonly unknown[]) => void): void {
  const original: unknown = Reflect.get(owner, method)
  if (typeof original !== 'function') return
  Reflect.set(owner, method, function guarded(this: unknown, ...args: unknown[]): unknown {
    check(this, args)
    return Reflect.apply(original, this, args)
  })
}

guard(net.Socket.prototype, 'connect', (_self, args) => {
  const host = hostOf(args)
  if (host !== undefined) refuseUnlessLoopback(host, 'a connection to')
})

// send(message, [offset, length,] port, address): the address is the one string beside the message.
guard(DatagramSocket.prototype, 'send', (_self, args) => {
  const address = args.slice(1).find((arg) => typeof arg === 'string')
  if (typeof address === 'string') refuseUnlessLoopback(address, 'a datagram to')
})

// Node's resolvers have sockets of their own, outside node:net.
for (const prototype of [dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const method of Object.getOwnPropertyNames(dns.Resolver.prototype)) {
    if (!/^(?:resolve|reverse)/.test(method)) continue
    guard(prototype, method, (self) => {
      if (!(self instanceof dns.Resolver) && !(self instanceof dns.promises.Resolver)) return
      for (const server of self.getServers())
        refuseUnlessLoopback(server.replace(/^\[|\](?::\d+)?$|(?<=\.\d+):\d+$/g, ''), 'DNS from')
    })
  }
}
// The module's own functions ask the default servers: nobody answers here.
dns.setServers(['127.0.0.1:1'])
