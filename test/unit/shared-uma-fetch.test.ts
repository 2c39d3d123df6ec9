// What the fetch of the client kit does beyond one challenge: several servers, waiting and cancelling, proofs kept, going on later.
import { describe, expect, it } from 'vitest'
import { registerOnce } from '../../shared/client-registration.ts'
import { type DpopKey, makeDpopKey, verifyDpopProof } from '../../shared/dpop.ts'
import { memoryStore } from '../../shared/text-store.ts'
import type { Pending, UmaOutcome } from '../../shared/uma-client.ts'
import { A, B, fetchFor, granted, NOW, needInfo, RS, refused, type TokenAnswer, world } from '../support/uma-world.ts'

describe('UMA Grant 3.2.1: several challenges, several servers', () => {
  it('UMA Grant 3.2.1: servers are asked in their order until one grants', async () => {
    const stage = world({ answers: { [A]: [refused('request_denied')], [B]: [granted()] } })
    const { umaFetch, outcomes } = fetchFor(stage)
    expect(await (await umaFetch(`${RS}/f`)).text()).toBe('secret GET')
    expect(stage.tickets()).toEqual(['t0', 't1'])
    expect(outcomes.map(([asUri, { kind }]) => [asUri, kind])).toEqual([
      [A, 'refused'],
      [B, 'granted'],
    ])
  })

  it('UMA Grant 3.2.1: one that is not approved, one that is away and one that gives no answer are passed over', async () => {
    const stage = world({ answers: { [A]: [granted()], [B]: [] }, named: ['https://evil.example', 'https://away.example', B, A] })
    const { umaFetch, outcomes } = fetchFor(stage, { approves: (asUri) => asUri !== 'https://evil.example' })
    expect((await umaFetch(`${RS}/f`)).status).toBe(200)
    expect(outcomes.map(([, outcome]) => ('reason' in outcome ? outcome.reason : outcome.kind))).toEqual([
      'not_approved',
      'discovery answered 503',
      'no answer',
      'granted',
    ])
    expect(stage.asked.some(({ url }) => url.startsWith('https://evil.example'))).toBe(false)
  })

  it('UMA Grant 3.3.3: a person who cancels is not sent to the next server', async () => {
    const stage = world({ answers: { [A]: [needInfo('t5')], [B]: [granted()] } })
    const { umaFetch, outcomes } = fetchFor(stage, {
      claimsRedirectUri: 'https://c.example/back',
      redirect: async (url) => new URLSearchParams({ error: 'access_denied', state: new URL(url).searchParams.get('state') ?? '' }),
    })
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    expect(outcomes.map(([, outcome]) => outcome)).toEqual([{ kind: 'refused', reason: 'cancelled' }])
  })

  it('RFC 7591 3: the client registers once at each server', async () => {
    const stage = world({ answers: { [A]: [granted()], [B]: [granted()] }, named: [A] })
    const store = memoryStore()
    const identity = registerOnce({ client_name: 'An app', token_endpoint_auth_method: 'none' }, { fetch: stage.deps.fetch }, store)
    await fetchFor(stage, { identity }).umaFetch(`${RS}/f`)
    await identity({ issuer: A, registration_endpoint: `${A}/register` })
    expect((await identity({ issuer: B, registration_endpoint: `${B}/register` })).clientId).toBe('c at b.example')
    expect(stage.asked.filter(({ url }) => url.endsWith('/register')).map(({ url }) => url)).toEqual([`${A}/register`, `${B}/register`])
    await expect(identity({ issuer: 'https://closed.example' })).rejects.toThrow('registers no clients')
  })
})

describe('RFC 6749 5.2: a server that has forgotten the client', () => {
  const forgotten: TokenAnswer = { status: 401, body: { error: 'invalid_client' } }
  const identityBy = (register: () => string) => async (_metadata: unknown, wanted?: { again: boolean }) => ({
    clientId: wanted?.again ? register() : 'old',
  })

  it('RFC 7591 3: the client registers anew and goes on with the same ticket', async () => {
    const stage = world({ answers: { [A]: [forgotten, granted()] } })
    expect((await fetchFor(stage, { identity: identityBy(() => 'new') }).umaFetch(`${RS}/f`)).status).toBe(200)
    expect(stage.asked.flatMap(({ form }) => (form.ticket === undefined ? [] : [[form.ticket, form.client_id]]))).toEqual([
      ['t0', 'old'],
      ['t0', 'new'],
    ])
  })

  it('RFC 6749 5.2: a registration that stays the same, or that fails, ends it', async () => {
    const ends: UmaOutcome[] = []
    const refuse = (): never => {
      throw new Error('no')
    }
    let made = 0
    const renew = (): string => {
      made += 1
      return `new ${made}`
    }
    // The last one is registered anew and forgotten at once: that is not tried for ever.
    for (const register of [() => 'old', refuse, renew]) {
      const stage = world({ answers: { [A]: [forgotten, forgotten, granted()] } })
      const { umaFetch, outcomes } = fetchFor(stage, { identity: identityBy(register) })
      expect((await umaFetch(`${RS}/f`)).status).toBe(401)
      ends.push(...outcomes.map(([, outcome]) => outcome))
    }
    expect(made).toBe(1)
    expect(ends).toEqual(Array(3).fill({ kind: 'failed', reason: 'invalid_client' }))
  })
})

