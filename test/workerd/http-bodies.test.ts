// Bodies that programs send (RFC 6749 3.2): what is taken, what is refused, and that nothing of it comes back.
import { beforeAll, describe, expect, it } from 'vitest'
import { dpopProof } from '../support/http.ts'
import { type Cast, cast, expectRefusal, FORM, send, stream } from '../support/odd-requests.ts'

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
