// The authorization endpoint (RFC 6749 4.1.1, RFC 7636, RFC 9207, RFC 9700): where a browser is sent, what is asked, what cannot be changed.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Alice, authorize, registerClient, signIn } from '../support/actors.ts'
import { type Answer, call, expectStatus, type Json, random, sha256 } from '../support/http.ts'
import type { Page } from '../support/http-browser.ts'
import { send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

const CB = 'https://service.example/cb'
let as: Running
let alice: Alice
let client: string
beforeAll(async () => {
  as = await sharedAs()
  alice = await signIn(as)
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
const isBack = (url: string): boolean => url.startsWith(CB)
const open = (change: Change = {}, by = alice): Promise<Page> => by.browser.open(urlOf(change), isBack)
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

describe('RFC 6749 3.1: the person', () => {
  it('RFC 6749 3.1: nobody signed in: first sign-in, then back to the same request', async () => {
    const answer = await ask()
    expect(answer.status).toBe(303)
    const next = new URL(answer.headers.get('location') ?? '', as.origin)
    expect(next.pathname).toBe('/sign-in')
    expect(new URL(next.searchParams.get('next') ?? '', as.origin).pathname).toBe('/authorize')
  })

  it('TESTS AZ-18: the consent page names the app, where the answer goes, and is nobody else’s frame', async () => {
    const page = await open()
    expect(page.status).toBe(200)
    expect(page.text).toContain('A shelf')
    expect(page.text).toContain('service.example')
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://service.example;")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(page.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('RFC 7591 5: the page names the host that the code goes to, not the one that the client says it is', async () => {
    const { id } = await registerClient(as, {
      client_name: 'Your bank',
      client_uri: 'https://bank.example',
      redirect_uris: ['https://service.example/cb', 'https://evil.example/cb'],
    })
    const page = await open({ client_id: id, redirect_uri: 'https://evil.example/cb' })
    expect(page.text).toContain('evil.example')
    expect(page.text).not.toContain('bank.example')
    const app = await registerClient(as, { redirect_uris: ['com.example.app:/cb'], token_endpoint_auth_method: 'none' })
    expect((await open({ client_id: app.id, redirect_uri: 'com.example.app:/cb' })).text).toContain('com.example.app')
  })

  it('RFC 9207 2: yes gives a code with state and iss; no gives access_denied with state and iss', async () => {
    const yes = await authorize(as, alice, { clientId: client, redirectUri: CB, scope: 'uma_protection' })
    expect(Object.fromEntries(yes.params)).toEqual({ code: expect.stringMatching(/^[\w-]{100,4096}$/), state: yes.state, iss: as.origin })
    const no = await authorize(as, alice, { clientId: client, redirectUri: CB, scope: 'uma_protection', decision: 'deny' })
    expect(Object.fromEntries(no.params)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: no.state,
      iss: as.origin,
    })
    const nonsense = await authorize(as, alice, { clientId: client, redirectUri: CB, scope: 'uma_protection', decision: 'ALLOW' })
    expect(nonsense.params.get('error')).toBe('access_denied')
  })

  it('OpenID Connect Core 3.1.2.1: prompt=login and max_age ask for a new sign-in once; prompt=none asks nobody', async () => {
    const own = await signIn(as)
    const again = await own.browser.open(urlOf({ prompt: 'login', max_age: '0' }), isBack)
    expect(new URL(again.url).pathname).toBe('/sign-in')
    const next = new URL(new URL(again.url).searchParams.get('next') ?? '', as.origin)
    expect([...next.searchParams.keys()]).not.toEqual(expect.arrayContaining(['prompt']))
    expect((await own.browser.open(next.href, isBack)).forms.some(({ buttons }) => buttons.some(({ value }) => value === 'allow'))).toBe(
      true,
    )
    expect(paramsOf((await open({ prompt: 'none' }, own)).url)).toMatchObject({ error: 'consent_required', iss: as.origin })
    expect((await open({ max_age: '3600' }, own)).status).toBe(200)
  })

  it('RFC 6749 10.2: a connected service that can prove itself is not asked about again; a public client always is', async () => {
    const own = await signIn(as)
    const service = await registerClient(as, { redirect_uris: [CB] })
    const { params, verifier } = await authorize(as, own, { clientId: service.id, redirectUri: CB, scope: 'uma_protection' })
    // A code that nobody has redeemed connects nothing.
    expect((await open({ client_id: service.id, scope: 'uma_protection' }, own)).status).toBe(200)
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: CB, code_verifier: verifier }
    expectStatus(await call(`${as.origin}/token`, { form, basic: { id: service.id, secret: service.secret ?? '' } }), 200, 'PAT')
    expect(paramsOf((await open({ client_id: service.id, scope: 'uma_protection' }, own)).url)).toHaveProperty('code')
    expect(paramsOf((await open({ client_id: service.id, scope: 'uma_protection', prompt: 'none' }, own)).url)).toHaveProperty('code')
    expect((await open({ client_id: service.id, scope: 'uma_protection', prompt: 'consent' }, own)).status).toBe(200)
    expect((await open({ client_id: service.id, scope: 'openid uma_protection' }, own)).status).toBe(200)
    // Somebody else is asked.
    expect((await open({ client_id: service.id, scope: 'uma_protection' })).status).toBe(200)
  })
})

describe('TESTS AZ-11: the consent form', () => {
  const consent = (page: Page, fields: Record<string, string>, headers: Record<string, string> = {}, by = alice): Promise<Answer> => {
    const cookie = Object.entries(by.browser.cookies(as.origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const body = new URLSearchParams({ ...page.forms.find(({ names }) => names.includes('request'))?.fields, ...fields }).toString()
    return send(as.origin, '/authorize/consent', {
      method: 'POST',
      body,
      headers: {
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        cookie,
        origin: as.origin,
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
    })
  }

  it('TESTS AZ-14: the way back is a 303', async () => {
    const answer = await consent(await open(), { decision: 'allow' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toMatch(/^https:\/\/service\.example\/cb\?code=/)
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })

  it('TESTS AZ-11: from another site, without or with a foreign token, or without a session: 403 or 401, and no code', async () => {
    const page = await open()
    const somebody = await signIn(as)
    const foreign = (await open({}, somebody)).forms.find(({ names }) => names.includes('request'))?.fields.csrf ?? ''
    for (const [headers, fields, status] of [
      [{ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, {}, 403],
      [{ origin: 'null', 'sec-fetch-site': 'cross-site' }, {}, 403],
      [{ origin: as.origin, 'sec-fetch-site': 'same-site' }, {}, 403],
      [{}, { csrf: '' }, 403],
      [{}, { csrf: 'x'.repeat(43) }, 403],
      [{}, { csrf: foreign }, 403],
      [{ cookie: '' }, {}, 401],
      [{ 'content-type': 'text/plain' }, {}, 400],
    ] as const) {
      const answer = await consent(page, { decision: 'allow', ...fields }, headers)
      expect([headers, fields, answer.status, answer.headers.get('location')]).toEqual([headers, fields, status, null])
    }
    // Another owner's browser with Alice's page: nothing of it fits.
    expect((await consent(page, { decision: 'allow' }, {}, somebody)).status).toBe(403)
  })

  it('TESTS AZ-12: fields beside the sealed request change nothing, and the sealed request cannot be changed', async () => {
    const page = await open()
    const location = (
      await consent(page, {
        decision: 'allow',
        redirect_uri: 'https://evil.example',
        client_id: 'x',
        scope: 'uma_owner',
        code_challenge: 'y',
        state: 'z',
      })
    ).headers.get('location')
    expect(location).toMatch(/^https:\/\/service\.example\/cb\?code=/)
    expect(paramsOf(location).state).toBe(sound().state)
    const sealed = page.forms.find(({ names }) => names.includes('request'))?.fields.request ?? ''
    for (const request of [
      '',
      'x',
      `${sealed.slice(0, 60)}${sealed[60] === 'A' ? 'B' : 'A'}${sealed.slice(61)}`,
      sealed.slice(0, -10),
      `_${sealed.slice(1)}`,
    ]) {
      const answer = await consent(page, { decision: 'allow', request })
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
    // A code is sealed as well, but for something else.
    const code = String(paramsOf(location).code)
    expect((await consent(page, { decision: 'allow', request: code })).status).toBe(400)
  })

  it('TESTS AZ-12: a sealed request of another owner is worth nothing in this session', async () => {
    const theirs = await open({}, await signIn(as))
    const request = theirs.forms.find(({ names }) => names.includes('request'))?.fields.request ?? ''
    expect((await consent(await open(), { decision: 'allow', request })).status).toBe(400)
  })
})
