// The resource server kit against an authorization server that is a function.
import { describe, expect, it } from 'vitest'
import { findUmaChallenges } from '../../shared/challenge.ts'
import type { Fetch } from '../../shared/discovery.ts'
import { makeDpopKey, makeDpopProof } from '../../shared/dpop.ts'
import { createProtectionApi, type Pat } from '../../shared/protection-api.ts'
import type { RptIntrospection, UmaMetadata } from '../../shared/protocol/uma-federation.ts'
import { admit, covers, type Protection, protect, umaMiddleware } from '../../shared/resource-server.ts'

const NOW = 1_800_000_000
const AS = 'https://as.example'
const metadata: UmaMetadata = {
  issuer: AS,
  token_endpoint: `${AS}/token`,
  permission_endpoint: `${AS}/permission`,
  resource_registration_endpoint: `${AS}/resource`,
  introspection_endpoint: `${AS}/introspect`,
}

type Asked = { method: string; path: string; authorization: string | null; body: string }
type Answers = Record<
  string,
  (asked: Asked) => { status?: number; body?: unknown /** The answer comes only then. */; after?: Promise<void> }
>

/** The outside: answers by method and path; everything that was asked is kept. */
const server = (answers: Answers, pat: Pat | undefined = { accessToken: 'pat-1', refreshToken: 'refresh-1', expiresAt: NOW + 600 }) => {
  const asked: Asked[] = []
  const fetch: Fetch = async (input, init = {}) => {
    const request = new Request(input, init as RequestInit)
    const one = {
      method: request.method,
      path: new URL(request.url).pathname,
      authorization: request.headers.get('authorization'),
      body: await request.text(),
    }
    asked.push(one)
    const { status = 200, body, after } = answers[`${one.method} ${one.path}`]?.(one) ?? { status: 404, body: { error: 'not_found' } }
    await after
    return new Response(body === undefined ? null : JSON.stringify(body), { status })
  }
  const kept: { pat: Pat | undefined } = { pat }
  const store = {
    read: async () => kept.pat,
    write: async (renewed: Pat | undefined) => {
      kept.pat = renewed
    },
  }
  const api = createProtectionApi({ metadata, client: { clientId: 'a b', clientSecret: 's:1' }, pat: store }, { fetch, now: () => NOW })
  return { api, asked, kept }
}

const renewing: Answers = {
  'POST /token': () => ({ body: { access_token: 'pat-2', token_type: 'Bearer', expires_in: 300, refresh_token: 'refresh-2' } }),
}

describe('UMA FedAuthz 3: resources', () => {
  it('UMA FedAuthz 3.2.1-3.2.5: create, read, update, delete, list', async () => {
    const { api, asked } = server({
      'POST /resource': () => ({ status: 201, body: { _id: 'r/1', user_access_policy_uri: `${AS}/` } }),
      'GET /resource/r%2F1': () => ({ body: { _id: 'r/1', resource_scopes: ['view'] } }),
      'PUT /resource/r%2F1': () => ({ body: { _id: 'r/1' } }),
      'DELETE /resource/r%2F1': () => ({ status: 204 }),
      'GET /resource': () => ({ body: ['r/1'] }),
    })
    const description = { resource_scopes: ['view'], name: 'a', 'name#de': 'b' }
    expect(await api.registerResource(description)).toMatchObject({ kind: 'ok', value: { _id: 'r/1' } })
    expect(await api.readResource('r/1')).toMatchObject({ kind: 'ok', value: { resource_scopes: ['view'] } })
    expect(await api.updateResource('r/1', description)).toMatchObject({ kind: 'ok' })
    expect(await api.deleteResource('r/1')).toEqual({ kind: 'ok', value: undefined })
    expect(await api.listResources()).toEqual({ kind: 'ok', value: ['r/1'] })
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(description)
    expect(asked.every(({ authorization }) => authorization === 'Bearer pat-1')).toBe(true)
  })

  it('UMA FedAuthz 3.2.4: deleting what is gone is done', async () => {
    expect(await server({}).api.deleteResource('x')).toEqual({ kind: 'ok', value: undefined })
  })

  it('UMA FedAuthz 6: a refusal carries its code; a 5xx and nonsense count as unreachable', async () => {
    const { api } = server({
      'POST /resource': () => ({ status: 400, body: { error: 'invalid_request' } }),
      'GET /resource': () => ({ status: 503 }),
      'GET /resource/x': () => ({ body: { no: 'id' } }),
    })
    expect(await api.registerResource({ resource_scopes: [] })).toEqual({ kind: 'refused', status: 400, error: 'invalid_request' })
    expect(await api.listResources()).toMatchObject({ kind: 'unreachable' })
    expect(await api.readResource('x')).toMatchObject({ kind: 'unreachable' })
  })
})

