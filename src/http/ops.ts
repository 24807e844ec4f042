// For whoever watches: `/healthz` says that the process answers, `/readyz` that it can do its work.

import express, { type Router } from 'express'

export interface Readiness {
  /** What is asked, e.g. `database`, and whether it answers. Never throws. */
  readonly [what: string]: () => Promise<boolean>
}

/** 200 when everything answers, otherwise 503; the body names each part. */
export function opsRouter(readiness: Readiness): Router {
  const router = express.Router()
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  router.get('/readyz', async (_request, response) => {
    const answers = await Promise.all(
      Object.entries(readiness).map(async ([what, ask]) => [what, (await ask()) ? 'ok' : 'unreachable'] as const),
    )
    const ready = answers.every(([, answer]) => answer === 'ok')
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'unready', parts: Object.fromEntries(answers) })
  })
  return router
}
