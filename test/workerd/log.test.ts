// The log: one line for each request with the fields that are allowed and no others, and nothing in it of what people and programs send.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bob, connectService, connectWallet, gatherByMail, registerApp, share, signIn, someone } from '../support/actors.ts'
import { newestCode, typeAddress } from '../support/claims.ts'
import { call, type Json, random } from '../support/http.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { hasCode, needlesFor, needlesForAddress, searchIn } from '../support/search.ts'
import { ownAs } from '../support/server.ts'
import { until } from '../support/until.ts'

const FIELDS = ['count', 'event', 'method', 'route', 'status', 'error', 'client_id', 'duration_ms', 'request_id', 'name']

describe('HT-13: one line a request', () => {
  let as: Running
  beforeAll(async () => {
    as = await ownAs({ asVars: { LOG_LINES: '0' } })
  })
  afterAll(() => as.stop())
  const lines = (): Json[] => as.logs.map((line) => JSON.parse(line) as Json)
  /** The line of an answer, found by its number. */
  const lineOf = async (answer: { headers: Headers }): Promise<Json> => {
    const id = answer.headers.get('x-request-id')
    expect(id).toMatch(/^[\w-]{12}$/)
    await until(() => lines().some((line) => line.request_id === id))
    const found = lines().filter((line) => line.request_id === id)
    expect(found).toHaveLength(1)
    return found[0] ?? {}
  }

  it.each([
    ['an endpoint', '/jwks', {}, { event: 'request', method: 'GET', route: '/jwks', status: 200 }],
    ['a page that does not exist', '/secret-path', {}, { route: '-', status: 404 }],
    ['a method that does not exist', '/token', { method: 'PUT' }, { method: 'PUT', route: '-', status: 405 }],
    [
      'a preflight',
      '/token',
      { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } },
      { method: 'OPTIONS', status: 204 },
    ],
    [
      'an OAuth error',
      '/token',
      { form: { grant_type: 'x' } },
      { method: 'POST', route: '/token', status: 400, error: 'unsupported_grant_type' },
    ],
    ['a page error', '/authorize?client_id=x', {}, { route: '/authorize', status: 400, error: 'unauthorized_client' }],
    ['a redirect', '/welcome', {}, { route: '/welcome', status: 401, error: 'no_session' }],
    ['a parameter in the path', '/uma/resource/abc', {}, { route: '/uma/resource/:id', status: 401, error: 'invalid_token' }],
    ['health', '/health', {}, { route: '/health', status: 200 }],
    ['an asset', '/assets/base.css', {}, { route: '/assets/:name', status: 200 }],
  ])('HT-13: %s', async (_name, path, options, expected) => {
    const line = await lineOf(await call(`${as.origin}${path}`, options))
    expect(line).toMatchObject(expected)
    expect(Number(line.duration_ms)).toBeGreaterThanOrEqual(0)
    expect(Object.keys(line).filter((field) => !FIELDS.includes(field))).toEqual([])
  })

  it('DESIGN 7 I5: what a part did not answer, and what nobody expected, are errors with a word and no message', async () => {
    await as.setFault({ mode: 'fail', count: 1 })
    const away = await call(`${as.origin}/authorize?client_id=x`)
    expect(await lineOf(away)).toMatchObject({ event: 'unavailable', status: 503, error: 'temporarily_unavailable', name: 'Error' })
    expect(away.json.request_id).toBe(away.headers.get('x-request-id'))
  })

  it('HT-13: planted canaries in every place of every request are in no line', async () => {
    const canary = () => `canary${random(20)}`
    const planted: string[] = []
    const plant = (): string => {
      const one = canary()
      planted.push(one)
      return one
    }
    const places = [
      '/token',
      '/introspect',
      '/revoke',
      '/register',
      '/uma/permission',
      '/uma/resource',
      '/owner/me',
      '/owner/policies',
      '/credential',
      '/nonce',
      '/authorize',
      '/uma/claims',
      '/sign-in',
      '/sign-in/code',
      '/',
      '/jwks',
      '/health',
      '/assets/x',
    ]
    for (const path of places) {
      const query = new URLSearchParams({ ticket: plant(), code: plant(), client_id: plant(), state: plant(), [plant()]: plant() })
      const headers = {
        authorization: `Bearer ${plant()}`,
        cookie: `__Host-session=${plant()}; ${plant()}=1`,
        dpop: plant(),
        'user-agent': plant(),
        referer: `https://${plant()}.example/`,
        origin: `https://${plant()}.example`,
        'x-request-id': plant(),
        'accept-language': plant(),
        'cf-connecting-ip': '203.0.113.77',
      }
      for (const options of [
        { method: 'GET' },
        { form: { grant_type: plant(), token: plant(), [plant()]: plant() } },
        { json: { [plant()]: plant() } },
        { method: 'DELETE' },
      ]) {
        await call(`${as.origin}${path}?${query}`, { ...options, headers })
        await call(`${as.origin}${path}/${plant()}?${query}`, { ...options, headers })
        await call(`${as.origin}/token`, { ...options, basic: { id: plant(), secret: plant() } })
      }
    }
    // And with everything failing underneath.
    await as.setFault({ mode: 'fail', count: 1000 })
    for (const path of places)
      await call(`${as.origin}${path}?client_id=${plant()}`, { form: { client_id: plant(), code: plant() }, headers: { cookie: plant() } })
    await as.setFault(undefined)
    await lineOf(await call(`${as.origin}/jwks`))
    const text = as.logs.join('\n')
    for (const one of planted) expect(text).not.toContain(one)
    expect(text).not.toContain('203.0.113')
    expect(planted.length).toBeGreaterThan(500)
  })

  it('HT-13: the whole story leaves no token, ticket, secret, code, cookie, address or name in the log', async () => {
    const alice = await signIn(as)
    const service = await connectService(as, alice, 'Canary shelf')
    const wallet = await connectWallet(as, alice)
    const app = await registerApp(as, 'confidential')
    const guest = bob(someone('bob'))
    const resource = await service.register({ resource_scopes: ['view'], name: 'Lisbon-canary.pdf' })
    const id = await share(wallet, resource, guest.address)
    const ask = () => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const [first, second, third] = [await ask(), await ask(), await ask()]
    const credential = await obtainCredential(as, guest, app, first)
    const granted = await app.token(second, await pushed(credential, second))
    const gathered = await gatherByMail(as, bob(guest.address), app, third)
    const late = bob()
    await typeAddress(late, await late.browser.open(`${as.origin}/sign-in`))
    const secrets = [
      service.pat,
      String(service.tokens.refresh_token),
      service.client.secret ?? '',
      app.client.secret ?? '',
      String(wallet.tokens.access_token),
      String(granted.json.access_token),
      first,
      second,
      gathered,
      credential.sdJwt,
      resource,
      id,
      'Lisbon-canary.pdf',
      'Canary shelf',
      ...Object.values(alice.browser.cookies(as.origin)),
      ...Object.values(late.browser.cookies(as.origin)),
    ]
    await lineOf(await call(`${as.origin}/jwks`))
    const log = [{ file: 'log', text: as.logs.join('\n') }]
    const needles = [
      ...secrets.flatMap((text) => needlesFor(text, text.slice(0, 8))),
      ...[alice, guest, late].flatMap(({ address }) => needlesForAddress(address)),
    ]
    // The domain of the test's addresses is also that of its services.
    expect(
      searchIn(
        log,
        needles.filter(({ bytes }) => !/example/i.test(bytes) || bytes.includes('@')),
      ),
    ).toEqual([])
    for (const { address } of [alice, guest, late]) expect(hasCode(log[0]?.text ?? '', newestCode(as, address))).toBe(false)
    for (const line of lines()) expect(Object.keys(line).filter((field) => !FIELDS.includes(field))).toEqual([])
  })
})
