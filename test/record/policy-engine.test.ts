// Rules of any kind, over HTTP: what somebody has to show, how often, for what, with whose leave; and what happens to those who are in when
// the rules change. The first part reads like the minutes of the UMA working group of 24 February 2011.
import { DatabaseSync } from 'node:sqlite'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, type Bob, bob, goBack, openClaims, registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import { type Answer, expectStatus, type Json, sha256 } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { type Credential, obtainCredential, presentFor } from '../support/proofs.ts'
import { type RuleApi, rulesOf } from '../support/rules.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'
import { objectFiles } from '../support/state-files.ts'
import { verifyState } from '../support/verify-state.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'

let as: Running
let documents: Documents
let s: Stage
let rules: RuleApi
let key: SigningKey
let issuer: string
let app: App
let guest: Bob
let mac: string
let credential: Credential
let clock = 0
const now = (): number => Math.floor(Date.now() / 1000) + clock
const pass = async (seconds: number): Promise<void> => {
  clock += seconds
  await as.setClock(clock)
}

beforeAll(async () => {
  documents = await startDocuments()
  as = await ownAs({ asVars: { DEV_ORIGINS: documents.origin } })
  s = await stage(as)
  app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET, 'refresh_token'], scope: 'view edit' })
  rules = await rulesOf(as, s.wallet, s.resource, now)
  key = await newSigningKey('ES256', 'k1')
  documents.pages.set('/jwks', { keys: [key.jwk] })
  issuer = `${documents.origin}/clinic`
  const json = { issuer, jwks_uri: `${documents.origin}/jwks`, formats: [JWT], claims: ['acr', 'roles'] }
  expectStatus(await s.wallet.call('/owner/issuers', { json }), 201, 'issuer')
  // They prove their keys by the server's clock.
  Object.assign(s.wallet.key, { now })
  guest = bob()
  mac = await rules.macOf(guest.address)
  await share(s.wallet, s.resource, guest.address)
  credential = await obtainCredential(as, guest, app, await s.ticket())
})
afterAll(async () => {
  await as.stop()
  await documents.stop()
})

const thing = (more: Json = {}): Promise<string> => s.service.register({ resource_scopes: ['view', 'edit'], ...more })
const on = (...resources: string[]): Json => ({ target: { resources } })
const ticketFor = (id: string, scopes = ['view'], more: Json = {}): Promise<string> =>
  s.service.ticket({ resource_id: id, resource_scopes: scopes, ...more })
