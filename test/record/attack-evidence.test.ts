// Attacks on what a grant rests on: what was counted once is used for ever, what fell comes back by a refresh or an upgrade, what was
// forgotten is shown again, what somebody else did uses up what is mine.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  connectService,
  connectWallet,
  openClaims,
  registerApp,
  type Service,
  share,
  signIn,
  UMA_TICKET,
  type WalletApi,
} from '../support/actors.ts'
import { type Attack, attack, boundTo, ID_TOKEN, JWT, nextOf, OLAF, rptOf } from '../support/attack.ts'
import { call, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'

let a: Attack
/** An owner with bad intentions, who believes the same issuer with keys of her own. */
let eve: { service: Service; resource: string; key: SigningKey }
beforeAll(async () => {
  a = await attack()
  const issuer = { issuer: a.issuer, formats: [JWT, ID_TOKEN], claims: ['acr', 'roles'], audiences: { [a.app.client.id]: ['here'] } }
  const trust = (wallet: WalletApi, keys: Json) => wallet.call('/owner/issuers', { json: { ...issuer, ...keys } })
  expectStatus(await trust(a.s.wallet, { jwks_uri: `${a.documents.origin}/jwks` }), 201, 'issuer')
  const alike = await signIn(a.as)
  const [service, wallet, key] = [await connectService(a.as, alike), await connectWallet(a.as, alike), await newSigningKey('ES256', 'k1')]
  eve = { service, key, resource: await service.register({ resource_scopes: ['view'] }) }
  await share(wallet, eve.resource, a.guest.address)
  expectStatus(await trust(wallet, { jwks: { keys: [key.jwk] } }), 201, 'issuer')
})
afterAll(() => a.stop())

/** The issuer says that somebody is a nurse, to whoever shows this ticket. */
const nurse = async (ticket: string, more: Json = {}, by?: SigningKey): Promise<Record<string, string>> => ({
  claim_token: await a.says({ roles: ['nurse'], ...boundTo(a.as, ticket), ...more }, by),
  claim_token_format: JWT,
})
const on = (...resources: string[]): Json => ({ target: { resources } })
const email = (): Json => ({ claim: 'email', eq: a.mac })

describe('UMA Grant 3.3.5.1, 3.6: neither upgrade nor refresh keeps what has fallen', () => {
  it('POLICY 3: one counted use is not made longer by upgrades, however many', async () => {
    const [counted, free] = [await a.thing(), await a.thing()]
    const when = { all: [email(), { uses: { key: 'once', max: 1, per: 'rqp' } }] }
    await a.rules.save({ id: 'once', ...on(counted), when })
    await a.rules.save({ ...on(free), when: email() })
    const first = rptOf(await a.come(counted))
    const second = await a.come(free, { rpt: first })
    expect([second.json.upgraded, await a.opens(rptOf(second)), await a.opens(first)]).toEqual([undefined, [free], [counted]])
    await a.pass(1800)
    const late = rptOf(await a.come(free, { rpt: first }))
    expect(await a.opens(late)).toEqual([free])
    expectRefusal(await a.come(counted), 403, 'request_denied')
  })

  it('WG S1-30: an app that proved its key once does not refresh without it', async () => {
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: { all: [email(), { client_trust: ['instance_key'] }] } })
    const key = Object.assign(await newDpopKey(), { now: a.now })
    const ticket = await a.ticketFor(id)
    const form = { grant_type: UMA_TICKET, ticket, ...(await a.address(ticket)) }
    const basic = { id: a.app.client.id, secret: a.app.client.secret ?? '' }
    const got = expectStatus(await call(`${a.as.origin}/token`, { form, basic, dpop: key }), 200, 'RPT')
    expect(await a.opens(rptOf(await a.refresh(got, key)))).toEqual([id])
    expectRefusal(await a.refresh(got), 400, 'invalid_grant')
  })

  it('TESTS PO-11: what the resource server said of one access does not count for those that a refresh token brings', async () => {
    const [said, other] = [await a.thing(), await a.thing()]
    await a.rules.save({ ...on(said), when: { all: [email(), { context: 'small', eq: true }] } })
    await a.rules.save({ ...on(other), when: email() })
    const ticket = await a.s.service.ticket([
      { resource_id: said, resource_scopes: ['view'], context: { small: true } },
      { resource_id: other, resource_scopes: ['view'] },
    ])
    const got = await a.app.token(ticket, await a.address(ticket))
    expect(await a.opens(rptOf(got))).toEqual([said, other].sort())
    const refreshed = rptOf(await a.refresh(got))
    expect(await a.opens(refreshed)).toEqual([other])
    // It opens nothing, and shuts all the same.
    const when = { context: 'small', eq: true }
    const shut = await a.rules.save({ effect: 'forbid', ...on(other), when })
    expect([await a.opens(rptOf(got)), await a.opens(refreshed)]).toEqual([[said], []])
    expectRefusal(await a.refresh(got), 400, 'invalid_grant')
    const third = await a.thing()
    await a.rules.save({ ...on(third), when: email() })
    const upgraded = await a.come(third, { rpt: refreshed })
    expect([upgraded.json.upgraded, await a.opens(rptOf(upgraded))]).toEqual([undefined, [third]])
    await a.rules.ask('dropPolicy', { id: shut })
    expect(await a.opens(rptOf(await a.come(third, { rpt: refreshed })))).toEqual([other, third].sort())
  })

  it('SPECS G-82: a ticket that is seen again ends what it brought, upgraded and refreshed', async () => {
    const [one, two] = [await a.thing(), await a.thing()]
    for (const id of [one, two]) await a.rules.save({ ...on(id), when: email() })
    expectStatus(await a.s.wallet.call('/owner/settings', { method: 'PUT', json: { revoke_on_replay: true } }), 200, 'setting')
    const ticket = await a.ticketFor(one)
    const first = await a.app.token(ticket, await a.address(ticket))
    const better = await a.come(two, { rpt: rptOf(first) })
    const refreshed = await a.refresh(better)
    expect(await a.opens(rptOf(refreshed))).toEqual([one, two].sort())
    expectRefusal(await a.app.token(ticket), 400, 'invalid_grant')
    expect([await a.opens(rptOf(better)), await a.opens(rptOf(refreshed))]).toEqual([[], []])
    expectRefusal(await a.refresh(better), 400, 'invalid_grant')
    expectStatus(await a.s.wallet.call('/owner/settings', { method: 'PUT', json: { revoke_on_replay: false } }), 200, 'setting')
  })
})

