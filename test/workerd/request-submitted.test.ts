// Somebody asks (UMA Grant 3.3.6 request_submitted, CLAIMS 7, DESIGN 1 step 10): the question, polling, the owner's answers, limits.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Bob, bob, goBack, openClaims, registerApp, signIn, someone, UMA_TICKET } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Answer, type Call, expectStatus, type Json } from '../support/http.ts'
import { openBrowser, type Page } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let running: Running
let s: Stage
let app: App
/** The server's clock; polling takes no time here. */
let clock = 0
const pass = async (seconds: number): Promise<void> => {
  clock += seconds
  await running.setClock(clock)
}
beforeAll(async () => {
  running = await ownAs()
  s = await stage(running)
  app = await registerApp(running, 'confidential', { grant_types: [UMA_TICKET, 'refresh_token'] })
})
afterAll(async () => {
  await running.stop()
  rmSync(running.state, { recursive: true, force: true })
})

type Item = { id: string; state: string; label: string; line?: string; permissions: { resource_id: string; resource_scopes: string[] }[] }
/** Shows an address; the page that follows. */
const arrive = async (guest: Bob, ticket?: string, by = app): Promise<Page> => {
  const { page } = await openClaims(running, guest, by, ticket ?? (await s.ticket()))
  const codePage = await typeAddress(guest, page)
  return guest.browser.submit(codePage, { code: newestCode(running, guest.address) })
}
const ask = async (guest: Bob, note = '', ticket?: string): Promise<Page> =>
  guest.browser.send(await arrive(guest, ticket), '/ask', { note })
const leave = async (guest: Bob, page: Page): Promise<string> => String((await goBack(guest, app, page)).get('ticket'))
/** A wallet proves its key by the real time. */
const owner = async (path: string, options: Call = {}, wallet = s.wallet): Promise<Answer> => {
  await running.setClock(0)
  const answer = await wallet.call(path, options)
  await running.setClock(clock)
  return answer
}
const requests = async (): Promise<Item[]> => (await owner('/owner/requests')).json.items as Item[]
const decide = (id: string, json: Json): Promise<Answer> => owner(`/owner/requests/${id}`, { json })
const another = async (): Promise<Stage> => {
  await running.setClock(0)
  const t = await stage(running, await signIn(running))
  await running.setClock(clock)
  return t
}
const newest = async (): Promise<Item> => {
  const item = (await requests())[0]
  if (item === undefined) throw new Error('nobody asks')
  return item
}
const stateOf = async (guest: Bob, page: Page): Promise<string> => {
  const cookie = Object.entries(guest.browser.cookies(page.url)).map(([name, value]) => `${name}=${value}`)
  const answer = await fetch(`${page.url.split('?')[0]}/state`, { headers: { cookie: cookie.join('; ') } })
  return ((await answer.json()) as { state: string }).state
}
const everybody = (): Json => ({
  v: 1,
  effect: 'permit',
  target: { resources: [s.resource] },
  scopes: ['view'],
  when: { all: [{ anyone: true }] },
})
const isWaiting = (page: Page): boolean => page.text.includes('We asked the owner')
const active = async (answer: Answer): Promise<boolean> => (await s.service.introspect(String(answer.json.access_token))).active === true

