// The resource server kit as a program uses it: one owner's server that is a function, Hono or plain handlers before it.
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { RptIntrospection } from '../../shared/protocol/uma-federation.ts'
import {
  cacheIntrospection,
  connectOwner,
  memoryStore,
  minimalDescription,
  type OwnerConnectionOptions,
  openToBrowsers,
  protect,
  type Registration,
  type RegistrationStore,
  rememberProofs,
  umaMiddleware,
} from '../../shared/resource-server.ts'

const NOW = 1_800_000_000
const AS = 'https://as.example'
const PHOTO = { resource_scopes: ['view', 'print'], name: 'Lisbon' }

type Habits = { isAway: boolean; active: boolean; knowsClient: boolean; scopes: string[]; policyUri?: string }

/** An authorization server with resources in memory; `habits` are changed by a test. */
const world = (options: Partial<OwnerConnectionOptions> = {}) => {
  const habits: Habits = { isAway: false, active: true, knowsClient: true, scopes: ['view'] }
  const resources = new Map<string, unknown>()
  const asked: string[] = []
  const clock = { now: NOW }
  let made = 0
  const answerFor = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const text = await request.text()
    const [, , id] = pathname.split('/')
    if (pathname.startsWith('/.well-known')) {
      const endpoints = {
        authorization_endpoint: `${AS}/authorize`,
        token_endpoint: `${AS}/token`,
        introspection_endpoint: `${AS}/introspect`,
      }
      const more = { permission_endpoint: `${AS}/permission`, resource_registration_endpoint: `${AS}/resource` }
      return Response.json({ issuer: AS, ...endpoints, ...more, authorization_response_iss_parameter_supported: true })
    }
    if (pathname === '/token' && !habits.knowsClient) return Response.json({ error: 'invalid_client' }, { status: 401 })
    if (pathname === '/token') return Response.json({ access_token: 'pat', token_type: 'Bearer', expires_in: 300, refresh_token: 'r' })
    if (pathname === '/introspect') {
      const permissions = [...resources.keys()].map((resource_id) => ({ resource_id, resource_scopes: habits.scopes }))
      return Response.json(habits.active ? { active: true, permissions } : { active: false })
    }
    if (pathname === '/permission') {
      const { resource_id } = JSON.parse(text) as { resource_id: string }
      if (!resources.has(resource_id)) return Response.json({ error: 'invalid_resource_id' }, { status: 400 })
      return Response.json({ ticket: `ticket-${resource_id}` }, { status: 201 })
    }
    if (request.method === 'POST') {
      made += 1
      resources.set(`r${made}`, JSON.parse(text))
      return Response.json({ _id: `r${made}`, user_access_policy_uri: habits.policyUri }, { status: 201 })
    }
    if (request.method === 'GET') return Response.json([...resources.keys()])
    if (id === undefined || !resources.has(id)) return Response.json({ error: 'not_found' }, { status: 404 })
    if (request.method === 'DELETE') resources.delete(id)
    else resources.set(id, JSON.parse(text))
    return request.method === 'DELETE' ? new Response(null, { status: 204 }) : Response.json({ _id: id })
  }
  const fetch = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    asked.push(`${request.method} ${new URL(request.url).pathname}`)
    if (habits.isAway) throw new TypeError('connection refused')
    return answerFor(request)
  }
  const store = memoryStore()
  const owner = connectOwner(
    { asUri: AS, identity: async () => ({ clientId: 'c', clientSecret: 's' }), store, ...options },
    { fetch, now: () => clock.now },
  )
  return { owner, habits, resources, asked, store, clock }
}

const connect = async (stage: ReturnType<typeof world>): Promise<void> => {
  const asking = await stage.owner.askOwner({ redirectUri: 'https://rs.example/connected' })
  if (asking.kind !== 'ok') throw new Error(asking.kind)
  const state = new URL(asking.value.url).searchParams.get('state') ?? ''
  const answer = await stage.owner.ownerAnswered(asking.value.pending, new URLSearchParams({ code: 'code', state, iss: AS }))
  expect(answer).toEqual({ kind: 'connected' })
}