describe('UMA Grant 3.3.6: need_info, waiting, cancelling', () => {
  it('UMA Grant 3.3.6: each new wish is put to the handler; the same wish twice goes to the claims page', async () => {
    const stage = world({ answers: { [A]: [needInfo('t1'), needInfo('t2', 'age'), needInfo('t3', 'age'), granted()] } })
    const seen: string[] = []
    const { umaFetch } = fetchFor(stage, {
      claimsRedirectUri: 'https://c.example/back',
      claimToken: async ([wanted], ticket) => {
        seen.push(`${wanted?.name} ${ticket}`)
        return { token: `${wanted?.name}`, format: 'jwt' }
      },
      redirect: async (url) => new URLSearchParams({ ticket: 't4', state: new URL(url).searchParams.get('state') ?? '' }),
    })
    expect((await umaFetch(`${RS}/f`)).status).toBe(200)
    expect(seen).toEqual(['email t1', 'age t2'])
    expect(stage.tickets()).toEqual(['t0', 't1', 't2', 't4'])
  })

  it('UMA Grant 3.3.6: the program is told of each wait; an interval of nothing is a second', async () => {
    const submitted = (ticket: string, interval: number) => refused('request_submitted', { ticket, interval })
    const stage = world({ answers: { [A]: [submitted('t1', 0), submitted('t2', 7), granted()] } })
    const waits: [number, string][] = []
    const { umaFetch } = fetchFor(stage, { patience: 60, onWaiting: (seconds, asUri) => waits.push([seconds, asUri]) })
    expect((await umaFetch(`${RS}/f`)).status).toBe(200)
    expect(waits).toEqual([
      [1, A],
      [7, A],
    ])
  })

  it('UMA Grant 3.3.6: a wait that is cancelled rejects as fetch does, and nothing is sent after it', async () => {
    const cancel = new AbortController()
    // The default timer: cancelling must end it, or this test would last for an hour.
    const stage = world({ answers: { [A]: [refused('request_submitted', { ticket: 't1', interval: 3600 })] } })
    const { wait: _ours, ...deps } = stage.deps
    const { umaFetch } = fetchFor({ ...stage, deps }, { patience: 7200, onWaiting: () => cancel.abort(new Error('enough')) })
    await expect(umaFetch(`${RS}/f`, { signal: cancel.signal })).rejects.toThrow('enough')
    expect(stage.tickets()).toEqual(['t0'])
  })

  it('UMA Grant 3.3.2: a claims page that is given up rejects too', async () => {
    const cancel = new AbortController()
    const stage = world({ answers: { [A]: [needInfo('t1')] } })
    const { umaFetch } = fetchFor(stage, {
      claimsRedirectUri: 'https://c.example/back',
      redirect: () => {
        queueMicrotask(() => cancel.abort(new Error('closed')))
        return new Promise(() => {})
      },
    })
    await expect(umaFetch(`${RS}/f`, { signal: cancel.signal })).rejects.toThrow('closed')
  })

  it('UMA Grant 3.3.6: what still waits goes on later, from plain JSON', async () => {
    const stage = world({ answers: { [A]: [refused('request_submitted', { ticket: 't1', interval: 9 }), granted()] } })
    const { umaFetch, outcomes } = fetchFor(stage)
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    const [, outcome] = outcomes[0] ?? []
    if (outcome?.kind !== 'refused' || outcome.reason !== 'still_waiting') throw new Error('no wait')
    const pending = JSON.parse(JSON.stringify(outcome.pending)) as Pending
    expect(pending).toMatchObject({ kind: 'wait', interval: 9, address: `${RS}/f` })
    expect((await umaFetch.resume(pending)).kind).toBe('granted')
    expect(await (await umaFetch(`${RS}/f`)).text()).toBe('secret GET')
  })
})

