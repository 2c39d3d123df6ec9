// Fuzzing from the API document: each operation gets requests whose parts fit its schemas and parts that do not, with real tokens, tickets and
// clients. Nothing is a fault of the server, every answer is one that the document promises, and every refusal says what it is.
// FUZZ=<n> sends more, FUZZ_SEED=<n> sends the same again.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../worker/openapi/document.ts'
import type { Operation } from '../../worker/openapi/operation.ts'
import { connectService, connectWallet, registerClient, share, signIn, someone } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { jsonOf, problemOf } from '../support/fuzz-judge.ts'
import { type Parties, planFor, type Sent } from '../support/fuzz-requests.ts'
import type { Answer } from '../support/http.ts'
import { type Cast, cast, send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const COUNT = Number(process.env.FUZZ ?? 10_000)
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 16
/** Pages take part, but what programs call is what this is about. */
const WEIGHT = { Pages: 1, other: 4 } as const

/** One owner is asked thousands of times a minute here. */
const UNHURRIED = { reads_per_owner_minute: 0, changes_per_owner_minute: 0, questions_per_owner_minute: 0 }

/** Values that a schema alone does not lead to. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  scope: ['openid uma_protection', 'uma_protection', 'uma_owner'],
  email: ['bob@example.net', 'Carol@example.org'],
  time_zone: ['Europe/Lisbon', 'America/New_York'],
  redirect_uris: ['https://a.example/cb', 'http://127.0.0.1/cb'],
  claims_redirect_uris: ['https://a.example/claims'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:uma-ticket'],
  response_types: ['code'],
  response_type: ['code'],
  token_endpoint_auth_method: ['client_secret_basic', 'none'],
  code_challenge_method: ['S256'],
  prompt: ['login', 'none', 'consent'],
  name: ['base.css', 'page.js'],
  'If-Match': ['"1"', '"2"'],
}

/** Things that the server gives out join those that later requests use. */
const NEW: readonly (readonly [string, string, string])[] = [
  ['requestPermission', 'ticket', 'ticket'],
  ['token', 'ticket', 'ticket'],
  ['createResource', '_id', 'resource_id'],
  ['share', 'id', 'policy'],
  ['addRule', 'id', 'rule'],
  ['addGroup', 'id', 'group'],
  ['liveCode', 'code', 'code'],
  ['pushAuthorization', 'request_uri', 'request_uri'],
]

/** Lets nobody in who comes by. Of no thing in particular, so that it stays when sharing of one is stopped. */
const aRule = () => ({
  v: 1,
  effect: 'permit',
  target: { types: ['https://fuzz.example/thing'] },
  scopes: ['download'],
  when: { all: [{ claim: 'email', domain: 'fuzz.example' }, { before: 4_000_000_000 }] },
})

/** A long body that the server refuses unread costs the connection (RFC 9110 9.3): such a request gets one of its own. */
const answerTo = async ({ method, url, headers, body }: Sent): Promise<Answer> => {
  if (body !== undefined && body.length > 4096)
    return send(new URL(url).origin, url.slice(new URL(url).origin.length), { method, headers, body })
  const answer = await fetch(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) })
  return { status: answer.status, headers: answer.headers, text: await answer.text(), json: {} }
}