describe('DESIGN 1, step 10: the question', () => {
  it('UX, not shared: a line and "Ask the owner"; then the page waits; the owner gets it sealed', async () => {
    const guest = bob()
    const page = await arrive(guest)
    expect(page.text).toContain('Ask the owner')
    expect(page.text).toMatch(/<textarea[^>]*name="note"[^>]*maxlength="280"/)
    const waiting = await guest.browser.send(page, '/ask', { note: `Hi Alice, it is me.\u202e ${'x'.repeat(400)}` })
    expect(isWaiting(waiting)).toBe(true)
    expect(waiting.text).toMatch(/<noscript><meta http-equiv="refresh" content="5"/)
    expect(await stateOf(guest, waiting)).toBe('waiting')
    const item = await newest()
    expect(item).toMatchObject({
      state: 'waiting',
      label: expect.stringMatching(/^[\w-]+(\.[\w-]*){4}$/),
      line: expect.stringMatching(/^[\w-]+(\.[\w-]*){4}$/),
      permissions: [{ resource_id: s.resource, resource_scopes: ['view'] }],
      client_name: 'An app',
      method: 'email-code',
    })
    expect(JSON.stringify(item)).not.toContain(guest.address)
    const { items } = (await owner('/owner/activity?limit=1')).json as { items: Json[] }
    expect(items[0]).toMatchObject({ event: 'request_received', request_id: item.id, resource_id: s.resource })
  })

  it('CLAIMS 7: nobody asks without having shown an address, nor for another one than the one shown', async () => {
    const guest = bob()
    const before = (await requests()).length
    const { page } = await openClaims(running, guest, app, await s.ticket())
    const codePage = await typeAddress(guest, page)
    const csrf = codePage.forms[0]?.fields.csrf ?? ''
    const form = { ...codePage, forms: codePage.forms.map((one) => ({ ...one, action: `${page.url}/ask`, fields: { csrf } })) }
    await guest.browser.send(form, '/ask', {})
    const done = await guest.browser.submit(codePage, { code: newestCode(running, guest.address) })
    const start = await guest.browser.open(`${done.url}?again=1`)
    await typeAddress(guest, start, someone('victim'))
    await guest.browser.send(done, '/ask', {})
    expect(await requests()).toHaveLength(before)
    expect((await guest.browser.send(done, '/ask', { csrf: 'x' })).status).toBe(403)
  })

  it('UMA Grant 3.3.6: request_submitted: 403, a new ticket, interval 5; polling too fast makes it longer and never 429 (SPECS G-65d)', async () => {
    const guest = bob()
    const ticket = await leave(guest, await ask(guest))
    const one = await app.token(ticket)
    expectRefusal(one, 403, 'request_submitted')
    expect(one.json).toEqual({
      error: 'request_submitted',
      error_description: expect.any(String),
      ticket: expect.stringMatching(/^[\w-]+$/),
      interval: 5,
    })
    const fast = await app.token(String(one.json.ticket))
    expect([fast.status, fast.json.error, fast.json.interval]).toEqual([403, 'request_submitted', 10])
    expectRefusal(await app.token(String(one.json.ticket)), 400, 'invalid_grant')
    let next = fast
    for (let i = 0; i < 70; i++) next = await app.token(String(next.json.ticket))
    expect([next.json.error, next.json.interval]).toEqual(['request_submitted', 60])
    // An answer is not given to who does not wait.
    await decide((await newest()).id, { decision: 'allow' })
    const early = await app.token(String(next.json.ticket))
    expect(early.json.error).toBe('request_submitted')
    await pass(61)
    expect(await active(await app.token(String(early.json.ticket)))).toBe(true)
  })

  it('UX, waiting: open the link again later: the question still stands, asked once; another app’s does not count', async () => {
    const guest = bob()
    await ask(guest)
    const before = (await requests()).length
    expect(isWaiting(await arrive(guest))).toBe(true)
    expect(await requests()).toHaveLength(before)
    const other = await registerApp(running, 'confidential')
    expect((await arrive(guest, undefined, other)).text).toContain('Ask the owner')
  })

  it('UX, waiting: the guest takes it back', async () => {
    const guest = bob()
    const page = await ask(guest)
    const { id } = await newest()
    const after = await guest.browser.send(page, '/withdraw')
    expect(after.text).toContain('Not shared with this address')
    expect(await stateOf(guest, after)).toBe('no')
    expect((await requests()).some((one) => one.id === id)).toBe(false)
    expectRefusal(await decide(id, { decision: 'allow' }), 404, 'not_found')
  })
})

