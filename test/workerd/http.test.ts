// What holds at every endpoint that programs call: methods, media types, sizes, odd encodings, hosts; refused with the right error, never 500.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, dpopProof } from '../support/http.ts'
import { type Cast, cast, expectRefusal, FORM, send, stream } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const FORMS = ['/token', '/introspect', '/revoke']
const JSONS = ['/register', '/uma/permission', '/uma/resource', '/owner/policies']
const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

/** The credentials that an endpoint wants. */
const credentials = async (path: string, method = 'POST'): Promise<Record<string, string>> => {
  if (path.startsWith('/owner')) {
    const token = String(s.wallet.tokens.access_token)
    return { authorization: `DPoP ${token}`, dpop: await dpopProof(s.wallet.key, method, `${origin}${path}`, token) }
  }
  return path.startsWith('/uma') || path === '/introspect' ? { authorization: `Bearer ${s.service.pat}` } : {}
}

const authorized = async (path: string, options: { headers?: Record<string, string>; body?: string | Uint8Array }) =>
  send(origin, path, { method: 'POST', ...options, headers: { ...(await credentials(path)), ...options.headers } })

/** The error that an endpoint uses for a body that it cannot read. */
const malformed = (path: string): string => (path === '/register' ? 'invalid_client_metadata' : 'invalid_request')

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

