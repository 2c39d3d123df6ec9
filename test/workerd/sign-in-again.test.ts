// Signing in again: sessions, the recovery code, passkeys (DESIGN decision 7, CI-18).
import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Alice, signIn, someone } from '../support/actors.ts'
import { atOnce } from '../support/at-once.ts'
import { type Authenticator, newAuthenticator, type Options, type Wrong } from '../support/authenticator.ts'
import { newestCode } from '../support/claims.ts'
import { call } from '../support/http.ts'
import { type Browser, openBrowser, type Page } from '../support/http-browser.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

let as: Running
beforeAll(async () => {
  as = await sharedAs()
})

const cookieHeader = (browser: Browser): string =>
  Object.entries(browser.cookies(as.origin))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')

const recoveryCode = (page: Page): string => /[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}/.exec(page.text)?.[0] ?? ''
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.open(`${as.origin}/`)).forms.some(({ action }) => action.endsWith('/sign-out'))

/** Asks for a code at `server`; answers the page after typing it. */
const byCode = async (server: Running, address: string, browser = openBrowser(), next?: string): Promise<Page> => {
  const page = await browser.open(`${server.origin}/sign-in${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`)
  const codePage = await browser.submit(page, { address })
  return browser.submit(codePage, { code: newestCode(server, address) })
}

describe('UMA Grant 5.1, CI-18: sessions', () => {
  it('CI-18: the cookie is for this host only, and a sign-in makes a new one', async () => {
    const alice = await signIn(as)
    const before = alice.browser.cookies(as.origin)['__Host-session']
    const page = await alice.browser.open(`${as.origin}/sign-in?again=1`)
    const codePage = await alice.browser.submit(page, { address: alice.address })
    await alice.browser.submit(codePage, { code: newestCode(as, alice.address) })
    const after = alice.browser.cookies(as.origin)['__Host-session']
    expect(after).not.toBe(before)
    const old = await call(`${as.origin}/welcome`, { headers: { cookie: `__Host-session=${before}`, accept: 'text/html' } })
    expect(old.status).toBe(401)
  })

  it('DESIGN 3: signing out ends the session at the server, not only in the browser', async () => {
    const alice = await signIn(as)
    const cookie = cookieHeader(alice.browser)
    const home = await alice.browser.open(`${as.origin}/`)
    await alice.browser.send(home, '/sign-out')
    expect(await isSignedIn(alice.browser)).toBe(false)
    const replayed = await call(`${as.origin}/`, { headers: { cookie, accept: 'text/html' } })
    expect(replayed.text).not.toContain('/sign-out')
  })

  it('UMA Grant 5.1: another site can neither sign somebody in nor out', async () => {
    const alice = await signIn(as)
    const home = await alice.browser.open(`${as.origin}/`)
    const csrf = home.forms.find(({ action }) => action.endsWith('/sign-out'))?.fields.csrf ?? ''
    const headers = { cookie: cookieHeader(alice.browser), accept: 'text/html' }
    const foreign = { ...headers, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const local = { ...headers, origin: as.origin, 'sec-fetch-site': 'same-origin' }
    expect((await call(`${as.origin}/sign-out`, { form: { csrf }, headers: foreign })).status).toBe(403)
    expect((await call(`${as.origin}/sign-out`, { form: {}, headers: local })).status).toBe(403)
    expect((await call(`${as.origin}/sign-in`, { form: { address: 'eve@example.net' }, headers: foreign })).status).toBe(403)
    expect(
      (
        await call(`${as.origin}/sign-in`, {
          form: { address: 'eve@example.net', csrf },
          headers: { accept: 'text/html', origin: as.origin, 'sec-fetch-site': 'same-origin' },
        })
      ).status,
    ).toBe(400)
    expect(await isSignedIn(alice.browser)).toBe(true)
  })
})

describe('DESIGN decision 7: the recovery code', () => {
  it('DESIGN decision 7: whose first sign-in never arrived gets a code that works, and nobody loses one that was seen', async () => {
    const address = someone('lost')
    const lost = openBrowser()
    const codePage = await lost.submit(await lost.open(`${as.origin}/sign-in`), { address })
    await lost.submit(codePage, { code: newestCode(as, address) }, (url) => url.includes('/welcome')) // the way there is where it broke off
    expect(recoveryCode(await byCode(as, address))).toBe('') // another browser may be showing it
    try {
      await as.setClock(700)
      const browser = openBrowser()
      const code = recoveryCode(await byCode(as, address, browser))
      expect(code).toHaveLength(34)
      await as.setClock(1500)
      const later = openBrowser()
      expect(recoveryCode(await byCode(as, address, later))).toBe('')
      const home = await later.open(`${as.origin}/`)
      expect((await later.submit(home, { recovery_code: code })).url).toContain('notice=unlocked')
    } finally {
      await as.setClock(0)
    }
  })

  /** Alice's page in a browser that has not got the names. */
  const elsewhere = async (alice: Alice): Promise<{ home: Page; browser: Browser }> => {
    const browser = openBrowser()
    return { home: await byCode(as, alice.address, browser), browser }
  }

  it('DESIGN 5.7: opens the names in another browser, however it is typed', async () => {
    const alice = await signIn(as)
    const code = recoveryCode(alice.page)
    const { home, browser } = await elsewhere(alice)
    for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ' '), ` ${code.replaceAll('0', 'O').replaceAll('1', 'l')} `]) {
      const before = browser.cookies(as.origin)['__Host-names']
      expect((await browser.submit(home, { recovery_code: typed })).url).toContain('notice=unlocked')
      expect(browser.cookies(as.origin)['__Host-names']).not.toBe(before)
    }
  })

  it('DESIGN 5.7: another code opens nothing, and says so', async () => {
    const [alice, carol] = [await signIn(as), await signIn(as)]
    const { home, browser } = await elsewhere(alice)
    for (const typed of [recoveryCode(carol.page), 'x', '', '0'.repeat(28), `${recoveryCode(alice.page)}0`]) {
      expect((await browser.submit(home, { recovery_code: typed })).url).toContain('names=wrong')
      expect(browser.cookies(as.origin)['__Host-names']).toBeUndefined()
    }
  })
})