describe('RFC 6585 4: a server that has no time', () => {
  it('RFC 6585 4, UMA Grant 3.2.2: 429 is no word on a token: nobody is let in, and nobody is sent for another', async () => {
    const { api, asked } = server({ 'POST /introspect': () => ({ status: 429, body: { error: 'slow_down' } }) })
    expect(await api.introspect('x')).toEqual({ kind: 'unreachable', reason: 'the server answered 429' })
    const protection = { asUri: AS, api, needed: [{ resource_id: 'r', resource_scopes: ['view'] }] }
    const presented = { method: 'GET', url: 'https://rs.example/f', authorization: 'Bearer x', dpop: null }
    expect(await admit(presented, protection, { now: NOW })).toEqual({ kind: 'unreachable', reason: 'unreachable' })
    expect(asked.map(({ path }) => path)).toEqual(['/introspect', '/introspect'])
  })
})

describe('RFC 6749 6: the PAT renews itself', () => {
  const listing: Answers = { 'GET /resource': ({ authorization }) => (authorization === 'Bearer pat-2' ? { body: [] } : { status: 401 }) }

  it('RFC 6749 6: before it ends, with the client secret form-encoded (2.3.1)', async () => {
    const { api, asked, kept } = server(
      { ...renewing, ...listing },
      { accessToken: 'pat-1', refreshToken: 'refresh-1', expiresAt: NOW + 10 },
    )
    expect(await api.listResources()).toMatchObject({ kind: 'ok' })
    expect(asked[0]).toMatchObject({
      path: '/token',
      authorization: `Basic ${btoa('a+b:s%3A1')}`,
      body: 'grant_type=refresh_token&refresh_token=refresh-1',
    })
    expect(kept.pat).toEqual({ accessToken: 'pat-2', refreshToken: 'refresh-2', expiresAt: NOW + 300 })
  })

  it('RFC 6750 3.1: once after a 401', async () => {
    const { api, asked } = server({ ...renewing, ...listing })
    expect(await api.listResources()).toMatchObject({ kind: 'ok' })
    expect(asked.map(({ path }) => path)).toEqual(['/resource', '/token', '/resource'])
  })

  it('RFC 6749 6: calls at the same time share one renewal', async () => {
    const { api, asked } = server({ ...renewing, ...listing }, { accessToken: 'pat-1', refreshToken: 'refresh-1', expiresAt: NOW })
    await Promise.all([api.listResources(), api.listResources(), api.listResources()])
    expect(asked.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('RFC 6749 6: a late 401 of the old PAT does not spend its refresh token again', async () => {
    const late = Promise.withResolvers<void>()
    const { api, asked, kept } = server({
      ...listing,
      'GET /resource/late': ({ authorization }) =>
        authorization === 'Bearer pat-2' ? { body: { _id: 'late', resource_scopes: [] } } : { status: 401, after: late.promise },
      'POST /token': ({ body }) =>
        (body.endsWith('refresh-1') ? renewing['POST /token']?.({} as Asked) : undefined) ?? {
          status: 400,
          body: { error: 'invalid_grant' },
        },
    })
    const slow = api.readResource('late')
    expect(await api.listResources()).toMatchObject({ kind: 'ok' })
    late.resolve()
    expect(await slow).toMatchObject({ kind: 'ok' })
    expect(asked.filter(({ path }) => path === '/token')).toHaveLength(1)
    expect(kept.pat?.accessToken).toBe('pat-2')
  })

  it('RFC 6749 6: an owner who connects again while the old PAT is renewed keeps the new connection', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const stage = server({
      ...listing,
      'POST /token': () => {
        asked.resolve()
        return { status: 400, body: { error: 'invalid_grant' }, after: answer.promise }
      },
    })
    const call = stage.api.listResources()
    await asked.promise
    stage.kept.pat = { accessToken: 'pat-2', refreshToken: 'another', expiresAt: NOW + 600 }
    answer.resolve()
    expect(await call).toMatchObject({ kind: 'ok' })
    expect(stage.kept.pat.accessToken).toBe('pat-2')
  })

  it('RFC 6749 5.2: a refresh token that is no good ends the connection', async () => {
    const { api, kept } = server({ 'POST /token': () => ({ status: 400, body: { error: 'invalid_grant' } }), ...listing })
    expect(await api.listResources()).toEqual({ kind: 'disconnected' })
    expect(kept.pat).toBeUndefined()
    expect(await api.listResources()).toEqual({ kind: 'disconnected' })
  })

  it('RFC 6749 6: a server that is down does not end it', async () => {
    const { api, kept } = server({ 'POST /token': () => ({ status: 503 }), ...listing })
    expect(await api.listResources()).toMatchObject({ kind: 'unreachable' })
    expect(kept.pat).toBeDefined()
  })
})

const granting = (rpt: Partial<Extract<RptIntrospection, { active: true }>> = {}): Answers => ({
  'POST /permission': () => ({ status: 201, body: { ticket: 'new-ticket' } }),
  'POST /introspect': () => ({ body: { active: true, permissions: [{ resource_id: 'r1', resource_scopes: ['view'] }], ...rpt } }),
})

describe('UMA Grant 3.2, 3.5: one request', () => {
  const protectionAt = (answers: Answers): Protection & { asked: Asked[] } => {
    const { api, asked } = server(answers)
    return { api, asked, asUri: AS, realm: 'r', needed: [{ resource_id: 'r1', resource_scopes: ['view'] }] }
  }
  const presented = (authorization: string | null, dpop: string | null = null) => ({
    method: 'GET',
    url: 'https://rs.example/f/1',
    authorization,
    dpop,
  })

  it('UMA Grant 3.2.1: without a token a ticket for what is needed, and no introspection', async () => {
    const protection = protectionAt(granting())
    const admission = await admit(presented(null), protection, { now: NOW })
    expect(admission).toMatchObject({ kind: 'challenge', why: 'no_token', ticket: 'new-ticket' })
    expect(admission.kind === 'challenge' && findUmaChallenges(admission.header)).toEqual([{ realm: 'r', asUri: AS, ticket: 'new-ticket' }])
    expect(protection.asked.map(({ path, body }) => [path, body])).toEqual([
      ['/permission', '{"resource_id":"r1","resource_scopes":["view"]}'],
    ])
  })

  it('UMA FedAuthz 4.1: several permissions go as an array, more may be asked than needed', async () => {
    const protection = protectionAt(granting())
    const ticketFor = [
      { resource_id: 'r1', resource_scopes: ['view'] },
      { resource_id: 'r2', resource_scopes: [] },
    ]
    await admit(presented(null), { ...protection, ticketFor }, { now: NOW })
    expect(JSON.parse(protection.asked[0]?.body ?? '')).toEqual(ticketFor)
  })

  it('UMA FedAuthz 5.1: a good token is let in, and asked about each time', async () => {
    const protection = protectionAt(granting())
    for (let request = 0; request < 2; request += 1) {
      expect(await admit(presented('Bearer good'), protection, { now: NOW })).toMatchObject({ kind: 'allowed' })
    }
    expect(protection.asked.map(({ body }) => body)).toEqual(Array(2).fill('token=good&token_type_hint=access_token'))
  })

  it.each([
    ['inactive', 'inactive', { 'POST /introspect': () => ({ body: { active: false } }) }],
    ['too little', 'insufficient', granting({ permissions: [{ resource_id: 'r1', resource_scopes: ['download'] }] })],
    ['another resource', 'insufficient', granting({ permissions: [{ resource_id: 'r2', resource_scopes: ['view'] }] })],
    ['over', 'insufficient', granting({ exp: NOW })],
    ['bound to a key, shown as bearer', 'proof', granting({ cnf: { jkt: 'A'.repeat(43) } })],
    ['bound in a way that is not known', 'proof', granting({ cnf: { 'x5t#S256': 'abc' } })],
  ])('UMA Grant 3.5: a token that is %s is answered like none', async (_what, why, answers) => {
    const admission = await admit(presented('Bearer some'), protectionAt({ ...granting(), ...answers }), { now: NOW, isFresh: () => true })
    expect(admission).toMatchObject({ kind: 'challenge', why, ticket: 'new-ticket' })
  })

  it('RFC 9449 7: a bound token with the proof of its key; the same proof twice is refused', async () => {
    const key = await makeDpopKey()
    const protection = protectionAt(granting({ cnf: { jkt: key.jkt } }))
    const proof = await makeDpopProof(key, { method: 'GET', url: 'https://rs.example/f/1', now: NOW, jti: 'once', accessToken: 'good' })
    const seen = new Set<string>()
    const deps = { now: NOW, isFresh: (jti: string) => !seen.has(jti) && seen.add(jti).size > 0 }
    expect(await admit(presented('DPoP good', proof), protection, deps)).toMatchObject({ kind: 'allowed' })
    expect(await admit(presented('DPoP good', proof), protection, deps)).toMatchObject({ kind: 'challenge', why: 'proof' })
    expect(await admit(presented('DPoP good', null), protection, deps)).toMatchObject({ kind: 'challenge', why: 'proof' })
    expect(await admit(presented('Bearer good', proof), protection, deps)).toMatchObject({ kind: 'challenge', why: 'proof' })
  })

  it('RFC 9449 7.1: an unbound token with the DPoP scheme is refused', async () => {
    expect(await admit(presented('DPoP good', 'x'), protectionAt(granting()), { now: NOW, isFresh: () => true })).toMatchObject({
      kind: 'challenge',
      why: 'proof',
    })
  })

  it.each([
    ['no ticket', { 'POST /permission': () => ({ status: 503 }) }, null],
    ['a ticket refused', { 'POST /permission': () => ({ status: 400, body: { error: 'invalid_resource_id' } }) }, null],
    ['no introspection', { ...granting(), 'POST /introspect': () => ({ status: 500 }) }, 'Bearer good'],
    ['an introspection that is none', { ...granting(), 'POST /introspect': () => ({ body: { active: 'yes' } }) }, 'Bearer good'],
  ])('UMA Grant 3.2.2: with %s nobody gets in', async (_what, answers, authorization) => {
    expect(await admit(presented(authorization), protectionAt(answers), { now: NOW })).toMatchObject({ kind: 'unreachable' })
  })

  it('UMA Grant 3.2.1, 3.2.2: as a handler and as middleware', async () => {
    let current = protectionAt(granting())
    const options = { protectionOf: (request: Request) => (request.url.endsWith('/open') ? undefined : current), now: () => NOW }
    const handler = protect(options, (_request, rpt) => new Response(rpt === undefined ? 'open' : 'secret'))
    const refused = await handler(new Request('https://rs.example/f/1'))
    expect([refused.status, refused.headers.get('www-authenticate'), refused.headers.get('cache-control')]).toEqual([
      401,
      'UMA realm="r", as_uri="https://as.example", ticket="new-ticket"',
      'no-store',
    ])
    expect(await (await handler(new Request('https://rs.example/f/1', { headers: { authorization: 'Bearer good' } }))).text()).toBe(
      'secret',
    )
    expect(await (await handler(new Request('https://rs.example/open'))).text()).toBe('open')
    current = protectionAt({})
    const closed = await umaMiddleware(options)({ req: { raw: new Request('https://rs.example/f/1') } }, () =>
      Promise.reject(new Error('was let in')),
    )
    expect([closed?.status, closed?.headers.get('warning')]).toEqual([403, '199 - "UMA Authorization Server Unreachable"'])
  })
})

describe('UMA FedAuthz 5.1.1: times and scopes of permissions', () => {
  const needed = [{ resource_id: 'r1', resource_scopes: ['view', 'download'] }]
  const both = { resource_id: 'r1', resource_scopes: ['view', 'download'] }
  it.each([
    ['all scopes in one entry', [both], {}, true],
    [
      'scopes of two entries',
      [
        { ...both, resource_scopes: ['view'] },
        { ...both, resource_scopes: ['download'] },
      ],
      {},
      true,
    ],
    [
      'one entry over',
      [
        { ...both, resource_scopes: ['view'], exp: NOW },
        { ...both, resource_scopes: ['download'] },
      ],
      {},
      false,
    ],
    ['an entry not yet', [{ ...both, nbf: NOW + 1 }], {}, false],
    ['the token over before its entry', [{ ...both, exp: NOW + 99 }], { exp: NOW }, false],
    ['the token not yet', [both], { nbf: NOW + 1 }, false],
    ['no entry', [], {}, false],
  ])('UMA FedAuthz 5.1.1: %s', (_what, permissions, times, expected) => {
    expect(covers({ active: true, permissions, ...times }, needed, NOW)).toBe(expected)
  })

  it('UMA FedAuthz 4: a permission without scopes needs an entry; needing nothing is not permission', () => {
    const none = [{ resource_id: 'r1', resource_scopes: [] }]
    expect(covers({ active: true, permissions: [both] }, none, NOW)).toBe(true)
    expect(covers({ active: true, permissions: [] }, none, NOW)).toBe(false)
    expect(covers({ active: true, permissions: [both] }, [], NOW)).toBe(false)
  })
})
