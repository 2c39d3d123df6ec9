// POLICY 3 "Freshness" over HTTP: a rule wants twelve claims of an issuer and an address, shown over several rounds; one of them runs out, and
// only that one is asked for again, since the RPT that is sent along says what it rests on. What is not the same thing, app, key or guest
// has nothing of it, and nothing counts longer than it did.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, bob, gatherByMail, goBack, openClaims, registerApp, showAddress, UMA_TICKET } from '../support/actors.ts'
import { type Attack, attack, boundTo, JWT, nextOf, rptOf } from '../support/attack.ts'
import { isDone } from '../support/claims.ts'
import { type Answer, call, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { newSigningKey } from '../support/signing-client.ts'

const TWELVE = Array.from({ length: 12 }, (_, at) => `c${at + 1}`)

let a: Attack
let issuerId: string
const trust = async (): Promise<string> => {
  const issuer = { issuer: a.issuer, jwks_uri: `${a.documents.origin}/jwks`, formats: [JWT], claims: [...TWELVE, 'roles'] }
  return String(expectStatus(await a.s.wallet.call('/owner/issuers', { json: issuer }), 201, 'issuer').json.id)
}
beforeAll(async () => {
  a = await attack()
  issuerId = await trust()
})
afterAll(() => a.stop())

/** `c7` has to be fresher than the others. */
const demand = (claim: string): Json => ({ claim, eq: 'yes', iss: [a.issuer], ...(claim === 'c7' ? { max_age: 600 } : {}) })
const rule = async (id: string, more: Json = {}, also: Json[] = []): Promise<Answer> =>
  a.s.wallet.call('/owner/rules', {
    json: {
      v: 1,
      effect: 'permit',
      target: { resources: [id] },
      scopes: ['view'],
      when: { all: [{ claim: 'email', eq: a.guest.address }, ...TWELVE.map(demand), ...also] },
      ...more,
    },
  })
const onlyAddress = (id: string): Json => ({
  v: 1,
  effect: 'permit',
  target: { resources: [id] },
  scopes: ['view'],
  when: { claim: 'email', eq: a.guest.address },
})
const thing = async (more: Json = {}): Promise<string> => {
  const id = await a.thing()
  expectStatus(await rule(id, more), 201, 'rule')
  return id
}
/** The word of the issuer, for this ticket. */
const says = async (ticket: string, claims: readonly string[]): Promise<Record<string, string>> => ({
  claim_token: await a.says({ ...Object.fromEntries(claims.map((claim) => [claim, 'yes'])), ...boundTo(a.as, ticket) }),
  claim_token_format: JWT,
})
const wants = (answer: Answer): string[] => {
  expectRefusal(answer, 403, 'need_info')
  return (answer.json.required_claims as { name: string }[]).map(({ name }) => name).sort()
}
const all = (...names: string[]): string[] => names.sort()
/** Shows the twelve, one at a time, `c7` two minutes before the others, and then the address; answers what the last request brought. */
const proved = async (id: string, app: App = a.app): Promise<Answer> => {
  let answer = await app.token(await a.ticketFor(id))
  expect(wants(answer)).toEqual(all('email', ...TWELVE))
  answer = await app.token(nextOf(answer), await says(nextOf(answer), ['c7']))
  await a.pass(120)
  for (const claim of TWELVE.filter((one) => one !== 'c7')) answer = await app.token(nextOf(answer), await says(nextOf(answer), [claim]))
  // UMA Grant 3.3.6: nothing that was shown before is asked for again, however many rounds it takes.
  expect(wants(answer)).toEqual(['email'])
  return app.token(nextOf(answer), await a.address(nextOf(answer)))
}
/** Until the word on `c7` is too old; on the others it is not. */
const staleC7 = (): Promise<void> => a.pass(600 - 120 + 5)

describe('POLICY 3, freshness: an expired one of a dozen claims is the only one that is asked for again', () => {
  it.each(['new_string', 'same_string'])(
    'WG S1-20, S1-21, UMA Grant 3.3.5.1, %s: c7 runs out; with the RPT only c7 is wanted',
    async (mode) => {
      const metadata = { scope: 'view edit', ...(mode === 'same_string' ? { rpt_upgrade: mode } : {}) }
      const app = await registerApp(a.as, 'confidential', metadata)
      const id = await thing()
      const old = rptOf(await proved(id, app))
      expect(await a.opens(old)).toEqual([id])
      await staleC7()
      expect(await a.opens(old)).toEqual([])
      // Without the RPT nobody knows who this is: all of it is wanted.
      expect(wants(await app.token(await a.ticketFor(id)))).toEqual(all('email', ...TWELVE))
      const asked = await app.token(await a.ticketFor(id), { rpt: old })
      expect(wants(asked)).toEqual(['c7'])
      const answer = await app.token(nextOf(asked), { rpt: old, ...(await says(nextOf(asked), ['c7'])) })
      const fresh = rptOf(answer)
      expect([fresh === old, await a.opens(fresh)]).toEqual([mode === 'same_string', [id]])
      // What was not shown anew counts no longer than it would have.
      expect(answer.json.expires_in).toBeLessThanOrEqual(600)
      const { items } = (await a.s.wallet.call('/owner/activity?limit=2')).json as { items: Json[] }
      expect(items.at(-1)).toMatchObject({ event: 'access_granted', method: 'jwt', resource_id: id })
    },
  )

  it('UMA Grant 3.3.2: on the claims page, too, what was shown for the RPT counts beside what is shown there', async () => {
    const id = await a.thing()
    const when = {
      all: [
        { claim: 'email', eq: a.guest.address, max_age: 600 },
        { claim: 'c1', eq: 'yes', iss: [a.issuer] },
      ],
    }
    expectStatus(await a.s.wallet.call('/owner/rules', { json: { ...onlyAddress(id), when } }), 201, 'rule')
    const first = await a.come(id)
    const old = rptOf(await a.app.token(nextOf(first), await says(nextOf(first), ['c1'])))
    await a.pass(605)
    const asked = await a.app.token(await a.ticketFor(id), { rpt: old })
    expect(wants(asked)).toEqual(['email'])
    const guest = bob(a.guest.address)
    const { page } = await openClaims(a.as, guest, a.app, nextOf(asked))
    const done = await showAddress(a.as, guest, page)
    expect(isDone(done)).toBe(true)
    const back = String((await goBack(guest, a.app, done)).get('ticket'))
    expect(await a.opens(rptOf(await a.app.token(back, { rpt: old })))).toEqual([id])
  })

  it('WG S1-22: the policy is tightened: with the RPT what is new is asked for, and nothing else', async () => {
    const id = await thing()
    const old = rptOf(await proved(id))
    await a.rules.save({ target: { resources: [id] }, effect: 'require', when: { claim: 'roles', covers: ['nurse'] } })
    const asked = await a.app.token(await a.ticketFor(id), { rpt: old })
    expect(wants(asked)).toEqual(['roles'])
    const word = await a.says({ roles: ['nurse'], ...boundTo(a.as, nextOf(asked)) })
    const answer = await a.app.token(nextOf(asked), { rpt: old, claim_token: word, claim_token_format: JWT })
    expect(await a.opens(rptOf(answer))).toEqual([id])
  })
})

describe('SPECS G-61: what an RPT rests on is nobody else’s', () => {
  let id: string
  let old: string
  const everything = all('email', ...TWELVE)
  beforeAll(async () => {
    id = await thing()
    old = rptOf(await proved(id))
  })
  const withOld = async (app = a.app, more: Record<string, string> = {}): Promise<string[]> =>
    wants(await app.token(await a.ticketFor(id), { rpt: old, ...more }))

  it('SPECS G-61: nothing of it for another app, another key, another thing', async () => {
    expect(await withOld(await registerApp(a.as, 'confidential'))).toEqual(everything)
    const form = { grant_type: UMA_TICKET, ticket: await a.ticketFor(id), rpt: old }
    const basic = { id: a.app.client.id, secret: a.app.client.secret ?? '' }
    const dpop = Object.assign(await newDpopKey(), { now: a.now })
    expect(wants(await call(`${a.as.origin}/token`, { form, basic, dpop }))).toEqual(everything)
    const another = await thing()
    expect(wants(await a.app.token(await a.ticketFor(another), { rpt: old }))).toEqual(everything)
    const both = [id, another].map((one) => ({ resource_id: one, resource_scopes: ['view'] }))
    expect(wants(await a.app.token(await a.s.service.ticket(both), { rpt: old }))).toEqual(everything)
  })

  it('SPECS G-61: nothing of it for another action than before, unless the guest shows again who it is', async () => {
    const note = await a.s.service.register({ resource_scopes: ['view', 'edit'] })
    expectStatus(await a.s.wallet.call('/owner/rules', { json: { ...onlyAddress(note), scopes: ['view', 'edit'] } }), 201, 'rule')
    const ticketTo = (...resource_scopes: string[]) => a.s.service.ticket({ resource_id: note, resource_scopes })
    const first = await ticketTo('view')
    const rpt = rptOf(await a.app.token(first, await a.address(first)))
    const asked = await a.app.token(await ticketTo('edit'), { rpt })
    expect(wants(asked)).toEqual(['email'])
    const both = rptOf(await a.app.token(nextOf(asked), { rpt, ...(await a.address(nextOf(asked))) }))
    expect((await a.app.token(await ticketTo('edit'), { rpt: both })).status).toBe(200)
  })

  it('SPECS G-61: nothing of it for another guest at the same app; the guest itself is let in without a word, and the owner sees that', async () => {
    const staff = await a.thing()
    const when = { all: [{ claim: 'email', domain: 'example.net' }, demand('c1')] }
    expectStatus(await a.s.wallet.call('/owner/rules', { json: { ...onlyAddress(staff), when } }), 201, 'rule')
    const first = await a.come(staff)
    const rpt = rptOf(await a.app.token(nextOf(first), await says(nextOf(first), ['c1'])))
    const byEve = await a.app.token(await gatherByMail(a.as, bob(), a.app, await a.ticketFor(staff)), { rpt })
    expect(wants(byEve)).toEqual(['c1'])
    const again = rptOf(await a.app.token(await a.ticketFor(staff), { rpt }))
    const { items } = (await a.s.wallet.call('/owner/activity?limit=1')).json as { items: Json[] }
    expect(items[0]).toMatchObject({ event: 'access_granted', method: 'rpt', resource_id: staff, person_id: expect.any(String) })
    expect(await a.opens(again)).toEqual([staff])
  })

  it('POLICY 2: a rule that wants nothing to be remembered asks for everything anew', async () => {
    const strict = await thing({ grant: { pct: false } })
    const rpt = rptOf(await proved(strict))
    expect(wants(await a.app.token(await a.ticketFor(strict), { rpt }))).toEqual(everything)
  })

  it('CLAIMS 9: the word of an issuer that is not believed any more counts for nothing', async () => {
    expectStatus(await a.s.wallet.call(`/owner/issuers/${issuerId}`, { method: 'DELETE' }), 204, 'issuer')
    // Believed again by another registration: what was said under the old one stays out.
    issuerId = await trust()
    expect(await withOld()).toEqual(all(...TWELVE))
  })

  it('UMA Grant 6.2: what the guest let be forgotten is asked for anew, all of it', async () => {
    id = await thing()
    old = rptOf(await proved(id))
    await (await a.forgetting())()
    expect(await withOld()).toEqual(everything)
  })
})

describe('POLICY 6: what nobody could ever show', () => {
  it('POLICY 6: a rule that wants more claims than an app can bring is refused, with a sentence', async () => {
    const id = await a.thing()
    const more = (n: number) => Array.from({ length: n }, (_, at) => ({ claim: `d${at}`, eq: 'yes' }))
    const refused = await rule(id, {}, more(4))
    expect([refused.status, refused.json.error_description]).toEqual([400, expect.stringContaining('more than 16 different claims')])
    expectStatus(await rule(id, {}, more(3)), 201, 'rule')
  })

  it('UMA Grant 3.3.1: one token says all twelve, and counts whole', async () => {
    const id = await thing()
    const first = await a.come(id)
    expect(wants(first)).toEqual(all(...TWELVE))
    const key = await newSigningKey('ES256', 'k1')
    // Signed by somebody else it says nothing.
    const forged = await a.says({ c1: 'yes', ...boundTo(a.as, nextOf(first)) }, key)
    const second = await a.app.token(nextOf(first), { claim_token: forged, claim_token_format: JWT })
    expect(wants(second)).toEqual(all(...TWELVE))
    expect(await a.opens(rptOf(await a.app.token(nextOf(second), await says(nextOf(second), TWELVE))))).toEqual([id])
  })
})

describe('UMA Grant 6.2: nothing is remembered without leave', () => {
  it('UMA Grant 6.2: an address that was shown counts on for the hour of an RPT, however often the RPT is made anew', async () => {
    const id = await a.thing()
    expectStatus(await a.s.wallet.call('/owner/rules', { json: onlyAddress(id) }), 201, 'rule')
    const { client, tokens } = a.s.service
    const shown = await a.come(id)
    expect(shown.json.expires_in).toBe(3600)
    await a.pass(3000)
    const form = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) }
    const renewed = await call(`${a.as.origin}/token`, { form, basic: { id: client.id, secret: client.secret ?? '' } })
    const bearer = String(expectStatus(renewed, 200, 'PAT').json.access_token)
    const ticket = async (): Promise<string> => {
      const json = { resource_id: id, resource_scopes: ['view'] }
      return String(expectStatus(await call(`${a.as.origin}/uma/permission`, { json, bearer }), 201, 'permission').json.ticket)
    }
    const again = await a.app.token(await ticket(), { rpt: rptOf(shown) })
    expect(again.json.expires_in).toBeLessThanOrEqual(600)
    expect(rptOf(again)).not.toBe(rptOf(shown))
    await a.pass(601)
    expect(wants(await a.app.token(await ticket(), { rpt: rptOf(again) }))).toEqual(['email'])
  })
})
