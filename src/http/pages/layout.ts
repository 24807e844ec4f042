// The one look of the pages that people see: a card in the middle of a plain page, light or dark as the device
// is. No script, nothing loaded from anywhere, and a policy that forbids both.

import { createHash } from 'node:crypto'
import type { Response } from 'express'
import { Html, html } from './html.ts'

const style = `:root{color-scheme:light dark;--ink:#1b2330;--soft:#5a6577;--line:#dfe4ea;--card:#fff;--page:#f3f5f8;--accent:#2457d6;--warn:#a4341f}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b8;--line:#2c3543;--card:#171d27;--page:#0e131a;--accent:#7fa4ff;--warn:#ff9c88}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:2rem 1rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem;box-shadow:0 8px 30px rgb(15 25 45 / 8%)}
main.wide{max-width:52rem}
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}
h2{margin:1.5rem 0 .25rem;font-size:1rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}.small{font-size:.85rem}.warn{color:var(--warn)}
label{display:block;margin:1rem 0 .25rem;font-weight:600}
input{width:100%;padding:.65rem .75rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit}
input.code{font-size:1.5rem;letter-spacing:.2em;text-align:center;font-variant-numeric:tabular-nums}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button{margin-top:1.25rem;width:100%;padding:.7rem 1rem;border:0;border-radius:8px;background:var(--accent);color:var(--card);font:inherit;font-weight:600;cursor:pointer}
a{color:var(--accent)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.4rem 1.25rem;margin:1.25rem 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
pre{margin:.5rem 0 0;padding:1rem;border:1px solid var(--line);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,Menlo,Consolas,monospace}
ul{padding-left:1.2rem}`

const styleHash = createHash('sha256').update(style, 'utf8').digest('base64')

/** No script at all, this one style, forms that post to this service only, no frame around it. */
const policy = [
  `default-src 'none'`,
  `style-src 'sha256-${styleHash}'`,
  `form-action 'self'`,
  `frame-ancestors 'none'`,
  `base-uri 'none'`,
].join('; ')

export interface Page {
  readonly title: string
  readonly body: Html
  /** Loads itself again after so many seconds. */
  readonly refreshSeconds?: number
  readonly wide?: boolean
}

/** Headers that every answer to a browser carries; `https` says whether the service is reached by it. */
export function browserHeaders(https: boolean): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Cache-Control': 'no-store',
    ...(https ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
  }
}

export function sendPage(response: Response, status: number, page: Page): void {
  const refresh =
    page.refreshSeconds === undefined ? undefined : html`<meta http-equiv="refresh" content="${page.refreshSeconds}">`
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} · Rollcall</title>
${refresh}
<style>${new Html(style)}</style>
</head>
<body><main${new Html(page.wide === true ? ' class="wide"' : '')}>
${page.body}
</main></body>
</html>
`
  response.status(status).type('html').send(document.text)
}