const get = (token?: string): Request =>
  new Request('https://rs.example/photos/1', token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

describe('UMA FedAuthz 1.3: an owner is connected', () => {
  it('RFC 6749 4.1.1, RFC 7636 4.3: the address names client, scope, state and challenge', async () => {
    const { owner } = world()
    const asking = await owner.askOwner({ redirectUri: 'https://rs.example/connected', scope: 'openid' })
    const query = asking.kind === 'ok' ? Object.fromEntries(new URL(asking.value.url).searchParams) : {}
    expect(query).toMatchObject({ response_type: 'code', client_id: 'c', scope: 'openid uma_protection', code_challenge_method: 'S256' })
    expect(query.code_challenge).toMatch(/^[\w-]{43}$/)
  })

  it.each([
    ['another state', { code: 'x', state: 'y', iss: AS }],
    ['no iss although announced', { code: 'x', state: 'STATE' }],
    ['another iss', { code: 'x', state: 'STATE', iss: 'https://evil.example' }],
    ['no', { error: 'access_denied', state: 'STATE', iss: AS }],
    ['no code', { state: 'STATE', iss: AS }],
  ])('RFC 6749 10.12, RFC 9207 2.4: %s makes no PAT', async (_what, fields) => {
    const { owner, store, asked } = world()
    const asking = await owner.askOwner({ redirectUri: 'https://rs.example/connected' })
    if (asking.kind !== 'ok') throw new Error(asking.kind)
    const { pending } = asking.value
    const given = { ...fields, state: fields.state === 'STATE' ? pending.state : fields.state }
    expect(await owner.ownerAnswered(pending, new URLSearchParams(given as Record<string, string>))).toMatchObject({ kind: 'failed' })
    expect([await store.read('pat'), asked.includes('POST /token')]).toEqual([undefined, false])
  })
})

describe('UMA FedAuthz 3.2: things are registered once, and again when they must be', () => {
  it('UMA FedAuthz 3.2.1, 3.2.3: the first request registers, a new description updates, nothing else is sent', async () => {
    const stage = world()
    await connect(stage)
    await Promise.all([stage.owner.protect('1', PHOTO, ['view']), stage.owner.protect('1', PHOTO, ['view'])])
    await stage.owner.protect('1', { ...PHOTO, name: 'Porto' }, ['view'])
    expect([...stage.resources]).toEqual([['r1', { ...PHOTO, name: 'Porto' }]])
    expect(stage.asked.filter((line) => line.includes('/resource'))).toEqual(['POST /resource', 'PUT /resource/r1'])
  })

  it('UMA FedAuthz 4.3: a resource that the server has forgotten is registered again, and the client gets its ticket', async () => {
    const stage = world()
    await connect(stage)
    const handler = protect({ protectionOf: () => stage.owner.protect('1', PHOTO, ['view']) }, () => new Response('photo'))
    await handler(get())
    stage.resources.clear()
    const answers = await Promise.all([handler(get()), handler(get())])
    expect(answers.map((answer) => answer.headers.get('www-authenticate'))).toEqual(Array(2).fill(`UMA as_uri="${AS}", ticket="ticket-r2"`))
    expect([...stage.resources.keys()]).toEqual(['r2'])
  })

  it('UMA FedAuthz 3.2.3: the same when a description changed', async () => {
    const stage = world()
    await connect(stage)
    await stage.owner.register('1', PHOTO)
    stage.resources.clear()
    expect(await stage.owner.register('1', { ...PHOTO, name: 'Porto' })).toEqual({ kind: 'ok', value: 'r2' })
  })

  it('UMA FedAuthz 3.2.5: what is not on the server’s list is forgotten, and registered by the next who needs it; what came meanwhile is not', async () => {
    const stage = world()
    await connect(stage)
    for (const key of ['1', '2']) await stage.owner.register(key, PHOTO)
    stage.resources.delete('r1')
    const [lost] = await Promise.all([stage.owner.reconcile(['1', '2', '3']), stage.owner.register('3', PHOTO)])
    expect(lost).toEqual({ kind: 'ok', value: ['1'] })
    await stage.owner.protect('1', PHOTO, ['view'])
    expect([...stage.resources.keys()]).toEqual(['r2', 'r3', 'r4'])
    stage.habits.isAway = true
    expect(await stage.owner.reconcile(['1'])).toMatchObject({ kind: 'unreachable' })
    stage.habits.isAway = false
    expect(await stage.owner.register('1', PHOTO)).toEqual({ kind: 'ok', value: 'r4' })
  })

  it('UMA FedAuthz 3.2.1, 3.2.4: a table of the program; a policy page that is no web address is not kept; removing waits for registering', async () => {
    const rows = new Map<string, Registration>()
    const registrations: RegistrationStore = {
      read: (key) => rows.get(key),
      write: (key, row) => void (row === undefined ? rows.delete(key) : rows.set(key, row)),
    }
    const metadata = { introspection_endpoint: `${AS}/introspect`, permission_endpoint: `${AS}/permission` }
    const more = { token_endpoint: `${AS}/token`, resource_registration_endpoint: `${AS}/resource` }
    const stage = world({ registrations, metadata: async () => ({ issuer: AS, ...metadata, ...more }) })
    await stage.store.write('pat', JSON.stringify({ accessToken: 'pat', expiresAt: NOW + 300 }))
    stage.habits.policyUri = 'https://as.example/things/1'
    await stage.owner.register('1', PHOTO)
    stage.habits.policyUri = 'javascript:alert(1)'
    await stage.owner.register('2', PHOTO)
    expect([...rows.values()].map(({ id, policyUri }) => [id, policyUri])).toEqual([
      ['r1', 'https://as.example/things/1'],
      ['r2', undefined],
    ])
    await Promise.all([stage.owner.register('3', PHOTO), stage.owner.unregister('3'), stage.owner.unregister('1')])
    expect([[...rows.keys()], [...stage.resources.keys()], await stage.store.read('resource 1')]).toEqual([['2'], ['r2'], undefined])
    // Nobody fetched what the program said it knows.
    expect(stage.asked.filter((line) => line.includes('well-known'))).toEqual([])
  })

  it('UMA FedAuthz 8: a minimal description keeps the scopes and nothing that speaks', () => {
    const whole = { ...PHOTO, type: 'image/jpeg', icon_uri: 'https://rs.example/i.png', description: 'A tram', 'name#pt': 'Lisboa' }
    expect(minimalDescription(whole)).toEqual({ resource_scopes: PHOTO.resource_scopes })
    expect(minimalDescription(whole, 'Photo 7f')).toEqual({ resource_scopes: PHOTO.resource_scopes, name: 'Photo 7f' })
  })

  it('UMA FedAuthz 3.2.4: ended, also when it never was', async () => {
    const stage = world()
    await connect(stage)
    await stage.owner.register('1', PHOTO)
    expect((await stage.owner.unregister('1')).kind).toBe('ok')
    expect((await stage.owner.unregister('never')).kind).toBe('ok')
    expect([stage.resources.size, await stage.store.read('resource 1')]).toEqual([0, undefined])
  })
})

describe('RFC 7591 3: a server that has forgotten the resource server', () => {
  it('RFC 6749 5.2: the PAT is gone, nobody gets in, and asking the owner again is under a new registration', async () => {
    const wishes: (boolean | undefined)[] = []
    const stage = world({
      identity: async (_metadata, wanted) => {
        wishes.push(wanted?.again)
        return { clientId: `c${wishes.length}`, clientSecret: 's' }
      },
    })
    await connect(stage)
    stage.clock.now += 400
    stage.habits.knowsClient = false
    expect((await stage.owner.register('1', PHOTO)).kind).toBe('disconnected')
    stage.habits.knowsClient = true
    const asking = await stage.owner.askOwner({ redirectUri: 'https://rs.example/connected' })
    expect(asking.kind === 'ok' && new URL(asking.value.url).searchParams.get('client_id')).toBe('c2')
    expect(wishes).toEqual([false, true])
  })
})

describe('UMA Grant 3.2: routes', () => {
  it('UMA Grant 3.2.1, 3.5: Hono, the thing by its route parameter, matched by resource id', async () => {
    const stage = world()
    await connect(stage)
    const app = new Hono<{ Variables: { scopes: string[] } }>()
    const guard = umaMiddleware({
      protectionOf: (_request, c: { req: { raw: Request; param: (name: 'id') => string } }) =>
        stage.owner.protect(c.req.param('id'), PHOTO, ['view'], ['view', 'print']),
    })
    app.get('/photos/:id', guard, (c) => c.text(`photo ${c.req.param('id')}`))
    const refused = await app.request('/photos/1')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, `UMA as_uri="${AS}", ticket="ticket-r1"`])
    expect(await (await app.request('/photos/1', { headers: { authorization: 'Bearer rpt' } })).text()).toBe('photo 1')
    stage.habits.scopes = ['print']
    expect((await app.request('/photos/1', { headers: { authorization: 'Bearer rpt' } })).status).toBe(401)
  })

  it('Fetch 5.5: a framework that puts a Response of its own in place of the platform’s does not get in the way', async () => {
    const stage = world()
    const { Response: real } = globalThis
    // What @hono/node-server does: answers of `fetch` are no instances of it.
    class Light extends real {}
    await connect(stage)
    const registering = stage.owner.register('1', PHOTO)
    try {
      Object.assign(globalThis, { Response: Light })
      // The answer was made by the real one; only what the kit asks of it happens now.
      expect(await registering).toEqual({ kind: 'ok', value: 'r1' })
    } finally {
      Object.assign(globalThis, { Response: real })
    }
  })

  it.each([
    ['away', true],
    ['not connected', false],
  ])('UMA Grant 3.2.2: a server that is %s lets nobody in, with the warning', async (_what, isAway) => {
    const stage = world()
    if (isAway) await connect(stage)
    stage.habits.isAway = isAway
    const handler = protect({ protectionOf: () => stage.owner.protect('1', PHOTO, ['view']) }, () => new Response('photo'))
    for (const token of [undefined, 'rpt']) {
      const answer = await handler(get(token))
      expect([answer.status, answer.headers.get('warning'), answer.headers.get('www-authenticate')]).toEqual([
        403,
        '199 - "UMA Authorization Server Unreachable"',
        null,
      ])
    }
    stage.habits.isAway = false
    if (isAway) expect((await handler(get('rpt'))).status).toBe(200)
  })

  it('Fetch 3.2: a preflight is answered without a ticket; a refusal can be read from any origin', async () => {
    const stage = world()
    await connect(stage)
    const handler = openToBrowsers(
      protect({ protectionOf: () => stage.owner.protect('1', PHOTO, ['view']) }, () => new Response('photo', { headers: { etag: '"1"' } })),
    )
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,dpop',
    }
    const preflight = await handler(new Request('https://rs.example/photos/1', { method: 'OPTIONS', headers }))
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'authorization,dpop'])
    expect(stage.asked).not.toContain('POST /permission')
    const refused = await handler(get())
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    expect((await handler(get('rpt'))).headers.get('etag')).toBe('"1"')
  })
})

