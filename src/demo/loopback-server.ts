// Binds an HTTP server of the demonstration's identity providers to 127.0.0.1 and stops it again.

import type { Server } from 'node:http'

export interface LoopbackServer {
  readonly port: number
  /** Ends open connections too, so that it returns at once. */
  stop(): Promise<void>
}

/** Listens on the port (0: any free one); rejects with the system's error when it is taken. */
export async function listenOnLoopback(server: Server, port: number): Promise<LoopbackServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
