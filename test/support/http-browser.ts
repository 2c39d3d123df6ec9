// A browser without a window: cookies, redirects, forms. For rings that need pages but no screen. It sends what a browser sends with a
// form (Origin, Sec-Fetch-Site) and keeps cookies by host, as browsers do; it runs no script.

export type Form = {
  action: string
  method: string
  fields: Record<string, string>
  names: string[]
  buttons: { name: string; value: string }[]
}

export type Page = {
  url: string
  status: number
  headers: Headers
  text: string
  forms: Form[]
  /** Targets of links, and of a meta refresh. */
  links: string[]
  refresh?: string
  /** Addresses on the way here, the one that was asked for first. */
  trail: string[]
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", apos: "'" }
const decoded = (text: string): string => text.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)

const attributesOf = (tag: string): Record<string, string> =>
  Object.fromEntries(
    [...tag.matchAll(/([\w:-]+)(?:\s*=\s*"([^"]*)")?/g)].map(([, name, value]) => [name?.toLowerCase(), decoded(value ?? '')]),
  )

const formsOf = (html: string, url: string): Form[] =>
  [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = '', body = '']) => {
    const { action, method } = attributesOf(head)
    const form: Form = {
      action: new URL(action || url, url).href,
      method: (method || 'get').toUpperCase(),
      fields: {},
      names: [],
      buttons: [],
    }
    for (const [, kind = '', tag = ''] of body.matchAll(/<(input|button|select|textarea)\b([^>]*)>/gi)) {
      const { name, value = '', type } = attributesOf(tag)
      if (!name) continue
      if (kind.toLowerCase() === 'button') form.buttons.push({ name, value })
      else {
        form.names.push(name)
        if (type !== 'checkbox' && type !== 'radio') form.fields[name] = value
      }
    }
    return form
  })

const pageOf = async (url: string, answer: Response, trail: string[]): Promise<Page> => {
  const text = await answer.text()
  const refresh = /<meta[^>]*http-equiv="refresh"[^>]*content="\d+;\s*url=([^"]*)"/i.exec(text)?.[1]
  return {
    url,
    status: answer.status,
    headers: answer.headers,
    text,
    forms: formsOf(text, url),
    links: [...text.matchAll(/<a\b([^>]*)>/gi)]
      .flatMap(([, tag = '']) => attributesOf(tag).href ?? [])
      .map((href) => new URL(href, url).href),
    ...(refresh !== undefined && { refresh: new URL(decoded(refresh), url).href }),
    trail,
  }
}

export type Browser = {
  /** Opens an address and follows redirects. Stops without asking at an address that `until` recognizes. */
  open: (url: string, until?: (url: string) => boolean) => Promise<Page>
  /** Fills in and sends the form that has a field (or button) of each of these names. */
  submit: (page: Page, fields: Record<string, string>, until?: (url: string) => boolean) => Promise<Page>
  /** Sends the form whose action contains this text, with fields of one's own. */
  send: (page: Page, action: string, fields?: Record<string, string>, until?: (url: string) => boolean) => Promise<Page>
  /** Calls an endpoint of the page as its script would: JSON, same origin. */
  post: (page: Page, path: string, body: unknown, headers?: Record<string, string>) => Promise<{ status: number; json: unknown }>
  /** Cookies that would be sent to this address. */
  cookies: (url: string) => Record<string, string>
}

type Jar = Map<string, Map<string, string>>

const keepCookies = (jar: Jar, url: string, headers: Headers): void => {
  const { hostname } = new URL(url)
  const kept = jar.get(hostname) ?? new Map<string, string>()
  jar.set(hostname, kept)
  for (const line of headers.getSetCookie()) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    const isGone = attributes.some(
      (one) => /^max-age=(0|-\d+)$/i.test(one) || (/^expires=/i.test(one) && Date.parse(one.slice(8)) < Date.now()),
    )
    if (isGone) kept.delete(name)
    else kept.set(name, pair.slice(at + 1))
  }
}

const cookieHeader = (jar: Jar, url: string): Record<string, string> => {
  const cookies = [...(jar.get(new URL(url).hostname) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  return cookies ? { cookie: cookies } : {}
}

const MOVED = new Set([301, 302, 303, 307, 308])

const stopped = (url: string, trail: string[]): Page => ({ url, status: 0, headers: new Headers(), text: '', forms: [], links: [], trail })

/** A new browser with no cookies. `headers` go with every request (a language, say). */
export const openBrowser = (headers: Readonly<Record<string, string>> = {}): Browser => {
  const jar: Jar = new Map()
  const go = async (url: string, init: RequestInit, until: (url: string) => boolean): Promise<Page> => {
    const trail: string[] = []
    let next = url
    let request = init
    for (let hops = 0; hops < 12; hops++) {
      trail.push(next)
      if (until(next)) return stopped(next, trail)
      const answer = await fetch(next, {
        ...request,
        redirect: 'manual',
        headers: { accept: 'text/html', ...headers, ...(request.headers as Record<string, string>), ...cookieHeader(jar, next) },
      })
      keepCookies(jar, next, answer.headers)
      const location = answer.headers.get('location')
      if (!MOVED.has(answer.status) || location === null) return pageOf(next, answer, trail)
      await answer.body?.cancel()
      next = new URL(location, next).href
      if (answer.status !== 307 && answer.status !== 308) request = {}
    }
    throw new Error(`too many redirects: ${trail.join(' -> ')}`)
  }
  const never = (): boolean => false
  const sendForm = (page: Page, form: Form, fields: Record<string, string>, until: (url: string) => boolean): Promise<Page> => {
    const body = new URLSearchParams({ ...form.fields, ...fields })
    if (form.method === 'GET') return go(`${form.action.split('?')[0]}?${body}`, {}, until)
    const isSame = new URL(form.action).origin === new URL(page.url).origin
    return go(
      form.action,
      {
        method: 'POST',
        body: body.toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: new URL(page.url).origin,
          'sec-fetch-site': isSame ? 'same-origin' : 'cross-site',
        },
      },
      until,
    )
  }
  const describe = (page: Page): string =>
    `${page.status} ${page.url}\n${page.text
      .replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')
      .slice(0, 600)}`
  return {
    open: (url, until = never) => go(url, {}, until),
    submit: (page, fields, until = never) => {
      const wanted = Object.keys(fields)
      const form = page.forms.find((one) =>
        wanted.every((name) => one.names.includes(name) || one.buttons.some((button) => button.name === name)),
      )
      if (!form) throw new Error(`no form with ${wanted.join(', ')} on ${describe(page)}`)
      return sendForm(page, form, fields, until)
    },
    send: (page, action, fields = {}, until = never) => {
      const form = page.forms.find((one) => one.action.includes(action))
      if (!form) throw new Error(`no form to ${action} on ${describe(page)}`)
      return sendForm(page, form, fields, until)
    },
    post: async (page, path, body, more = {}) => {
      const url = new URL(path, page.url).href
      const answer = await fetch(url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          origin: new URL(page.url).origin,
          'sec-fetch-site': 'same-origin',
          ...headers,
          ...more,
          ...cookieHeader(jar, url),
        },
      })
      keepCookies(jar, url, answer.headers)
      const text = await answer.text()
      return { status: answer.status, json: text ? (JSON.parse(text) as unknown) : undefined }
    },
    cookies: (url) => Object.fromEntries(jar.get(new URL(url).hostname) ?? []),
  }
}
