// "Your proofs" (UMA Grant 6.2): a guest sees what is remembered, masked, and lets it be forgotten; owners concerned hear of it.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Bob, bob, goBack, openClaims, registerApp, share, UMA_TICKET } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Answer, call, expectStatus, type Json } from '../support/http.ts'
import { openBrowser, type Page } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'
import { until } from '../support/until.ts'

let s: Stage
let app: App
const GRANTS = { grant_types: [UMA_TICKET, 'refresh_token'], client_name: 'PhotoPrint' }
beforeAll(async () => {
  s = await stage(await sharedAs())
  app = await registerApp(s.server, 'confidential', GRANTS)
})

const remembered = async (guest: Bob, by = app, who = s): Promise<Json> => {
  const { page } = await openClaims(who.server, guest, by, await who.ticket())
  const codePage = await typeAddress(guest, page)
  const done = await guest.browser.submit(codePage, { code: newestCode(who.server, guest.address), skip: 'on' })
  const ticket = String((await goBack(guest, by, done)).get('ticket'))
  return expectStatus(await by.token(ticket), 200, 'RPT').json
}
const use = async (pct: unknown, by = app, who = s): Promise<Answer> => by.token(await who.ticket(), { pct: String(pct) })
/** Shows the address on the page; a browser of its own. */
const look = async (guest: Bob, who = s): Promise<{ page: Page; browser: Bob['browser'] }> => {
  const browser = openBrowser()
  const start = await browser.open(`${who.server.origin}/proofs`)
  const codePage = await browser.submit(start, { address: guest.address })
  return { browser, page: await browser.submit(codePage, { code: newestCode(who.server, guest.address) }) }
}
const active = async (rpt: unknown, who = s): Promise<boolean> => (await who.service.introspect(String(rpt))).active === true
const refresh = (token: unknown, by = app, who = s): Promise<Answer> =>
  call(`${who.server.origin}/token`, {
    form: { grant_type: 'refresh_token', refresh_token: String(token) },
    basic: { id: by.client.id, secret: by.client.secret ?? '' },
  })

describe('UMA Grant 6.2: what is remembered', () => {
  it('UX, your proofs: masked, with the apps that may skip the question', async () => {
    const guest = await s.guest()
    await remembered(guest)
    const { page } = await look(guest)
    expect(page.status).toBe(200)
    expect(page.text).toContain(`${guest.address[0]}•••@example.net`)
    expect(page.text).not.toContain(guest.address)
    expect(page.text).toContain('PhotoPrint')
    expect(page.headers.get('cache-control')).toContain('no-store')
  })

  it('UX, your proofs: nothing about an address of which nothing is remembered', async () => {
    const { page } = await look(bob())
    expect(page.text).toContain('Nothing is remembered')
  })

  it('RFC 6585 4: three codes, then 429, and when to come again', async () => {
    const browser = openBrowser()
    const start = await browser.open(`${s.server.origin}/proofs`)
    const pages = []
    for (let i = 0; i < 4; i++) pages.push(await browser.submit(start, { address: bob().address }))
    expect(pages.map(({ status, headers }) => [status, Number(headers.get('retry-after')) > 0])).toEqual([
      ...Array(3).fill([200, false]),
      [429, true],
    ])
  })

  it('UMA Grant 6.2: only who shows the address sees it; the session ends by signing out', async () => {
    const guest = await s.guest()
    await remembered(guest)
    const { browser, page } = await look(guest)
    expect((await openBrowser().open(`${s.server.origin}/proofs`)).text).not.toContain('•••')
    await browser.send(page, '/proofs/sign-out')
    expect((await browser.open(`${s.server.origin}/proofs`)).text).not.toContain('•••')
  })

  it('UMA Grant 6.2: a guest takes out what is remembered, and nobody else does', async () => {
    const guest = await s.guest()
    const { pct } = await remembered(guest)
    const { browser } = await look(guest)
    const file = await browser.open(`${s.server.origin}/proofs/takeout`)
    expect(file.headers.get('content-disposition')).toContain('attachment')
    expect(JSON.parse(file.text)).toMatchObject({
      address: guest.address,
      may_skip_the_question: [{ client_id: app.client.id, method: 'email-code' }],
    })
    expect(file.text).not.toContain(String(pct))
    expect((await openBrowser().open(`${s.server.origin}/proofs/takeout`)).text).not.toContain(guest.address)
  })

  it('UMA Grant 5.1: nothing is forgotten without the page’s own token', async () => {
    const guest = await s.guest()
    const { pct } = await remembered(guest)
    const { browser, page } = await look(guest)
    expect((await browser.send(page, '/proofs/forget', { csrf: 'x' })).status).toBe(403)
    expect((await use(pct)).status).toBe(200)
  })
})

