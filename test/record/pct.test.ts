// Persisted claims tokens (UMA Grant 3.3.1, 3.3.3, 5.2, 6.2): only with the guest's leave, only for that client and key, rotated, revocable.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Bob, bob, goBack, openClaims, registerApp, share, signIn, stopSharing } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Answer, call, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { answerByWallet, obtainCredential } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'
import { until } from '../support/until.ts'

let s: Stage
let app: App
beforeAll(async () => {
  s = await stage(await sharedAs())
  app = await registerApp(s.server, 'confidential')
})

/** Claims page with the box ticked or not; answers the ticket that comes back. */
const gather = async (guest: Bob, by: App, ticket: string, skip: boolean, who = s): Promise<string> => {
  const { page } = await openClaims(who.server, guest, by, ticket)
  const codePage = await typeAddress(guest, page)
  const code = newestCode(who.server, guest.address)
  const done = await guest.browser.submit(codePage, { code, ...(skip && { skip: 'on' }) })
  return String((await goBack(guest, by, done)).get('ticket'))
}
const first = async (guest: Bob, by = app, skip = true, who = s): Promise<Json> =>
  expectStatus(await by.token(await gather(guest, by, await who.ticket(), skip, who)), 200, 'RPT').json
/** Somebody proves an address with which nothing is shared, asks, and goes on to wait at the app. */
const gatherByMailOf = async (guest: Bob): Promise<string> => {
  const { page } = await openClaims(s.server, guest, app, await s.ticket())
  const codePage = await typeAddress(guest, page)
  const result = await guest.browser.submit(codePage, { code: newestCode(s.server, guest.address) })
  const waiting = await guest.browser.send(result, '/ask')
  return String((await goBack(guest, app, waiting)).get('ticket'))
}
const use = async (pct: unknown, by = app, who = s): Promise<Answer> => by.token(await who.ticket(), { pct: String(pct) })
/** The token that follows. */
const latest = async (pct: unknown, who = s): Promise<unknown> => (await use(pct, app, who)).json.pct
const events = async (who = s): Promise<string[]> =>
  ((await who.wallet.call('/owner/activity')).json as { items: { event: string }[] }).items.map(({ event }) => event)

describe('UMA Grant 3.3.3: leave', () => {
  it('UMA Grant 3.3.3: the box is there, names the app, and is not ticked', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    expect(codePage.text).toMatch(/<input type="checkbox" name="skip"\/?>/)
    expect(codePage.text).toContain('Let An app skip this for 30 days')
  })

  it('UMA Grant 6.2: not ticked, no token', async () => {
    expect(await first(await s.guest(), app, false)).not.toHaveProperty('pct')
  })

  it('UMA Grant 3.3.5: ticked, a token that says nothing about anybody', async () => {
    const guest = await s.guest()
    const { pct } = await first(guest)
    expect(pct).toMatch(/^c[\w-]{40,}\.[\w-]{43}$/)
    expect(Buffer.from(String(pct).slice(1), 'base64url').toString('latin1')).not.toContain(guest.address.split('@')[0])
  })

  it('UMA Grant 3.3.3: with a wallet the box is on the last page', async () => {
    const guest = await s.guest()
    const credential = await obtainCredential(s.server, guest, s.app, await s.ticket())
    for (const skip of [true, false]) {
      const { page } = await openClaims(s.server, guest, app, await s.ticket())
      const done = await answerByWallet(guest, page, credential)
      expect(done.text).toContain('Let An app skip this for 30 days')
      const between = await guest.browser.send(done, '/continue', skip ? { skip: 'on' } : {})
      const next = new URL(between.refresh ?? '').searchParams.get('ticket') ?? ''
      expect('pct' in (await app.token(next)).json).toBe(skip)
    }
  })

  it('UMA Grant 3.3.3: an address that was proved but not shared with leaves nothing behind', async () => {
    const guest = bob()
    const { page } = await openClaims(s.server, guest, app, await s.ticket())
    const codePage = await typeAddress(guest, page)
    const result = await guest.browser.submit(codePage, { code: newestCode(s.server, guest.address), skip: 'on' })
    expect(result.text).toContain('Not shared with this address')
  })
})

