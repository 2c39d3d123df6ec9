// The claims page and the person in front of it: nobody acts for her, and she sees what is asked (UMA Grant 5.1, CLAIMS 6).
import { beforeAll, describe, expect, it } from 'vitest'
import { showAddress } from '../support/actors.ts'
import { claimsUrl, type Stage, stage, typeAddress } from '../support/claims.ts'
import { call } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { sharedAs } from '../support/server.ts'

let s: Stage
beforeAll(async () => {
  s = await stage(await sharedAs())
})

const query = (params: Record<string, string | undefined>) => ({
  client_id: s.app.client.id,
  claims_redirect_uri: s.app.claimsRedirectUri,
  state: 'xyz',
  ...params,
})

/** The answer to the first GET, redirect not followed. */
const first = (params: Record<string, string | undefined>, options = {}) =>
  call(claimsUrl(s.server, query(params)), { headers: { accept: 'text/html' }, ...options })

describe('UMA Grant 5.1: nobody acts for the person', () => {
  const post = async (headers: Record<string, string>, body: string, path = '/cancel') => {
    const { guest, page } = await s.arrive()
    const cookie = Object.entries(guest.browser.cookies(page.url))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const csrf = page.forms[0]?.fields.csrf ?? ''
    const answer = await call(page.url + path, {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
      json: undefined,
      form: Object.fromEntries(new URLSearchParams(body.replace('CSRF', csrf))),
    })
    // Whether the session goes on: an address can still be typed.
    return { answer, still: (await typeAddress(guest, page)).status }
  }
  const here = () => ({ origin: s.server.origin, 'sec-fetch-site': 'same-origin' })

  it('UMA Grant 5.1: a form of this page counts, with the null origin that browsers send from a page without referrer', async () => {
    const sent = await post({ origin: 'null', 'sec-fetch-site': 'same-origin' }, 'csrf=CSRF')
    expect([sent.answer.status, sent.still]).toEqual([200, 400])
  })

  for (const [title, headers, body] of [
    ['without the token', () => here(), ''],
    ['with a made-up token', () => here(), 'csrf=abc'],
    ['from another site', () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }), 'csrf=CSRF'],
    ['from a sister site', () => ({ origin: s.server.origin, 'sec-fetch-site': 'same-site' }), 'csrf=CSRF'],
    ['from another site with the null origin', () => ({ origin: 'null', 'sec-fetch-site': 'cross-site' }), 'csrf=CSRF'],
    ['with the null origin of a sandbox, and nothing else', () => ({ origin: 'null' }), 'csrf=CSRF'],
    ['with no origin at all', () => ({}), 'csrf=CSRF'],
  ] as const) {
    it(`UMA Grant 5.1: a POST ${title} is refused and changes nothing (CI-06)`, async () => {
      const { answer, still } = await post(headers(), body)
      expect([answer.status, still]).toEqual([403, 200])
    })
  }

  for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x']) {
    it(`UMA Grant 5.1: a form sent as ${type} is refused (CI-06)`, async () => {
      const { answer, still } = await post({ ...here(), 'content-type': type }, 'csrf=CSRF')
      expect([answer.status, still]).toEqual([400, 200])
    })
  }

  it('UMA Grant 5.1: the token of one session is worth nothing in another', async () => {
    const [one, two] = [await s.arrive(), await s.arrive()]
    const csrf = one.page.forms[0]?.fields.csrf ?? ''
    expect((await two.guest.browser.send(two.page, '/cancel', { csrf })).status).toBe(403)
  })

  it('CLAIMS 11 #9: the page of somebody else cannot be finished: another browser has no session there', async () => {
    const { page } = await s.arrive()
    const answer = await openBrowser().open(page.url)
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('An app')
  })

  it('CLAIMS 11 #9: what the other one proved never reaches the ticket that the attacker holds', async () => {
    const { guest, page, ticket } = await s.arrive()
    await showAddress(s.server, guest, page)
    expect((await s.app.token(ticket)).json.error).toBe('invalid_grant')
  })

  it('CI-18: the cookie is for this host only, out of reach of scripts, and of one interaction', async () => {
    const answer = await first({ ticket: await s.ticket() })
    const [cookie] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-cg-[0-9a-f]{64}=1\.[\w-]+; /)
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/', 'Max-Age=1800']) expect(cookie).toContain(attribute)
    expect(cookie).not.toContain('Domain')
  })

  it('CI-18: a browser carries the newest interactions only', async () => {
    const guest = await s.guest()
    for (let i = 0; i < 6; i++) await s.arrive(guest)
    expect(Object.keys(guest.browser.cookies(s.server.origin)).filter((name) => name.startsWith('__Host-cg-'))).toHaveLength(4)
  })

  it('CLAIMS 6: a cookie of one interaction does not open another', async () => {
    const [one, two] = [await s.arrive(), await s.arrive()]
    const sid = (url: string) => url.split('/').at(-1) ?? ''
    const value = one.guest.browser.cookies(one.page.url)[`__Host-cg-${sid(one.page.url)}`]
    const answer = await call(two.page.url, { headers: { cookie: `__Host-cg-${sid(two.page.url)}=${value}` } })
    expect(answer.status).toBe(400)
  })
})

describe('CLAIMS 6: the pages', () => {
  it('CLAIMS 11 #15: every page forbids frames, foreign scripts, referrers and copies (CI-09, CI-10, CI-12)', async () => {
    const { guest, page } = await s.arrive()
    const code = await typeAddress(guest, page)
    const wrong = await guest.browser.submit(code, { code: '1' })
    const cancelled = await guest.browser.send(page, '/cancel')
    const gone = await guest.browser.open(page.url)
    for (const one of [page, code, wrong, cancelled, gone]) {
      const csp = one.headers.get('content-security-policy') ?? ''
      for (const part of ["default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
        expect(csp).toContain(part)
      }
      expect(csp).not.toContain('unsafe')
      expect(Object.fromEntries(one.headers)).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
      })
      expect(one.headers.has('access-control-allow-origin')).toBe(false)
      expect(one.text).not.toMatch(/\b(?:src|href)="(?:https?:)?\/\/(?!app\.example)/)
      expect(one.text).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/)
    }
  })

  it('CLAIMS 10: before a proof nobody is told whose item it is, or which', async () => {
    const { page } = await s.arrive()
    expect(page.text).not.toContain('Lisbon')
    expect(page.text).not.toContain('alice')
  })

  it('CLAIMS 11 #14: a stranger and a guest see the same until the code is right', async () => {
    const plain = (text: string, who: string) =>
      text
        .replaceAll(who, 'WHO')
        .replace(/[0-9a-f]{64}/g, 'SID')
        .replace(/"[\w-]{43}"/g, '"CSRF"')
    const seen = async (isShared: boolean) => {
      const { guest, page } = await s.arrive(await s.guest(isShared))
      const code = await typeAddress(guest, page)
      const wrong = await guest.browser.submit(code, { code: '1' })
      return [page, code, wrong].map((one) => plain(one.text, guest.address))
    }
    expect(await seen(true)).toEqual(await seen(false))
  })

  it('UX: the page speaks the language of the browser', async () => {
    const guest = { address: (await s.guest()).address, browser: openBrowser({ 'accept-language': 'pt-PT,pt;q=0.9,en;q=0.5' }) }
    const { page } = await s.arrive(guest)
    expect(page.text).toContain('<html lang="pt">')
  })
})