describe('WebAuthn: passkeys', () => {
  type Begun = { options: Options; state: string }
  const part = (page: Page, kind: string) => {
    const tag = new RegExp(`<[^>]*data-passkey="${kind}"[^>]*>`).exec(page.text)?.[0] ?? ''
    const attribute = (name: string) => new RegExp(`data-${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
    return { options: attribute('options'), finish: attribute('finish'), headers: { 'x-csrf': attribute('csrf') } }
  }
  const begin = async (browser: Browser, page: Page, kind: string): Promise<Begun> => {
    const { options, headers } = part(page, kind)
    const { status, json } = await browser.post(page, options, {}, headers)
    expect(status).toBe(200)
    return json as Begun
  }
  const add = async (alice: Alice, authenticator: Authenticator, wrong: Wrong = {}) => {
    const home = await alice.browser.open(`${as.origin}/`)
    const { options, state } = await begin(alice.browser, home, 'register')
    const { finish, headers } = part(home, 'register')
    return alice.browser.post(home, finish, { state, response: authenticator.create(options, wrong) }, headers)
  }
  const use = async (browser: Browser, authenticator: Authenticator, wrong: Wrong = {}, next?: string) => {
    const page = await browser.open(`${as.origin}/sign-in`)
    const { options, state } = await begin(browser, page, 'sign-in')
    const { finish, headers } = part(page, 'sign-in')
    const body = { state, response: authenticator.get(options, wrong), ...(next === undefined ? {} : { next }) }
    return { first: await browser.post(page, finish, body, headers) }
  }
  let alice: Alice
  let passkey: Authenticator
  beforeAll(async () => {
    alice = await signIn(as)
    passkey = newAuthenticator(as.origin)
    expect((await add(alice, passkey)).status).toBe(200)
  })

  it('WebAuthn 7.2: a passkey signs its owner in, without an address', async () => {
    const browser = openBrowser()
    const { first } = await use(browser, passkey, {}, '/authorize?x=1')
    expect([first.status, first.json]).toEqual([200, { next: '/authorize?x=1' }])
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('RFC 9700 4.11: and then goes nowhere else', async () => {
    expect((await use(openBrowser(), passkey, {}, 'https://evil.example/')).first.json).toEqual({ next: '/' })
  })

  it('WebAuthn 13.4.3: a challenge is good once, also for a passkey that does not count', async () => {
    const still = newAuthenticator(as.origin)
    expect((await add(alice, still, { counter: 0 })).status).toBe(200)
    const browser = openBrowser()
    const page = await browser.open(`${as.origin}/sign-in`)
    const cookie = cookieHeader(browser)
    const { options, state } = await begin(browser, page, 'sign-in')
    const { finish, headers } = part(page, 'sign-in')
    const json = { state, response: still.get(options, { counter: 0 }) }
    const send = () =>
      call(as.origin + finish, { json, headers: { ...headers, cookie, origin: as.origin, 'sec-fetch-site': 'same-origin' } })
    const answers = await atOnce(4, send)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await send()).status).toBe(400)
  })

  const wrongs: [string, () => Wrong][] = [
    ['for another origin', () => ({ origin: 'https://evil.example' })],
    ['for another host', () => ({ rpId: 'evil.example' })],
    ['for another challenge', () => ({ challenge: 'AAAA' })],
    ['by another key', () => ({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey })],
    ['without anybody present', () => ({ flags: 0 })],
    ['with a counter that went back', () => ({ counter: 1 })],
    ['of somebody else', () => ({ userHandle: Buffer.from('somebody').toString('base64url') })],
    ['that nobody knows', () => ({ id: Buffer.from('unknown').toString('base64url') })],
  ]
  it.each(wrongs)('WebAuthn 7.2: an answer %s is refused', async (_title, wrong) => {
    const browser = openBrowser()
    expect((await use(browser, passkey, wrong())).first.status).toBe(400)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it.each([
    ['for another origin', { origin: 'https://evil.example' }],
    ['for another challenge', { challenge: 'AAAA' }],
    ['for another host', { rpId: 'evil.example' }],
  ])('WebAuthn 7.1: a new passkey %s is refused', async (_title, wrong) => {
    expect((await add(alice, newAuthenticator(as.origin), wrong)).status).toBe(400)
  })

  it('WebAuthn 7.1: a passkey that somebody has already cannot be taken over', async () => {
    const eve = await signIn(as)
    expect((await add(eve, passkey)).status).toBe(400)
  })

  it('WebAuthn 7.1: what was begun by one owner cannot be finished by another', async () => {
    const eve = await signIn(as)
    const home = await alice.browser.open(`${as.origin}/`)
    const { options, state } = await begin(alice.browser, home, 'register')
    const eveHome = await eve.browser.open(`${as.origin}/`)
    const { finish, headers } = part(eveHome, 'register')
    expect(
      (await eve.browser.post(eveHome, finish, { state, response: newAuthenticator(as.origin).create(options) }, headers)).status,
    ).toBe(400)
  })

  it('UMA Grant 5.1: nothing happens without the token of the page', async () => {
    const browser = openBrowser()
    const page = await browser.open(`${as.origin}/sign-in`)
    expect((await browser.post(page, '/sign-in/passkey/options', {})).status).toBe(403)
    expect((await alice.browser.post(page, '/passkeys/options', {}, { 'x-csrf': 'x' })).status).toBe(403)
    expect((await openBrowser().post(page, '/passkeys/options', {}, { 'x-csrf': 'x' })).status).toBe(401)
  })
})
