// AuthZEN against the token endpoint (POLICY 5, TESTS PO-16): random rules of an owner and of the organisation that she has joined, random
// proofs and circumstances. Each answer is what a ticket for the same is worth, in every kind of outcome and with the same things missing.
import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SEED } from '../policy/runs.ts'
import { type App, bob, goBack, openClaims, registerApp, share, showAddress } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, call, expectStatus, type Json, random, sha256 } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'
import { until } from '../support/until.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const IDP = 'https://idp.example'
const [SETS, CASES] = [20, 10]
const LINK = random(22)
const AUTHORITIES = ['owner', 'org', 'both', 'either'] as const

let as: Running
let alice: Stage
let clinic: Stage
let key: SigningKey
let apps: App[]
const now = (): number => Math.floor(Date.now() / 1000)

beforeAll(async () => {
  as = await ownAs()
  alice = await stage(as)
  clinic = await stage(as)
  key = await newSigningKey('ES256', 'k1')
  apps = [alice.app, await registerApp(as, 'confidential')]
  const claims = ['email', 'country', 'acr', 'npi_role', 'roles']
  const trusted = { issuer: IDP, jwks: { keys: [key.jwk] }, formats: [JWT], claims }
  expectStatus(await alice.wallet.call('/owner/issuers', { json: trusted }), 201, 'issuer')
  expectStatus(await clinic.wallet.call('/owner/organisation', { method: 'PUT', json: { name: 'Clinic' } }), 200, 'name')
  const { code } = expectStatus(await clinic.wallet.call('/owner/organisation/codes', { json: {} }), 201, 'code').json
  expectStatus(await alice.wallet.call('/owner/memberships', { json: { code, accept: true } }), 200, 'joined')
  for (const authority of AUTHORITIES) {
    const json = { type: typeOf(authority), implies: { edit: ['view'] }, authority }
    expectStatus(await alice.wallet.call('/owner/types', { method: 'PUT', json }), 200, 'type')
  }
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

const typeOf = (authority: string): string => `https://types.example/${authority}`
/** Three people of a set: nobody of one set is in another, so that what one has asked for does not stand in the way of the next. */
const person = (set: number, who: number): string => `p${who}.${set}@${who === 2 ? 'other.example' : 'clinic.example'}`

// ── Rules, proofs, circumstances ───────────────────────────────────────────────────────────────────────────────────────────

const oneOf = <T>(...all: T[]): fc.Arbitrary<T> => fc.constantFrom(...all)
const anyEmail = (set: number) =>
  fc.oneof(
    fc.nat(2).map((who): Json => ({ claim: 'email', eq: person(set, who) })),
    oneOf<Json>({ claim: 'email', in: [person(set, 0), person(set, 2)] }, { claim: 'email', domain: 'clinic.example' }),
    oneOf<Json>({ claim: 'email', eq: person(set, 0), iss: [IDP] }, { claim: 'email', domain: 'clinic.example', max_age: 600 }),
  )
const anySingle = oneOf<Json>(
  { claim: 'country', eq: 'DE' },
  { claim: 'country', in: ['DE', 'PT'] },
  { claim: 'acr', gte: 2 },
  { claim: 'acr', gte: 3, max_age: 900, iss: [IDP, 'https://other.example'] },
)
const anyOther = fc.oneof(
  oneOf<Json>(
    { claim: 'npi_role', eq: 'Nurse' },
    { claim: 'roles', covers: ['a'] },
    { purpose: ['TREAT'] },
    { context: 'urgent', eq: true },
  ),
  oneOf<Json>({ link: LINK }, { after: 1 }, { before: 4_000_000_000 }, { uses: { max: 1, per: 'rqp' } }, { ask: true }, { anyone: true }),
  oneOf<Json>({ client_trust: ['instance_key'] }, { client_trust: ['pushed', 'attested'] }, { client_trust: ['pulled'] }),
  fc.nat(1).map((at): Json => ({ client: [apps[at]?.client.id] })),
)
const anyWhen = (set: number): fc.Arbitrary<Json> => {
  const atom = fc.oneof({ weight: 3, arbitrary: anyEmail(set) }, { weight: 2, arbitrary: anySingle }, { weight: 2, arbitrary: anyOther })
  const some = fc.array(atom, { minLength: 1, maxLength: 3 })
  return fc.oneof(
    { weight: 3, arbitrary: some.map((all): Json => ({ all })) },
    some.map((any): Json => ({ any })),
    some.map((seq): Json => ({ seq })),
    fc.tuple(anyEmail(set), anySingle).map(([one, single]): Json => ({ all: [one, { not: single }] })),
    fc.tuple(anySingle, atom, atom).map(([single, yes, no]): Json => ({ if: single, then: yes, else: no })),
  )
}
const anyRule = (set: number, tier: 'owner' | 'org'): fc.Arbitrary<Json> => {
  const base = { v: 1, tier, target: tier === 'org' ? { labels: [`set-${set}`] } : {} }
  const scopes = oneOf<unknown>('*', ['view'], ['edit'])
  const permit = fc.record({ when: anyWhen(set), scopes, effect: oneOf('permit') })
  const limit = fc.record({
    when: fc.oneof(
      anySingle,
      fc.nat(1).map((at): Json => ({ client: [apps[at]?.client.id] })),
    ),
    scopes,
    effect: oneOf('forbid', 'require'),
  })
  const demand = fc.record({ when: anyEmail(set), scopes, effect: oneOf('require') })
  return fc
    .oneof({ weight: tier === 'org' ? 2 : 4, arbitrary: permit }, limit, ...(tier === 'org' ? [demand] : []))
    .map((rule) => ({ ...base, ...rule }))
}
type Case = {
  claims: Json
  app: number
  scope: string
  purpose?: string | undefined
  link?: string | undefined
  urgent?: boolean | undefined
}
const anyCase = (set: number): fc.Arbitrary<Case> => {
  const maybe = <T>(...all: T[]) => fc.option(oneOf(...all), { nil: undefined, freq: 2 })
  const email = fc.option(
    fc.nat(2).map((who) => person(set, who)),
    { nil: undefined, freq: 5 },
  )
  const claims = fc.record({
    email,
    country: maybe('DE', 'PT', 'RU'),
    acr: maybe('1', '2', '3'),
    npi_role: maybe('nurse'),
    roles: maybe(['a'], ['b']),
  })
  return fc
    .record({
      claims,
      app: fc.nat(1),
      scope: oneOf('view', 'view', 'edit'),
      purpose: maybe('TREAT', 'PAY'),
      link: maybe(LINK, random(22)),
      urgent: maybe(true, false),
    })
    .map((one) => ({ ...one, claims: known(one.claims) }))
}
const known = (members: Json): Json => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

// ── Both sides ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What came of it, in one form: with what is missing, in order. */
type Outcome = { kind: string; missing?: unknown }

const redeemed = async (id: string, one: Case): Promise<Outcome> => {
  const context = one.urgent === undefined ? {} : { context: { urgent: one.urgent } }
  const ticket = await alice.service.ticket({ resource_id: id, resource_scopes: [one.scope], ...context })
  const said = { iss: IDP, aud: as.origin, iat: now(), exp: now() + 120, tkt_hash: sha256(ticket), email_verified: true, ...one.claims }
  const claim_token = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key.privateKey)
  const more = known({ purpose: one.purpose, link: one.link }) as Record<string, string>
  const answer: Answer | undefined = await apps[one.app]?.token(ticket, { claim_token, claim_token_format: JWT, ...more })
  if (answer?.status === 200) return { kind: 'yes' }
  const { error, required_claims } = answer?.json ?? {}
  return { kind: String(error), ...(required_claims === undefined ? {} : { missing: required_claims }) }
}

const question = (id: string, { claims, app, scope, urgent, ...rest }: Case): Json => ({
  subject: {
    type: 'visitor',
    id: 'somebody',
    properties: Object.fromEntries(Object.entries(claims).map(([claim, value]) => [claim, { value, iss: IDP }])),
  },
  action: { name: scope },
  resource: { type: 'resource', id },
  context: known({ client_id: apps[app]?.client.id, urgent, ...rest }),
})
const foreseen = ({ decision, context }: Json): Outcome => {
  const uma = (context as { uma?: Json } | undefined)?.uma ?? {}
  if (decision === true) return { kind: 'yes' }
  if (uma.request_submitted === true) return { kind: 'request_submitted' }
  return uma.need_info === undefined ? { kind: 'request_denied' } : { kind: 'need_info', missing: uma.need_info }
}
const evaluations = async (items: Json[]): Promise<Outcome[]> => {
  const { json } = expectStatus(await alice.wallet.call('/access/v1/evaluations', { json: { evaluations: items } }), 200, 'evaluations')
  return (json.evaluations as Json[]).map(foreseen)
}

describe('AuthZEN 6: what is foreseen is what happens', () => {
  it('AuthZEN 6 (PO-16): for random rules of both tiers, proofs and circumstances the answer is that of the token endpoint', async () => {
    const sets = Array.from({ length: SETS }, (_, set) => ({ set, authority: AUTHORITIES[set % 4] ?? 'owner' }))
    const sample = <T>(arbitrary: fc.Arbitrary<T>, many: number, set: number): T[] =>
      fc.sample(arbitrary, { seed: SEED + set, numRuns: many })
    const ids: string[] = []
    /** Of rules by which one answer changes the next: a counted use, a question to the owner. */
    const isChanging: boolean[] = []
    let theirs = 0
    for (const { set, authority } of sets) {
      const id = await alice.service.register({ resource_scopes: ['view', 'edit'], labels: [`set-${set}`], type: typeOf(authority) })
      ids.push(id)
      const asks = { v: 1, effect: 'permit', scopes: '*', when: { all: [{ claim: 'email', eq: person(set, 0) }, { ask: true }] } }
      const rules = [...sample(anyRule(set, 'owner'), 1 + (set % 4), set), ...(authority === 'owner' ? [asks] : [])]
      const mine = rules.map((rule) => ({ ...rule, target: { resources: [id] } }))
      // What may not be saved is refused, as it should be.
      for (const json of mine) expect([201, 400]).toContain((await alice.wallet.call('/owner/rules', { json })).status)
      const works = { v: 1, tier: 'org', effect: 'permit', target: { labels: [`set-${set}`] }, scopes: '*', when: { anyone: true } }
      const org = [...sample(anyRule(set, 'org'), set % 3, set + 1000), ...(authority === 'org' || authority === 'both' ? [works] : [])]
      isChanging.push(/"uses"|"ask"/.test(JSON.stringify([mine, org])))
      for (const json of org) {
        if ((await clinic.wallet.call('/owner/rules', { json })).status === 201) theirs += 1
      }
    }
    await until(async () => ((await alice.wallet.call('/owner/rules?kind=upper')).json.items as Json[]).length === theirs)
    expect(theirs).toBeGreaterThan(SETS / 2)

    const kinds = new Map<string, number>()
    for (const { set } of sets) {
      const id = ids[set] ?? ''
      const cases = sample(anyCase(set), CASES, set)
      const asked = cases.map((one) => question(id, one))
      const all = isChanging[set] === true ? [] : await evaluations(asked)
      for (const [at, one] of cases.entries()) {
        const expected = all[at] ?? (await evaluations(asked.slice(at, at + 1)))[0]
        const happened = await redeemed(id, one)
        expect({ set, one, ...expected }).toEqual({ set, one, ...happened })
        kinds.set(happened.kind, (kinds.get(happened.kind) ?? 0) + 1)
      }
    }
    for (const kind of ['yes', 'need_info', 'request_denied', 'request_submitted']) expect(kinds.get(kind) ?? 0, kind).toBeGreaterThan(2)
  }, 60_000)
})

describe('AuthZEN 6: the owner’s answers', () => {
  it('UMA Grant 3.3.6: who waits is told so, what was allowed once is a yes until it is used, and not with another app', async () => {
    const guest = bob()
    const [app, other] = [apps[0] as App, apps[1] as App]
    const evaluate = async (by: App): Promise<Outcome> => {
      const resource = { type: 'resource', id: alice.resource }
      const subject = { type: 'email', id: guest.address }
      return (await evaluations([{ subject, action: { name: 'view' }, resource, context: { client_id: by.client.id } }]))[0] as Outcome
    }
    expect(await evaluate(app)).toEqual({ kind: 'request_denied' })
    const { page } = await openClaims(as, guest, app, await alice.ticket())
    const waits = await guest.browser.send(await showAddress(as, guest, page), '/ask', { note: '' })
    expect(await evaluate(app)).toEqual({ kind: 'request_submitted' })
    const [request] = (await alice.wallet.call('/owner/requests')).json.items as Json[]
    expectStatus(await alice.wallet.call(`/owner/requests/${request?.id}`, { json: { decision: 'allow' } }), 200, 'allow')
    expect([await evaluate(app), await evaluate(other)]).toEqual([{ kind: 'yes' }, { kind: 'request_denied' }])
    const back = await goBack(guest, app, waits)
    expectStatus(await app.token(String(back.get('ticket'))), 200, 'RPT')
    expect(await evaluate(app)).toEqual({ kind: 'request_denied' })
  })

  it('POLICY 5: nobody gets in with an app that is not known, or for what an issuer says who is not trusted with it', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'] })
    const when = {
      any: [
        { claim: 'npi_role', eq: 'nurse' },
        { claim: 'badge', eq: '7' },
      ],
    }
    const rule = { v: 1, effect: 'permit', target: { resources: [id] }, scopes: '*', when }
    expectStatus(await alice.wallet.call('/owner/rules', { json: rule }), 201, 'rule')
    const from = (properties: Json, context: Json = {}): Json => ({
      subject: { type: 'visitor', id: 'x', properties },
      action: { name: 'view' },
      resource: { type: 'resource', id },
      context,
    })
    const nurse = (iss: string) => ({ npi_role: { value: 'Nurse', iss } })
    const outcomes = await evaluations([
      from(nurse(IDP)),
      from({ npi_role: 'nurse' }),
      from(nurse(IDP), { client_id: apps[1]?.client.id }),
      from(nurse(IDP), { client_id: 'nobody' }),
      from(nurse('https://other.example')),
      from({ badge: { value: '7', iss: IDP } }),
      from({ badge: { value: { 7: 7 } } }),
      from({ __proto__: 'x', Badge: '7' }),
    ])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['yes', 'yes', 'yes', 'request_denied', ...Array(4).fill('need_info')])
    // A service only repeats what it was told.
    const told = await alice.service.call('/access/v1/evaluation', { json: from(nurse(IDP)) })
    expect(told.json).toMatchObject({ decision: false, context: { uma: { need_info: [{}] } } })
  })
})