describe('UMA Grant 3.3.2, 3.3.3: a page that is left and comes back', () => {
  const leave = async (stage: ReturnType<typeof world>, store = memoryStore()): Promise<Extract<Pending, { kind: 'redirect' }>> => {
    const { umaFetch, outcomes } = fetchFor(stage, { claimsRedirectUri: 'https://c.example/back', store })
    await umaFetch(`${RS}/f`)
    const [, outcome] = outcomes[0] ?? []
    if (outcome?.kind !== 'refused' || outcome.reason !== 'needs_person' || outcome.pending === undefined) throw new Error('no page')
    return outcome.pending
  }

  it('UMA Grant 3.3.2: the pending page names address, ticket and state; a second program goes on with it', async () => {
    const stage = world({ answers: { [A]: [needInfo('t1'), granted()] } })
    const store = memoryStore()
    const pending = await leave(stage, store)
    const query = new URL(pending.url).searchParams
    expect([query.get('ticket'), query.get('state'), query.get('claims_redirect_uri')]).toEqual([
      't1',
      pending.state,
      'https://c.example/back',
    ])
    const later = fetchFor(stage, { store }).umaFetch
    expect((await later.resume(pending, new URLSearchParams({ ticket: 't2', state: pending.state }))).kind).toBe('granted')
    expect((await later(`${RS}/f`)).status).toBe(200)
  })

  it('UMA Grant 5.1: another state is refused, no ticket is spent', async () => {
    const stage = world({ answers: { [A]: [needInfo('t1'), granted()] } })
    const pending = await leave(stage)
    const { umaFetch } = fetchFor(stage)
    expect(await umaFetch.resume(pending, new URLSearchParams({ ticket: 't2', state: 'x' }))).toMatchObject({ kind: 'failed' })
    expect(await umaFetch.resume(pending)).toMatchObject({ kind: 'failed' })
    expect(stage.tickets()).toEqual(['t0'])
  })
})

describe('UMA Grant 3.3.1, 3.3.5: persisted claims', () => {
  it('UMA Grant 3.3.5: a PCT is kept, sent to the server that issued it and to no other, and replaced', async () => {
    const stage = world({
      answers: { [A]: [granted({ pct: 'pct-1' }), granted({ pct: 'pct-2' }), granted()], [B]: [granted()] },
      named: [A],
    })
    const store = memoryStore()
    const { umaFetch } = fetchFor(stage, { store })
    for (const path of ['/1', '/2', '/3']) await umaFetch(`${RS}${path}`)
    expect(stage.asked.flatMap(({ form }) => ('ticket' in form ? [form.pct] : []))).toEqual([undefined, 'pct-1', 'pct-2'])
    const other = world({ answers: { [B]: [granted()] } })
    await fetchFor(other, { store }).umaFetch(`${RS}/4`)
    expect(other.asked.at(-2)?.form.pct).toBeUndefined()
  })

  it('UMA Grant 5.2: a token for another resource server is not kept', async () => {
    const stage = world({ answers: { [A]: [granted({ resource_server: 'https://other.example' })] } })
    const written: string[] = []
    const { umaFetch } = fetchFor(stage, { store: { read: () => undefined, write: (_key, text) => void written.push(text ?? '') } })
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    expect(written.join('')).not.toContain('good')
  })
})

