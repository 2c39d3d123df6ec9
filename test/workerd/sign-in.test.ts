// Signing in as an owner: by mailed code, by passkey; who may become one; sessions, the way on, and the recovery code.
import { beforeAll, describe, expect, it } from 'vitest'
import { codeIn, registerClient, signIn, someone } from '../support/actors.ts'
import { newestCode } from '../support/claims.ts'
import { call } from '../support/http.ts'
import { type Browser, openBrowser, type Page } from '../support/http-browser.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'

let as: Running
beforeAll(async () => {
  as = await sharedAs()
})

const recoveryCode = (page: Page): string => /[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}/.exec(page.text)?.[0] ?? ''
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.open(`${as.origin}/`)).forms.some(({ action }) => action.endsWith('/sign-out'))

/** Asks for a code at `server`; answers the page after typing it. */
const byCode = async (server: Running, address: string, browser = openBrowser(), next?: string): Promise<Page> => {
  const page = await browser.open(`${server.origin}/sign-in${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`)
  const codePage = await browser.submit(page, { address })
  return browser.submit(codePage, { code: newestCode(server, address) })
}

describe('DESIGN 1.1: a code by mail', () => {
  it('DESIGN 1.1: the first time an owner is made, with a recovery code that is shown in this browser only', async () => {
    const alice = await signIn(as)
    expect(alice.page.url).toContain('/welcome')
    expect(recoveryCode(alice.page)).toHaveLength(34)
    expect(await isSignedIn(alice.browser)).toBe(true)
    const other = openBrowser()
    const page = await byCode(as, alice.address, other)
    expect([new URL(page.url).pathname, recoveryCode(page)]).toEqual(['/', ''])
    expect(new URL((await other.open(`${as.origin}/welcome`)).url).pathname).toBe('/')
  })

  it('CLAIMS 5.6: another spelling of the address is the same owner', async () => {
    const alice = await signIn(as)
    const page = await byCode(as, alice.address.toUpperCase())
    expect(new URL(page.url).pathname).toBe('/')
  })

  it('DESIGN 1.1: two tabs at once make one owner', async () => {
    const address = someone('twins')
    const browsers = [openBrowser(), openBrowser()]
    const codePages: Page[] = []
    for (const browser of browsers) codePages.push(await browser.submit(await browser.open(`${as.origin}/sign-in`), { address }))
    const codes = as.mailbox.to(address).map(codeIn)
    const pages = await Promise.all(browsers.map((browser, i) => browser.submit(codePages[i] as Page, { code: codes[i] ?? '' })))
    expect(pages.map((page) => page.status)).toEqual([200, 200])
    expect(pages.filter((page) => recoveryCode(page) !== '')).toHaveLength(1)
  })

  it('CLAIMS 11 #12: five wrong codes, and the right one is worth nothing', async () => {
    const browser = openBrowser()
    const address = someone('guess')
    const codePage = await browser.submit(await browser.open(`${as.origin}/sign-in`), { address })
    const code = newestCode(as, address)
    for (let i = 1; i <= 5; i++) {
      const page = await browser.submit(codePage, { code: String((Number(code) + i) % 1_000_000).padStart(6, '0') })
      expect(page.status).toBe(422)
    }
    expect((await browser.submit(codePage, { code })).text).toContain('This code has run out')
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('CLAIMS 7: a code is good in the browser that asked for it', async () => {
    const [mine, eves] = [openBrowser(), openBrowser()]
    const address = someone('alice')
    await mine.submit(await mine.open(`${as.origin}/sign-in`), { address })
    const code = newestCode(as, address)
    const evePage = await eves.submit(await eves.open(`${as.origin}/sign-in`), { address })
    expect((await eves.submit(evePage, { code })).status).toBe(422)
  })

  it('CLAIMS 7: three codes, then a new start', async () => {
    const browser = openBrowser()
    const page = await browser.open(`${as.origin}/sign-in`)
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await browser.submit(page, { address: someone('a') })).status)
    expect(statuses).toEqual([200, 200, 200])
    // RFC 6585 4: a person sees a page, a program JSON; both hear when to come again.
    const cookie = Object.entries(browser.cookies(as.origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const form = { ...page.forms.find(({ fields }) => 'csrf' in fields && 'address' in fields)?.fields, address: someone('a') }
    const asked = await call(`${as.origin}/sign-in`, { form, headers: { cookie, origin: as.origin, 'sec-fetch-site': 'same-origin' } })
    expect([asked.status, asked.json.error]).toEqual([429, 'too_many_codes'])
    const last = await browser.submit(page, { address: someone('a') })
    expect(last.status).toBe(429)
    expect(last.text).toMatch(/Try again in (29|30) minutes\./)
    for (const { headers } of [asked, last]) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(1800)
    }
    expect((await byCode(as, someone('b'), browser)).status).toBe(200)
  })

  it('CLAIMS 5.6: what is no address is said on the page', async () => {
    const browser = openBrowser()
    const page = await browser.submit(await browser.open(`${as.origin}/sign-in`), { address: 'alice' })
    expect(page.status).toBe(422)
    expect(page.text).toContain('This does not look like an e-mail address')
  })

  it('UX: the code page survives a reload and leads back to another address', async () => {
    const browser = openBrowser()
    const codePage = await browser.submit(await browser.open(`${as.origin}/sign-in`), { address: someone('a') })
    expect((await browser.open(codePage.url)).text).toContain('one-time-code')
    expect(codePage.links.some((link) => link.includes('/sign-in?'))).toBe(true)
    expect(new URL((await openBrowser().open(codePage.url)).url).pathname).toBe('/sign-in/code')
  })
})

describe('DESIGN decision 10: who may become an owner', () => {
  it('DESIGN 5.10: on a personal server the first one, and nobody after', async () => {
    const own = await ownAs({ asVars: { REGISTRATION: 'owner-only' } })
    try {
      const address = someone('olaf')
      expect((await byCode(own, address)).url).toContain('/welcome')
      const second = await byCode(own, someone('eve'))
      expect([second.status, new URL(second.url).pathname]).toEqual([403, '/sign-in/code'])
      expect((await byCode(own, address)).status).toBe(200)
    } finally {
      await own.stop()
    }
  })

  it('DESIGN 5.10: on a server for invited people those on the list; mail goes to everybody, so the list stays private', async () => {
    const own = await ownAs({ asVars: { REGISTRATION: 'invited', INVITED: 'Olaf@Example.net, rosa@example.net' } })
    try {
      expect((await byCode(own, 'olaf@example.net')).status).toBe(200)
      const eve = someone('eve')
      expect((await byCode(own, eve)).status).toBe(403)
      expect(own.mailbox.to(eve)).toHaveLength(1)
    } finally {
      await own.stop()
    }
  })

  it('DESIGN 7 I5: a word that nobody knows closes the server', async () => {
    const own = await ownAs({ asVars: { REGISTRATION: 'Open' } })
    try {
      expect((await byCode(own, someone('eve'))).status).toBe(403)
    } finally {
      await own.stop()
    }
  })
})

describe('RFC 9700 4.11: the way on', () => {
  const endsAt = async (next: string): Promise<string> => {
    const browser = openBrowser()
    const address = someone('alice')
    await byCode(as, address, browser)
    return (await byCode(as, address, openBrowser(), next)).url
  }

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/authorize/../owner/me',
    '/sign-out',
    '/%2e%2e//evil.example',
    'http:evil.example',
    '/authorizer',
  ])('RFC 9700 4.11: %s leads home', async (next) => {
    expect(await endsAt(next)).toBe(`${as.origin}/`)
  })

  it('RFC 9700 4.11: an authorization request of this server is gone on with', async () => {
    expect(await endsAt('/authorize?client_id=nobody&x=a%20b')).toBe(`${as.origin}/authorize?client_id=nobody&x=a%20b`)
  })
})