describe('UMA Grant 6.2: what a guest let this server forget', () => {
  it('UMA Grant 6.2: it does not count from a ticket that an app has kept', async () => {
    const { app } = a
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: { all: [email(), { claim: 'roles', covers: ['nurse'] }] } })
    const rpt = rptOf(await app.token(await a.remembered()))
    const hoarded = nextOf(await a.come(id))
    await a.pass(2)
    await (await a.forgetting())()
    expect(await a.opens(rpt)).toEqual([])
    const asked = await app.token(hoarded, await nurse(hoarded))
    expect(asked.json).toMatchObject({ error: 'need_info', required_claims: [{ name: 'email' }] })
    // Shown anew it counts.
    await a.pass(2)
    expect(await a.opens(rptOf(await app.token(nextOf(asked), await a.address(nextOf(asked)))))).toEqual([id])
  })

  it('UMA Grant 6.2: nor if it is forgotten while the record is asked about an app that is new', async () => {
    const { as, s, mac } = a
    const app = await registerApp(as, 'confidential')
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: email() })
    const ticket = await a.ticketFor(id)
    const proof = await a.address(ticket)
    const owner = String((await s.wallet.call('/owner/me')).json.id)
    await as.setFault({ mode: 'late', count: 1, match: 'INTO reliance' })
    const redeemed = app.token(ticket, proof)
    for (let turn = 0; turn < 10; turn++) await a.rules.ask('groups')
    await as.callObject('OWNER', owner, 'forgetGuest', { mac, client_id: null, now: a.now() + 1 })
    await as.setFault(undefined)
    expectRefusal(await redeemed, 403, 'need_info')
    await a.pass(2)
  })
})

describe('SPECS U-26: the owner shows her address by being signed in', () => {
  it('SPECS U-26: it is worth nothing elsewhere: no credential comes of it, and nothing is remembered', async () => {
    const { as, s, app } = a
    await share(s.wallet, s.resource, s.alice.address)
    const { page } = await openClaims(as, s.alice, app, await s.ticket())
    const done = await s.alice.browser.send(page, '/self')
    const csrf = done.forms.find(({ fields }) => fields.csrf !== undefined)?.fields.csrf ?? ''
    const kept = await s.alice.browser.post(done, `${new URL(done.url).pathname}/keep`, {}, { 'x-csrf': csrf })
    expect([kept.status, JSON.stringify(kept.json)]).toEqual([400, expect.not.stringContaining('credential_offer')])
    const back = await s.alice.browser.send(done, '/continue', { skip: 'on' })
    const to = [back.refresh, ...back.links].find((link) => link?.startsWith(app.claimsRedirectUri)) ?? ''
    const granted = await app.token(String(new URL(to).searchParams.get('ticket')))
    expect(await a.opens(rptOf(granted))).toEqual([s.resource])
    expect(granted.json).not.toHaveProperty('pct')
  })
})

