// A mail server on loopback that takes everything and keeps it, or refuses as it is told. As much of RFC 5321 as
// a client needs to hand one mail over.

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

export interface SmtpSink {
  readonly url: string
  /** Whole messages, headers and all. */
  readonly messages: string[]
  /** Recipients, one of each message. */
  readonly recipients: string[]
  /** What to answer to RCPT instead of taking it, e.g. `550 no such user`; undefined takes it. */
  refusal: string | undefined
  stop(): Promise<void>
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const messages: string[] = []
  const recipients: string[] = []
  const sockets = new Set<Socket>()
  const state: { refusal: string | undefined } = { refusal: undefined }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    const say = (line: string) => void socket.write(`${line}\r\n`)
    let rest = ''
    let message: string[] | undefined
    const hear = (line: string) => {
      if (message !== undefined) {
        if (line !== '.') message.push(line.replace(/^\./, ''))
        else {
          messages.push(message.join('\n'))
          message = undefined
          say('250 taken')
        }
        return
      }
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'RCPT') {
        if (state.refusal === undefined) recipients.push(/<([^>]*)>/.exec(line)?.[1] ?? '')
        say(state.refusal ?? '250 ok')
      } else if (verb === 'DATA') {
        message = []
        say('354 go on')
      } else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else say('250 ok')
    }
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      rest += chunk
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        hear(line)
      }
    })
    say('220 sink')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    recipients,
    get refusal() {
      return state.refusal
    },
    set refusal(refusal) {
      state.refusal = refusal
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