describe('DESIGN 7 I5: fuzzing from the API document', () => {
  let as: Running
  let main: Cast
  let parties: Parties
  const live = new Map<string, string[]>()

  const know = (name: string, value: unknown): void => {
    const pool = live.get(name) ?? []
    live.set(name, pool)
    if (typeof value !== 'string') return
    pool.push(value)
    if (pool.length > 60) pool.shift()
  }

  beforeAll(async () => {
    as = await ownAs({ asVars: { QUOTAS: UNHURRIED } })
    main = await cast(await stage(as))
    const spare = await connectService(as, main.alice, 'A shelf to lose')
    const confidential = await connectService(as, main.alice, 'A shelf')
    const lost = await connectWallet(as, main.alice)
    const registrations = new Map<string, string>()
    for (let i = 0; i < 20; i++) {
      const { id, metadata } = await registerClient(as, { redirect_uris: ['https://a.example/cb'] })
      registrations.set(id, String(metadata.registration_access_token))
      know('registered', id)
    }
    for (let i = 0; i < 12; i++) know('ticket', await main.ticket())
    for (let i = 0; i < 4; i++) {
      const rpt = await main.rpt()
      know('token', rpt)
      know('rpt', rpt)
    }
    know('token', lost.tokens.refresh_token)
    know('token', main.service.pat)
    know('refresh_token', confidential.tokens.refresh_token)
    know('refresh_token', lost.tokens.refresh_token)
    know('resource_id', main.resource)
    for (let i = 0; i < 5; i++) know('policy', await share(main.wallet, main.resource, someone('guest')))
    for (let i = 0; i < 60; i++) know('rule', (await main.wallet.call('/owner/rules', { json: aRule() })).json.id)
    // Every second one is changed, so that there is something to undo.
    for (const id of (live.get('rule') ?? []).filter((_, n) => n % 2 === 0))
      await main.wallet.call(`/owner/rules/${id}`, { method: 'PUT', json: aRule(), headers: { 'if-match': '"1"' } })
    const { items } = (await main.wallet.call('/owner/connections')).json as { items: { id: string; client_id: string }[] }
    know('connection', items.find(({ client_id }) => client_id === spare.client.id)?.id)
    const people = (await main.wallet.call('/owner/people')).json as { items: { id: string }[] }
    for (const { id } of people.items) know('person_id', id)
    for (const id of [main.app.client.id, confidential.client.id, confidential.client.id, confidential.client.id, 'unknown'])
      know('client_id', id)
    know('redirect_uri', `${confidential.origin}/connected`)
    know('claims_redirect_uri', main.app.claimsRedirectUri)
    for (const scope of ['view', 'download', 'uma_protection', 'openid uma_protection']) know('resource_scopes', scope)
    for (const [name, values] of Object.entries(GOOD)) for (const value of values) know(name, value)
    if (main.app.key === undefined) throw new Error('the app is a public client')
    const other = await signIn(as)
    const home = await other.browser.open(`${as.origin}/`)
    const csrf = home.forms.flatMap(({ fields }) => fields.csrf ?? [])[0] ?? ''
    know('csrf', csrf)
    const cookie = Object.entries(other.browser.cookies(as.origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    parties = {
      session: { cookie, csrf },
      origin: as.origin,
      pat: main.service.pat,
      wallet: { token: String(main.wallet.tokens.access_token), key: main.wallet.key },
      confidential: { id: confidential.client.id, secret: confidential.client.secret ?? '' },
      publicClient: { id: main.app.client.id, key: main.app.key },
      registrations,
      live,
    }
  }, 60_000)
  afterAll(() => as?.stop())

  const learn = ({ operation, url }: Sent, { status, text }: Answer): void => {
    if (operation.id === 'deleteResource' && status === 204)
      live.set(
        'resource_id',
        (live.get('resource_id') ?? []).filter((id) => !url.endsWith(id)),
      )
    for (const [id, member, name] of NEW) {
      if (operation.id !== id) continue
      const value = jsonOf(text)
      if (typeof value === 'object' && value !== null) know(name, Reflect.get(value, member))
    }
  }

  it(`DESIGN 7 I5: ${COUNT} requests, no fault, every answer as documented (seed ${SEED})`, { timeout: 60_000 + COUNT * 20 }, async () => {
    const weighted = operations.map((operation) => ({
      weight: operation.tag === 'Pages' ? WEIGHT.Pages : WEIGHT.other,
      arbitrary: planFor(operation),
    }))
    const plans = fc.sample(fc.oneof(...weighted), { numRuns: COUNT, seed: SEED })
    const problems = new Map<string, string>()
    const statuses = new Map<string, Map<number, number>>()
    let next = 0
    const work = async (): Promise<void> => {
      for (let at = next++; at < plans.length; at = next++) {
        const plan = plans[at]
        if (plan === undefined) return
        const sent = await plan.make(parties)
        const answer = await answerTo(sent)
        const counts = statuses.get(sent.operation.id) ?? new Map<number, number>()
        statuses.set(sent.operation.id, counts)
        counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
        const problem = problemOf(sent, answer)
        const told = `${sent.method} ${sent.operation.path}: ${problem}`
        if (problem !== undefined && !problems.has(told))
          problems.set(
            told,
            `#${at} ${JSON.stringify({ ...sent, operation: undefined }).slice(0, 1500)}\n  -> ${answer.status} ${answer.text.slice(0, 400)}`,
          )
        learn(sent, answer)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    if (process.env.FUZZ_SHOW !== undefined)
      for (const [id, counts] of statuses) console.log(id.padEnd(24), [...counts].map(([status, n]) => `${status}:${n}`).join(' '))
    expect([...problems].map(([told, how]) => `${told}\n  ${how}`).join('\n'), `seed ${SEED}`).toBe('')
    // Requests that are refused at the door find nothing: nearly all of what programs call was also answered with what it is for.
    const isReached = ({ id, replies }: Operation): boolean =>
      Object.keys(replies).some((status) => Number(status) < 300 && statuses.get(id)?.has(Number(status)) === true)
    const called = operations.filter((one) => one.tag !== 'Pages')
    const missed = called.filter((one) => !isReached(one)).map(({ id }) => id)
    expect(missed.length, `never answered with success: ${missed}`).toBeLessThanOrEqual(COUNT < 5000 ? called.length : called.length / 8)
  })

  it('RFC 6749 5.2: the judge of answers sees what is wrong with one', () => {
    const operation = operations.find(({ id }) => id === 'requestPermission')
    if (operation === undefined) throw new Error('the operation has another name now')
    const sent: Sent = { operation, method: 'POST', url: '/uma/permission', headers: {} }
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
      status,
      headers: new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }),
      text: JSON.stringify(body),
      json: {},
    })
    const refusal = { error: 'invalid_scope', error_description: 'ask for something else' }
    const unavailable = { error: 'temporarily_unavailable', error_description: 'come back later' }
    expect(problemOf(sent, answer(201, { ticket: 'x' }))).toBeUndefined()
    expect(problemOf(sent, answer(400, refusal))).toBeUndefined()
    expect(problemOf(sent, answer(503, unavailable, { 'retry-after': '2' }))).toBeUndefined()
    for (const wrong of [
      answer(201, { ticket: '' }),
      answer(200, { ticket: 'x' }),
      answer(400, { error: 'invalid_scope' }),
      answer(400, { ...refusal, error: 'invalid_grant' }),
      answer(400, { ...refusal, error_description: 'said "so"' }),
      answer(400, refusal, { 'cache-control': 'public' }),
      answer(400, refusal, { 'content-type': 'text/plain' }),
      answer(500, { error: 'server_error', error_description: 'something went wrong' }),
      answer(503, unavailable),
    ])
      expect(problemOf(sent, wrong)).toEqual(expect.any(String))
    const patched = { ...sent, method: 'PATCH' }
    const unknown = { error: 'unsupported_method_type', error_description: 'use one of POST' }
    expect(problemOf(patched, answer(405, unknown, { allow: 'POST, OPTIONS' }))).toBeUndefined()
    expect(problemOf(patched, answer(405, unknown))).toEqual(expect.any(String))
    expect(problemOf(patched, answer(404, refusal))).toEqual(expect.any(String))
  })

  it('DESIGN 7 I1, I3: after all that the owner’s own token, the service’s and the app still work', async () => {
    expect((await main.wallet.call('/owner/me')).status).toBe(200)
    expect((await main.service.call('/uma/resource')).status).toBe(200)
    // The fuzz has made rules, too: what forbids, and who was shut out, is taken back first.
    const { items } = (await main.wallet.call('/owner/rules')).json as { items: { id: string; effect: string }[] }
    for (const { id } of items.filter(({ effect }) => effect !== 'permit'))
      await main.wallet.call(`/owner/rules/${id}`, { method: 'DELETE' })
    const resource = await main.service.register({ resource_scopes: ['view'] })
    await share(main.wallet, resource, main.known.address)
    expect((await main.redeem({ resource_id: resource, resource_scopes: ['view'] })).status).toBe(200)
  })
})
