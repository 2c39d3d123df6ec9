// A browser without a window and without scripts: cookies, redirects, forms. It sends what a browser sends with a form (Origin,
// Sec-Fetch-Site). Cookies are kept by host name, as browsers do; their attributes are kept too, so that a case can look at them.
import { note } from './http.ts'

export type Form = { action: string; method: string; fields: Record<string, string>; names: string[]; buttons: string[] }

export type Page = {
  url: string
  status: number
  headers: Headers
  text: string
  forms: Form[]
  /** Targets of links, and of a meta refresh. */
  links: string[]
  /** Statuses on the way here. */
  statuses: number[]
}

export type Browser = {
  /** Opens an address and follows redirects. Stops without asking at an address that `until` recognizes (status 0). */
  open: (url: string, until?: (url: string) => boolean) => Promise<Page>
  /** Fills in and sends a form of the page: one that has a field or button of each of these names. */
  submit: (page: Page, fields: Record<string, string>, until?: (url: string) => boolean) => Promise<Page>
  /** Sends the form whose action contains this text. */
  send: (page: Page, action: string, fields?: Record<string, string>, until?: (url: string) => boolean) => Promise<Page>
  /** A request with the cookies of this browser and these headers, not followed. */
  raw: (url: string, init?: { method?: string; headers?: Record<string, string>; body?: string }) => Promise<Page>
  /** Set-Cookie lines that were seen, newest last. */
  cookieLines: string[]
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", apos: "'" }
const decoded = (text: string): string => text.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)

const attributesOf = (tag: string): Record<string, string> =>
  Object.fromEntries(
    [...tag.matchAll(/([\w:-]+)(?:\s*=\s*"([^"]*)")?/g)].map(([, name = '', value = '']) => [name.toLowerCase(), decoded(value)]),
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
      if (kind.toLowerCase() === 'button') form.buttons.push(name)
      else {
        form.names.push(name)
        if (type !== 'checkbox' && type !== 'radio') form.fields[name] = value
      }
    }
    return form
  })

const pageOf = (url: string, answer: Response, text: string, statuses: number[]): Page => {
  const refresh = /<meta[^>]*http-equiv="refresh"[^>]*content="\d+;\s*url=([^"]*)"/i.exec(text)?.[1]
  const links = [...text.matchAll(/<a\b([^>]*)>/gi)].flatMap(([, tag = '']) => attributesOf(tag).href ?? [])
  return {
    url,
    status: answer.status,
    headers: answer.headers,
    text,
    forms: formsOf(text, url),
    links: [...(refresh === undefined ? [] : [decoded(refresh)]), ...links].flatMap((link) => URL.parse(link, url)?.href ?? []),
    statuses,
  }
}

type Jar = Map<string, Map<string, string>>

const keepCookies = (jar: Jar, url: string, lines: readonly string[]): void => {
  const { hostname } = new URL(url)
  const kept = jar.get(hostname) ?? new Map<string, string>()
  jar.set(hostname, kept)
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const isGone = attributes.some(
      (one) => /^max-age=(0|-\d+)$/i.test(one) || (/^expires=/i.test(one) && Date.parse(one.slice(8)) < Date.now()),
    )
    if (isGone) kept.delete(pair.slice(0, at))
    else kept.set(pair.slice(0, at), pair.slice(at + 1))
  }
}

const cookiesFor = (jar: Jar, url: string): Record<string, string> => {
  const cookies = [...(jar.get(new URL(url).hostname) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  return cookies ? { cookie: cookies } : {}
}

const MOVED = new Set([301, 302, 303, 307, 308])
const FORM = 'application/x-www-form-urlencoded'

export const openBrowser = (): Browser => {
  const jar: Jar = new Map()
  const cookieLines: string[] = []
  const ask = async (url: string, init: RequestInit): Promise<{ answer: Response; text: string }> => {
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(init.headers as Record<string, string>), ...cookiesFor(jar, url) },
    })
    cookieLines.push(...answer.headers.getSetCookie())
    keepCookies(jar, url, answer.headers.getSetCookie())
    const text = await answer.text()
    note(`${init.method ?? 'GET'} ${url}${typeof init.body === 'string' ? `\n${init.body}` : ''}`, described(answer.status, text))
    return { answer, text }
  }
  const go = async (url: string, init: RequestInit, until: (url: string) => boolean): Promise<Page> => {
    const statuses: number[] = []
    let [next, request] = [url, init]
    for (let hops = 0; hops < 12; hops++) {
      if (until(next)) return { url: next, status: 0, headers: new Headers(), text: '', forms: [], links: [], statuses }
      const { answer, text } = await ask(next, request)
      statuses.push(answer.status)
      const location = answer.headers.get('location')
      if (!MOVED.has(answer.status) || location === null) return pageOf(next, answer, text, statuses)
      next = new URL(location, next).href
      if (answer.status !== 307 && answer.status !== 308) request = {}
    }
    throw new Error(`too many redirects, the last one to ${next}`)
  }
  const never = (_url: string): boolean => false
  const sendForm = (page: Page, form: Form | undefined, fields: Record<string, string>, until = never): Promise<Page> => {
    if (form === undefined) throw new Error(`no such form on ${page.url}: ${described(page.status, page.text)}`)
    const body = new URLSearchParams({ ...form.fields, ...fields }).toString()
    if (form.method === 'GET') return go(`${form.action.split('?')[0]}?${body}`, {}, until)
    const { origin } = new URL(page.url)
    const site = new URL(form.action).origin === origin ? 'same-origin' : 'cross-site'
    return go(form.action, { method: 'POST', body, headers: { 'content-type': FORM, origin, 'sec-fetch-site': site } }, until)
  }
  return {
    cookieLines,
    open: (url, until = never) => go(url, {}, until),
    submit: (page, fields, until) => {
      const has = (form: Form): boolean => Object.keys(fields).every((name) => form.names.includes(name) || form.buttons.includes(name))
      return sendForm(page, page.forms.find(has), fields, until)
    },
    send: (page, action, fields = {}, until) =>
      sendForm(
        page,
        page.forms.find((form) => form.action.includes(action)),
        fields,
        until,
      ),
    raw: async (url, init = {}) => {
      const { answer, text } = await ask(url, init)
      return pageOf(url, answer, text, [answer.status])
    },
  }
}

/** The words of a page, for messages. */
export const described = (status: number, text: string): string =>
  `${status} ${text
    .replace(/<style[\s\S]*?<\/style>|<svg[\s\S]*?<\/svg>|<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 400)}`