/** The proof of the address, made for this ticket. */
const address = async (ticket: string): Promise<Record<string, string>> => ({
  claim_token: await presentFor(credential, ticket, { iat: now() }),
  claim_token_format: 'dc+sd-jwt',
})
/** What the issuer says, made for this ticket. */
const says = async (ticket: string, claims: Json, life = 120): Promise<Record<string, string>> => ({
  claim_token: await new SignJWT({ iss: issuer, aud: as.origin, iat: now(), exp: now() + life, tkt_hash: sha256(ticket), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(key.privateKey),
  claim_token_format: JWT,
})
const wants = (answer: Answer): string[] => {
  expectRefusal(answer, 403, 'need_info')
  return (answer.json.required_claims as { name: string }[]).map(({ name }) => name)
}
const nextOf = (answer: Answer): string => String(answer.json.ticket)
const rptOf = (answer: Answer): string => String(expectStatus(answer, 200, 'RPT').json.access_token)
const permits = async (rpt: string): Promise<Record<string, string[]>> => {
  const { permissions = [] } = (await s.service.introspect(rpt)) as { permissions?: { resource_id: string; resource_scopes: string[] }[] }
  return Object.fromEntries(permissions.map((one) => [one.resource_id, one.resource_scopes]))
}
/** Comes with a ticket and the proof of the address. */
const come = async (id: string, scopes = ['view'], more: Record<string, string> = {}, said: Json = {}): Promise<Answer> => {
  const ticket = await ticketFor(id, scopes, said)
  return app.token(ticket, { ...(await address(ticket)), ...more })
}

describe('WG 2011-02-24: a requester, a host, an authorization manager', () => {
  let id: string
  let rule: string
  let rpt: string
  let pct: string
  const emailAndAcr = (): Json => ({
    all: [
      { claim: 'email', eq: mac },
      { claim: 'acr', gte: 2, iss: [issuer], max_age: 600 },
    ],
  })
  beforeAll(async () => {
    id = await thing()
    rule = await rules.save({ ...on(id), scopes: ['view'], when: emailAndAcr() })
  })
  /** The guest lets the app remember the address. */
  const remembered = async (ticket: string): Promise<string> => {
    const { page } = await openClaims(as, guest, app, ticket)
    const codePage = await typeAddress(guest, page)
    const done = await guest.browser.submit(codePage, { code: newestCode(as, guest.address), skip: 'on' })
    return String((await goBack(guest, app, done)).get('ticket'))
  }

  it('WG S1-15, S1-16, S1-17: the policies decide which claims are wanted; they come one after the other, and then it is 200', async () => {
    const first = await app.token(await ticketFor(id))
    expect(wants(first)).toEqual(['acr', 'email'])
    expect(first.json.required_claims).toContainEqual(expect.objectContaining({ name: 'acr', issuer: [issuer] }))
    const back = await remembered(nextOf(first))
    const second = await app.token(back)
    expect(wants(second)).toEqual(['acr'])
    const ticket = nextOf(second)
    const answer = await app.token(ticket, await says(ticket, { acr: '2' }))
    rpt = rptOf(answer)
    pct = String(answer.json.pct)
    expect(await permits(rpt)).toEqual({ [id]: ['view'] })
  })

  it('WG S1-20, S1-21: one of the proofs is too old: not authorised any more, and only that one is asked for again', async () => {
    await pass(601)
    expect((await s.service.introspect(rpt)).active).toBe(false)
    const again = await app.token(await ticketFor(id), { pct })
    expect(wants(again)).toEqual(['acr'])
    const ticket = nextOf(again)
    const answer = await app.token(ticket, { ...(await says(ticket, { acr: '3' })), pct })
    rpt = rptOf(answer)
    pct = String(answer.json.pct)
    expect(await permits(rpt)).toEqual({ [id]: ['view'] })
  })

  it('WG S1-22: the policy is tightened: the next use is not authorised, and what is new is asked for, nothing else', async () => {
    const required = await rules.save({ ...on(id), effect: 'require', when: { claim: 'roles', covers: ['nurse'] } })
    expect((await s.service.introspect(rpt)).active).toBe(false)
    // The RPT says what was shown; nothing of it is shown again.
    const asked = await app.token(await ticketFor(id), { rpt, pct })
    expect(wants(asked)).toEqual(['roles'])
    const ticket = nextOf(asked)
    const answer = await app.token(ticket, { ...(await says(ticket, { roles: ['nurse', 'ward-3'] })), rpt, pct })
    const better = rptOf(answer)
    pct = String(answer.json.pct)
    expect(await permits(better)).toEqual({ [id]: ['view'] })
    // What was demanded is demanded no more, and the new one stands as it did; the old one is in it (UMA Grant 3.3.5.1).
    expect(await rules.ask('dropPolicy', { id: required })).toMatchObject({ kind: 'done', value: { dropped: true } })
    expect([await permits(better), await permits(rpt)]).toEqual([{ [id]: ['view'] }, {}])
    rpt = better
  })

  it('WG S1-17: in stages: what a later one wants is not told before the earlier one holds [UG-34]', async () => {
    const other = await thing()
    const stages = [
      { claim: 'roles', covers: ['doctor'] },
      { claim: 'acr', gte: 3 },
    ]
    await rules.save({ ...on(other), when: { seq: stages } })
    const first = await app.token(await ticketFor(other))
    expect(wants(first)).toEqual(['roles'])
    const second = await app.token(nextOf(first), await says(nextOf(first), { roles: ['doctor'] }))
    expect(wants(second)).toEqual(['acr'])
    expectRefusal(await app.token(nextOf(second), await says(nextOf(second), { acr: '2' })), 403, 'request_denied')
  })

  it('UMA Grant 3.3.4: changed with the revision seen, kept, and brought back; who saw another one is told [OW-10]', async () => {
    const put = (when: Json, expected_rev: number) =>
      rules.ask('putPolicy', {
        policy: { v: 1, id: rule, rev: 0, tier: 'owner', effect: 'permit', scopes: ['view'], ...on(id), when },
        label: null,
        expected_rev,
      })
    expect(await put({ claim: 'email', eq: mac }, 1)).toMatchObject({ kind: 'done', value: { rev: 2 } })
    expect(await put({ anyone: true }, 1)).toMatchObject({ kind: 'refused', reason: 'conflict' })
    rptOf(await come(id))
    expect(await rules.ask('undoPolicy', { id: rule })).toMatchObject({ kind: 'done', value: { rev: 3, policy: { when: emailAndAcr() } } })
    expect(wants(await come(id))).toEqual(['acr'])
    const { items } = (await rules.ask('policyHistory', { id: rule })) as unknown as { items: { entry: { rev: number } }[] }
    expect(items.map(({ entry }) => entry.rev)).toEqual([2])
    const bad = { v: 1, id: 'bad', rev: 0, tier: 'owner', effect: 'permit', scopes: ['view'], ...on(id), when: { all: [] } }
    expect(await rules.ask('putPolicy', { policy: bad, label: null })).toMatchObject({
      kind: 'problems',
      problems: [{ code: 'empty_list' }],
    })
    const foreign = { ...bad, when: { anyone: true }, target: { resources: ['nowhere'] } }
    expect(await rules.ask('putPolicy', { policy: foreign, label: null })).toMatchObject({ kind: 'refused', reason: 'no_resource' })
  })
})

describe('POLICY 3: uses, purpose, what the resource server says, how an app is known', () => {
  it('POLICY 3: so many times for each, counted in the turn that grants, after a crash too; what was given stands', async () => {
    const id = await thing()
    await rules.save({
      id: 'thrice',
      ...on(id),
      when: { all: [{ claim: 'email', eq: mac }, { uses: { key: 'thrice', max: 3, per: 'rqp' } }] },
    })
    const one = await come(id)
    const first = rptOf(one)
    // What is counted is not made longer.
    expect(one.json).not.toHaveProperty('refresh_token')
    await as.kill()
    // Both tickets at once: each is counted.
    const both = await Promise.all([come(id), come(id)])
    const rpts = both.map(rptOf)
    expectRefusal(await come(id), 403, 'request_denied')
    for (const rpt of [first, ...rpts]) expect(await permits(rpt)).toEqual({ [id]: ['view'] })
    expect(((await rules.ask('policyUses', { id: 'thrice' })) as unknown as { items: Json[] }).items).toEqual([{ who: mac, n: 3 }])
    // Fewer from now on: nothing that was given is within that.
    const policy = { v: 1, id: 'thrice', rev: 1, tier: 'owner', effect: 'permit', scopes: '*', ...on(id) }
    const when = { all: [{ claim: 'email', eq: mac }, { uses: { key: 'thrice', max: 1, per: 'rqp' } }] }
    expect((await rules.ask('putPolicy', { policy: { ...policy, when }, label: null })).kind).toBe('done')
    expect(await permits(first)).toEqual({})
  })

  it('POLICY 3: what is given anyway uses nothing up, neither a use nor an answer', async () => {
    const id = await thing()
    await share(s.wallet, id, guest.address)
    await rules.save({
      id: 'spare',
      ...on(id),
      when: { all: [{ claim: 'email', eq: mac }, { uses: { key: 'spare', max: 1, per: 'rqp' } }] },
    })
    expect((await come(id)).json).toHaveProperty('refresh_token')
    rptOf(await come(id))
    expect(await permits(rptOf(await come(id, ['view', 'edit'])))).toEqual({ [id]: ['view', 'edit'] })
    expect(((await rules.ask('policyUses', { id: 'spare' })) as unknown as { items: Json[] }).items).toEqual([{ who: mac, n: 1 }])
    expect(await permits(rptOf(await come(id, ['view', 'edit'])))).toEqual({ [id]: ['view'] })
  })

  it('POLICY 3: races for the last use: one wins', async () => {
    const id = await thing()
    await rules.save({
      id: 'last',
      ...on(id),
      when: { all: [{ claim: 'email', eq: mac }, { uses: { key: 'last', max: 1, per: 'rule' } }] },
    })
    const answers = await Promise.all(Array.from({ length: 6 }, () => come(id)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('POLICY 3: a purpose is said by the client; which one would do is not told', async () => {
    const id = await thing()
    await rules.save({ ...on(id), when: { all: [{ claim: 'email', eq: mac }, { purpose: ['TREAT'] }] } })
    const asked = await come(id)
    expect(wants(asked)).toEqual(['purpose'])
    expect(asked.text).not.toContain('TREAT')
    expect(asked.json).not.toHaveProperty('redirect_user')
    expect(await permits(rptOf(await app.token(nextOf(asked), { purpose: 'TREAT' })))).toEqual({ [id]: ['view'] })
    expectRefusal(await come(id, ['view'], { purpose: 'HMARKT' }), 403, 'request_denied')
    expectRefusal(await come(id, ['view'], { purpose: 'x'.repeat(300) }), 400, 'invalid_request')
  })

  it('TESTS PO-11: what the resource server says of the access counts; nobody else can say it', async () => {
    const id = await thing()
    const amounts = { context: 'currency', in: ['EUR', 'CHF'] }
    await rules.save({ ...on(id), when: { all: [{ claim: 'email', eq: mac }, { context: 'small', eq: true }, amounts] } })
    const small = await come(id, ['view'], {}, { context: { small: true, currency: 'EUR', amount: 50.5 } })
    expect(await permits(rptOf(small))).toEqual({ [id]: ['view'] })
    expectRefusal(await come(id, ['view'], {}, { context: { small: false, currency: 'EUR' } }), 403, 'request_denied')
    expectRefusal(await come(id, ['view'], { context: '{"small":true}', small: 'true' }), 403, 'request_denied')
    const different = [true, false].map((said) => ({ resource_id: id, resource_scopes: ['view'], context: { small: said } }))
    expectRefusal(await s.service.call('/uma/permission', { json: different }), 400, 'invalid_request')
  })

  it('WG S1-29, S1-30: an app by its id, and by what it has shown of itself [PO-05]', async () => {
    const [id, other] = [await thing(), await thing()]
    const email = { claim: 'email', eq: mac }
    await rules.save({ ...on(id), when: { all: [email, { client: [app.client.id] }] } })
    await rules.save({ ...on(other), when: { all: [email, { client_trust: ['instance_key'] }] } })
    const native = await registerApp(as)
    Object.assign(native.key ?? {}, { now })
    const by = async (who: App, what: string) => {
      const ticket = await ticketFor(what)
      return (await who.token(ticket, await address(ticket))).status
    }
    expect([await by(app, id), await by(native, id), await by(app, other), await by(native, other)]).toEqual([200, 403, 403, 200])
  })

  it('POLICY 2: terms: how long, no refresh token, nothing remembered', async () => {
    const [id, usual] = [await thing(), await thing()]
    const lasting = await rules.save({ ...on(usual), when: { claim: 'email', eq: mac } })
    await rules.save({ ...on(id), when: { claim: 'email', eq: mac }, grant: { rpt_ttl: 60, refresh: false, pct: false } })
    const free = await come(usual)
    expect([free.json.expires_in, 'refresh_token' in free.json]).toEqual([3600, true])
    const bound = await come(id)
    expect([bound.json.expires_in, 'refresh_token' in bound.json, 'pct' in bound.json]).toEqual([60, false, false])
    await pass(61)
    expect((await s.service.introspect(rptOf(bound))).active).toBe(false)
    expect(await permits(rptOf(free))).toEqual({ [usual]: ['view'] })
    await rules.save({ id: lasting, ...on(usual), when: { claim: 'email', eq: mac }, grant: { rpt_ttl: 60 } })
    expect(await permits(rptOf(free))).toEqual({})
  })
})

describe('POLICY 3: the owner is asked', () => {
  type Item = { id: string; state: string; permissions: string; person_id?: string }
  const waiting = async (): Promise<Item[]> =>
    ((await rules.ask('requests')) as unknown as { items: Item[] }).items.filter(({ state }) => state === 'waiting')
  const answer = (id: string, decision: string, more: Json = {}) =>
    rules.ask('answer', { id, decision, valid_until: null, time_zone: null, ...more })
  const asking = async (when: Json[] = []): Promise<string> => {
    const id = await thing()
    await rules.save({ id: `ask-${id}`, ...on(id), when: { all: [{ claim: 'email', eq: mac }, ...when, { ask: `ask-${id}` }] } })
    return id
  }

  it('UMA Grant 3.3.6: last of all, of somebody who is known; allowed is for once, and no refresh token comes of it', async () => {
    const id = await asking()
    expect(wants(await app.token(await ticketFor(id)))).toEqual(['email'])
    expect(await waiting()).toEqual([])
    const asked = await come(id)
    expectRefusal(asked, 403, 'request_submitted')
    const [item] = await waiting()
    expect(item?.person_id).toEqual(expect.any(String))
    expect(JSON.parse(item?.permissions ?? '')).toEqual([{ resource_id: id, resource_scopes: ['view'] }])
    await pass(6)
    const still = await app.token(nextOf(asked))
    expectRefusal(still, 403, 'request_submitted')
    expect(await waiting()).toHaveLength(1)
    await answer(item?.id ?? '', 'allow')
    // The answer is in the list of everything, for the rule that asked, and lets in nobody by itself.
    const once = async () => ((await rules.ask('policies', { kind: 'once', resource_id: id })) as unknown as { items: Json[] }).items
    expect(await once()).toMatchObject([
      { id: `once:${item?.id}`, request_id: item?.id, answers: [`ask-${id}`], person_id: item?.person_id },
    ])
    const { answer: open } = await rules.ask('who', { cell: { resource_id: id, scope: 'view' } })
    expect((open as { ways: Json[] }).ways).toMatchObject([{ permits: [`ask-${id}`] }])
    await pass(6)
    const got = await app.token(nextOf(still))
    const rpt = rptOf(got)
    expect(got.json).not.toHaveProperty('refresh_token')
    expect(await permits(rpt)).toEqual({ [id]: ['view'] })
    expectRefusal(await come(id), 403, 'request_submitted')
    // The answer is taken back: what came of it ends.
    expect(await rules.ask('dropPolicy', { id: String((await once())[0]?.id) })).toMatchObject({ kind: 'done', value: { dropped: true } })
    expect([await permits(rpt), await once()]).toEqual([{}, []])
    for (const one of await waiting()) await answer(one.id, 'deny')
    expectRefusal(await come(id), 403, 'request_denied')
  })

  it('DESIGN 1, step 10: a counter-offer: less, and for a purpose; the client that waits hears of it as need_info', async () => {
    const id = await asking()
    const asked = await come(id, ['view', 'edit'])
    const [item] = await waiting()
    const by = (json: Json) => s.wallet.call(`/owner/requests/${item?.id}`, { json })
    for (const wrong of [
      { decision: 'keep', when: [{ anyone: true }] },
      { decision: 'offer', when: [{ not: { purpose: ['TREAT'] } }] },
      { decision: 'allow', grant: {} },
    ])
      expectRefusal(await by(wrong), 400, 'invalid_request')
    const offer = {
      decision: 'offer',
      resource_scopes: ['view'],
      until: now() + 3600,
      when: [{ purpose: ['TREAT'] }, { uses: { max: 9, per: 'rqp' } }],
    }
    expect(expectStatus(await by({ ...offer, grant: { rpt_ttl: 300 } }), 200, 'offer').json).toMatchObject({ state: 'kept' })
    await pass(6)
    const told = await app.token(nextOf(asked))
    expect(wants(told)).toEqual(['purpose'])
    expect(told.text).not.toContain('TREAT')
    expect(await permits(rptOf(await app.token(nextOf(told), { purpose: 'TREAT' })))).toEqual({ [id]: ['view'] })
    // She has answered: coming again does not ask her again.
    expect(wants(await come(id, ['view', 'edit']))).toEqual(['purpose'])
    expect(await waiting()).toEqual([])
  })

  it('DESIGN 1, step 10: blocked: what the address had is gone, it asks no more, and the rule that does it can be dropped', async () => {
    const shared = await thing()
    await share(s.wallet, shared, guest.address)
    const rpt = rptOf(await come(shared))
    const id = await asking()
    await come(id)
    const [item] = await waiting()
    expect((await answer(item?.id ?? '', 'block')).kind).toBe('ok')
    expect(await permits(rpt)).toEqual({})
    expectRefusal(await come(shared), 403, 'request_denied')
    expectRefusal(await come(id), 403, 'request_denied')
    expect(await waiting()).toEqual([])
    const { items } = (await rules.ask('policies', { kind: 'block' })) as unknown as { items: { id: string }[] }
    expect(items).toHaveLength(1)
    // Nobody else is asked for more because of it.
    const open = await thing()
    await rules.save({ ...on(open), when: { anyone: true } })
    rptOf(await app.token(await ticketFor(open)))
    await rules.ask('dropPolicy', { id: items[0]?.id ?? '' })
    expect(await permits(rpt)).toEqual({ [shared]: ['view'] })
  })
})

describe('POLICY 2: what rules speak of', () => {
  it('POLICY 2: what lies in a thing, its type, its labels; deny overrides; a thing lies in no other service and not in itself', async () => {
    const album = await thing({ type: 'https://photos.example/album' })
    const photo = await thing({ parent: album, labels: ['R'] })
    const detail = await thing({ parent: photo })
    await rules.save({ target: { resources: [album], descend: true }, when: { claim: 'email', eq: mac } })
    const rpt = rptOf(await come(detail))
    rptOf(await come(photo))
    const forbid = await rules.save({ effect: 'forbid', target: { labels: ['R'] }, when: { not: { client: ['https://ehr.example/c'] } } })
    expectRefusal(await come(photo), 403, 'request_denied')
    expect(await permits(rpt)).toEqual({ [detail]: ['view'] })
    await rules.ask('dropPolicy', { id: forbid })
    rptOf(await come(photo))
    // Moved out of the album: what it had from there is gone.
    const put = (id: string, json: Json) =>
      s.service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['view'], ...json } })
    expect((await put(photo, { labels: ['R'] })).status).toBe(200)
    expect(await permits(rpt)).toEqual({})
    expect((await s.service.call(`/uma/resource/${detail}`)).json).toMatchObject({ parent: photo })
    for (const parent of [album, 'nowhere']) expectRefusal(await put(album, { parent }), 400, 'invalid_request')
    expect((await put(album, { parent: photo })).status).toBe(200)
    expectRefusal(await put(photo, { parent: detail }), 400, 'invalid_request')
  })

  it('POLICY 2: scopes that bring others along, and whose permit counts', async () => {
    const type = 'https://photos.example/print'
    const id = await thing({ type })
    await rules.save({ target: { types: [type] }, scopes: ['edit'], when: { claim: 'email', eq: mac } })
    expectRefusal(await come(id), 403, 'request_denied')
    const put = (authority: string) => rules.ask('putType', { type: { type, implies: { edit: ['view'] }, authority } })
    expect((await put('owner')).kind).toBe('done')
    const rpt = rptOf(await come(id, ['view', 'edit']))
    expect(await permits(rpt)).toEqual({ [id]: ['view', 'edit'] })
    expect((await put('org')).kind).toBe('done')
    expect(await permits(rpt)).toEqual({})
  })

  it('TESTS PO-03: a group: in and out at the next decision', async () => {
    const id = await thing()
    await rules.ask('putGroup', { id: 'ward', label: 'a.b.c.d.e' })
    await rules.save({ ...on(id), when: { claim: 'email', group: 'ward' } })
    expectRefusal(await come(id), 403, 'request_denied')
    expect(await rules.ask('addMembers', { group_id: 'ward', people: [{ mac, label: 'a.b.c.d.e' }] })).toMatchObject({
      value: { added: 1 },
    })
    const rpt = rptOf(await come(id))
    expect(await rules.ask('dropGroup', { id: 'ward' })).toMatchObject({ kind: 'refused', reason: 'in_use' })
    const { items } = (await rules.ask('members', { group_id: 'ward' })) as unknown as { items: { id: string }[] }
    await rules.ask('removeMember', { group_id: 'ward', id: items[0]?.id ?? '' })
    expect(await permits(rpt)).toEqual({})
  })
})

describe('DESIGN 3: one record of all that opens and closes', () => {
  it('DESIGN 3: shares and rules in one list; stopping one is undone; a share can become a rule', async () => {
    const id = await thing()
    const shared = await share(s.wallet, id, guest.address)
    const rule = await rules.save({ ...on(id), scopes: ['edit'], when: { all: [{ claim: 'email', eq: mac }, { before: now() + 86_400 }] } })
    const listed = async () =>
      ((await rules.ask('policies', { resource_id: id, tier: 'owner' })) as unknown as { items: { id: string; kind: string }[] }).items
        .filter((one) => [shared, rule].includes(one.id))
        .map((one) => one.kind)
        .sort()
    expect(await listed()).toEqual(['rule', 'share'])
    const rpt = rptOf(await come(id, ['view', 'edit']))
    await stopSharing(s.wallet, shared)
    expect(await permits(rpt)).toEqual({ [id]: ['edit'] })
    expect(await rules.ask('undoPolicy', { id: shared })).toMatchObject({ kind: 'done', value: { kind: 'share' } })
    expect(await permits(rpt)).toEqual({ [id]: ['view', 'edit'] })
    await rules.save({ id: shared, ...on(id), scopes: ['view'], when: { all: [{ claim: 'email', eq: mac }, { purpose: ['TREAT'] }] } })
    expect(await permits(rpt)).toEqual({ [id]: ['edit'] })
    expect(await listed()).toEqual(['rule', 'rule'])
    expectStatus(await s.wallet.call(`/owner/resources/${id}/policies`, { method: 'DELETE' }), 204, 'stop sharing the thing')
    expect(await listed()).toEqual([])
    expect(await permits(rpt)).toEqual({})
  })

  it('DESIGN 3: while D1 is away a prohibition counts at once, and what gives more does not', async () => {
    const id = await thing()
    await share(s.wallet, id, guest.address)
    const rpt = rptOf(await come(id))
    await as.setFault({ mode: 'fail', count: 1000 })
    const forbid = await rules.save({ ...on(id), effect: 'forbid', when: { client: [app.client.id] } })
    expect(await permits(rpt)).toEqual({})
    expect((await rules.ask('dropPolicy', { id: forbid })).kind).toBe('unavailable')
    expect(await permits(rpt)).toEqual({})
    const permit = { v: 1, id: 'more', rev: 0, tier: 'owner', effect: 'permit', scopes: '*', ...on(id), when: { anyone: true } }
    expect((await rules.ask('putPolicy', { policy: permit, label: null })).kind).toBe('unavailable')
    await as.setFault(undefined)
    await pass(5)
    expect((await rules.ask('dropPolicy', { id: forbid })).kind).toBe('done')
    expect(await permits(rpt)).toEqual({ [id]: ['view'] })
  })

  it('DESIGN 3: a prohibition is dropped when D1 has dropped it: not if that failed, and yes if only the answer was lost', async () => {
    const id = await thing()
    await share(s.wallet, id, guest.address)
    const rpt = rptOf(await come(id))
    const drop = async (mode: 'fail' | 'lost'): Promise<string> => {
      const forbid = await rules.save({ ...on(id), effect: 'forbid', when: { client: [app.client.id] } })
      for (const one of await as.objects('OwnerObject')) await as.runAlarm('OWNER', one)
      await as.setFault({ mode, count: 1, match: 'DELETE FROM rule ' })
      const { kind } = await rules.ask('dropPolicy', { id: forbid })
      await as.setFault(undefined)
      return kind
    }
    expect(await drop('lost')).toBe('done')
    expect(await permits(rpt)).toEqual({ [id]: ['view'] })
    expect(await drop('fail')).toBe('unavailable')
    expect(await permits(rpt)).toEqual({})
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
  })

  it('POLICY 6: a thing of very many rules: whoever has one gets in, whoever has none is asked or refused', async () => {
    const id = await thing()
    const others = Array.from({ length: 230 }, (_, index) => ({ ...on(id), when: { claim: 'email', eq: `mac-of-${index}` } }))
    for (let at = 0; at < others.length; at += 46) await Promise.all(others.slice(at, at + 46).map((one) => rules.save(one)))
    expect(wants(await app.token(await ticketFor(id)))).toEqual(['email'])
    expectRefusal(await come(id), 403, 'request_denied')
    const mine = { any: ['mac-of-somebody', mac].map((eq) => ({ claim: 'email', eq })) }
    await rules.save({ ...on(id), scopes: ['view'], when: mine })
    expect(await permits(rptOf(await come(id)))).toEqual({ [id]: ['view'] })
    await rules.save({ ...on(id), effect: 'forbid', when: { client: [app.client.id] } })
    expectRefusal(await come(id), 403, 'request_denied')
  })

  it('POLICY 4: why, who, what, what if', async () => {
    const id = await thing()
    const rule = await rules.save({ ...on(id), scopes: ['view'], when: { claim: 'email', eq: mac } })
    const fact = { id: 'f', claim: 'email', mac, iss: as.origin, iat: now(), exp: now() + 60 }
    const cell = { resource_id: id, scope: 'view' }
    expect(await rules.ask('why', { cell, facts: [fact] })).toMatchObject({
      kind: 'ok',
      answer: { decision: 'true', permits: [{ id: rule }] },
    })
    expect(await rules.ask('why', { cell, facts: [] })).toMatchObject({ answer: { decision: 'unknown' } })
    expect(await rules.ask('who', { cell })).toMatchObject({ answer: { complete: true, ways: [{ permits: [rule] }] } })
    expect(JSON.stringify(await rules.ask('whatCan', { facts: [fact] }))).toContain(id)
    const by = { facts: [fact], now: now() }
    const questions = [cell, { ...cell, scope: 'edit' }].map((one) => ({ cell: one, by }))
    expect(await rules.ask('evaluate', { questions, isService: false })).toMatchObject({
      items: [{ kind: 'granted' }, { kind: 'denied' }],
    })
    const answer = await come(id)
    expect(answer.status).toBe(200)
    const policy = { v: 1, id: 'new', rev: 0, tier: 'owner', effect: 'forbid', scopes: '*', ...on(id), when: { client: [app.client.id] } }
    const said = await rules.ask('simulate', { policy, issuer: as.origin })
    expect(said).toMatchObject({
      kind: 'ok',
      problems: [],
      past: [{ scopes: ['view'], isGranted: true, after: 'false' }],
      pastIsWhole: true,
    })
    expect((said.differences as Json[]).filter(({ after }) => after === 'true')).toEqual([])
    expect(await rules.ask('simulate', { replaces: rule, issuer: as.origin })).toMatchObject({
      differences: [
        { person_id: null, before: 'unknown' },
        { resource_id: id, scope: 'view', before: 'true', after: 'false' },
      ],
      past: [{ scopes: ['view'], isGranted: true }],
    })
    expect(await permits(rptOf(answer))).toEqual({ [id]: ['view'] })
  })

  it('DESIGN 3: object and record agree; a server that does not know such rules would give more, and is kept out', async () => {
    for (const id of await as.objects('OwnerObject')) await as.runAlarm('OWNER', id)
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
    expect(verifyState(as.state)[0]?.summary).toMatch(/\d+ rules, 1 group/)
    const database = new DatabaseSync(objectFiles(as.state, 'OwnerObject')[0] ?? '', { readOnly: true })
    const meta = database.prepare("SELECT k, v FROM meta WHERE k LIKE 'version%'").all() as { k: string; v: string }[]
    database.close()
    const [newest, last] = ['version', 'version_last'].map((name) => Number(meta.find(({ k }) => k === name)?.v))
    expect(newest).toBe((last ?? 0) + 1)
    await as.kill()
    expect((await rules.ask('policies')).kind).toBe('ok')
  })
})
