// The code by mail (CLAIMS 7): what it is bound to, how often it may be tried and sent, and that nobody learns anything from it.
import { beforeAll, describe, expect, it } from 'vitest'
import { bob, registerApp, someone } from '../support/actors.ts'
import { atOnce } from '../support/at-once.ts'
import {
  guestFrom,
  isCodePage,
  isDone,
  isExpired,
  isWrong,
  newestCode,
  type Stage,
  stage,
  typeAddress,
  typeCode,
  wrongCode,
} from '../support/claims.ts'
import { call } from '../support/http.ts'
import { openBrowser, type Page } from '../support/http-browser.ts'
import { sharedAs } from '../support/server.ts'

describe('CLAIMS 7: the code', () => {
  let s: Stage
  beforeAll(async () => {
    s = await stage(await sharedAs())
  })
  const onCodePage = async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    return { guest, page, codePage, code: newestCode(s.server, guest.address) }
  }

  it('CLAIMS 7: six digits, shown in two groups, good for what the mail says', async () => {
    const { guest } = await onCodePage()
    const mail = s.server.mailbox.to(guest.address).at(-1)
    expect(mail?.text).toMatch(/^\d{3} \d{3}\n/)
    expect(mail?.text).toContain(s.server.origin)
    expect(mail?.text).toContain('app.example')
    expect(mail?.text).not.toContain('Lisbon')
    expect(mail?.html).toBeUndefined()
  })

  it('CLAIMS 7: may be typed with a blank in it', async () => {
    const { guest, codePage, code } = await onCodePage()
    expect(isDone(await typeCode(guest, codePage, ` ${code.slice(0, 3)} ${code.slice(3)} `))).toBe(true)
  })

  it('CLAIMS 11 #12: after five wrong ones the right one is worth nothing; a new code is', async () => {
    const { guest, codePage, code } = await onCodePage()
    for (let i = 0; i < 4; i++) expect(isWrong(await typeCode(guest, codePage, wrongCode(code)))).toBe(true)
    expect(isExpired(await typeCode(guest, codePage, wrongCode(code)))).toBe(true)
    expect(isExpired(await typeCode(guest, codePage, code))).toBe(true)
    const again = await typeAddress(guest, codePage)
    expect(isDone(await typeCode(guest, again, newestCode(s.server, guest.address)))).toBe(true)
  })

  it('CLAIMS 11 #12: twenty tries at once are no more than five', async () => {
    const { guest, codePage, code } = await onCodePage()
    const tries = Array.from({ length: 20 }, (_, i) => String((Number(code) + 1 + i) % 1_000_000).padStart(6, '0'))
    const pages = await Promise.all(tries.map((one) => typeCode(guest, codePage, one)))
    expect(pages.filter(isWrong)).toHaveLength(4)
    expect(isExpired(await typeCode(guest, codePage, code))).toBe(true)
  })

  it('CLAIMS 7: what is no code at all is wrong and counts for nothing', async () => {
    const { guest, codePage, code } = await onCodePage()
    for (const text of ['', '12345', '1234567', 'abcdef', '१२३४५६', '12345６', '-1e999', "' OR 1=1"]) {
      expect(isWrong(await typeCode(guest, codePage, text))).toBe(true)
    }
    expect(isDone(await typeCode(guest, codePage, code))).toBe(true)
  })

  it('CLAIMS 7: a right code works once; sent twice at once it still shows one thing', async () => {
    const { guest, codePage, code } = await onCodePage()
    const pages = await Promise.all([typeCode(guest, codePage, code), typeCode(guest, codePage, code)])
    expect(pages.filter(isDone).length).toBeGreaterThan(0)
    expect(isExpired(await typeCode(guest, codePage, code))).toBe(true)
    expect(isDone(await guest.browser.open(codePage.url))).toBe(true)
  })

  it('CLAIMS 7: a new code ends the one before', async () => {
    const { guest, codePage, code } = await onCodePage()
    const again = await typeAddress(guest, codePage)
    expect(again.text).toContain('The one before no longer works')
    expect(isDone(await typeCode(guest, again, code))).toBe(false)
    expect(isDone(await typeCode(guest, again, newestCode(s.server, guest.address)))).toBe(true)
  })

  it('CLAIMS 11 #9, #10: a code is good in the session that asked for it and in no other', async () => {
    const [one, two] = [await onCodePage(), await onCodePage()]
    expect(isWrong(await typeCode(two.guest, two.codePage, one.code))).toBe(one.code !== two.code)
    const other = await s.arrive(one.guest)
    const codePage = await typeAddress(one.guest, other.page)
    expect(isDone(await typeCode(one.guest, codePage, one.code))).toBe(false)
  })

  it('CLAIMS 7: a code shows the address that it was mailed to, not one that was typed before', async () => {
    const { guest, page } = await s.arrive()
    const eve = bob()
    const codePage = await typeAddress(guest, page)
    const evePage = await typeAddress(guest, codePage, eve.address)
    const result = await typeCode(guest, evePage, newestCode(s.server, eve.address))
    expect(result.text).toContain('Not shared with this address')
    expect(result.text).toContain(eve.address)
  })

  it('CLAIMS 7: an older cookie of the session cannot put another address to a code', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page, someone('victim'))
    const cookie = Object.entries(guest.browser.cookies(page.url))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    await typeAddress(guest, page)
    const form = { csrf: codePage.forms[0]?.fields.csrf ?? '', code: newestCode(s.server, guest.address) }
    const headers = { cookie, accept: 'text/html', origin: s.server.origin, 'sec-fetch-site': 'same-origin' }
    expect((await call(`${page.url}/code`, { form, headers })).status).toBe(422)
    expect(isDone(await typeCode(guest, codePage, form.code))).toBe(true)
  })

  it('CLAIMS 7: typing another address drops what was shown before', async () => {
    const { guest, codePage, code } = await onCodePage()
    const done = await typeCode(guest, codePage, code)
    const start = await guest.browser.open(`${done.url}?again=1`)
    await typeAddress(guest, start, someone('eve'))
    expect((await guest.browser.send(done, '/continue')).refresh).toBeUndefined()
  })

  it('CLAIMS 7: three codes a session', async () => {
    const { guest, page } = await s.arrive()
    const addresses = [someone('a'), someone('b'), someone('c'), someone('d')]
    const pages = []
    for (const address of addresses) pages.push(await typeAddress(guest, page, address))
    expect(pages.map((one) => one.status)).toEqual([200, 200, 200, 429])
    // RFC 6585 4: as long as the session lasts.
    expect(Number(pages[3]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(pages[3]?.headers.get('retry-after'))).toBeLessThanOrEqual(1800)
    expect(s.server.mailbox.to(addresses[3] ?? '')).toEqual([])
  })

  it('CLAIMS 11 #13: three mails an address in ten minutes, over any number of sessions; the page looks as ever', async () => {
    const guest = await s.guest()
    const sessions = await atOnce(5, () => s.arrive({ ...guest, browser: openBrowser() }))
    const seen = []
    for (const one of sessions) seen.push(await typeAddress(one.guest, one.page))
    expect(s.server.mailbox.to(guest.address)).toHaveLength(3)
    expect(seen.every(isCodePage)).toBe(true)
    const plain = (page: Page) => page.text.replace(/[0-9a-f]{64}/g, 'SID').replace(/"[\w-]{43}"/g, '"CSRF"')
    expect(new Set(seen.map(plain)).size).toBe(1)
  })

  it('CLAIMS 11 #13: a session at the same moment as others gets no more than its share', async () => {
    const { guest, page } = await s.arrive()
    const address = someone('flood')
    await Promise.all(Array.from({ length: 10 }, () => typeAddress(guest, page, address)))
    expect(s.server.mailbox.to(address).length).toBeLessThanOrEqual(3)
  })

  it('CLAIMS 7: twenty codes an hour from one network (/24, /64)', async () => {
    const from = async (address: string) => {
      const far = guestFrom(address)
      const { page } = await s.arrive(far)
      const { status, headers } = await typeAddress(far, page)
      // RFC 6585 4: when the first of an hour is forgotten, in whole minutes.
      expect([status, headers.get('retry-after')]).toEqual(status === 429 ? [429, '3600'] : [200, null])
      return status
    }
    const net = `198.51.${100 + Math.floor(Math.random() * 100)}`
    const twenty = (address: (index: number) => string) => atOnce(20, (index) => from(address(index)))
    expect(new Set(await twenty((index) => `${net}.${index}`))).toEqual(new Set([200]))
    expect(await from(`${net}.200`)).toBe(429)
    expect(await from(`::ffff:${net}.201`)).toBe(429)
    expect(await from('203.0.113.77')).toBe(200)
    expect(new Set(await twenty((index) => `2001:db8:7:1::${index}`))).toEqual(new Set([200]))
    expect(await from('2001:db8:7:1:ffff::1')).toBe(429)
    expect(await from('2001:db8:7:2::1')).toBe(200)
  })

  it('CLAIMS 7: two hundred codes an hour on behalf of one app', async () => {
    const app = await registerApp(s.server)
    const mails = await atOnce(67, async () => {
      const { guest, page } = await s.arrive(bob(), app)
      return [1, 2, 3].map(async () => {
        const { status, headers } = await typeAddress(guest, page, someone('many'))
        expect(headers.has('retry-after')).toBe(status === 429)
        return status
      })
    })
    const statuses = await Promise.all(mails.flat())
    expect(statuses.filter((status) => status === 200)).toHaveLength(200)
    expect(statuses.filter((status) => status === 429)).toHaveLength(1)
    const other = await s.arrive()
    expect((await typeAddress(other.guest, other.page)).status).toBe(200)
  }, 60_000)

  it('CLAIMS 11 #11: whoever only looks uses nothing up', async () => {
    const { guest, codePage, code } = await onCodePage()
    for (let i = 0; i < 50; i++) expect(isCodePage(await guest.browser.open(codePage.url))).toBe(true)
    expect(isDone(await typeCode(guest, codePage, code))).toBe(true)
  })

  for (const typed of [
    '',
    'bob',
    'bob@localhost',
    '"bob"@example.net',
    'bob@example.net\r\nBcc: eve@evil.example',
    'bob@example.net,eve@evil.example',
  ]) {
    it(`CI-17: ${JSON.stringify(typed)} is no address: said on the page, nothing is mailed`, async () => {
      const { guest, page } = await s.arrive()
      const before = s.server.mailbox.to('bob@example.net').length
      const answer = await typeAddress(guest, page, typed)
      expect(answer.status).toBe(422)
      expect(answer.text).toContain('This does not look like an e-mail address')
      expect(s.server.mailbox.to('bob@example.net')).toHaveLength(before)
    })
  }

  it('CLAIMS 5.6: another spelling of the address is the same guest', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page, ` ${guest.address.toUpperCase()} `)
    expect(isDone(await typeCode(guest, codePage, newestCode(s.server, guest.address)))).toBe(true)
  })

  it('CI-17: the name that an app gave itself gets into no mail', async () => {
    const app = await registerApp(s.server, 'public', { client_name: 'Your account is locked, go to evil.example' })
    const { guest, page } = await s.arrive(undefined, app)
    await typeAddress(guest, page)
    expect(JSON.stringify(s.server.mailbox.to(guest.address))).not.toContain('evil.example')
  })

  for (const [language, words] of [
    ['de', 'Geben Sie diesen Code'],
    ['pt', 'Escreva este código'],
  ] as const) {
    it(`UX: the mail is in the language of the page (${language})`, async () => {
      const guest = { address: someone('bob'), browser: openBrowser({ 'accept-language': language }) }
      const { page } = await s.arrive(guest)
      await typeAddress(guest, page)
      expect(s.server.mailbox.to(guest.address).at(-1)?.text).toContain(words)
    })
  }

  it('CLAIMS 7: an app cannot make the server send mail', async () => {
    const address = someone('victim')
    const ticket = await s.ticket()
    await s.app.token(ticket, { claim_token: btoa(JSON.stringify({ email: [address] })), claim_token_format: 'dc+sd-jwt' })
    expect(s.server.mailbox.to(address)).toEqual([])
  })
})
