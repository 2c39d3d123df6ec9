// A guest leaves (UMA Grant 6.2, DESIGN 3 "Shared facts reach the owners"): what is deleted is over at every owner who ever gave or was
// asked for something, remembered or not; and a question is taken back, whatever is on its way at that moment.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bob, bob, gatherByMail, goBack, openClaims, share } from '../support/actors.ts'
import { type Attack, attack, nextOf, rptOf } from '../support/attack.ts'
import { newestCode, type Stage, stage } from '../support/claims.ts'
import { type Answer, expectStatus, type Json } from '../support/http.ts'
import { openBrowser, type Page } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { until } from '../support/until.ts'

let a: Attack
/** Another owner, who shares with the same guest. */
let t: Stage
beforeAll(async () => {
  a = await attack()
  t = await stage(a.as)
  await share(t.wallet, t.resource, a.guest.address)
  own = (await signIn(a.guest.address)).browser
})
afterAll(() => a.stop())

type Look = { browser: Bob['browser']; page: Page }
/** "Your proofs" of an address, in a browser of its own. */
const signIn = async (address: string): Promise<Look> => {
  const browser = openBrowser()
  const codePage = await browser.submit(await browser.open(`${a.as.origin}/proofs`), { address })
  return { browser, page: await browser.submit(codePage, { code: newestCode(a.as, address) }) }
}
let own: Look['browser']
/** The guest's own page as it is now. */
const look = async (): Promise<Look> => ({ browser: own, page: await own.open(`${a.as.origin}/proofs`) })
/** A token request with the guest's credential and a ticket of the other owner, or another one's. */
const there = async (s = t): Promise<Answer> => {
  const ticket = await s.ticket()
  return a.app.token(ticket, await a.address(ticket))
}
const deleteAll = async ({ browser, page }: Look): Promise<Page> => {
  const forms = page.forms.filter(({ action, fields }) => action.endsWith('/forget') && fields.id === undefined)
  return browser.send({ ...page, forms }, '/proofs/forget')
}
const takenBack = async ({ browser, page }: Look, request?: string): Promise<Page> =>
  browser.send(page, '/proofs/withdraw', request === undefined ? {} : { request })
const active = async (s: Stage, answer: Answer): Promise<boolean> => (await s.service.introspect(rptOf(answer))).active === true
/** A thing that is opened for the guest once the owner has said yes. */
const askedThing = async (more: string[] = []): Promise<string> => {
  const id = await a.thing()
  const rule = { target: { resources: [id, ...more] }, when: { all: [{ claim: 'email', eq: a.mac }, { ask: `ask-${id}` }] } }
  await a.rules.save({ id: `ask-${id}`, ...rule })
  return id
}
type Request = { id: string; state: string }
const requests = async (): Promise<Request[]> => ((await a.rules.ask('requests')) as unknown as { items: Request[] }).items
const answer = async (decision: string, id?: string) =>
  a.rules.ask('answer', { id: id ?? (await requests())[0]?.id ?? '', decision, valid_until: null, time_zone: null })
/** Other calls have gone through: what was sent before is waiting for the record. */
const arrived = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await a.rules.ask('groups')
}

