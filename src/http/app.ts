// Every door of the service, as one list. What stands in front of all of them and nothing else.

import express, { type Express, type RequestHandler, type Router } from 'express'

export interface Door {
  readonly path: string
  readonly router: Router | RequestHandler
}

export interface AppOptions {
  /** How many proxies in front are trusted for the client's address. */
  readonly trustProxy: number
  /** Mounted in this order. */
  readonly doors: readonly Door[]
}

export function createApp({ trustProxy, doors }: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', trustProxy)
  app.set('query parser', 'simple')
  for (const { path, router } of doors) app.use(path, router)
  return app
}