describe('RFC 6749 3.2: bodies', () => {
  it.each(FORMS)('RFC 6749 3.2: %s takes forms in UTF-8 only', async (path) => {
    const body = 'grant_type=authorization_code&token=x&client_id=x'
    for (const type of [
      undefined,
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      `${FORM}; charset=utf-16`,
      `x${FORM}`,
      `${FORM},${FORM}`,
    ]) {
      expectRefusal(await authorized(path, { body, headers: type === undefined ? {} : { 'content-type': type } }), 400, 'invalid_request')
    }
    for (const type of [FORM, `${FORM}; charset=UTF-8`, 'Application/X-WWW-Form-URLencoded']) {
      expect((await authorized(path, { body, headers: { 'content-type': type } })).json.error_description ?? '').not.toContain('x-www-form')
    }
  })

  it.each(JSONS)('UMA FedAuthz 3.2: %s takes JSON in UTF-8 only', async (path) => {
    for (const type of [undefined, FORM, 'text/json', 'text/plain', 'application/json; charset=iso-8859-1', 'application/jsonx']) {
      const answer = await authorized(path, { body: '{}', headers: type === undefined ? {} : { 'content-type': type } })
      expectRefusal(answer, 400, malformed(path))
      expect(answer.json.error_description).toContain('application/json')
    }
  })

  it.each(JSONS)('UMA FedAuthz 3.2: %s refuses what is no JSON, or JSON of another kind', async (path) => {
    const depth = 30_000
    const bodies: (string | Uint8Array)[] = [
      '',
      ' ',
      '{',
      '{"a":1',
      "{'a':1}",
      '{"a":1}{',
      'undefined',
      'null',
      '1',
      '"x"',
      'true',
      '[[]]',
      '[null]',
      '{}x',
      new Uint8Array([0x7b, 0xff, 0x7d]),
      new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
      '['.repeat(depth) + ']'.repeat(depth),
      `${'{"a":'.repeat(depth / 6)}1${'}'.repeat(depth / 6)}`,
      `{"resource_scopes":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      '{"__proto__":{"resource_scopes":["view"]},"constructor":1}',
    ]
    for (const body of bodies) {
      const answer = await authorized(path, { body, headers: { 'content-type': 'application/json' } })
      const error = String(answer.json.error)
      expect(['invalid_request', 'invalid_client_metadata', 'invalid_redirect_uri']).toContain(error)
      expectRefusal(answer, 400, error)
    }
  })

  it.each([...FORMS, ...JSONS])('RFC 9110 15.5.14: %s refuses a megabyte, announced or not', async (path) => {
    const isForm = FORMS.includes(path)
    const body = isForm ? `token=${'x'.repeat(1_000_000)}` : JSON.stringify({ name: 'x'.repeat(1_000_000) })
    const type = { 'content-type': isForm ? FORM : 'application/json' }
    const announced = await fetch(`${origin}${path}`, { method: 'POST', body, headers: { ...type, ...(await credentials(path)) } })
    expect([announced.status, (await announced.json()) as unknown]).toMatchObject([413, { error: 'invalid_request' }])
    expectRefusal(await stream(`${origin}${path}`, { ...type, ...(await credentials(path)) }, body), 413, 'invalid_request')
  })

  it.each(FORMS)('RFC 6749 3.2: %s refuses a parameter that is there twice', async (path) => {
    for (const body of [
      'grant_type=authorization_code&grant_type=authorization_code',
      'grant_type=x&token=a&token=b',
      'token=&token=x',
      'x=1&x=1&token=x&grant_type=x',
    ]) {
      expectRefusal(await authorized(path, { body, headers: { 'content-type': FORM } }), 400, 'invalid_request')
    }
  })

  it('RFC 6749 3.2: names are case-sensitive, and unknown ones are ignored (UMA Grant 1.1)', async () => {
    const ticket = await s.ticket()
    expectRefusal(await s.app.token(ticket, { grant_type: '', Grant_Type: UMA_TICKET }), 400, 'invalid_request')
    expectRefusal(await s.app.token('', { TICKET: ticket }), 400, 'invalid_request')
    expectRefusal(await s.app.token(ticket, { unheard_of: 'x', Ticket: 'y' }), 403, 'need_info')
  })

  it('RFC 6749 3.2: odd characters in any parameter end in the error of that parameter', async () => {
    const odd = [
      '%00',
      '%ff%fe',
      '%ed%a0%80',
      '%F0%9F%92%A9',
      '+',
      '%',
      '%zz',
      '%27%22%5c',
      '%0d%0aX-Y:+z',
      'x'.repeat(20_000),
      '__proto__',
      '%24%7Bx%7D',
      '..%2f',
    ]
    for (const value of odd) {
      for (const [path, name, rest] of [
        ['/token', 'grant_type', ''],
        ['/token', 'client_id', 'grant_type=refresh_token&refresh_token=x'],
        ['/token', 'client_secret', `grant_type=refresh_token&refresh_token=x&client_id=${s.service.client.id}`],
        ['/token', 'ticket', `grant_type=${UMA_TICKET}&client_id=${s.app.client.id}`],
        ['/introspect', 'token', ''],
        ['/revoke', 'token', `client_id=${s.app.client.id}`],
        ['/revoke', 'token_type_hint', `client_id=${s.app.client.id}&token=x`],
      ] as const) {
        const answer = await authorized(path, { body: `${rest}&${name}=${value}`, headers: { 'content-type': FORM } })
        expect([path, name, value.slice(0, 9), answer.status < 500]).toEqual([path, name, value.slice(0, 9), true])
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
    }
  })

  it('RFC 8259 8.1: odd characters in any text of a description come back as they were or are refused', async () => {
    for (const text of [
      'a\u0000b',
      '\ud800',
      '\uffff',
      '💩',
      "'; DROP TABLE resource; --",
      '{{x}}',
      '<script>',
      '\u202e',
      'x'.repeat(256),
      '__proto__',
    ]) {
      const answer = await s.service.call('/uma/resource', {
        json: { resource_scopes: [text], name: text, type: text, description: text, icon_uri: text, 'name#fr': text },
      })
      expect([text.slice(0, 9), answer.status]).toEqual([text.slice(0, 9), 201])
      const read = await s.service.call(`/uma/resource/${answer.json._id}`)
      expect(read.json).toMatchObject({ resource_scopes: [text], name: text, description: text, 'name#fr': text })
      expect((await s.wallet.call('/owner/resources')).status).toBe(200)
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

describe('RFC 6749 5.2: nothing that was sent comes back', () => {
  it('DESIGN 7 I6: no refusal repeats a secret, a token or a ticket', async () => {
    const canary = 'canary-3f9d0c2b1a'
    for (const path of FORMS) {
      const body = `grant_type=${canary}&client_id=${canary}&client_secret=${canary}&token=${canary}&ticket=${canary}&scope=${canary}`
      expect((await authorized(path, { body, headers: { 'content-type': FORM } })).text).not.toContain(canary)
    }
    for (const path of JSONS) {
      const body = JSON.stringify({
        resource_id: canary,
        resource_scopes: canary,
        person: { email: canary },
        redirect_uris: [canary],
        scope: `"${canary}`,
      })
      const answer = await authorized(path, { body, headers: { 'content-type': 'application/json' } })
      expect([answer.status, answer.text.includes(canary)]).toEqual([400, false])
    }
    expect((await send(origin, `/owner/me`, { headers: { authorization: `Bearer ${canary}` } })).text).not.toContain(canary)
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