describe('UMA Grant 6.2: who deletes everything', () => {
  it('DESIGN 3: without leave to skip the question, by a code and by a wallet: RPTs, refresh tokens and questions end at every owner', async () => {
    const somebody = bob()
    await share(t.wallet, t.resource, somebody.address)
    const id = await a.thing()
    await a.rules.save({ target: { resources: [id] }, when: { claim: 'email', eq: a.mac } })
    const here = await a.come(id)
    const elsewhere = await a.app.token(await gatherByMail(a.as, bob(a.guest.address), a.app, await t.ticket()))
    const theirs = await a.app.token(await gatherByMail(a.as, somebody, a.app, await t.ticket()))
    const waiting = await a.come(await askedThing())
    expectRefusal(waiting, 403, 'request_submitted')
    expect([await active(a.s, here), await active(t, elsewhere)]).toEqual([true, true])

    const seen = await look()
    const file = await seen.browser.open(`${a.as.origin}/proofs/takeout`)
    const scene = { client_id: a.app.client.id, resource_scopes: ['view'] }
    expect(JSON.parse(file.text)).toMatchObject({
      may_skip_the_question: [],
      asked: [{ ...scene, service: a.s.service.client.id, state: 'waiting', created_at: expect.any(Number) }],
      complete: true,
    })
    const { opened } = JSON.parse(file.text) as { opened: Json[] }
    // An RPT and a refresh token at each.
    expect(opened.map(({ service }) => service).sort()).toEqual(
      [a.s.service.client.id, a.s.service.client.id, t.service.client.id, t.service.client.id].sort(),
    )
    // DESIGN 8: nothing tells which things are one owner's, nor what they are, nor which rule opened them.
    const owners = await Promise.all([a.s.wallet, t.wallet].map(async (wallet) => String((await wallet.call('/owner/me')).json.id)))
    for (const hidden of [...owners, id, a.s.resource, t.resource, a.mac]) expect(file.text).not.toContain(hidden)

    expect((await deleteAll(seen)).text).toContain('What was open because of it is closed')
    expect([await active(a.s, here), await active(t, elsewhere), await active(t, theirs)]).toEqual([false, false, true])
    for (const answered of [here, elsewhere]) expectRefusal(await a.refresh(answered), 400, 'invalid_grant')
    expect(await requests()).toEqual([])
    expect((await look()).page.text).not.toContain('/proofs/forget')
  })

  it('DESIGN 3: who comes back and deletes again is heard again, also by an owner who was only asked', async () => {
    const again = await there()
    expect(await active(t, again)).toBe(true)
    await deleteAll(await look())
    expect(await active(t, again)).toBe(false)
    const stranger = bob()
    const { page } = await openClaims(a.as, stranger, a.app, await a.ticketFor(await a.thing()))
    const codePage = await stranger.browser.submit(page, { address: stranger.address })
    const notShared = await stranger.browser.submit(codePage, { code: newestCode(a.as, stranger.address) })
    await stranger.browser.send(notShared, '/ask', { note: 'please' })
    expect(await requests()).toHaveLength(1)
    await deleteAll(await signIn(stranger.address))
    expect(await requests()).toEqual([])
  })

  it('DESIGN 7 I5: while the guest’s object is away the first grant waits and nothing is spent; later ones do not ask it', async () => {
    const u = await stage(a.as)
    await share(u.wallet, u.resource, a.guest.address)
    const ticket = await u.ticket()
    const proof = await a.address(ticket)
    for (const mode of ['fail', 'lost'] as const) {
      await a.as.setFault({ mode, count: 1, match: 'GUEST relied' })
      expectRefusal(await a.app.token(ticket, proof), 503, 'temporarily_unavailable')
    }
    await a.as.setFault({ mode: 'fail', count: 1, match: 'INTO reliance' })
    expectRefusal(await a.app.token(ticket, proof), 503, 'temporarily_unavailable')
    const first = await a.app.token(ticket, proof)
    await a.as.setFault({ mode: 'fail', count: 1, match: 'GUEST relied' })
    const second = await there(u)
    await a.as.setFault(undefined)
    expect([await active(u, first), await active(u, second)]).toEqual([true, true])
    await deleteAll(await look())
    expect([await active(u, first), await active(u, second)]).toEqual([false, false])
  })

  it('UMA Grant 6.2: what was shown, and leave that was given, before that counts at no owner afterwards, and brings no token', async () => {
    const leave = async (ticket: string): Promise<string> => {
      const guest = bob(a.guest.address)
      const { page } = await openClaims(a.as, guest, a.app, ticket)
      const codePage = await guest.browser.submit(page, { address: guest.address })
      const done = await guest.browser.submit(codePage, { code: newestCode(a.as, guest.address), skip: 'on' })
      return String((await goBack(guest, a.app, done)).get('ticket'))
    }
    // One owner who never heard of the guest, and one who has; there something is open to everybody, too.
    const u = await stage(a.as)
    await share(u.wallet, u.resource, a.guest.address)
    // So that mails to this address are sent again.
    await a.pass(601)
    const [open, shut] = [await a.thing(), await a.thing()]
    await a.rules.save({ target: { resources: [open] }, when: { anyone: true } })
    await a.rules.save({ target: { resources: [shut] }, when: { claim: 'email', eq: a.mac } })
    const both = [open, shut].map((id) => ({ resource_id: id, resource_scopes: ['view'] }))
    const tickets = [await leave(await u.ticket()), await leave(await a.s.service.ticket(both))]
    await there()
    await a.pass(2)
    await deleteAll(await look())
    const [elsewhere, here] = [await a.app.token(tickets[0] ?? ''), await a.app.token(tickets[1] ?? '')]
    expectRefusal(elsewhere, 403, 'need_info')
    const rest = await a.app.token(nextOf(here))
    expect(await a.opens(rptOf(rest))).toEqual([open])
    expect(Object.keys(rest.json)).not.toContain('pct')
    // What is shown anew counts.
    const anew = await a.app.token(await leave(nextOf(elsewhere)))
    expect([await active(u, anew), anew.json.pct]).toEqual([true, expect.any(String)])
    await deleteAll(await look())
    expect(await active(u, anew)).toBe(false)
  })

  it('DESIGN 3: an owner whose object does not hear is told by the alarm', async () => {
    const given = await there()
    const seen = await look()
    await a.as.setFault({ mode: 'fail', count: 1, match: 'OWNER forgetGuest' })
    expect((await deleteAll(seen)).text).toContain('is being closed')
    await a.as.setFault(undefined)
    expect(await active(t, given)).toBe(true)
    for (const id of await a.as.objects('GuestObject')) await a.as.runAlarm('GUEST', id)
    await until(async () => !(await active(t, given)))
  })
})