describe('RFC 7662 4: an honest cache', () => {
  const introspections = (stage: ReturnType<typeof world>): number => stage.asked.filter((line) => line === 'POST /introspect').length
  const served = async (stage: ReturnType<typeof world>, token = 'rpt'): Promise<number> => {
    const handler = protect(
      { protectionOf: () => stage.owner.protect('1', PHOTO, ['view']), now: () => stage.clock.now },
      () => new Response('photo'),
    )
    return (await handler(get(token))).status
  }

  it('DESIGN 7.I4: unless told, every request is asked about', async () => {
    const stage = world()
    await connect(stage)
    expect([await served(stage), await served(stage), introspections(stage)]).toEqual([200, 200, 2])
    stage.habits.active = false
    expect(await served(stage)).toBe(401)
  })

  it('RFC 7662 4: with five seconds a withdrawal is seen after five seconds', async () => {
    const stage = world({ cacheSeconds: 5 })
    await connect(stage)
    await served(stage)
    stage.habits.active = false
    stage.clock.now += 4
    expect([await served(stage), introspections(stage)]).toEqual([200, 1])
    stage.clock.now += 1
    expect([await served(stage), introspections(stage)]).toEqual([401, 2])
  })

  it('RFC 7662 4: what is refused is never remembered, and what was not enough is asked about again', async () => {
    const stage = world({ cacheSeconds: 5 })
    await connect(stage)
    stage.habits.active = false
    expect([await served(stage), await served(stage)]).toEqual([401, 401])
    Object.assign(stage.habits, { active: true, scopes: ['print'] })
    expect(await served(stage)).toBe(401)
    stage.habits.scopes = ['view']
    expect(await served(stage)).toBe(200)
  })

  it('RFC 7662 4: never longer than the token lives, never more than five seconds', async () => {
    let asked = 0
    const answer: RptIntrospection = { active: true, permissions: [], exp: NOW + 1 }
    const introspect = async () => {
      asked += 1
      return { kind: 'ok' as const, value: answer }
    }
    const clock = { now: NOW }
    const cached = cacheIntrospection({ introspect }, { seconds: 5, now: () => clock.now })
    await cached.introspect('t')
    clock.now += 1
    await cached.introspect('t')
    expect(asked).toBe(2)
    for (const seconds of [6, -1, Number.NaN])
      expect(() => cacheIntrospection({ introspect }, { seconds, now: () => NOW })).toThrow(RangeError)
    expect(() => world({ cacheSeconds: 60 })).toThrow(RangeError)
  })
})

describe('RFC 9449 11.1: proofs that were seen', () => {
  it('RFC 9449 11.1: a jti counts once in its time', () => {
    const clock = { now: NOW }
    const isFresh = rememberProofs(() => clock.now)
    expect([isFresh('a', 120), isFresh('a', 120), isFresh('b', 120)]).toEqual([true, false, true])
    clock.now += 120
    expect(isFresh('a', 120)).toBe(true)
  })
})
