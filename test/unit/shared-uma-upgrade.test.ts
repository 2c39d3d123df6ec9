// What the client kit does with RPTs that it has already: upgraded, refreshed, kept to their server. And servers that have no time.
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { formatUmaChallenge } from '../../shared/challenge.ts'
import { registerOnce } from '../../shared/client-registration.ts'
import { makeDpopKey } from '../../shared/dpop.ts'
import { heldRptsIn } from '../../shared/held-rpts.ts'
import { patiently, retryAfter } from '../../shared/retry-after.ts'
import { memoryStore } from '../../shared/text-store.ts'
import { A, B, fetchFor, granted, NOW, needInfo, RS, refused, type Stage, type TokenAnswer, world } from '../support/uma-world.ts'

const token = (access_token: string, more: Record<string, unknown> = {}): TokenAnswer => granted({ access_token, ...more })

/** A resource server that knows which tokens open which paths, `PUT /1` or `/1`; everything else is challenged. */
const opening =
  (opens: Record<string, string[]>, asUri: string = A): NonNullable<Stage['resource']> =>
  (request) => {
    const { pathname } = new URL(request.url)
    const path = request.method === 'GET' ? pathname : `${request.method} ${pathname}`
    const [, presented = ''] = (request.headers.get('authorization') ?? '').split(' ')
    if (opens[path]?.includes(presented) === true) return new Response(`with ${presented}`)
    return new Response(null, { status: 401, headers: { 'www-authenticate': formatUmaChallenge({ asUri, ticket: `for ${path}` }) } })
  }

/** What went to the token endpoint, in its own words. */
const forms = (stage: ReturnType<typeof world>, name: string) =>
  stage.asked.filter(({ url }) => url.endsWith('/token')).map(({ form }) => form[name])
const presentedAt = (stage: ReturnType<typeof world>, path: string) =>
  stage.asked.filter(({ url }) => url === `${RS}${path}`).map(({ authorization }) => authorization)

