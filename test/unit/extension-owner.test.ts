// The owner's side of the wallet against a server that is a fake: connecting step by step, calls with DPoP, ETag and renewal.
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fake, resetBrowser } from '../support/fake-browser.ts'
import { resetIndexedDB } from '../support/fake-indexeddb.ts'

const ISSUER = 'https://share.example'
const REDIRECT = 'https://amppgkkidjfhjdildpjnfccndeiicoki.chromiumapp.org/cb'

type Call = { method: string; path: string; headers: Headers; body: string }
type Route = (call: Call) => Response | Promise<Response>

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

const metadata = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  registration_endpoint: `${ISSUER}/register`,
  revocation_endpoint: `${ISSUER}/revoke`,
  authorization_response_iss_parameter_supported: true,
  id_token_signing_alg_values_supported: ['ES256'],
}

const calls: Call[] = []
let routes: Record<string, Route>
const called = (path: string): Call[] => calls.filter((call) => call.path === path)
const last = (path: string): Call => {
  const found = called(path).at(-1)
  if (!found) throw new Error(`${path} was not called`)
  return found
}

const idToken = async (nonce: string): Promise<string> => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  return new SignJWT({ nonce })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(ISSUER)
    .setSubject('alice')
    .setAudience('wallet-1')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
}

const newWorker = async () => {
  vi.resetModules()
  return {
    ...(await import('../../extension/background/connect.ts')),
    ...(await import('../../extension/as/owner-client.ts')),
    ...(await import('../../extension/wallet/connections.ts')),
    ...(await import('../../extension/wallet/storage.ts')),
  }
}
let worker: Awaited<ReturnType<typeof newWorker>>

beforeEach(async () => {
  resetBrowser()
  resetIndexedDB()
  calls.length = 0
  fake.granted.add(`${ISSUER}/*`)
  routes = {
    '/.well-known/uma2-configuration': () => json(metadata),
    '/register': () => json({ client_id: 'wallet-1' }, 201),
    '/owner/me': () => json({ id: 'o1', label_key: { kty: 'EC' }, revision: 1 }),
    '/revoke': () => new Response(null, { status: 200 }),
  }
  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const url = new URL(input)
    const call = { method: init.method ?? 'GET', path: url.pathname, headers: new Headers(init.headers), body: String(init.body ?? '') }
    calls.push(call)
    const route = url.origin === ISSUER ? routes[url.pathname] : undefined
    if (!route) throw new TypeError('fetch failed')
    return route(call)
  })
  worker = await newWorker()
})
afterEach(() => vi.unstubAllGlobals())

/** The person signed in and comes back. */
const back = (url: string, changes: Record<string, string | undefined> = {}): string => {
  const asked = new URL(url).searchParams
  const redirect = new URL(REDIRECT)
  const members = { code: 'code-1', state: asked.get('state') ?? '', iss: ISSUER, ...changes }
  for (const [name, value] of Object.entries(members)) if (value !== undefined) redirect.searchParams.set(name, value)
  return redirect.href
}

const tokens = (more: object = {}): Record<string, unknown> => ({
  access_token: 'at-1',
  token_type: 'DPoP',
  expires_in: 300,
  refresh_token: 'rt-1',
  ...more,
})

const connected = async (): Promise<void> => {
  const { flow, url } = await worker.beginConnect('share.example')
  const nonce = new URL(url).searchParams.get('nonce') ?? ''
  routes['/token'] = async () => json(tokens({ id_token: await idToken(nonce) }))
  await worker.finishConnect(flow, back(url))
}