describe('UMA Grant 5.7: what issuers say', () => {
  it('CT-07: nobody uses up the jti of an issuer by registering it elsewhere with keys of her own', async () => {
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: { claim: 'roles', covers: ['nurse'] } })
    const bait = await eve.service.ticket({ resource_id: eve.resource, resource_scopes: ['view'] })
    expectRefusal(await a.app.token(bait, await nurse(bait, { jti: 'visit-1' }, eve.key)), 403, 'need_info')
    const ticket = await a.ticketFor(id)
    expect(await a.opens(rptOf(await a.app.token(ticket, await nurse(ticket, { jti: 'visit-1' }))))).toEqual([id])
    const again = await a.ticketFor(id)
    expectRefusal(await a.app.token(again, await nurse(again, { jti: 'visit-1' })), 403, 'need_info')
  })

  it('RFC 9470 5: how strong a sign-in was is as old as the sign-in, not as the token that tells of it [PO-13]', async () => {
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: { claim: 'acr', gte: 2, max_age: 600 } })
    const push = async (ticket: string, auth_time: number) => {
      const claim_token = await a.says({ sub: 'u1', aud: 'here', acr: '2', auth_time })
      return a.app.token(ticket, { claim_token, claim_token_format: ID_TOKEN })
    }
    const old = await push(await a.ticketFor(id), a.now() - 3000)
    expectRefusal(old, 403, 'need_info')
    expect(await a.opens(rptOf(await push(nextOf(old), a.now() - 30)))).toEqual([id])
  })

  it('CLAIMS 9: what the owner says of an issuer goes before what the operator says, for what was shown before too', async () => {
    const { as, app, documents } = a
    const { browser } = await signIn(as, OLAF, openBrowser({ 'accept-language': 'en' }))
    const national = `${documents.origin}/national`
    const fields = { issuer: national, keys: `${documents.origin}/jwks`, about: 'email', domains: '', apps: '' }
    await browser.send(await browser.open(`${as.origin}/admin`), '/add-issuer', fields)
    const id = await a.thing()
    await a.rules.save({ ...on(id), when: email() })
    const ticket = await a.ticketFor(id)
    const claim_token = await a.says({ iss: national, email: a.guest.address, email_verified: true, ...boundTo(as, ticket) })
    const rpt = rptOf(await app.token(ticket, { claim_token, claim_token_format: JWT }))
    expect(await a.opens(rpt)).toEqual([id])
    const own = { issuer: national, jwks_uri: fields.keys, formats: [JWT], claims: ['email'], email_domains: ['clinic.example'] }
    expectStatus(await a.s.wallet.call('/owner/issuers', { json: own }), 201, 'issuer')
    expect(await a.opens(rpt)).toEqual([])
  })

  it('TESTS CR-17: nobody makes this server ask somebody else for keys without end', async () => {
    const { as, app } = a
    const missing = { issuer: `${a.documents.origin}/gone`, jwks_uri: `${a.documents.origin}/gone-keys`, formats: [JWT], claims: ['roles'] }
    expectStatus(await a.s.wallet.call('/owner/issuers', { json: missing }), 201, 'issuer')
    const push = async (): Promise<number> => {
      const ticket = await a.s.ticket()
      const claims = { iss: missing.issuer, roles: ['nurse'], ...boundTo(as, ticket) }
      const form = { grant_type: UMA_TICKET, ticket, claim_token: await a.says(claims), claim_token_format: JWT }
      const basic = { id: app.client.id, secret: app.client.secret ?? '' }
      return (await call(`${as.origin}/token`, { form, basic, headers: { 'cf-connecting-ip': '203.0.113.200' } })).status
    }
    const statuses: number[] = []
    for (let round = 0; round < 5; round++) statuses.push(...(await Promise.all(Array.from({ length: 10 }, push))))
    expect(statuses).toContain(429)
    expect(a.documents.asked.filter((path) => path === '/gone-keys').length).toBeLessThanOrEqual(60)
  })
})
