// A small authoritative DNS server on loopback, so that invented domains can be proved like real ones. It answers
// for the zones it was told about, over UDP. Other names it refuses, or passes on: Node's resolver asks its next
// server only after silence, never after a refusal, so being first in a list would hide the real DNS.

import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import dnsPacket, { type Answer, type Packet, type Question } from 'dns-packet'

export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Makes the server answer for the zone; names in it that hold nothing do not exist. */
  addZone(zone: string): void
  /** Replaces the TXT records of a name; none removes the name. The name has to lie in a zone. */
  publish(name: string, ...texts: readonly string[]): void
  stop(): Promise<void>
}

const noSuchName = 3
const refused = 5
const ttlSeconds = 60

const forwardTimeoutMs = 5_000

/**
 * Listens on any free UDP port of 127.0.0.1. `forwardTo` is the resolver that gets the questions about foreign
 * names, as `dns.getServers()` writes it: an address, with its port where that is not 53.
 */
export async function startDnsServer(options: { readonly forwardTo?: string } = {}): Promise<DnsServer> {
  const zones = new Set<string>()
  const records = new Map<string, readonly string[]>()
  const socket = createSocket('udp4')
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const query = readQuery(message)
    if (query === undefined) return
    const reply = (answer: Buffer) => socket.send(answer, from.port, from.address, () => {})
    if (options.forwardTo === undefined || zoneOf(query.name, zones) !== undefined)
      reply(answerTo(query, zones, records))
    else forward(message, options.forwardTo, reply)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    addZone: (zone) => void zones.add(canonical(zone)),
    publish(name, ...texts) {
      const key = canonical(name)
      if (zoneOf(key, zones) === undefined) throw new Error(`this DNS server does not answer for ${name}`)
      if (texts.length > 0) records.set(key, texts)
      else records.delete(key)
    },
    stop: () => new Promise((resolve) => void socket.close(() => resolve())),
  }
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function zoneOf(name: string, zones: ReadonlySet<string>): string | undefined {
  return [...zones].find((zone) => name === zone || name.endsWith(`.${zone}`))
}

interface Query {
  readonly id: number
  readonly question: Question
  readonly name: string
}

/** Nothing for what is not one question (RFC 1035 section 4): it gets no answer either. */
function readQuery(message: Buffer): Query | undefined {
  const packet = decode(message)
  const [question, ...others] = packet?.questions ?? []
  if (packet?.type !== 'query' || question === undefined || others.length > 0) return undefined
  return { id: packet.id ?? 0, question, name: canonical(question.name) }
}

function decode(message: Buffer): Packet | undefined {
  try {
    return dnsPacket.decode(message)
  } catch {
    return undefined
  }
}

function answerTo(
  { id, question, name }: Query,
  zones: ReadonlySet<string>,
  records: ReadonlyMap<string, readonly string[]>,
): Buffer {
  const zone = zoneOf(name, zones)
  const { code, answers } = zone === undefined ? { code: refused, answers: [] } : look(question, name, zone, records)
  return dnsPacket.encode({
    type: 'response',
    id,
    flags: code | (zone === undefined ? 0 : dnsPacket.AUTHORITATIVE_ANSWER),
    questions: [question],
    answers,
    ...(zone === undefined || answers.length > 0 ? {} : { authorities: [authority(zone)] }),
  })
}

/** Passes the packet on and its answer back; without one in time the asker waits in vain, as it would there. */
function forward(message: Buffer, resolver: string, reply: (answer: Buffer) => void): void {
  const [, address = resolver, port = '53'] =
    /^\[(.+)\]:(\d+)$/.exec(resolver) ?? /^([\d.]+):(\d+)$/.exec(resolver) ?? []
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const timer = setTimeout(() => socket.close(), forwardTimeoutMs).unref()
  const end = () => {
    clearTimeout(timer)
    socket.close()
  }
  socket.unref()
  socket.once('error', end)
  socket.once('message', (answer) => {
    end()
    reply(answer)
  })
  socket.send(message, Number(port), address)
}

function look(
  question: Question,
  name: string,
  zone: string,
  records: ReadonlyMap<string, readonly string[]>,
): { readonly code: number; readonly answers: Answer[] } {
  const texts = records.get(name)
  const exists = name === zone || [...records.keys()].some((held) => held === name || held.endsWith(`.${name}`))
  if (!exists) return { code: noSuchName, answers: [] }
  if (question.type !== 'TXT') return { code: 0, answers: [] }
  return {
    code: 0,
    answers: (texts ?? []).map((text) => ({ type: 'TXT', name: question.name, ttl: ttlSeconds, data: text })),
  }
}

/** What a resolver needs to believe that there is nothing (RFC 2308). */
function authority(zone: string): Answer {
  return {
    type: 'SOA',
    name: zone,
    ttl: ttlSeconds,
    data: {
      mname: `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: ttlSeconds,
    },
  }
}