describe('UMA Grant 3.3.1, 3.3.5.1: an RPT is upgraded', () => {
  it('UMA Grant 3.3.5.1: the RPT of the same resource server goes along; upgraded, the new one takes its place everywhere', async () => {
    const stage = world({
      answers: { [A]: [token('one'), token('both', { upgraded: true })] },
      resource: opening({ '/1': ['one', 'both'], '/2': ['both'] }),
    })
    const { umaFetch } = fetchFor(stage)
    for (const path of ['/1', '/2', '/1']) expect((await umaFetch(RS + path)).status).toBe(200)
    expect(forms(stage, 'rpt')).toEqual([undefined, 'one'])
    expect(presentedAt(stage, '/1')).toEqual([null, 'Bearer one', 'Bearer both'])
    expect(presentedAt(stage, '/2')).toEqual([null, 'Bearer both'])
  })

  it('SPECS G-58: not said to be upgraded, both are kept, each for its own address', async () => {
    const stage = world({ answers: { [A]: [token('one'), token('two')] }, resource: opening({ '/1': ['one'], '/2': ['two'] }) })
    const { umaFetch } = fetchFor(stage)
    for (const path of ['/1', '/2', '/1', '/2']) expect((await umaFetch(RS + path)).status).toBe(200)
    expect(forms(stage, 'rpt')).toEqual([undefined, 'one'])
    expect([presentedAt(stage, '/1').at(-1), presentedAt(stage, '/2').at(-1)]).toEqual(['Bearer one', 'Bearer two'])
  })

  it('UMA Grant 3.5: what does for GET and not for PUT is made more, and stays when it is not', async () => {
    const opens = { '/1': ['one', 'more'], 'PUT /1': ['more'] }
    const stage = world({
      answers: { [A]: [token('one'), refused('request_denied'), token('more', { upgraded: true })] },
      resource: opening(opens),
    })
    const { umaFetch } = fetchFor(stage)
    const statuses: number[] = []
    for (const method of ['GET', 'PUT', 'GET', 'PUT', 'GET']) statuses.push((await umaFetch(`${RS}/1`, { method })).status)
    expect(statuses).toEqual([200, 401, 200, 200, 200])
    expect(forms(stage, 'rpt')).toEqual([undefined, 'one', 'one'])
  })

  it('UMA Grant 3.3.1: it goes along at each step, also after the claims page in another program', async () => {
    const stage = world({
      answers: { [A]: [token('one'), needInfo('t1', 'age'), needInfo('t2'), token('both', { upgraded: true })] },
      resource: opening({ '/1': ['one', 'both'], '/2': ['both'] }),
    })
    const store = memoryStore()
    const claimsRedirectUri = 'https://c.example/back'
    await fetchFor(stage, { store }).umaFetch(`${RS}/1`)
    const { umaFetch, outcomes } = fetchFor(stage, {
      store,
      claimsRedirectUri,
      claimToken: async ([wanted]) => (wanted?.name === 'age' ? { token: 'x', format: 'jwt' } : undefined),
    })
    expect((await umaFetch(`${RS}/2`)).status).toBe(401)
    const [, outcome] = outcomes[0] ?? []
    if (outcome?.kind !== 'refused' || outcome.reason !== 'needs_person' || outcome.pending === undefined) throw new Error('no page')
    const { pending } = outcome
    const later = fetchFor(stage, { store, claimsRedirectUri })
    expect((await later.umaFetch.resume(pending, new URLSearchParams({ ticket: 't3', state: pending.state }))).kind).toBe('granted')
    expect(forms(stage, 'rpt')).toEqual([undefined, 'one', 'one', 'one'])
    expect(await (await later.umaFetch(`${RS}/1`)).text()).toBe('with both')
  })

  it('UMA Grant 5.2: never to another server than the one that gave it, never for another resource server', async () => {
    const fromB = opening({}, B)
    const stage = world({
      answers: { [A]: [token('one')], [B]: [token('good')] },
      resource: (request) => (new URL(request.url).pathname === '/b' ? fromB(request) : opening({ '/1': ['one'] })(request)),
    })
    const { umaFetch } = fetchFor(stage)
    await umaFetch(`${RS}/1`)
    await umaFetch(`${RS}/b`)
    expect(forms(stage, 'rpt')).toEqual([undefined, undefined])
    const held = heldRptsIn(memoryStore(), true, { now: () => NOW })
    await held.keep(`${RS}/1`, A, { access_token: 'one', token_type: 'Bearer' })
    expect(await held.upgradable(`${RS}/2`, A)).toBe('one')
    expect(await held.upgradable('https://other.example/1', A)).toBeUndefined()
    expect(await held.upgradable(`${RS}/2`, B)).toBeUndefined()
    expect(await held.upgradable(`${RS}/1`, B)).toBeUndefined()
  })

  it('UMA Grant 3.3.1: a server that minds an RPT which has run out is asked without it', async () => {
    const stage = world({
      answers: { [A]: [token('one', { expires_in: 5 }), refused('invalid_rpt'), token('two')] },
      resource: opening({ '/1': ['one', 'two'] }),
    })
    const { umaFetch } = fetchFor(stage)
    await umaFetch(`${RS}/1`)
    stage.pass(6)
    expect(await (await umaFetch(`${RS}/1`)).text()).toBe('with two')
    expect([forms(stage, 'rpt'), forms(stage, 'ticket')]).toEqual([
      [undefined, 'one', undefined],
      ['for /1', 'for /1', 'for /1'],
    ])
  })
})

