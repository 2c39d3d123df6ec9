// What happened, and what would have happened (POLICY 2, audit decision; POLICY 4, what-if): the activity keeps all that an access rested on, and
// "what if" looks at the visits that there really were, also those that are in D1 only.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Bob, bob, registerApp, share } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, expectStatus, type Json } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { type Credential, obtainCredential, presentFor } from '../support/proofs.ts'
import { type RuleApi, rulesOf } from '../support/rules.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let as: Running
let s: Stage
let app: App
let rules: RuleApi
let guest: Bob
let mac: string
let credential: Credential
beforeAll(async () => {
  as = await ownAs()
  s = await stage(as)
  app = await registerApp(as)
  rules = await rulesOf(as, s.wallet, s.resource, () => Math.floor(Date.now() / 1000))
  guest = bob()
  mac = await rules.macOf(guest.address)
  await share(s.wallet, s.resource, guest.address)
  credential = await obtainCredential(as, guest, app, await s.ticket())
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

const FAR = 4_000_000_000
const on = (...resources: string[]): Json => ({ target: { resources }, scopes: ['view'] })
const thing = (): Promise<string> => s.service.register({ resource_scopes: ['view', 'edit'] })
/** Comes for things with the proof of the address. */
const come = async (...ids: string[]): Promise<Answer> => {
  const ticket = await s.service.ticket(ids.map((resource_id) => ({ resource_id, resource_scopes: ['view'] })))
  return app.token(ticket, { claim_token: await presentFor(credential, ticket), claim_token_format: 'dc+sd-jwt' })
}
const newest = async (): Promise<Json> => ((await s.wallet.call('/owner/activity?limit=1')).json.items as Json[])[0] ?? {}
const permit = (id: string, when: unknown): Json => ({ v: 1, effect: 'permit', ...on(id), when })
const whatIf = async (json: Json): Promise<Json> =>
  expectStatus(await s.wallet.call('/owner/questions/what-if', { json }), 200, 'what if').json

describe('POLICY 2: what the activity keeps', () => {
  it('POLICY 2: each thing of an access with the rules that gave it and their end, and who vouched; no value', async () => {
    const [a, b] = [await thing(), await thing()]
    const first = await rules.save({ ...on(a), when: { all: [{ claim: 'email', eq: mac }, { before: FAR }] } })
    const second = await rules.save({ ...on(b), when: { anyone: true } })
    expectStatus(await come(a, b), 200, 'RPT')
    const entry = await newest()
    expect(entry).toMatchObject({ event: 'access_granted', resource_id: a, policy_id: first, resource_scopes: ['view'] })
    expect(entry.cells).toEqual([
      { resource_id: a, resource_scopes: ['view'], policies: [first], until: expect.any(Number) },
      { resource_id: b, resource_scopes: ['view'], policies: [second] },
    ])
    expect(entry.proofs).toEqual([{ claim: 'email', iss: as.origin }])
    expect(entry).not.toHaveProperty('more_cells')
    expect(JSON.stringify(entry)).not.toMatch(new RegExp(`${mac}|${guest.address}`))
  })

  it('POLICY 2: of very many things it keeps some, and how many more there were', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, thing))
    await rules.save({ ...on(...many), when: { anyone: true } })
    expectStatus(await come(...many), 200, 'RPT')
    const { cells, more_cells } = await newest()
    expect([(cells as Json[]).length, more_cells]).toEqual([16, 4])
  })
})

describe('POLICY 4: what if, for visits that there were', () => {
  it('POLICY 4: what was refused and would be given, and what was given and would not: with what was shown then', async () => {
    const id = await thing()
    const clinic = await rules.save({ ...on(id), when: { claim: 'email', eq: 'mac-of-somebody-else' } })
    expectRefusal(await come(id), 403, 'request_denied')
    const refused = await newest()
    expect(refused).toMatchObject({ event: 'access_denied', resource_id: id, person_id: expect.any(String), proofs: [{ claim: 'email' }] })
    const cell = { resource_scopes: ['view'] }
    const rule = permit(id, { all: [{ claim: 'email', eq: guest.address }] })
    const allowed = await whatIf({ rule })
    expect(allowed).toMatchObject({ past: [], past_allowed: [{ seq: refused.seq, ...cell, after: 'yes' }], past_complete: true })
    expect(allowed.gains).toMatchObject([{ person: refused.person_id, resource_id: id, before: 'no', after: 'yes' }])
    expect(allowed.who).toMatchObject([{ resource_id: id, scope: 'view', gained: [{ people: [refused.person_id] }], lost: [] }])
    const mine = expectStatus(await s.wallet.call('/owner/rules', { json: rule }), 201, 'rule').json.id
    expectStatus(await come(id), 200, 'RPT')
    const { seq } = await newest()
    // Her address is of this domain: the proof that the grant keeps says so, the owner's list of people does not.
    const domain = permit(id, { all: [{ claim: 'email', domain: guest.address.split('@')[1] }] })
    expect(await whatIf({ rule: domain, replaces: mine })).toMatchObject({ past: [] })
    const strong = permit(id, {
      all: [
        { claim: 'email', eq: guest.address },
        { claim: 'acr', gte: 2 },
      ],
    })
    expect(await whatIf({ rule: strong, replaces: mine })).toMatchObject({
      past: [{ seq, ...cell, after: 'unknown' }],
      losses: [{ after: 'unknown' }],
    })
    expect(await whatIf({ replaces: mine })).toMatchObject({ past: [{ seq, ...cell, after: 'no' }], past_allowed: [] })
    expect(await whatIf({ replaces: clinic })).toMatchObject({ past: [], past_allowed: [], gains: [], losses: [] })
  })

  it('POLICY 4: visits that are in D1 only count as well; without D1 the answer says that it is not whole', async () => {
    const id = await thing()
    const open = await rules.save({ ...on(id), when: { anyone: true } })
    const visits = 230
    for (let done = 0; done < visits; done += 23) {
      const tickets = await Promise.all(Array.from({ length: 23 }, () => s.service.ticket({ resource_id: id, resource_scopes: ['view'] })))
      for (const answer of await Promise.all(tickets.map((ticket) => app.token(ticket)))) expectStatus(answer, 200, 'RPT')
    }
    for (const object of await as.objects('OwnerObject')) await as.runAlarm('OWNER', object)
    await as.setFault({ mode: 'fail', count: 1000 })
    const without = await whatIf({ replaces: open })
    await as.setFault(undefined)
    expect(without.past_complete).toBe(false)
    expect((without.past as Json[]).length).toBeLessThan(visits)
    const whole = await whatIf({ replaces: open })
    expect(whole.past_complete).toBe(true)
    expect(whole.past).toHaveLength(visits)
    expect(new Set((whole.past as { after: string }[]).map(({ after }) => after))).toEqual(new Set(['no']))
    // Nobody's visits but those of this thing are among them.
    expect(await whatIf({ rule: permit(await thing(), { anyone: true }) })).toMatchObject({ past: [], past_allowed: [] })
  })
})
