// The authorization endpoint (RFC 6749 4.1.1, RFC 7636, RFC 9207, RFC 9700): where a browser is sent, what is asked, what cannot be changed.
import { beforeAll, describe, expect, it } from 'vitest'
import { registerClient } from '../support/actors.ts'
import { type Answer, call, type Json, random, sha256 } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

const CB = 'https://service.example/cb'
let as: Running
let client: string
beforeAll(async () => {
  as = await sharedAs()
  client = (await registerClient(as, { client_name: 'A shelf', redirect_uris: [CB] })).id
})

const sound = (): Record<string, string> => ({
  response_type: 'code',
  client_id: client,
  redirect_uri: CB,
  scope: 'openid uma_protection',
  state: 'st&te #% ü',
  code_challenge: sha256(random()),
  code_challenge_method: 'S256',
})

type Change = Record<string, string | undefined>
const urlOf = (change: Change = {}): string => {
  const params = Object.entries({ ...sound(), ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `${as.origin}/authorize?${new URLSearchParams(params)}`
}

/** The answer to a browser in which nobody is signed in, redirect not followed. */
const ask = (change: Change = {}): Promise<Answer> => call(urlOf(change), { headers: { accept: 'text/html' } })

const paramsOf = (location: string | null): Json => Object.fromEntries(new URL(location ?? '').searchParams)
/** RFC 6749 4.1.2.1: a person is told; the browser is sent nowhere. */
const expectPage = (answer: Answer): void => {
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  expect(answer.text).not.toContain('http-equiv="refresh"')
}

describe('RFC 9700 2.1: redirect URIs', () => {
  const BAD: [string, string][] = [
    ['another path', 'https://service.example/other'],
    ['another case of the path', 'https://service.example/CB'],
    ['another case of the host', 'https://SERVICE.example/cb'],
    ['a slash at the end', `${CB}/`],
    ['a query', `${CB}?x=1`],
    ['an empty query', `${CB}?`],
    ['a fragment', `${CB}#x`],
    ['the default port', 'https://service.example:443/cb'],
    ['another port', 'https://service.example:8443/cb'],
    ['http', 'http://service.example/cb'],
    ['another host', 'https://evil.example/cb'],
    ['a host behind a user name', 'https://service.example@evil.example/cb'],
    ['several @', 'https://service.example@a@evil.example/cb'],
    ['a backslash', 'https://service.example\\@evil.example/cb'],
    ['a path that climbs', 'https://service.example/x/../cb'],
    ['a path that climbs with ..;', 'https://service.example/..;/cb'],
    ['an encoded path that climbs', 'https://service.example/%2e%2e/cb'],
    ['an encoded letter', 'https://service.example/%63b'],
    ['no scheme', '//service.example/cb'],
    ['no scheme elsewhere', '//evil.example'],
    ['a tab', `https://service.example/c\tb`],
    ['a line break', `${CB}\r\nLocation: https://evil.example`],
    ['a blank before', ` ${CB}`],
    ['a blank after', `${CB} `],
    ['NUL', `${CB}\u0000`],
    ['a host of look-alikes', 'https://servıce.example/cb'],
    ['a host that only begins like it', 'https://service.example.evil.example/cb'],
    ['a script', 'javascript:alert(1)'],
    ['data', 'data:text/html,x'],
    ['nonsense', 'nonsense'],
  ]
  it.each(BAD)('RFC 9700 2.1: %s is a page, and no redirect', async (_why, redirect_uri) => {
    expectPage(await ask({ redirect_uri }))
    // Whatever else is wrong, the redirect URI is looked at first.
    expectPage(await ask({ redirect_uri, response_type: 'token', scope: 'x', prompt: 'none', code_challenge: undefined }))
  })

  it('RFC 6749 4.1.2.1: an unknown client is a page', async () => {
    for (const client_id of [undefined, '', 'nobody', '__proto__', "' OR 1=1 --", 'x'.repeat(5000), '\u0000'])
      expectPage(await ask({ client_id }))
  })

  it('RFC 6749 3.1: a parameter that is there twice is a page, even one that would be an error anyway', async () => {
    for (const twice of [
      'redirect_uri=https%3A%2F%2Fevil.example',
      `redirect_uri=${encodeURIComponent(CB)}`,
      'client_id=x',
      'state=x',
      'scope=x',
    ]) {
      expectPage(await call(`${urlOf()}&${twice}`, { headers: { accept: 'text/html' } }))
    }
  })

  it('RFC 6749 3.1.2.3: with one registered URI it may be left out, with two it may not', async () => {
    expect((await ask({ redirect_uri: undefined, scope: 'x' })).headers.get('location')).toMatch(
      /^https:\/\/service\.example\/cb\?error=invalid_scope/,
    )
    const two = await registerClient(as, { redirect_uris: [CB, `${CB}2`] })
    expectPage(await ask({ client_id: two.id, redirect_uri: undefined }))
    expect((await ask({ client_id: two.id, redirect_uri: `${CB}2`, scope: 'x' })).status).toBe(303)
  })

  it('RFC 8252 7.3: only the port of a loopback address may differ', async () => {
    const { id } = await registerClient(as, {
      redirect_uris: ['http://127.0.0.1/cb?x=1', 'http://[::1]:1000/cb', 'http://localhost:1000/cb'],
      token_endpoint_auth_method: 'none',
    })
    for (const good of [
      'http://127.0.0.1/cb?x=1',
      'http://127.0.0.1:5000/cb?x=1',
      'http://[::1]:5000/cb',
      'http://[::1]/cb',
      'http://localhost:1000/cb',
    ]) {
      const answer = await ask({ client_id: id, redirect_uri: good, scope: 'x' })
      expect(answer.headers.get('location')).toBe(
        `${good}${good.includes('?') ? '&' : '?'}error=invalid_scope&${answer.headers.get('location')?.split('error=invalid_scope&')[1]}`,
      )
    }
    for (const bad of [
      'http://127.0.0.1:5000/cb',
      'http://127.0.0.1:5000/cb?x=2',
      'http://127.0.0.1:5000/CB?x=1',
      'http://127.0.0.1:5000/cb?x=1#y',
      'http://127.0.0.2:5000/cb?x=1',
      'http://localhost:5000/cb',
      'http://localhost/cb',
      'http://127.0.0.1:99999/cb?x=1',
      'http://127.0.0.1:/cb?x=1x',
      'http://127.0.0.1:1@evil.example/cb?x=1',
      'http://127.0.0.1.evil.example/cb?x=1',
      'https://127.0.0.1/cb?x=1',
      'http://[::2]:5000/cb',
      'http://[::1]:5000@evil.example/cb',
    ]) {
      expectPage(await ask({ client_id: id, redirect_uri: bad, scope: 'x' }))
    }
  })

  it('RFC 6749 3.1.2: a registered query is kept letter by letter', async () => {
    const uri = 'https://service.example/cb?a=b%20c+d~&e'
    const { id } = await registerClient(as, { redirect_uris: [uri] })
    const location = (await ask({ client_id: id, redirect_uri: uri, scope: 'x', state: 's' })).headers.get('location')
    expect(location?.startsWith(`${uri}&error=invalid_scope&`)).toBe(true)
  })
})

describe('RFC 6749 4.1.2.1: errors that the client is told', () => {
  it.each<[string, Change]>([
    ['invalid_request', { response_type: undefined }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['unsupported_response_type', { response_type: 'code id_token' }],
    ['unsupported_response_type', { response_type: 'CODE' }],
    ['invalid_request', { response_mode: 'fragment' }],
    ['invalid_request', { response_mode: 'form_post' }],
    ['invalid_request', { code_challenge: undefined }],
    ['invalid_request', { code_challenge: '' }],
    ['invalid_request', { code_challenge: 'x'.repeat(42) }],
    ['invalid_request', { code_challenge: `${'x'.repeat(42)}=` }],
    ['invalid_request', { code_challenge_method: undefined }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge_method: 's256' }],
    ['invalid_request', { code_challenge_method: 'S512' }],
    ['invalid_scope', { scope: undefined }],
    ['invalid_scope', { scope: '' }],
    ['invalid_scope', { scope: 'openid' }],
    ['invalid_scope', { scope: 'uma_protection view' }],
    ['invalid_scope', { scope: 'uma_protection uma_owner' }],
    ['invalid_scope', { scope: 'UMA_PROTECTION' }],
    ['invalid_scope', { scope: 'x '.repeat(6000) }],
    ['invalid_request', { dpop_jkt: 'short' }],
    ['invalid_request', { label_jwk: 'nonsense' }],
    ['invalid_request', { label_jwk: btoa('{"kty":"RSA"}') }],
    ['invalid_request', { label_jwk: btoa('[[[[]]]]') }],
    ['invalid_request', { nonce: 'x'.repeat(513) }],
    ['invalid_request', { max_age: '-1' }],
    ['invalid_request', { max_age: 'soon' }],
    ['invalid_request', { prompt: 'none login' }],
    ['invalid_request', { prompt: 'create' }],
    ['invalid_request', { prompt: 'login Consent' }],
    ['login_required', { prompt: 'none' }],
    ['request_not_supported', { request: 'a.b.c' }],
    ['request_uri_not_supported', { request_uri: 'http://127.0.0.1:1/x' }],
  ])('RFC 6749 4.1.2.1: %s for %j, with state and iss', async (error, change) => {
    const answer = await ask(change)
    expect(answer.status).toBe(303)
    const { error_description, ...rest } = paramsOf(answer.headers.get('location'))
    expect(rest).toEqual({ error, state: sound().state, iss: as.origin })
    expect(error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('RFC 6749 4.1.2.1: state comes back only if it was sent, and never one that is too long', async () => {
    expect(paramsOf((await ask({ scope: 'x', state: undefined })).headers.get('location'))).not.toHaveProperty('state')
    const long = await ask({ state: 's'.repeat(4097) })
    expect(paramsOf(long.headers.get('location'))).toMatchObject({ error: 'invalid_request', iss: as.origin })
  })

  it('RFC 6749 4.1.2.1: unauthorized_client for a client that registered for other grants', async () => {
    const { id } = await registerClient(as, { redirect_uris: [CB], grant_types: ['urn:ietf:params:oauth:grant-type:uma-ticket'] })
    expect(paramsOf((await ask({ client_id: id })).headers.get('location'))).toMatchObject({ error: 'unauthorized_client', iss: as.origin })
  })

  it('RFC 6749 3.1: unknown parameters are ignored', async () => {
    expect((await ask({ unheard_of: 'x', claims: '{}', ui_locales: 'de' })).headers.get('location')).toMatch(/^\/sign-in\?/)
  })
})
