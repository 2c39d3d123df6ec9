// The code by mail with time, across kill -9, and without mail (CLAIMS 7).
import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bob, goBack, showAddress, someone } from '../support/actors.ts'
import {
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
import { openBrowser } from '../support/http-browser.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

describe('CLAIMS 7: with time', () => {
  let as: Running
  let s: Stage
  beforeAll(async () => {
    as = await ownAs()
    s = await stage(as)
  })
  afterAll(() => as.stop())

  afterEach(() => as.setClock(0))

  it('CLAIMS 11 #13: ten mails an address a day, whatever they are for; the eleventh is not sent and nothing looks different', async () => {
    const address = someone('daily')
    const ask = async () => {
      const browser = openBrowser()
      return browser.submit(await browser.open(`${as.origin}/sign-in`), { address })
    }
    for (let i = 0; i < 12; i++) {
      await as.setClock(i * 601)
      expect(isCodePage(await ask())).toBe(true)
    }
    expect(as.mailbox.to(address)).toHaveLength(10)
    await as.setClock(86_400 + 10)
    await ask()
    expect(as.mailbox.to(address)).toHaveLength(11)
  })

  it('DESIGN 3: what was counted is forgotten when its time is over, and counted anew afterwards', async () => {
    const address = someone('swept')
    const ask = async () => {
      const browser = openBrowser()
      return browser.submit(await browser.open(`${as.origin}/sign-in`), { address })
    }
    const sweep = async () => {
      for (const id of await as.objects('OneTimeObject')) await as.runAlarm('ONE_TIME', id)
    }
    for (let i = 0; i < 3; i++) await ask()
    await sweep()
    await ask()
    expect(as.mailbox.to(address)).toHaveLength(3)
    await as.setClock(86_400 + 10)
    await sweep()
    // Back before it was counted: only a memory could refuse now.
    await as.setClock(0)
    for (let i = 0; i < 4; i++) await ask()
    expect(as.mailbox.to(address)).toHaveLength(6)
  })

  it('CI-16: a code is good for ten minutes', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    await as.setClock(601)
    expect(isExpired(await typeCode(guest, codePage, newestCode(as, guest.address)))).toBe(true)
  })

  it('CLAIMS 6: half an hour later the page has run out, whatever was shown', async () => {
    const { guest, page } = await s.arrive()
    const done = await showAddress(as, guest, page)
    await as.setClock(1801)
    const answer = await guest.browser.send(done, '/continue')
    expect([answer.status, answer.refresh]).toEqual([400, undefined])
  })

  it('UMA Grant 3.3.2: an expired ticket is as good as none', async () => {
    const ticket = await s.ticket()
    await as.setClock(601)
    const guest = bob()
    const back = await guest.browser.open(
      `${as.origin}/uma/claims?${new URLSearchParams({ client_id: s.app.client.id, ticket, claims_redirect_uri: s.app.claimsRedirectUri })}`,
      (url) => url.startsWith(s.app.claimsRedirectUri),
    )
    expect(new URL(back.url).searchParams.get('error')).toBe('invalid_request')
  })

  it('DESIGN 3: no object before a POST, and nothing in it after the alarm', async () => {
    const before = new Set(await as.objects('NegotiationObject'))
    const { guest, page } = await s.arrive()
    await guest.browser.open(page.url)
    expect(await as.objects('NegotiationObject')).toHaveLength(before.size)
    const codePage = await typeAddress(guest, page)
    const made = (await as.objects('NegotiationObject')).filter((id) => !before.has(id))
    expect(made).toEqual([page.url.split('/').at(-1)])
    const code = newestCode(as, guest.address)
    await as.runAlarm('NEGOTIATION', made[0] ?? '')
    expect(isExpired(await typeCode(guest, codePage, code))).toBe(true)
  })

  it('DESIGN 3: a killed server still knows code, tries and proof', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    const code = newestCode(as, guest.address)
    for (let i = 0; i < 3; i++) await typeCode(guest, codePage, wrongCode(code))
    await as.kill()
    expect(isWrong(await typeCode(guest, codePage, wrongCode(code)))).toBe(true)
    const done = await typeCode(guest, codePage, code)
    expect(isDone(done)).toBe(true)
    await as.kill()
    expect((await goBack(guest, s.app, done)).has('ticket')).toBe(true)
    expect((await guest.browser.send(done, '/continue')).refresh).toBeUndefined()
  })
})

describe('CLAIMS 7: without mail', () => {
  it('CLAIMS 7: a server that cannot send says so on the page, and the person can try again', async () => {
    const as = await ownAs()
    try {
      rmSync(as.mailbox.folder, { recursive: true })
      const browser = openBrowser()
      const address = someone('bob')
      const page = await browser.submit(await browser.open(`${as.origin}/sign-in`), { address })
      expect(page.status).toBe(422)
      expect(page.text).toContain('The mail could not be sent')
      expect(page.text).toContain(address)
      expect(as.logs.join()).not.toContain(address)
    } finally {
      await as.stop()
    }
  })
})
