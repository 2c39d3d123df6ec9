// The pages of the claims interaction endpoint as a browser sees them (UMA Grant 5.1, RFC 9700): nothing happens without the person, nothing
// leaks, nothing can be put around them.

import { type Browser, openBrowser, type Page } from '../lib/browser.ts'
import { good, must, should } from '../lib/case.ts'
import { fail, ok } from '../lib/check.ts'
import { isOutside, prepare, visit } from '../lib/visit.ts'
import { CLAIMS_REDIRECT, type World } from '../lib/world.ts'

const INTERACTIVE = ['interactive'] as const

/** The first page of an interaction. */
const firstPage = async (w: World, browser: Browser = openBrowser()): Promise<Page> => {
  const page = await browser.open((await prepare(w)).url, isOutside(w))
  return page.status === 200 ? page : fail(`the first page has status ${page.status} at ${page.url}`)
}

const TEXT = { 'content-type': 'text/plain' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export const claimsPages = [
  must(
    'UMA Grant 5.1: opening the endpoint does nothing by itself, also for somebody who was there before',
    'G-71 CI-13',
    async (w) => {
      const browser = openBrowser()
      await visit(w, { browser })
      const page = await browser.open((await prepare(w)).url, isOutside(w))
      ok(!isOutside(w)(page.url), `without being asked the person was sent to ${page.url}`)
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.1: a form of another site does nothing',
    'G-71 CI-06 CI-13',
    async (w) => {
      const browser = openBrowser()
      const page = await firstPage(w, browser)
      const forms = page.forms.filter(({ method }) => method === 'POST')
      ok(forms.length > 0, 'the page has no form')
      for (const { action, fields } of forms) {
        const body = new URLSearchParams({ ...fields, address: 'guest@example.net' }).toString()
        for (const headers of [
          { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
          { origin: 'null', 'sec-fetch-site': 'cross-site' },
        ]) {
          const { status: got } = await browser.raw(action, { method: 'POST', body, headers: { ...FORM, ...headers } })
          ok(got >= 400 && got < 500, `${action} from ${headers.origin} answers ${got}`)
        }
      }
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.1: a form without the secret of the page does nothing',
    'G-71 CI-06',
    async (w) => {
      const browser = openBrowser()
      const page = await firstPage(w, browser)
      const { origin } = new URL(page.url)
      for (const { action, method } of page.forms) {
        if (method !== 'POST') continue
        for (const [body, headers] of [
          ['address=guest%40example.net', FORM],
          ['csrf=x&address=guest%40example.net', FORM],
          ['address=guest%40example.net', TEXT],
        ] as const) {
          const answer = await browser.raw(action, {
            method: 'POST',
            body,
            headers: { ...headers, origin, 'sec-fetch-site': 'same-origin' },
          })
          ok(answer.status >= 400 && answer.status < 500, `${action} with ${body} answers ${answer.status}`)
        }
      }
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.1: the interaction of one browser is closed to another',
    'G-71 CI-13 E15',
    async (w) => {
      const page = await firstPage(w)
      const other = openBrowser()
      for (const form of page.forms.filter(({ method }) => method === 'POST')) {
        const body = new URLSearchParams({ ...form.fields, address: 'guest@example.net' }).toString()
        const headers = { ...FORM, origin: new URL(page.url).origin, 'sec-fetch-site': 'same-origin' }
        const { status: got } = await other.raw(form.action, { method: 'POST', body, headers })
        ok(got >= 400 && got < 500, `${form.action} in another browser answers ${got}`)
      }
    },
    INTERACTIVE,
  ),
  should(
    'RFC 9700 4.16: the pages cannot be framed',
    'CI-09',
    async (w) => {
      const { headers } = await firstPage(w)
      const policy = headers.get('content-security-policy') ?? ''
      ok(
        /frame-ancestors 'none'/.test(policy) || /^deny$/i.test(headers.get('x-frame-options') ?? ''),
        'neither frame-ancestors nor X-Frame-Options',
      )
    },
    INTERACTIVE,
  ),
  good(
    'RFC 9700 4.16: pages, also those that refuse, have a strict content security policy',
    'CI-09 CI-10',
    async (w) => {
      const refused = await openBrowser().open((await prepare(w, { query: { client_id: 'x' } })).url)
      for (const { headers, status } of [await firstPage(w), refused]) {
        const policy = headers.get('content-security-policy') ?? ''
        ok(/frame-ancestors 'none'/.test(policy), `${status}: no frame-ancestors 'none'`)
        ok(!/unsafe-inline|unsafe-eval/.test(policy), `${status}: unsafe-inline or unsafe-eval`)
        ok(headers.get('x-content-type-options') === 'nosniff', `${status}: no nosniff`)
        ok(headers.get('cross-origin-opener-policy') !== null, `${status}: no Cross-Origin-Opener-Policy`)
      }
    },
    INTERACTIVE,
  ),
  should(
    'RFC 9700 4.2.4: the ticket does not get out by a referrer',
    'CI-12 AZ-13',
    async (w) => {
      const page = await firstPage(w)
      ok(
        /^(no-referrer|same-origin|strict-origin)$/.test(page.headers.get('referrer-policy') ?? ''),
        'Referrer-Policy lets the address out',
      )
    },
    INTERACTIVE,
  ),
  should(
    'RFC 9700 4.2.4: the pages load nothing from third parties',
    'CI-12',
    async (w) => {
      const page = await firstPage(w)
      const { origin } = new URL(page.url)
      for (const [, url = ''] of page.text.matchAll(/<(?:script|img|link|iframe|source|use)\b[^>]*?(?:src|href)="([^"]+)"/gi))
        ok(new URL(url, page.url).origin === origin, `the page loads ${url}`)
    },
    INTERACTIVE,
  ),
  should(
    'UMA Grant 5.1: cookies of the interaction are closed to scripts and to other sites',
    'CI-18',
    async (w) => {
      const browser = openBrowser()
      await visit(w, { browser })
      for (const line of browser.cookieLines) {
        const name = line.split('=')[0]
        ok(/;\s*httponly/i.test(line), `${name} is not HttpOnly`)
        ok(/;\s*samesite=(lax|strict)/i.test(line), `${name} is not SameSite`)
        ok(/;\s*secure/i.test(line) || w.issuer.startsWith('http:'), `${name} is not Secure`)
      }
    },
    INTERACTIVE,
  ),
  good(
    'UMA Grant 5.1: cookies of the interaction belong to this host alone',
    'CI-18',
    async (w) => {
      const browser = openBrowser()
      await firstPage(w, browser)
      for (const line of browser.cookieLines)
        ok(/^__Host-/.test(line) && !/;\s*domain=/i.test(line), `a cookie without __Host-: ${line.split('=')[0]}`)
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.1: what a client calls itself is text on the page',
    'CR-06 G-71',
    async (w) => {
      const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&'
      const app = await w.newApp('confidential', { client_name: evil })
      const page = await openBrowser().open((await prepare(w, { app })).url)
      ok(!page.text.includes('<script>alert(1)') && !page.text.includes('<img src=x'), 'markup of the client is on the page')
    },
    ['interactive', 'registration'],
  ),
  good(
    'UMA Grant 5.1: the page says to which place the person will be sent',
    'CI-13 G-71',
    async (w) => ok((await firstPage(w)).text.includes(new URL(CLAIMS_REDIRECT).host), 'the host of the client is not on the page'),
    INTERACTIVE,
  ),
  good(
    'UMA Grant 5.1: a page that refuses quotes nothing of the request as markup',
    'CR-06',
    async (w) => {
      for (const name of ['client_id', 'claims_redirect_uri', 'state', 'ticket']) {
        const page = await openBrowser().open((await prepare(w, { query: { [name]: '"><script>alert(1)</script>' } })).url, isOutside(w))
        ok(!page.text.includes('<script>alert(1)'), `${name} is on the page as it was sent`)
      }
    },
    INTERACTIVE,
  ),
]
