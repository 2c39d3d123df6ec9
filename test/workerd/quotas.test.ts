// Quotas at the endpoints: what is full is 507 with a sentence and passes by deleting, what is too fast is 429 with Retry-After. Nothing
// is stored for what was refused, and nobody else notices.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  type App,
  authorize,
  type Bob,
  bob,
  connectService,
  connectWallet,
  goBack,
  openClaims,
  registerApp,
  registerClient,
  type Service,
  share,
  signIn,
  someone,
  type WalletApi,
} from '../support/actors.ts'
import { newestCode, typeAddress } from '../support/claims.ts'
import { type Answer, call } from '../support/http.ts'
import { openBrowser, type Page } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { verifyState } from '../support/verify-state.ts'

const QUOTAS = {
  resources_per_owner: 4,
  resources_per_service: 3,
  policies_per_owner: 4,
  people_per_owner: 2,
  connections_per_owner: 3,
  tickets_per_service_minute: 20,
  questions_per_guest: 1,
  questions_per_guest_day: 2,
  questions_per_owner: 2,
  consents_per_guest: 1,
  registrations_per_network_hour: 2,
  pushes_per_network_minute: 2,
  refusals_per_network_minute: 2,
  mails_per_address_ten_minutes: 4,
}

describe('DESIGN 3: quotas', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let other: Service
  let wallet: WalletApi
  let first: string
  /** With whom the first thing is shared. */
  const friend = someone('bob')
  beforeAll(async () => {
    as = await ownAs({ asVars: { QUOTAS } })
    alice = await signIn(as)
    service = await connectService(as, alice)
    other = await connectService(as, alice, 'Another shelf')
    wallet = await connectWallet(as, alice)
    first = await service.register({ resource_scopes: ['view'] })
  })
  afterAll(() => as.stop())
  const register = (by: Service): Promise<Answer> => by.call('/uma/resource', { json: { resource_scopes: ['view'] } })
  const expectFull = (answer: Answer, sentence: RegExp): void => {
    expectRefusal(answer, 507, 'quota_exceeded')
    expect(answer.json.error_description).toMatch(sentence)
  }

  it('UMA FedAuthz 3.2.1: resources of a service, and of an owner, have an end; deleting makes room, updating needs none', async () => {
    for (let n = 1; n < QUOTAS.resources_per_service; n++) expect((await register(service)).status).toBe(201)
    expectFull(await register(service), /resources are registered.*delete/)
    const theirs = await register(other)
    expect(theirs.status).toBe(201)
    expectFull(await register(other), /delete/)
    expect((await service.call(`/uma/resource/${first}`, { method: 'PUT', json: { resource_scopes: ['view', 'edit'] } })).status).toBe(200)
    expect((await other.call(`/uma/resource/${theirs.json._id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await register(other)).status).toBe(201)
    expectFull(await register(other), /delete/)
  })

  it('OW-01: shares and people of an owner have an end; known people need no room, stopping makes some', async () => {
    const carol = someone('carol')
    const one = await share(wallet, first, friend)
    for (const address of [carol, friend]) await share(wallet, first, address)
    const ask = (email: string): Promise<Answer> =>
      wallet.call('/owner/policies', { json: { resource_id: first, person: { email }, resource_scopes: ['view'] } })
    expectFull(await ask(someone('dave')), /people are known/)
    expect((await ask(friend)).status).toBe(201)
    expectFull(await ask(friend), /shares exist/)
    expect((await wallet.call(`/owner/policies/${one}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(friend)).status).toBe(201)
  })

  it('RFC 6749 4.1.3: connections of an owner have an end; the code is not spent by that', async () => {
    const redirectUri = 'https://third.example/connected'
    const client = await registerClient(as, {
      redirect_uris: [redirectUri],
      client_uri: 'https://third.example',
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const { params, verifier } = await authorize(as, alice, { clientId: client.id, redirectUri, scope: 'uma_protection' })
    const trade = (): Promise<Answer> =>
      call(`${as.origin}/token`, {
        form: { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier },
        basic: { id: client.id, secret: client.secret ?? '' },
      })
    expectFull(await trade(), /connected.*disconnect/)
    // Connecting once more what is connected needs no room.
    const again = await connectionsOf()
    expect(again).toHaveLength(3)
    await wallet.call(`/owner/connections/${again.find(({ client_id }) => client_id === other.client.id)?.id}`, { method: 'DELETE' })
    expect((await trade()).status).toBe(200)
  })
  const connectionsOf = async () => (await wallet.call('/owner/connections')).json.items as { id: string; client_id: string }[]

  it('UMA FedAuthz 4: tickets of one service in a minute have an end; another minute has room, and introspection never stops', async () => {
    const ask = (): Promise<Answer> => service.call('/uma/permission', { json: { resource_id: first, resource_scopes: ['view'] } })
    // Whole minutes count: begin one.
    await as.setClock(60 - (Math.floor(Date.now() / 1000) % 60))
    for (let n = 0; n < QUOTAS.tickets_per_service_minute; n++) expect((await ask()).status).toBe(201)
    const refused = await ask()
    expectRefusal(refused, 429, 'temporarily_unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect((await service.call('/introspect', { form: { token: 'x' } })).status).toBe(200)
    await as.setClock(125 - (Math.floor(Date.now() / 1000) % 60))
    expect((await ask()).status).toBe(201)
  })

  it('CLAIMS 7: questions of a guest that wait, those of a day, and those of an owner have an end: 429, when to come again and why', async () => {
    const app = await registerApp(as, 'confidential')
    const things = (await service.call('/uma/resource')).json as unknown as string[]
    const ask = async (guest: Bob, thing = 0): Promise<Page> => {
      const ticket = await service.ticket({ resource_id: things[thing] ?? '', resource_scopes: ['view'] })
      const { page } = await openClaims(as, guest, app, ticket)
      const codePage = await typeAddress(guest, page)
      const result = await guest.browser.submit(codePage, { code: newestCode(as, guest.address) })
      return guest.browser.send(result, '/ask')
    }
    const isRefused = (page: Page): boolean =>
      page.status === 429 && page.headers.get('retry-after') === '86400' && page.text.includes('too many open questions')
    const again = (guest: Bob): Promise<Page> => ask({ ...guest, browser: openBrowser() }, 1)
    const [mallory, carol, dave, eve] = [bob(), bob(), bob(), bob()]
    const one = await ask(mallory)
    expect([one.status, isRefused(await again(mallory))]).toEqual([200, true])
    await mallory.browser.send(one, '/withdraw')
    const two = await ask(mallory)
    expect(two.status).toBe(200)
    await mallory.browser.send(two, '/withdraw')
    expect(isRefused(await ask(mallory))).toBe(true)
    // Whose questions are too many is not told.
    const [asked] = [await ask(carol), await ask(dave)]
    expect([asked.status, isRefused(await ask(eve))]).toEqual([200, true])
    await carol.browser.send(asked, '/withdraw')
    expect((await again(eve)).status).toBe(200)
    // UMA Grant 3.3.6: a rule that would ask the owner hears of it at the token endpoint.
    const thing = things.find((id) => id !== first) ?? ''
    const when = { all: [{ claim: 'email', eq: friend }, { ask: true }] }
    const rule = { v: 1, effect: 'permit', target: { resources: [thing] }, scopes: ['view'], when }
    await as.setClock(0)
    expect((await wallet.call('/owner/rules', { json: rule })).status).toBe(201)
    const ticketFor = (id: string): Promise<string> => service.ticket({ resource_id: id, resource_scopes: ['view'] })
    const credential = await obtainCredential(as, { ...bob(), address: friend }, app, await ticketFor(first))
    const ticket = await ticketFor(thing)
    const refused = await app.token(ticket, await pushed(credential, ticket))
    expectRefusal(refused, 429, 'temporarily_unavailable')
    expect(refused.headers.get('retry-after')).toBe('86400')
  })

  it('UMA Grant 3.3.3: apps of one guest that may skip the question have an end: the oldest asks again', async () => {
    const guest = { ...bob(), address: friend }
    const remembered = async (app: App): Promise<unknown> => {
      const { page } = await openClaims(as, guest, app, await service.ticket({ resource_id: first, resource_scopes: ['view'] }))
      const codePage = await typeAddress(guest, page)
      const done = await guest.browser.submit(codePage, { code: newestCode(as, guest.address), skip: 'on' })
      return (await app.token(String((await goBack(guest, app, done)).get('ticket')))).json.pct
    }
    const use = async (app: App, pct: unknown): Promise<number> =>
      (await app.token(await service.ticket({ resource_id: first, resource_scopes: ['view'] }), { pct: String(pct) })).status
    const [app, next] = [await registerApp(as, 'confidential'), await registerApp(as, 'confidential')]
    const [older, newer] = [await remembered(app), await remembered(next)]
    expect([await use(app, older), await use(next, newer)]).toEqual([403, 200])
  })

  it('CR-17: registrations of one network in an hour have an end, others register', async () => {
    const ask = (network: string): Promise<Answer> =>
      call(`${as.origin}/register`, { json: { redirect_uris: ['https://a.example/cb'] }, headers: { 'cf-connecting-ip': network } })
    expect([(await ask('198.51.100.1')).status, (await ask('198.51.100.2')).status]).toEqual([201, 201])
    const refused = await ask('198.51.100.3')
    expectRefusal(refused, 429, 'temporarily_unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000)
    expect((await ask('203.0.113.1')).status).toBe(201)
  })

  it('RFC 9126 2.3, RFC 6749 10.10: pushed requests and refusals of one network in a minute have an end', async () => {
    const from = { headers: { 'cf-connecting-ip': '192.0.2.1' } }
    const push = async (): Promise<number> => (await call(`${as.origin}/par`, { form: { client_id: 'nobody' }, ...from })).status
    const guess = (): Promise<Answer> =>
      call(`${as.origin}/token`, {
        form: { grant_type: 'refresh_token', refresh_token: 'x' },
        basic: { id: 'nobody', secret: 'x' },
        ...from,
      })
    expect([await push(), await push(), await push()]).toEqual([401, 401, 429])
    expect([(await guess()).status, (await guess()).status]).toEqual([401, 401])
    expectRefusal(await guess(), 429, 'temporarily_unavailable')
  })

  it('DESIGN 3: what was refused is nowhere', () => {
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})