describe('UMA Grant 3.3.1: use', () => {
  it('UMA Grant 3.3.1: no question, for other things and other services and other owners', async () => {
    const guest = await s.guest()
    const { pct } = await first(guest)
    const one = expectStatus(await use(pct), 200, 'with a PCT').json
    const other = await stage(s.server)
    await share(other.wallet, other.resource, guest.address)
    expectStatus(await use(one.pct, app, other), 200, 'at another owner')
  })

  it('UMA Grant 3.3.4: decides nothing by itself: what is not shared is refused, what is stopped is stopped', async () => {
    const guest = bob()
    const policy = await share(s.wallet, s.resource, guest.address)
    const { pct } = await first(guest)
    const granted = (await use(pct)).json
    await stopSharing(s.wallet, policy)
    expect((await s.service.introspect(String(granted.access_token))).active).toBe(false)
    expectRefusal(await use(granted.pct), 403, 'request_denied')
    // Nothing followed it: the same one is good again.
    await share(s.wallet, s.resource, guest.address)
    expect((await use(granted.pct)).status).toBe(200)
  })

  it('UMA Grant 5.2: each use gives another one; the one before is good until that is used', async () => {
    const { pct } = await first(await s.guest())
    const one = (await use(pct)).json.pct
    expect(one).not.toBe(pct)
    // The answer was lost: the client comes again with the one it has.
    const two = (await use(pct)).json.pct
    const three = (await use(two)).json.pct
    expect((await use(three)).status).toBe(200)
    expectRefusal(await use(one), 403, 'need_info')
  })

  it('SPECS G-76: the predecessor of one that was used has been stolen: all of them end', async () => {
    const { pct } = await first(await s.guest())
    const one = (await use(pct)).json.pct
    const two = (await use(one)).json.pct
    expectRefusal(await use(pct), 403, 'need_info')
    expectRefusal(await use(two), 403, 'need_info')
  })

  it('UMA Grant 5.2: twenty uses at once: one of the successors lasts', async () => {
    const { pct } = await first(await s.guest())
    const answers = await Promise.all(Array.from({ length: 20 }, () => use(pct)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const next = (await use(answers[7]?.json.pct)).json.pct
    expect((await use(next)).status).toBe(200)
    expectRefusal(await use(answers[8]?.json.pct), 403, 'need_info')
  })

  it('SPECS G-76: another client’s counts as absent, is told to the owner and ends the consent', async () => {
    const { pct } = await first(await s.guest())
    const before = (await events()).filter((event) => event === 'proof_refused').length
    expectRefusal(await use(pct, await registerApp(s.server, 'confidential')), 403, 'need_info')
    expectRefusal(await use(pct), 403, 'need_info')
    expect((await events()).filter((event) => event === 'proof_refused')).toHaveLength(before + 1)
  })

  it('TESTS CI-14: Bob’s, while Carlos is at the claims page: Carlos is judged, and Bob’s stays what it was (UMA Grant 5.1)', async () => {
    const { pct } = await first(await s.guest())
    const next = await gatherByMailOf(bob())
    expectRefusal(await app.token(next, { pct: String(pct) }), 403, 'request_submitted')
    expect((await use(pct)).status).toBe(200)
  })

  it('SPECS G-76: what is none counts as absent, and nobody is bothered', async () => {
    const { pct } = await first(await s.guest())
    const newest = async () => ((await s.wallet.call('/owner/activity?limit=1')).json as { items: { seq: number }[] }).items[0]?.seq
    const before = await newest()
    for (const text of ['x', `${pct}x`, String(pct).slice(1), `r${String(pct).slice(1)}`, s.service.pat]) {
      expectRefusal(await use(text), 403, 'need_info')
    }
    expect(await newest()).toBe(before)
  })

  it('RFC 9449: a public client’s is bound to its key', async () => {
    const open = await registerApp(s.server)
    const { pct } = await first(await s.guest(), open)
    expectRefusal(await use(pct, { ...open, token: (await registerApp(s.server)).token }), 403, 'need_info')
    const { pct: mine } = await first(await s.guest(), open)
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', client_id: open.client.id, pct: String(mine) }
    const stolen = await call(`${s.server.origin}/token`, { form: { ...form, ticket: await s.ticket() }, dpop: await newDpopKey() })
    expectRefusal(stolen, 403, 'need_info')
    expect((await use(mine, open)).status).toBe(200)
  })

  it('UMA Grant 3.3.5.1: an upgrade by PCT: the same guest', async () => {
    const { pct, access_token } = await first(await s.guest())
    expect((await app.token(await s.ticket(), { pct: String(pct), rpt: String(access_token) })).json.upgraded).toBe(true)
  })

  it('SPECS G-82: a ticket that is seen again ends the token that it brought, or that followed, if the owner wants that', async () => {
    const t = await stage(s.server, await signIn(s.server))
    const isOver = async (pct: unknown): Promise<boolean> => (await use(pct, app, t)).status === 403
    const come = async (pct?: unknown): Promise<{ ticket: string; pct: unknown }> => {
      const ticket = pct === undefined ? await gather(await t.guest(), app, await t.ticket(), true, t) : await t.ticket()
      const { json } = expectStatus(await app.token(ticket, pct === undefined ? {} : { pct: String(pct) }), 200, 'RPT')
      return { ticket, pct: json.pct }
    }
    const again = async ({ ticket }: { ticket: string }): Promise<void> => expectRefusal(await app.token(ticket), 400, 'invalid_grant')
    const before = await come()
    await again(before)
    expectStatus(await t.wallet.call('/owner/settings', { method: 'PUT', json: { revoke_on_replay: true } }), 200, 'setting')
    const [one, other] = [await come(), await come()]
    await again(before)
    await again(one)
    // The guest's object hears of it after the answer.
    await until(() => isOver(one.pct))
    expect([await isOver(before.pct), await isOver(other.pct)]).toEqual([false, false])
    const two = await come(await latest(other.pct, t))
    await again(two)
    await until(() => isOver(two.pct))
  })

  it('UMA Grant 6.1: the owner sees that nobody was asked', async () => {
    const alice = await signIn(s.server)
    const t = await stage(s.server, alice)
    const { pct } = await first(await t.guest(), app, true, t)
    await use(pct, app, t)
    const { items } = (await t.wallet.call('/owner/activity')).json as { items: { event: string; method?: string }[] }
    expect(items.filter(({ event }) => event === 'access_granted').map(({ method }) => method)).toEqual(['pct', 'email-code'])
  })
})

describe('UMA Grant 3.7: revocation of a PCT', () => {
  const revoke = (token: unknown, by: App): Promise<Answer> =>
    call(`${s.server.origin}/revoke`, {
      form: { token: String(token), token_type_hint: 'pct' },
      basic: { id: by.client.id, secret: by.client.secret ?? '' },
    })

  it('UMA Grant 3.7: later use has no effect; what was granted goes on', async () => {
    const { pct, access_token } = await first(await s.guest())
    expect((await revoke(pct, app)).status).toBe(200)
    expectRefusal(await use(pct), 403, 'need_info')
    expect((await s.service.introspect(String(access_token))).active).toBe(true)
  })

  it('RFC 7009 2.1: another client’s is left as it is', async () => {
    const { pct } = await first(await s.guest())
    expect((await revoke(pct, await registerApp(s.server, 'confidential'))).status).toBe(200)
    expect((await use(pct)).status).toBe(200)
  })
})

describe('UMA Grant 3.3.3: time', () => {
  let running: Running
  let t: Stage
  let by: App
  beforeAll(async () => {
    running = await ownAs()
    t = await stage(running)
    by = await registerApp(running, 'confidential')
  })
  afterAll(async () => {
    await running.stop()
    rmSync(running.state, { recursive: true, force: true })
  })

  it('UX: 30 days from the leave on, however often it is used; a predecessor for a minute; kill -9 in between', async () => {
    const guest = await t.guest()
    const { pct } = await first(guest, by, true, t)
    await running.kill()
    const one = (await use(pct, by, t)).json.pct
    await running.setClock(90)
    expectRefusal(await use(pct, by, t), 403, 'need_info')
    expectRefusal(await use(one, by, t), 403, 'need_info')
    await running.setClock(0)
    const { pct: anew } = await first(guest, by, true, t)
    const ticket = async (): Promise<string> => {
      const { id, secret = '' } = t.service.client
      const form = { grant_type: 'refresh_token', refresh_token: String(t.service.tokens.refresh_token) }
      const { json } = await call(`${running.origin}/token`, { form, basic: { id, secret } })
      const permission = { resource_id: t.resource, resource_scopes: ['view'] }
      return String((await call(`${running.origin}/uma/permission`, { json: permission, bearer: String(json.access_token) })).json.ticket)
    }
    await running.setClock(29 * 86_400)
    const last = expectStatus(await by.token(await ticket(), { pct: String(anew) }), 200, 'after 29 days').json.pct
    await running.setClock(30 * 86_400 + 60)
    expectRefusal(await by.token(await ticket(), { pct: String(last) }), 403, 'need_info')
  })

  it('POLICY 2: a rule that wants nothing to be remembered gives no successor; the token that was used goes on, and is no theft', async () => {
    await running.setClock(0)
    const refused = async () => (await events(t)).filter((event) => event === 'proof_refused').length
    const before = await refused()
    const { pct } = await first(await t.guest(), by, true, t)
    const strict = await t.service.register({ resource_scopes: ['view'] })
    const when = { claim: 'email', domain: 'example.net' }
    const rule = { v: 1, effect: 'permit', target: { resources: [strict] }, scopes: ['view'], when, grant: { pct: false } }
    expectStatus(await t.wallet.call('/owner/rules', { json: rule }), 201, 'rule')
    const ticket = await t.service.ticket({ resource_id: strict, resource_scopes: ['view'] })
    const given = expectStatus(await by.token(ticket, { pct: String(pct) }), 200, 'RPT')
    expect(Object.keys(given.json)).not.toContain('pct')
    await running.setClock(90)
    expect((await use(pct, by, t)).status).toBe(200)
    await running.setClock(0)
    expect(await refused()).toBe(before)
  })
})