describe('UMA Grant 3.4: presenting', () => {
  it('UMA Grant 3.3: two requests for one thing at once make one process', async () => {
    const stage = world({ answers: { [A]: [granted(), granted()] } })
    const { umaFetch } = fetchFor(stage)
    const answers = await Promise.all([umaFetch(`${RS}/f`), umaFetch(`${RS}/f?2`)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(stage.tickets()).toHaveLength(1)
  })

  it('UMA Grant 3.5: a kept token that permits no more is left and a new one is got', async () => {
    let valid = 'old'
    const stage = world({
      answers: { [A]: [granted({ access_token: 'old' }), granted({ access_token: 'new' })] },
      resource: (request) => (request.headers.get('authorization') === `Bearer ${valid}` ? new Response('fine') : undefined),
    })
    const { umaFetch } = fetchFor(stage)
    await umaFetch(`${RS}/f`)
    valid = 'new'
    expect(await (await umaFetch(`${RS}/f`)).text()).toBe('fine')
  })

  it('UMA Grant 3.5, SPECS U-6: a 403 with a UMA challenge is answered like a 401, once; a 403 without one is the answer', async () => {
    const challenge = `UMA as_uri="${A}", ticket="t0"`
    const forbidden = (header: string): Response => new Response('no', { status: 403, headers: { 'www-authenticate': header } })
    const stage = world({
      answers: { [A]: [granted({ access_token: 'little' }), granted(), granted({ access_token: 'little' })] },
      resource: (request) => {
        const { pathname } = new URL(request.url)
        if (pathname === '/never') return forbidden(challenge)
        if (pathname === '/bearer') return forbidden('Bearer error="insufficient_scope"')
        return request.headers.get('authorization') === 'Bearer little' ? forbidden(challenge) : undefined
      },
    })
    const { umaFetch } = fetchFor(stage)
    // Without a token 401, with one that is good for too little 403: neither is tried a second time by itself.
    expect((await umaFetch(`${RS}/f`)).status).toBe(403)
    expect(stage.tickets()).toEqual(['t0'])
    expect(await (await umaFetch(`${RS}/f`)).text()).toBe('secret GET')
    expect(stage.tickets()).toEqual(['t0', 't0'])
    expect((await umaFetch(`${RS}/never`)).status).toBe(403)
    expect(stage.tickets()).toEqual(['t0', 't0', 't0'])
    expect((await umaFetch(`${RS}/bearer`)).status).toBe(403)
    expect(stage.asked.filter(({ url }) => url === `${RS}/never`)).toHaveLength(2)
    expect(stage.tickets()).toHaveLength(3)
  })

  it('Fetch 5.4: a Request with a body is sent twice as it was; a stream is not', async () => {
    const stage = world({ answers: { [A]: [granted()] } })
    const { umaFetch } = fetchFor(stage)
    const request = new Request(`${RS}/f`, { method: 'PUT', body: 'words', headers: { 'x-mark': '1' } })
    expect(await (await umaFetch(request)).text()).toBe('secret PUT words')
    const body = new Blob(['words']).stream()
    expect((await umaFetch(`${RS}/g`, { method: 'PUT', body, duplex: 'half' } as RequestInit)).status).toBe(401)
  })

  it('RFC 9449 9: a nonce that the resource server wants is put into the proof', async () => {
    const dpopKey: DpopKey = await makeDpopKey()
    const wants = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n7' }
    let isFirst = true
    const stage = world({
      answers: { [A]: [granted({ token_type: 'DPoP' })] },
      resource: (request) => {
        if (!request.headers.has('dpop') || !isFirst) return undefined
        isFirst = false
        return new Response(null, { status: 401, headers: wants })
      },
    })
    const { umaFetch } = fetchFor(stage, { dpopKey })
    expect((await umaFetch(`${RS}/f`, { method: 'delete' })).status).toBe(200)
    const expected = { method: 'DELETE', url: `${RS}/f`, now: NOW, accessToken: 'good', jkt: dpopKey.jkt, nonce: 'n7', isFresh: () => true }
    expect(await verifyDpopProof(stage.asked.at(-1)?.proof, expected)).toMatchObject({ kind: 'valid' })
  })

  it.each([
    ['RFC 6749 7.1: a token of a type that is not known', granted({ token_type: 'mac' }), 'the RPT is of a type that is not known: mac'],
    [
      'RFC 9449 5: a bound token without its key',
      granted({ token_type: 'DPoP' }),
      'the RPT is bound to a key that this client does not have',
    ],
  ])('%s is not used', async (_what, answer, reason) => {
    const stage = world({ answers: { [A]: [answer] } })
    const { umaFetch, outcomes } = fetchFor(stage)
    expect((await umaFetch(`${RS}/f`)).status).toBe(401)
    expect(outcomes).toEqual([[A, { kind: 'failed', reason }]])
    expect(stage.asked.every(({ authorization }) => authorization === null)).toBe(true)
  })

  it('RFC 9449 7: a kept token whose key is gone is left, and a new one is got', async () => {
    const store = memoryStore()
    const stage = world({ answers: { [A]: [granted({ token_type: 'DPoP' }), granted()] } })
    await fetchFor(stage, { store, dpopKey: await makeDpopKey() }).umaFetch(`${RS}/f`)
    expect((await fetchFor(stage, { store }).umaFetch(`${RS}/f`)).status).toBe(200)
    expect(stage.asked.at(-1)?.authorization).toBe('Bearer good')
  })

  it('Fetch 2: a fetch that must not be called as a method is not', async () => {
    const stage = world({ answers: { [A]: [granted()] } })
    const { fetch: inner } = stage.deps
    function strict(this: unknown, input: string | URL, init?: RequestInit): Promise<Response> {
      if (this !== undefined) throw new TypeError('Illegal invocation')
      return inner(input, init)
    }
    expect((await fetchFor({ ...stage, deps: { ...stage.deps, fetch: strict } }).umaFetch(`${RS}/f`)).status).toBe(200)
  })
})