describe('CLAIMS 2.3: forms that end at an app', () => {
  const csp = (page: Page): string => /form-action ([^;]*)/.exec(page.headers.get('content-security-policy') ?? '')?.[1] ?? ''
  const request = async (redirectUri: string) => {
    const client = await registerClient(as, {
      redirect_uris: ['https://shelf.example/back'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    return `/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      redirect_uri: redirectUri,
      scope: 'uma_protection',
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
    })}`
  }

  it('CLAIMS 2.3: code page and consent page let their form lead to the registered redirect URI, other pages to none', async () => {
    const next = await request('https://shelf.example/back')
    const browser = openBrowser()
    const start = await browser.open(as.origin + next)
    expect(csp(start)).toBe("'self'")
    const address = someone('alice')
    const codePage = await browser.submit(start, { address })
    expect(csp(codePage)).toBe("'self' https://shelf.example")
    const welcome = await browser.submit(codePage, { code: newestCode(as, address) })
    expect(csp(welcome)).toBe("'self'")
    expect(csp(await browser.open(as.origin + next))).toBe("'self' https://shelf.example")
  })

  it('CLAIMS 2.3: a redirect URI that nobody registered is let in nowhere', async () => {
    const next = await request('https://evil.example/')
    const browser = openBrowser()
    const start = await browser.open(`${as.origin}/sign-in?next=${encodeURIComponent(next)}`)
    expect(csp(await browser.submit(start, { address: someone('alice') }))).toBe("'self'")
  })
})