describe('UMA Grant 3.6: an RPT that has run out is refreshed', () => {
  const both = { '/1': ['one', 'new', 'newer'], '/2': ['both', 'new', 'newer'] }
  const short = { expires_in: 5, refresh_token: 'r1' }

  it('RFC 6749 6: without a new ticket, as the same client; the refresh token may change', async () => {
    const stage = world({
      answers: { [A]: [token('one', short), token('new', { expires_in: 5, refresh_token: 'r2' }), token('newer', { expires_in: 5 })] },
      resource: opening(both),
    })
    const { umaFetch } = fetchFor(stage, { identity: async () => ({ clientId: 'c', clientSecret: 's' }) })
    for (const expected of ['one', 'new', 'newer']) {
      expect(await (await umaFetch(`${RS}/1`)).text()).toBe(`with ${expected}`)
      stage.pass(6)
    }
    expect(forms(stage, 'refresh_token')).toEqual([undefined, 'r1', 'r2'])
    expect(forms(stage, 'grant_type').slice(1)).toEqual(['refresh_token', 'refresh_token'])
    expect(
      stage.asked.filter(({ url }) => url === `${A}/token`).every(({ authorization }) => authorization === `Basic ${btoa('c:s')}`),
    ).toBe(true)
  })

  it('RFC 6749 6: once for all addresses that have it, also when they come at once', async () => {
    const stage = world({
      answers: { [A]: [token('one', short), token('both', { ...short, upgraded: true }), token('new', { refresh_token: 'r2' })] },
      resource: opening(both),
    })
    const { umaFetch } = fetchFor(stage)
    for (const path of ['/1', '/2']) await umaFetch(RS + path)
    stage.pass(6)
    const answers = await Promise.all(['/1', '/2', '/1'].map((path) => umaFetch(RS + path)))
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['with new', 'with new', 'with new'])
    expect(forms(stage, 'refresh_token')).toEqual([undefined, undefined, 'r1'])
  })

  it.each<[string, TokenAnswer[], Parameters<typeof fetchFor>[1], unknown[]]>([
    ['RFC 6749 5.2: a refresh token that is no good any more', [{ status: 400, body: { error: 'invalid_grant' } }], {}, ['r1']],
    ['DESIGN 5.12: a token for another resource server', [token('new', { resource_server: 'https://other.example' })], {}, ['r1']],
    ['RFC 9449 5: a token that is bound to a key which is not there', [token('new', { token_type: 'DPoP' })], {}, ['r1']],
    ['RFC 6749 5.2: a server that cannot just now', [{ status: 503, body: {} }], {}, ['r1']],
  ])('%s: a ticket it is', async (_what, answers, options, refreshes) => {
    const stage = world({ answers: { [A]: [token('one', short), ...answers, token('newer')] }, resource: opening(both) })
    const { umaFetch } = fetchFor(stage, options)
    await umaFetch(`${RS}/1`)
    stage.pass(6)
    expect(await (await umaFetch(`${RS}/1`)).text()).toBe('with newer')
    expect(forms(stage, 'refresh_token').filter((one) => one !== undefined)).toEqual(refreshes)
    expect(presentedAt(stage, '/1')).toEqual([null, 'Bearer one', null, 'Bearer newer'])
  })

  it('Fetch 4.6: who gives up does not wait for a refresh that somebody else has begun', async () => {
    const cancel = new AbortController()
    const stage = world({ answers: { [A]: [token('one', short)] }, resource: opening(both) })
    const ask = stage.deps.fetch
    // The server never answers to the refresh.
    stage.deps.fetch = (input, init) => (String(init?.body).includes('refresh_token') ? new Promise(() => {}) : ask(input, init))
    const { umaFetch } = fetchFor(stage)
    await umaFetch(`${RS}/1`)
    stage.pass(6)
    const end = new AbortController()
    const first = umaFetch(`${RS}/1`, { signal: end.signal })
    const second = umaFetch(`${RS}/1`, { signal: cancel.signal })
    cancel.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    end.abort(new Error('over'))
    await expect(first).rejects.toThrow('over')
  })

  it('EXTENSION 3 T2: a server that is not approved any more is not asked', async () => {
    const stage = world({ answers: { [A]: [token('one', short)] }, resource: opening(both) })
    let isApproved = true
    const { umaFetch } = fetchFor(stage, { approves: () => isApproved })
    await umaFetch(`${RS}/1`)
    stage.pass(6)
    isApproved = false
    expect((await umaFetch(`${RS}/1`)).status).toBe(401)
    expect(forms(stage, 'ticket')).toEqual(['for /1'])
  })
})