describe('DESIGN 1, step 10: the guest takes a question back', () => {
  it('UX, your proofs: of an app that pushed the proof; the app that polls hears no, and does not ask again', async () => {
    const asked = await a.come(await askedThing())
    const [mine, other] = [await look(), await signIn(bob().address)]
    expect(mine.page.text).toContain('You asked for')
    expect(other.page.text).not.toContain('You asked for')
    const request = mine.page.forms.find(({ action }) => action.endsWith('/withdraw'))?.fields.request ?? ''
    // A text of somebody else's page names nothing here.
    expect((await other.browser.send({ ...other.page, forms: mine.page.forms }, '/proofs/withdraw', { request })).status).toBe(403)
    const after = await takenBack(mine)
    expect(after.text).toContain('Taken back')
    expect(after.text).not.toContain('You asked for')
    await a.pass(60)
    expectRefusal(await a.app.token(nextOf(asked)), 403, 'request_denied')
    expect(await requests()).toEqual([])
  })

  it('UX, your proofs: a yes that was not used is taken back, too', async () => {
    const asked = await a.come(await askedThing())
    expect(await answer('allow')).toMatchObject({ kind: 'ok', request: { state: 'allowed' } })
    const mine = await look()
    expect(mine.page.text).toContain('You may, once')
    await takenBack(mine)
    await a.pass(60)
    expectRefusal(await a.app.token(nextOf(asked)), 403, 'request_denied')
  })

  it('DESIGN 3: taken back while the answer is written: nothing is shared, and the owner is told that it is over', async () => {
    for (const decision of ['keep', 'offer']) {
      const id = await askedThing()
      await a.come(id)
      const mine = await look()
      await a.as.setFault({ mode: 'late', count: 1, match: decision === 'keep' ? 'INTO policy' : 'INTO rule' })
      const answering = answer(decision)
      await arrived()
      await takenBack(mine)
      await a.as.setFault(undefined)
      expect(await answering).toMatchObject({ kind: 'not_found' })
      const { items } = (await a.rules.ask('policies', { resource_id: id })) as unknown as { items: { id: string }[] }
      expect(items.map((one) => one.id)).toEqual([`ask-${id}`])
    }
  })

  it('DESIGN 3: once the first of several things is given the question is answered; what could not be given is said', async () => {
    const second = await a.thing()
    const first = await askedThing([second])
    const both = [first, second].map((id) => ({ resource_id: id, resource_scopes: ['view'] }))
    const ticket = await a.s.service.ticket(both)
    expectRefusal(await a.app.token(ticket, await a.address(ticket)), 403, 'request_submitted')
    const [open] = await requests()
    const mine = await look()
    await a.as.setFault({ mode: 'late', count: 1, skip: 1, match: 'INTO policy' })
    const answering = answer('keep', open?.id)
    await until(async () => (await requests())[0]?.state === 'kept')
    await takenBack(mine)
    expectStatus(await a.s.service.call(`/uma/resource/${second}`, { method: 'DELETE' }), 204, 'resource deletion')
    await a.as.setFault(undefined)
    expect(await answering).toMatchObject({
      kind: 'ok',
      request: { id: open?.id, state: 'kept' },
      failed: [{ resource_id: second, reason: 'no_resource' }],
    })
    expect(await a.opens(rptOf(await a.come(first)))).toEqual([first])
  })
})