describe('RFC 6749 4.1: connecting', () => {
  it('RFC 7636 4.3, RFC 9449 10: the request carries PKCE S256, state, nonce and the device key', async () => {
    const { url } = await worker.beginConnect('share.example')
    const asked = Object.fromEntries(new URL(url).searchParams)
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'wallet-1',
      redirect_uri: REDIRECT,
      scope: 'openid uma_owner',
      code_challenge_method: 'S256',
    })
    expect(asked.code_challenge).toMatch(/^[\w-]{43}$/)
    const device = JSON.parse(Buffer.from(asked.label_jwk ?? '', 'base64url').toString())
    expect(Object.keys(device).sort()).toEqual(['crv', 'kty', 'x', 'y'])
  })

  it('RFC 7591 2: the wallet registers as a public client with DPoP-bound tokens', async () => {
    await worker.beginConnect('share.example')
    expect(JSON.parse(last('/register').body)).toMatchObject({
      client_name: 'Latchkey wallet',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      dpop_bound_access_tokens: true,
    })
  })

  it('RFC 6749 4.1.3: the code is redeemed with verifier and DPoP, the connection is kept, its pages may ask', async () => {
    await connected()
    const { headers, body } = last('/token')
    expect(decodeProtectedHeader(headers.get('dpop') ?? '')).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256' })
    expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
      grant_type: 'authorization_code',
      code: 'code-1',
      client_id: 'wallet-1',
    })
    expect(await worker.connectionTo(ISSUER)).toMatchObject({
      access_token: 'at-1',
      refresh_token: 'rt-1',
      state: 'connected',
      names: 'closed',
    })
    expect(await worker.approvals()).toEqual([ISSUER])
    expect([...fake.scripts.values()]).toMatchObject([{ matches: [`${ISSUER}/*`] }])
  })

  it('EXTENSION 6: a new worker finishes what a dead one began', async () => {
    const { flow, url } = await worker.beginConnect('share.example')
    routes['/token'] = async () => json(tokens({ id_token: await idToken(new URL(url).searchParams.get('nonce') ?? '') }))
    const next = await newWorker()
    expect(await next.finishConnect(flow, back(url))).toMatchObject({ host: 'share.example', state: 'connected' })
  })

  it.each<[string, Record<string, string | undefined>, string]>([
    ['RFC 6749 10.12: another state', { state: 'forged' }, 'no_server'],
    ['RFC 9207 2.4: another issuer', { iss: 'https://evil.example' }, 'no_server'],
    ['RFC 9207 2.4: no issuer', { iss: undefined }, 'no_server'],
    ['RFC 6749 4.1.2.1: the owner said no', { error: 'access_denied', code: undefined }, 'declined'],
  ])('%s: nothing is redeemed', async (_why, changes, code) => {
    const { flow, url } = await worker.beginConnect('share.example')
    await expect(worker.finishConnect(flow, back(url, changes))).rejects.toMatchObject({ code })
    expect(called('/token')).toEqual([])
    expect(await worker.connections()).toEqual([])
  })

  it('OpenID Connect Core 3.1.3.7: an ID token for another nonce is refused', async () => {
    const { flow, url } = await worker.beginConnect('share.example')
    routes['/token'] = async () => json(tokens({ id_token: await idToken('another nonce') }))
    await expect(worker.finishConnect(flow, back(url))).rejects.toMatchObject({ code: 'no_server' })
    expect(await worker.connections()).toEqual([])
  })

  it('RFC 6749 4.1.2: a flow is finished once', async () => {
    const { flow, url } = await worker.beginConnect('share.example')
    routes['/token'] = async () => json(tokens({ id_token: await idToken(new URL(url).searchParams.get('nonce') ?? '') }))
    await worker.finishConnect(flow, back(url))
    await expect(worker.finishConnect(flow, back(url))).rejects.toMatchObject({ code: 'expired' })
  })

  it('RFC 8414 3.3: a document that names another issuer is no server', async () => {
    routes['/.well-known/uma2-configuration'] = () => json({ ...metadata, issuer: 'https://evil.example' })
    await expect(worker.beginConnect('share.example')).rejects.toMatchObject({ code: 'no_server' })
  })

  it.each<[string, Route | undefined, string]>([
    ['answers 404', () => json({}, 404), 'no_server'],
    ['redirects', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } }), 'no_server'],
    ['is no JSON', () => new Response('<html>', { status: 200 }), 'no_server'],
    ['does not answer', undefined, 'unreachable'],
  ])('RFC 8414 3.2: a host that %s; its permission is given back', async (_what, route, code) => {
    if (route) routes['/.well-known/uma2-configuration'] = route
    else delete routes['/.well-known/uma2-configuration']
    await expect(worker.beginConnect('share.example')).rejects.toMatchObject({ code })
    expect([...fake.granted]).toEqual([])
  })

  it('EXTENSION 3: without the browser’s permission nobody is asked', async () => {
    fake.granted.clear()
    await expect(worker.beginConnect('share.example')).rejects.toMatchObject({ code: 'permission' })
    expect(calls).toEqual([])
  })

  it('RFC 7009 2.1: leaving revokes the refresh token and deletes connection, approval, script and permission', async () => {
    await connected()
    await worker.leave(ISSUER)
    expect(Object.fromEntries(new URLSearchParams(last('/revoke').body))).toMatchObject({ token: 'rt-1' })
    expect(await worker.connections()).toEqual([])
    expect(await worker.approvals()).toEqual([])
    expect([...fake.scripts.keys(), ...fake.granted]).toEqual([])
  })
})

const list = v.object({ items: v.array(v.string()) })