describe('AuthZEN 8: searches', () => {
  it('AuthZEN 8.2, 8.5: things of the type that is asked for, at most so many, each of them once', async () => {
    const guest = await alice.guest()
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.push(await alice.service.register({ resource_scopes: ['view'], ...(at === 4 ? {} : { type: 'https://types.example/song' }) }))
    }
    for (const id of ids) await share(alice.wallet, id, guest.address)
    const search = async (type: string, page: Json) => {
      const json = { subject: { type: 'email', id: guest.address }, action: { name: 'view' }, resource: { type }, page }
      return expectStatus(await alice.wallet.call('/access/v1/search/resource', { json }), 200, 'search').json as Found
    }
    const all = async (type: string, limit: number): Promise<string[]> => {
      const found: string[] = []
      for (let token: string | undefined; token !== ''; ) {
        const { results, page } = await search(type, { limit, ...(token === undefined ? {} : { token }) })
        expect(results.length).toBeLessThanOrEqual(limit)
        for (const one of results) expect(one.type).toBe(type)
        found.push(...results.map(({ id }) => id))
        token = page.next_token
      }
      return found
    }
    const songs = ids.slice(0, 4).sort()
    for (const limit of [1, 3, 200]) expect((await all('https://types.example/song', limit)).sort(), String(limit)).toEqual(songs)
    expect((await all('resource', 2)).sort()).toEqual([alice.resource, ids[4]].sort())
    expect((await search('https://types.example/none', {})).results).toEqual([])
  })

  it('AuthZEN 10.1.3: the caller’s own number comes back with whatever is answered', async () => {
    const statuses = new Set<number>()
    for (const [path, by, json] of [
      ['evaluation', alice.wallet.call, question(alice.resource, { claims: {}, app: 0, scope: 'view' })],
      ['evaluation', alice.wallet.call, {}],
      ['search/subject', alice.wallet.call, []],
      ['search/action', (url: string, options: object) => call(`${as.origin}${url}`, options), {}],
    ] as const) {
      const answer = await by(`/access/v1/${path}`, { json: json as Json, headers: { 'x-request-id': 'abc-1' } })
      statuses.add(answer.status)
      expect(answer.headers.get('x-request-id'), `${path} ${answer.status}`).toBe('abc-1')
    }
    expect([...statuses].sort()).toEqual([200, 400, 401])
  })
})

type Found = { results: { type: string; id: string }[]; page: { next_token: string } }