describe('DESIGN 1, step 10: the answer', () => {
  it('UMA Grant 3.3.6: allowed once: one RPT, no refresh token, an hour at most', async () => {
    const guest = bob()
    const page = await ask(guest)
    const answered = expectStatus(await decide((await newest()).id, { decision: 'allow' }), 200, 'allow')
    expect(answered.json.state).toBe('allowed')
    expect(await stateOf(guest, page)).toBe('yes')
    const done = await guest.browser.open(page.url)
    expect(done.text).toContain('this once')
    const rpt = await app.token(await leave(guest, done))
    expect(rpt.status).toBe(200)
    expect(rpt.json).not.toHaveProperty('refresh_token')
    expect(await active(rpt)).toBe(true)
    expect((await newest()).state).toBe('used')
    expect((await arrive(guest)).text).toContain('Not shared with this address')
    // Not even by way of an upgrade.
    await decide((await newest()).id, { decision: 'deny' })
    expect(await active(rpt)).toBe(false)
  })

  it('POLICY 4: what was allowed once is in the list of everything, before its use and for what came of it, and is stopped there', async () => {
    const guest = bob()
    const once = async () => (await owner('/owner/rules?kind=once')).json.items as Json[]
    const before = (await once()).map(({ id }) => id)
    const mine = async () => (await once()).filter(({ id }) => !before.includes(id))
    const page = await ask(guest)
    const { id } = await newest()
    expect(await mine()).toEqual([])
    await decide(id, { decision: 'allow' })
    const [entry] = await mine()
    expect(entry).toMatchObject({
      kind: 'once',
      id: `once:${id}`,
      request_id: id,
      effect: 'permit',
      target: { resources: [s.resource] },
      scopes: ['view'],
      sentence: expect.stringMatching(/^\{mac:[\w-]{43}\} may view \{thing\} until .* and nobody has used it yet$/),
    })
    const cell = { resource_id: s.resource, scope: 'view' }
    const ways = async () => (await owner('/owner/questions/who', { json: cell })).json.ways as { rules: string[] }[]
    expect((await ways()).flatMap(({ rules }) => rules)).toContain(entry?.id)
    expect((await owner(`/owner/rules/${entry?.id}`)).json.sentence).toBe(entry?.sentence)
    expect((await owner(`/owner/rules/${entry?.id}`, { method: 'PUT', headers: { 'if-match': '"0"' }, json: everybody() })).status).toBe(
      404,
    )
    const rpt = await app.token(await leave(guest, await guest.browser.open(page.url)))
    expect(await active(rpt)).toBe(true)
    // An hour for what came of it, and no second time.
    expect((await mine()).map(({ id: one, last_used_at }) => [one, typeof last_used_at])).toEqual([[entry?.id, 'number']])
    expect((await owner(`/owner/rules/${entry?.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await active(rpt)).toBe(false)
    expect(await mine()).toEqual([])
    expect((await owner(`/owner/rules/${entry?.id}`)).status).toBe(404)
    expect((await owner(`/owner/rules/${entry?.id}`, { method: 'DELETE' })).status).toBe(204)
    const { items } = (await owner('/owner/activity?limit=1')).json as { items: Json[] }
    expect(items[0]).toMatchObject({ event: 'request_answered', decision: 'deny', request_id: id })
  })

  it('POLICY 4: of several things that were allowed once, one is stopped', async () => {
    const other = await s.service.register({ resource_scopes: ['view'] })
    const guest = bob()
    const both = [s.resource, other].map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
    const page = await ask(guest, '', await s.service.ticket(both))
    const { id } = await newest()
    await decide(id, { decision: 'allow' })
    const rpt = await app.token(await leave(guest, await guest.browser.open(page.url)))
    const given = async () =>
      ((await s.service.introspect(String(rpt.json.access_token))).permissions as { resource_id: string }[]).map((one) => one.resource_id)
    expect((await given()).sort()).toEqual([s.resource, other].sort())
    expect((await owner(`/owner/rules/once:${id}:${other}`, { method: 'DELETE' })).status).toBe(204)
    expect(await given()).toEqual([s.resource])
    const { items } = (await owner(`/owner/rules?resource_id=${other}`)).json as { items: Json[] }
    expect(items).toEqual([])
    expect((await owner(`/owner/rules/once:${id}`)).json).toMatchObject({ target: { resources: [s.resource] } })
  })

  it('DESIGN 1, step 10: something else is offered: fewer scopes, and never more than was asked for (I2)', async () => {
    const guest = bob()
    const ticket = await s.service.ticket({ resource_id: s.resource, resource_scopes: ['view', 'download'] })
    const page = await ask(guest, '', ticket)
    const { id } = await newest()
    expectRefusal(await decide(id, { decision: 'allow', resource_scopes: ['print'] }), 400, 'invalid_request')
    expectStatus(await decide(id, { decision: 'allow', resource_scopes: ['view', 'print'] }), 200, 'offer')
    const rpt = await app.token(await leave(guest, await guest.browser.open(page.url)))
    const { permissions } = await s.service.introspect(String(rpt.json.access_token))
    expect((permissions as { resource_scopes: string[] }[])[0]?.resource_scopes).toEqual(['view'])
  })

  it('CLAIMS 7: kept: a share until a day, for the person; the waiting client gets its RPT', async () => {
    const guest = bob()
    const ticket = await leave(guest, await ask(guest))
    const polled = await app.token(ticket)
    expectRefusal(polled, 403, 'request_submitted')
    const now = Math.floor(Date.now() / 1000) + clock
    const kept = expectStatus(await decide((await newest()).id, { decision: 'keep', until: now + 7200 }), 200, 'keep')
    expect(kept.json).toMatchObject({ state: 'kept', person_id: expect.any(String) })
    const { items } = (await owner(`/owner/policies?person_id=${kept.json.person_id}`)).json as { items: Json[] }
    expect(items).toEqual([expect.objectContaining({ resource_id: s.resource, resource_scopes: ['view'], until: now + 7200 })])
    await pass(5)
    const rpt = expectStatus(await app.token(String(polled.json.ticket)), 200, 'RPT')
    expect(rpt.json.refresh_token).toBeDefined()
    expectRefusal(await decide((await newest()).id, { decision: 'allow' }), 409, 'invalid_request')
  })

  it('UMA Grant 3.3.6: denied: request_denied, without a ticket', async () => {
    const guest = bob()
    const page = await ask(guest)
    const polled = await app.token(await leave(guest, page))
    expectStatus(await decide((await newest()).id, { decision: 'deny' }), 200, 'deny')
    await pass(5)
    const denied = await app.token(String(polled.json.ticket))
    expectRefusal(denied, 403, 'request_denied')
    expect(denied.json).not.toHaveProperty('ticket')
  })

  it('DESIGN 7 I4: "stop sharing" of the thing ends what was allowed once as well', async () => {
    const guest = bob()
    const resource = await s.service.register({ resource_scopes: ['view'] })
    const page = await ask(guest, '', await s.service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
    await decide((await newest()).id, { decision: 'allow' })
    const rpt = await app.token(await leave(guest, await guest.browser.open(page.url)))
    expect(await active(rpt)).toBe(true)
    await owner(`/owner/resources/${resource}/policies`, { method: 'DELETE' })
    expect(await active(rpt)).toBe(false)
  })

  it('UMA Grant 5.5: allowed once and presented twenty times at once: one RPT', async () => {
    const guest = bob()
    const pages = [await ask(guest), await arrive(guest), await arrive(guest)]
    const tickets = await Promise.all(pages.map((page) => leave(guest, page)))
    await decide((await newest()).id, { decision: 'allow' })
    const answers = await Promise.all(Array.from({ length: 21 }, (_, i) => app.token(tickets[i % 3] ?? '')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('DESIGN decision 8: another owner’s wallet neither sees nor answers it [OW-05]', async () => {
    await ask(bob())
    const { id } = await newest()
    const other = await another()
    expect((await owner('/owner/requests', {}, other.wallet)).json.items).toEqual([])
    expectRefusal(await owner(`/owner/requests/${id}`, { json: { decision: 'allow' } }, other.wallet), 404, 'not_found')
    for (const json of [{}, { decision: 'yes' }, { decision: 'keep', until: 1 }, { decision: 'allow', until: 9_999_999_999 }]) {
      expectRefusal(await decide(id, json), 400, 'invalid_request')
    }
    expectRefusal(await s.service.call('/owner/requests'), 403, 'insufficient_scope')
  })
})

describe('CLAIMS 7: limits and settings', () => {
  it('CLAIMS 7: a guest has three open questions at most', async () => {
    const guest = bob()
    const pages: Page[] = []
    for (let i = 0; i < 4; i++) {
      const resource = await s.service.register({ resource_scopes: ['view'] })
      pages.push(
        await ask({ ...guest, browser: openBrowser() }, '', await s.service.ticket({ resource_id: resource, resource_scopes: ['view'] })),
      )
      await pass(601)
    }
    expect(pages.map(isWaiting)).toEqual([true, true, true, false])
    expect(pages[3]?.text).toContain('too many open questions')
    // RFC 6585 4
    expect([pages[3]?.status, pages[3]?.headers.get('retry-after')]).toEqual([429, '86400'])
  })

  it('CLAIMS 7: kept over kill -9; after seven days it is over', async () => {
    const guest = bob()
    await ask(guest)
    const { id } = await newest()
    await running.kill()
    await running.setClock(clock)
    expect((await requests()).some((one) => one.id === id && one.state === 'waiting')).toBe(true)
  })

  it('DESIGN decision 6: the owner may let nobody ask', async () => {
    const t = await another()
    expect((await owner('/owner/settings', {}, t.wallet)).json).toEqual({ lets_people_ask: true, revoke_on_replay: false })
    const set = await owner('/owner/settings', { method: 'PUT', json: { lets_people_ask: false } }, t.wallet)
    expect([set.status, set.json]).toEqual([200, { lets_people_ask: false, revoke_on_replay: false }])
    expect((await owner('/owner/settings', {}, t.wallet)).json).toEqual({ lets_people_ask: false, revoke_on_replay: false })
    const guest = bob()
    const { page } = await openClaims(running, guest, app, await t.ticket())
    const codePage = await typeAddress(guest, page)
    const result = await guest.browser.submit(codePage, { code: newestCode(running, guest.address) })
    expect(result.text).toContain('Not shared with this address')
    expect(result.text).not.toContain('Ask the owner')
    expectRefusal(await owner('/owner/settings', { method: 'PUT', json: { lets_people_ask: 1 } }, t.wallet), 400, 'invalid_request')
  })
})
