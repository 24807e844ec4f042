// As much of a browser as walking a login needs: a cookie jar, redirects, self-posting forms. No scripts. Used by
// the demonstration and by tests to go through front doors the way a person does.

export interface PageForm {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export interface Page {
  /** Where the walk ended, redirects followed. */
  readonly url: string
  readonly status: number
  readonly html: string
  /** The first form of the page, its action made absolute. */
  readonly form: PageForm | undefined
}

export interface PlainBrowser {
  get(url: string, until?: (url: URL) => boolean): Promise<Page>
  /** Form-encoded, as a self-posting page does. */
  post(url: string, fields: Readonly<Record<string, string>>, until?: (url: URL) => boolean): Promise<Page>
  /** Asks for JSON with this browser's cookies, as a page's script would; the answer's status has to be 200. */
  getJson(url: string): Promise<unknown>
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

const maxRedirects = 20

/**
 * One person's browser. A redirect to an address for which `until` answers true is not followed: the page returned
 * then has that address, status 0 and no content. Aborting the signal ends whatever is under way.
 */
export function createPlainBrowser(options: { readonly signal?: AbortSignal } = {}): PlainBrowser {
  const { signal = null } = options
  const jar = new Map<string, Map<string, Cookie>>()
  let shown: URL | undefined

  async function walk(start: string, init: RequestInit, until: (url: URL) => boolean): Promise<Page> {
    let url = new URL(start)
    let request = init
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const headers = new Headers(request.headers)
      headers.set('cookie', cookiesFor(jar, url))
      const response = await fetch(url, { ...request, headers, redirect: 'manual', signal })
      keepCookies(jar, url, response.headers.getSetCookie())
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) {
        const html = await response.text()
        shown = url
        return { url: url.href, status: response.status, html, form: readForm(html, url) }
      }
      await response.body?.cancel()
      url = new URL(location, url)
      if (until(url)) return { url: url.href, status: 0, html: '', form: undefined }
      request = {}
    }
    throw new Error(`more than ${maxRedirects} redirects from ${new URL(start).origin}`)
  }

  return {
    get: (url, until = () => false) => walk(url, {}, until),
    post: (url, fields, until = () => false) => {
      // What a browser says about where a form comes from; doors that check it need the truth.
      const own = shown !== undefined && shown.origin === new URL(url).origin
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': own ? 'same-origin' : 'cross-site',
        origin: shown?.origin ?? 'null',
      }
      return walk(url, { method: 'POST', headers, body: new URLSearchParams({ ...fields }).toString() }, until)
    },
    async getJson(url) {
      const headers = { accept: 'application/json', cookie: cookiesFor(jar, new URL(url)) }
      const response = await fetch(url, { headers, redirect: 'manual', signal })
      keepCookies(jar, new URL(url), response.headers.getSetCookie())
      if (response.status !== 200) throw new Error(`${new URL(url).pathname} answered ${response.status}`)
      return response.json()
    },
  }
}

function cookiesFor(jar: Map<string, Map<string, Cookie>>, url: URL): string {
  const cookies = [...(jar.get(url.host)?.values() ?? [])].filter((cookie) => url.pathname.startsWith(cookie.path))
  return cookies.map((cookie) => `${cookie.name}=${cookie.value}`).join('; ')
}

function keepCookies(jar: Map<string, Map<string, Cookie>>, url: URL, headers: readonly string[]) {
  const cookies = jar.get(url.host) ?? new Map<string, Cookie>()
  jar.set(url.host, cookies)
  for (const header of headers) {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
    const split = pair.indexOf('=')
    const cookie = {
      name: pair.slice(0, split),
      value: pair.slice(split + 1),
      path: readAttribute(attributes, 'path') ?? '/',
    }
    const expires = readAttribute(attributes, 'expires')
    const over =
      readAttribute(attributes, 'max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now())
    if (over) cookies.delete(`${cookie.name} ${cookie.path}`)
    else cookies.set(`${cookie.name} ${cookie.path}`, cookie)
  }
}

function readAttribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((attribute) => attribute.toLowerCase().startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

function readForm(html: string, base: URL): PageForm | undefined {
  const form = html.match(/<form[^>]*>/)?.[0]
  if (form === undefined) return undefined
  const fields: Record<string, string> = {}
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = readMarkup(input, 'name')
    if (name !== '') fields[name] = readMarkup(input, 'value')
  }
  return { action: new URL(readMarkup(form, 'action'), base).href, fields }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function readMarkup(tag: string, name: string): string {
  const raw = tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? ''
  return raw.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, entity: string | undefined) =>
    code === undefined ? (entities[entity ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  )
}
