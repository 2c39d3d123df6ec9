// What holds at every endpoint that programs call: methods, media types, sizes, odd encodings, hosts; refused with the right error, never 500.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/http.ts'
import { type Cast, cast, expectRefusal, FORM, send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

describe('RFC 9110: methods', () => {
  it.each([
    ['/token', 'POST', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']],
    ['/introspect', 'POST', ['GET', 'PUT', 'DELETE']],
    ['/revoke', 'POST', ['GET', 'DELETE']],
    ['/register', 'POST', ['GET', 'PUT', 'DELETE']],
    ['/uma/permission', 'POST', ['GET', 'PUT', 'DELETE', 'PATCH']],
    ['/uma/resource', 'POST, GET, HEAD', ['PUT', 'DELETE', 'PATCH']],
    ['/uma/resource/x', 'GET, HEAD, PUT, DELETE', ['POST', 'PATCH']],
    ['/owner/me', 'GET, HEAD', ['POST', 'DELETE']],
    ['/owner/policies', 'GET, HEAD, POST', ['PUT', 'PATCH']],
    ['/owner/policies/x', 'DELETE', ['GET', 'POST', 'PUT', 'PATCH']],
    ['/owner/resources/x/policies', 'DELETE', ['GET', 'POST']],
    ['/owner/connections/x', 'DELETE', ['GET', 'PUT']],
    ['/owner/live', 'POST, GET, HEAD', ['DELETE']],
    ['/.well-known/uma2-configuration', 'GET, HEAD', ['POST', 'DELETE']],
    ['/jwks', 'GET, HEAD', ['POST']],
    ['/authorize', 'GET, HEAD', ['POST', 'PUT']],
    ['/authorize/consent', 'POST', ['GET', 'DELETE']],
  ])('RFC 9110 15.5.6: %s answers other methods than %s with 405 and Allow', async (path, allow, others) => {
    for (const method of others) {
      const answer = await send(origin, path, { method })
      expect([method, answer.status]).toEqual([method, 405])
      expect(answer.headers.get('allow')?.split(', ').toSorted()).toEqual([...allow.split(', '), 'OPTIONS'].toSorted())
      if (method !== 'HEAD') expectRefusal(answer, 405, 'unsupported_method_type')
    }
    const options = await send(origin, path, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')?.split(', ').length]).toEqual([204, allow.split(', ').length + 1])
  })

  it('RFC 9110 15.5.6: a person sees a page', async () => {
    const answer = await call(`${origin}/authorize/consent`, { headers: { accept: 'text/html' } })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  })

  it('RFC 9110 9.3.2: HEAD answers like GET, without a body', async () => {
    for (const path of ['/.well-known/uma2-configuration', '/jwks', '/health']) {
      const [get, head] = [await send(origin, path), await send(origin, path, { method: 'HEAD' })]
      expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', get.headers.get('content-type')])
    }
    expect((await s.wallet.call('/owner/me', { method: 'HEAD' })).status).toBe(200)
  })

  it('RFC 9110 15.5.5: what is nowhere is 404 for every method, OPTIONS included', async () => {
    for (const path of [
      '/tokens',
      '/uma',
      '/uma/resource/x/y',
      '/owner',
      '/owner/policies/x/y',
      '/.well-known/uma-configuration',
      '/__proto__',
      '/token;x=1',
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS'])
        expect([path, method, (await send(origin, path, { method })).status]).toEqual([path, method, 404])
    }
    expectRefusal(await send(origin, '/owner/nothing'), 404, 'not_found')
  })
})

describe('RFC 3986 6.2: paths', () => {
  it('RFC 3986 6.2.2: another spelling of a path is the same endpoint with the same checks, or none', async () => {
    for (const path of ['/%74oken', '/token/', '/token?', '/a/../token']) {
      expectRefusal(
        await send(origin, path, { method: 'POST', headers: { 'content-type': FORM }, body: 'grant_type=x' }),
        400,
        'unsupported_grant_type',
      )
    }
    for (const path of ['//token', '/token//', '/TOKEN', '/token%2f', '/token%00', '/./%2e%2e/x']) {
      expect([
        path,
        (await send(origin, path, { method: 'POST', headers: { 'content-type': FORM }, body: 'grant_type=x' })).status,
      ]).toEqual([path, 404])
    }
  })

  it('RFC 6750 3: another spelling gets nobody past the token', async () => {
    for (const path of [
      '/%6fwner/me',
      '/owner/%6de',
      '/owner/me/',
      '/owner/./me',
      '/x/../owner/me',
      '/uma/%72esource',
      '/uma/resource/',
      '/uma//resource',
      '/owner//me',
      '/owner/me%00',
      '/owner/me;x',
    ]) {
      expect([path, [401, 404].includes((await send(origin, path)).status)]).toEqual([path, true])
    }
  })

  it('UMA FedAuthz 3.2.2: odd ids are unknown ids', async () => {
    for (const id of ['%00', '%ff', '%zz', '%', '..%2f..', "'--", '%22', '%F0%9F%92%A9', 'x'.repeat(9000), '__proto__', 'constructor']) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await send(origin, `/uma/resource/${id}`, { method, headers: { authorization: `Bearer ${s.service.pat}` } })
        expect([id.slice(0, 9), answer.status]).toEqual([id.slice(0, 9), 404])
      }
    }
  })
})

describe('DESIGN 4: the issuer', () => {
  it('DESIGN 3: a forged Host, X-Forwarded-Host or Forwarded changes no address', async () => {
    const { host } = new URL(origin)
    for (const headers of [
      { host: 'evil.example' },
      { host, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      { host, forwarded: 'host=evil.example;proto=https' },
    ]) {
      for (const path of [
        '/.well-known/uma2-configuration',
        '/.well-known/openid-configuration',
        '/.well-known/jwt-vc-issuer',
        '/.well-known/openid-credential-issuer',
      ]) {
        const answer = await send(origin, path, { headers })
        expect(answer.text).not.toContain('evil')
        expect(answer.text).toContain(origin)
      }
      const created = await send(origin, '/uma/resource', {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${s.service.pat}`, 'content-type': 'application/json' },
        body: '{"resource_scopes":["view"]}',
      })
      expect(created.headers.get('location')).toBe(`${origin}/uma/resource/${created.json._id}`)
      expect(created.text + (await send(origin, '/authorize', { headers: { ...headers, accept: 'text/html' } })).text).not.toContain('evil')
    }
  })
})

describe('DESIGN 7 I5: storage that does not answer', () => {
  let as: Running
  beforeAll(async () => {
    as = await ownAs()
    // The first request of an isolate looks at the record's version; faults are for what comes then.
    await call(`${as.origin}/jwks`)
  })
  afterAll(() => as.stop())

  it('DESIGN 7 I5: D1 away is 503 with Retry-After, and the next request is served', async () => {
    const form = { grant_type: 'refresh_token', client_id: 'x', refresh_token: 'x' }
    for (const [path, options] of [
      ['/token', { form }],
      ['/revoke', { form: { token: 'x', client_id: 'x' } }],
      ['/register', { json: { redirect_uris: ['https://a.example/cb'] } }],
      ['/authorize?client_id=x', {}],
    ] as const) {
      await as.setFault({ mode: 'fail', count: 1 })
      const answer = await call(`${as.origin}${path}`, options)
      expectRefusal(answer, 503, 'temporarily_unavailable')
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(answer.json.request_id).toMatch(/^[\w-]{12}$/)
      await as.setFault(undefined)
      expect((await call(`${as.origin}${path}`, options)).status).toBeLessThan(500)
    }
  })

  it('DESIGN 7 I5: a person sees a page that says so', async () => {
    await as.setFault({ mode: 'fail', count: 1 })
    const answer = await call(`${as.origin}/authorize?client_id=x`, { headers: { accept: 'text/html' } })
    await as.setFault(undefined)
    expect([answer.status, answer.headers.get('location')]).toEqual([503, null])
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.text).not.toMatch(/D1_ERROR|Network connection lost/)
  })
})