describe('RFC 9449 7: calls of the owner API', () => {
  beforeEach(connected)

  it('RFC 9449 7.1: every call carries the token and a proof for this method, URL and token', async () => {
    routes['/owner/people'] = () => json({ items: ['a'] })
    expect(await worker.get(ISSUER, '/people', list)).toEqual({ items: ['a'] })
    const { headers } = last('/owner/people')
    expect(headers.get('authorization')).toBe('DPoP at-1')
    expect(decodeJwt(headers.get('dpop') ?? '')).toMatchObject({
      htm: 'GET',
      htu: `${ISSUER}/owner/people`,
      ath: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  it('RFC 9110 13.1.2: an unchanged list is not sent again, also for a new worker', async () => {
    routes['/owner/people'] = ({ headers }) =>
      headers.get('if-none-match') === '"7"' ? new Response(null, { status: 304 }) : json({ items: ['a'] }, 200, { etag: '"7"' })
    await worker.get(ISSUER, '/people', list)
    const next = await newWorker()
    expect(await next.get(ISSUER, '/people', list)).toEqual({ items: ['a'] })
    expect(last('/owner/people').headers.get('if-none-match')).toBe('"7"')
  })

  it('RFC 9449 8: a wanted nonce is sent, once more and no further', async () => {
    routes['/owner/people'] = ({ headers }) => {
      const { nonce } = decodeJwt(headers.get('dpop') ?? '')
      return nonce === 'n1' ? json({ items: [] }) : json({}, 401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n1' })
    }
    expect(await worker.get(ISSUER, '/people', list)).toEqual({ items: [] })
    expect(called('/owner/people')).toHaveLength(2)
  })

  const renewable = (): void => {
    routes['/token'] = () => json(tokens({ access_token: 'at-2', refresh_token: undefined }))
    routes['/owner/people'] = ({ headers }) =>
      headers.get('authorization') === 'DPoP at-2'
        ? json({ items: ['fresh'] })
        : json({}, 401, { 'www-authenticate': 'DPoP error="invalid_token"' })
  }

  it('RFC 6749 6: a refused token is renewed once for everybody who waits, and the refresh token is kept', async () => {
    renewable()
    const before = called('/token').length
    const answers = await Promise.all(Array.from({ length: 5 }, () => worker.get(ISSUER, '/people', list)))
    expect(answers).toEqual(Array.from({ length: 5 }, () => ({ items: ['fresh'] })))
    expect(called('/token').length - before).toBe(1)
    expect(await worker.connectionTo(ISSUER)).toMatchObject({ access_token: 'at-2', refresh_token: 'rt-1' })
  })

  it('RFC 6749 6: a refusal that arrives after the renewal does not renew again', async () => {
    renewable()
    const { '/owner/people': people } = routes
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    routes['/owner/policies'] = async (call) => {
      if (call.headers.get('authorization') === 'DPoP at-1') await held
      return people ? people(call) : json({})
    }
    const before = called('/token').length
    const late = worker.get(ISSUER, '/policies', list)
    await vi.waitFor(() => expect(called('/owner/policies')).toHaveLength(1), { timeout: 5000 })
    await worker.get(ISSUER, '/people', list)
    release()
    expect(await late).toEqual({ items: ['fresh'] })
    expect(called('/token').length - before).toBe(1)
  })

  it('RFC 6749 6: a token that is about to end is renewed before it is used', async () => {
    renewable()
    await worker.changeConnection(ISSUER, { access_expires_at: Math.floor(Date.now() / 1000) + 5 })
    await worker.get(ISSUER, '/people', list)
    expect(called('/owner/people')).toHaveLength(1)
  })

  it('RFC 6749 5.2: when the server takes the refresh token no more, the connection has ended, and nothing is asked again', async () => {
    routes['/token'] = () => json({ error: 'invalid_grant' }, 400)
    routes['/owner/people'] = () => json({}, 401, { 'www-authenticate': 'DPoP error="invalid_token"' })
    await expect(worker.get(ISSUER, '/people', list)).rejects.toMatchObject({ code: 'ended' })
    expect(await worker.connectionTo(ISSUER)).toMatchObject({ state: 'ended' })
    const before = calls.length
    await expect(worker.get(ISSUER, '/people', list)).rejects.toMatchObject({ code: 'ended' })
    expect(calls.length).toBe(before)
  })

  it('RFC 6749 6: a server that is away ends nothing', async () => {
    delete routes['/owner/people']
    await expect(worker.get(ISSUER, '/people', list)).rejects.toMatchObject({ code: 'unreachable' })
    expect(await worker.connectionTo(ISSUER)).toMatchObject({ state: 'connected' })
  })

  it.each<[number, string]>([
    [400, 'rejected'],
    [403, 'rejected'],
    [404, 'not_found'],
    [500, 'failed'],
  ])('STYLE 4: status %i is told as %s', async (status, code) => {
    routes['/owner/policies'] = () => json({ error: 'x', error_description: 'y' }, status)
    await expect(worker.post(ISSUER, '/policies', {}, list)).rejects.toMatchObject({ code, detail: 'x: y' })
  })

  it('owner API: DELETE of what is already gone is as good as deleted', async () => {
    routes['/owner/policies/p1'] = () => json({ error: 'not_found' }, 404)
    await expect(worker.remove(ISSUER, '/policies/p1')).resolves.toBeUndefined()
  })

  it('owner API: a list is read to its last page', async () => {
    const pages: Record<string, unknown> = { '': { items: ['a'], next: 'c1' }, c1: { items: ['b'], next: 'c2' }, c2: { items: ['c'] } }
    vi.stubGlobal('fetch', async (input: string | URL) => json(pages[new URL(input).searchParams.get('cursor') ?? '']))
    expect(await worker.getAll(ISSUER, '/people', v.string())).toEqual(['a', 'b', 'c'])
  })
})