describe('UMA Grant 6.2: forgetting', () => {
  it('UX, your proofs: "Ask me again" ends one app’s leave and what rests on it, not another’s', async () => {
    const guest = await s.guest()
    const other = await registerApp(s.server, 'confidential', { ...GRANTS, client_name: 'Elsewhere' })
    const [one, two] = [await remembered(guest), await remembered(guest, other)]
    const next = (await use(one.pct)).json
    const { browser, page } = await look(guest)
    const mine = page.forms.filter(({ fields }) => fields.id !== undefined)
    expect(mine).toHaveLength(2)
    const [, id = ''] = /name="id" value="([^"]+)"\/?>\s*<button[^>]*before PhotoPrint/.exec(page.text) ?? []
    const after = await browser.submit({ ...page, forms: mine.filter(({ fields }) => fields.id === id) }, { id })
    expect(after.text).toContain('What was open because of it is closed')
    expectRefusal(await use(next.pct), 403, 'need_info')
    expect([await active(one.access_token), await active(next.access_token), await active(two.access_token)]).toEqual([false, false, true])
    expectRefusal(await refresh(one.refresh_token), 400, 'invalid_grant')
    expect((await use(two.pct, other)).status).toBe(200)
  })

  it('UX, your proofs: "Delete" ends all of them, at every owner; others are untouched', async () => {
    const [guest, somebody] = [await s.guest(), await s.guest()]
    const t = await stage(s.server)
    await share(t.wallet, t.resource, guest.address)
    const first = await remembered(guest)
    const there = expectStatus(await use(first.pct, app, t), 200, 'elsewhere').json
    const theirs = await remembered(somebody)
    const { browser, page } = await look(guest)
    const all = page.forms.filter(({ action, fields }) => action.endsWith('/forget') && fields.id === undefined)
    const after = await browser.send({ ...page, forms: all }, '/proofs/forget')
    expect(after.text).toContain('Nothing is remembered')
    expect([await active(first.access_token), await active(there.access_token, t), await active(theirs.access_token)]).toEqual([
      false,
      false,
      true,
    ])
    expectRefusal(await use(there.pct), 403, 'need_info')
    const { items } = (await t.wallet.call('/owner/activity?limit=5')).json as { items: { event: string; person_id?: string }[] }
    expect(items[0]).toMatchObject({ event: 'proof_forgotten', person_id: expect.any(String) })
  })
})

describe('DESIGN 3: owners hear of it, whatever happens', () => {
  let running: Running
  afterAll(async () => {
    await running.stop()
    rmSync(running.state, { recursive: true, force: true })
  })

  it('DESIGN 3: kill -9 right after forgetting; the alarm tells the rest', async () => {
    running = await ownAs()
    const t = await stage(running)
    const by = await registerApp(running, 'confidential', GRANTS)
    const guest = await t.guest()
    const { access_token, pct } = await remembered(guest, by, t)
    const { browser, page } = await look(guest, t)
    const all = page.forms.filter(({ action, fields }) => action.endsWith('/forget') && fields.id === undefined)
    const sent = browser.send({ ...page, forms: all }, '/proofs/forget').catch(() => undefined)
    await sent
    await running.kill()
    expectRefusal(await use(pct, by, t), 403, 'need_info')
    for (const id of await running.objects('GuestObject')) await running.runAlarm('GUEST', id)
    await until(async () => !(await active(access_token, t)))
  })
})