describe('RFC 9110 10.2.3: a server that has no time says when', () => {
  const busy = (status: number, wanted?: string): TokenAnswer => ({
    status,
    body: { error: 'temporarily_unavailable' },
    ...(wanted !== undefined && { headers: { 'retry-after': wanted } }),
  })

  it('RFC 6585 4: the same ticket goes again, with a proof of its own', async () => {
    const stage = world({ answers: { [A]: [busy(429, '3'), busy(503, '2'), granted({ token_type: 'DPoP' })] } })
    expect((await fetchFor(stage, { dpopKey: await makeDpopKey() }).umaFetch(`${RS}/f`)).status).toBe(200)
    expect([stage.waited(), stage.tickets()]).toEqual([5, ['t0', 't0', 't0']])
    const proofs = stage.asked.filter(({ url }) => url === `${A}/token`).map(({ proof }) => decodeJwt(proof ?? '').jti)
    expect(new Set(proofs).size).toBe(3)
  })

  it.each<[string, TokenAnswer[], number, number]>([
    ['longer than is waited', [busy(429, '11')], 10, 0],
    ['not said', [busy(503)], 10, 0],
    ['another status', [{ ...busy(500, '1') }], 10, 0],
    ['too often', [busy(429, '1'), busy(429, '1'), busy(429, '1')], 10, 2],
    ['too long in all', [busy(429, '6'), busy(429, '6')], 10, 6],
    ['not wanted', [busy(429, '1')], 0, 0],
  ])('RFC 9110 10.2.3: %s: that is the end', async (_what, answers, retryWithin, waited) => {
    const stage = world({ answers: { [A]: answers } })
    const { umaFetch, outcomes } = fetchFor(stage, { retryWithin })
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    expect([stage.waited(), outcomes[0]?.[1].kind]).toEqual([waited, 'failed'])
  })

  it('RFC 9110 10.2.3: a wait that is given up rejects', async () => {
    const cancel = new AbortController()
    const wait = (): Promise<void> => {
      queueMicrotask(() => cancel.abort(new Error('enough')))
      return new Promise(() => {})
    }
    const stage = world({ answers: { [A]: [busy(429, '5')] }, wait })
    await expect(fetchFor(stage).umaFetch(`${RS}/f`, { signal: cancel.signal })).rejects.toThrow('enough')
  })

  it('RFC 7591 3.2: a registration that came too early is sent again', async () => {
    const answers = [
      new Response(null, { status: 429, headers: { 'retry-after': '4' } }),
      Response.json({ client_id: 'c' }, { status: 201 }),
    ]
    const waits: number[] = []
    const deps = {
      fetch: async () => answers.shift() ?? new Response(null, { status: 500 }),
      wait: async (seconds: number) => void waits.push(seconds),
    }
    const identity = registerOnce({ client_name: 'An app' }, deps)
    expect((await identity({ issuer: A, registration_endpoint: `${A}/register` })).clientId).toBe('c')
    expect(waits).toEqual([4])
  })

  it('RFC 9110 5.6.7: seconds or a date; of 429 and 503 only', async () => {
    const said = (status: number, value?: string) =>
      retryAfter(new Response(null, { status, ...(value !== undefined && { headers: { 'retry-after': value } }) }), NOW)
    const inAMinute = new Date((NOW + 60) * 1000).toUTCString()
    expect([said(429, '7'), said(503, inAMinute), said(503, new Date(0).toUTCString())]).toEqual([7, 60, 0])
    expect([said(429), said(429, 'soon'), said(429, '-1x'), said(200, '7'), said(502, '7')]).toEqual(Array(5).fill(undefined))
    const waits: number[] = []
    let left = 1
    const send = async () => new Response(null, left-- > 0 ? { status: 503, headers: { 'retry-after': '0' } } : {})
    expect((await patiently(send, {}, { now: () => NOW, wait: async (seconds) => void waits.push(seconds) })).status).toBe(200)
    expect(waits).toEqual([1])
  })
})

describe('RFC 9449 8.2: the newest nonce', () => {
  it('RFC 9449 8.2: is used at once at the next step, also the one of a good answer', async () => {
    const nonce = (value: string, answer: TokenAnswer): TokenAnswer => ({ ...answer, headers: { 'dpop-nonce': value } })
    const submitted = (ticket: string): TokenAnswer => refused('request_submitted', { ticket, interval: 1 })
    const answers = [
      nonce('n1', { status: 400, body: { error: 'use_dpop_nonce' } }),
      nonce('n2', submitted('t1')),
      submitted('t2'),
      // The same nonce as in the proof is no new one: that is an end, not a loop.
      nonce('n2', { status: 400, body: { error: 'use_dpop_nonce' } }),
    ]
    const stage = world({ answers: { [A]: answers } })
    const { umaFetch, outcomes } = fetchFor(stage, { dpopKey: await makeDpopKey(), patience: 60 })
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    const used = stage.asked.filter(({ url }) => url === `${A}/token`).map(({ proof }) => decodeJwt(proof ?? '').nonce)
    expect(used).toEqual([undefined, 'n1', 'n2', 'n2'])
    expect(outcomes[0]?.[1]).toEqual({ kind: 'failed', reason: 'use_dpop_nonce' })
  })
})
