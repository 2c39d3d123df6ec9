// CORS (DESIGN 4, RFC 9700 2.6): endpoints for programs answer any origin without credentials; authorization and pages answer none.
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/http.ts'
import { openSocket } from '../support/live-socket.ts'
import { type Cast, cast, FORM, send } from '../support/odd-requests.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})
const FROM = 'https://app.elsewhere.example'
const preflight = (path: string, method: string, headers = 'authorization, content-type, dpop') =>
  send(origin, path, {
    method: 'OPTIONS',
    headers: { origin: FROM, 'access-control-request-method': method, 'access-control-request-headers': headers },
  })

const OPEN: [string, string][] = [
  ['GET', '/.well-known/uma2-configuration'],
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', '/.well-known/openid-configuration'],
  ['GET', '/.well-known/openid-credential-issuer'],
  ['GET', '/.well-known/did.json'],
  ['GET', '/jwks'],
  ['GET', '/health'],
  ['POST', '/register'],
  ['POST', '/token'],
  ['POST', '/introspect'],
  ['POST', '/revoke'],
  ['POST', '/nonce'],
  ['POST', '/credential'],
  ['POST', '/uma/permission'],
  ['POST', '/uma/resource'],
  ['PUT', '/uma/resource/x'],
  ['DELETE', '/uma/resource/x'],
  ['GET', '/owner/me'],
  ['POST', '/owner/policies'],
  ['DELETE', '/owner/policies/x'],
  ['DELETE', '/owner/connections/x'],
  ['GET', '/owner/activity'],
  ['POST', '/owner/live'],
]
const CLOSED = ['/authorize', '/authorize/consent', '/uma/claims', '/sign-in', '/sign-out', '/', '/welcome', '/assets/base.css', '/nothing']

describe('DESIGN 4: endpoints for programs', () => {
  it.each(OPEN)('DESIGN 4: %s %s: the preflight of any origin is answered, without credentials', async (method, path) => {
    const answer = await preflight(path, method)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-methods')?.split(', ')).toContain(method)
    const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'dpop', 'if-none-match']))
    expect(Number(answer.headers.get('access-control-max-age'))).toBeGreaterThan(0)
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it.each(OPEN)('DESIGN 4: %s %s: answers and refusals can be read by any origin, with the headers that matter', async (method, path) => {
    const answer = await send(origin, path, { method, headers: { origin: FROM } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    const exposed = answer.headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
    expect(exposed).toEqual(expect.arrayContaining(['www-authenticate', 'etag', 'link', 'location', 'retry-after']))
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('TESTS HT-08: also 404, 405, 413 and what was granted; whatever Origin says, null and forged tokens included', async () => {
    const big = await call(`${origin}/token`, { form: { x: 'x'.repeat(200_000) }, headers: { origin: FROM } })
    const answers = [
      await send(origin, '/owner/nothing', { headers: { origin: 'null' } }),
      await send(origin, '/token', { headers: { origin: FROM } }),
      big,
      await s.redeem({ resource_id: s.resource, resource_scopes: ['view'] }),
      await s.wallet.call('/owner/policies'),
      await s.service.call('/uma/resource'),
      await send(origin, '/owner/me', {
        headers: {
          origin: FROM,
          authorization: `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"azp":"x","allowed-origins":["https://evil.example"]}')}.`,
        },
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 405, 413, 200, 200, 200, 401])
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  it('DESIGN 4: 304 and the handshake of a WebSocket come through', async () => {
    const etag = (await s.wallet.call('/owner/me')).headers.get('etag') ?? ''
    const unchanged = await s.wallet.call('/owner/me', { headers: { 'if-none-match': etag, origin: FROM } })
    expect([unchanged.status, unchanged.text, unchanged.headers.get('access-control-allow-origin')]).toEqual([304, '', '*'])
    const code = (await s.wallet.call('/owner/live', { method: 'POST' })).json.code
    const socket = await openSocket(`${origin}/owner/live?code=${code}`, { origin: FROM })
    expect(socket.status).toBe(101)
    socket.destroy()
  })

  it('DESIGN 4: a cookie opens nothing here', async () => {
    const cookie = Object.entries(s.alice.browser.cookies(origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    expect(cookie).toContain('__Host-session')
    for (const path of ['/owner/me', '/owner/policies', '/uma/resource'])
      expect((await send(origin, path, { headers: { cookie, origin } })).status).toBe(401)
  })
})

describe('RFC 9700 2.6: authorization and pages', () => {
  it.each(CLOSED)('RFC 9700 2.6: %s tells no other origin anything', async (path) => {
    for (const method of ['GET', 'POST']) {
      const answers = [
        await preflight(path, method),
        await send(origin, path, {
          method,
          headers: { origin: FROM, accept: 'text/html', ...(method === 'POST' && { 'content-type': FORM }) },
        }),
      ]
      for (const { headers, status } of answers) {
        expect([path, method, status < 500, [...headers.keys()].filter((name) => name.startsWith('access-control'))]).toEqual([
          path,
          method,
          true,
          [],
        ])
      }
    }
  })
})
