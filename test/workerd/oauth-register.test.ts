// Dynamic client registration (RFC 7591) with what UMA adds to it: what is taken, what is echoed, what is refused.
import { beforeAll, describe, expect, it } from 'vitest'
import { connectService, connectWallet, signIn } from '../support/actors.ts'
import { call, type Json } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { sharedAs } from '../support/server.ts'

let origin: string
beforeAll(async () => {
  origin = (await sharedAs()).origin
})

const register = (json: Json) => call(`${origin}/register`, { json })
const CB = 'https://client.example/cb'
const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'

describe('RFC 7591 3.2.1: what comes back', () => {
  it('RFC 7591 3.2.1: 201 with id, secret and all that was registered', async () => {
    const asked = {
      redirect_uris: [CB, 'http://127.0.0.1/cb', 'com.example.app:/cb'],
      claims_redirect_uris: ['https://client.example/claims?keep=1'],
      grant_types: ['authorization_code', UMA_TICKET],
      response_types: ['code'],
      client_name: 'Ein <b>Fröhlicher</b> Dienst & Co',
      'client_name#de-AT': 'Servus',
      client_uri: 'https://client.example/about',
      logo_uri: 'https://client.example/logo.png',
      contacts: ['ops@client.example'],
      scope: 'view download',
      software_id: 's',
      software_version: '1',
      application_type: 'web',
      dpop_bound_access_tokens: false,
    }
    const answer = await register({ ...asked, token_endpoint_auth_method: 'client_secret_post' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.json).toMatchObject({ ...asked, token_endpoint_auth_method: 'client_secret_post', client_secret_expires_at: 0 })
    expect(String(answer.json.client_id)).toMatch(/^[\w-]{22}$/)
    expect(String(answer.json.client_secret)).toMatch(/^[\w-]{43}$/)
    expect(Math.abs(Number(answer.json.client_id_issued_at) - Date.now() / 1000)).toBeLessThan(60)
  })

  it('RFC 7591 2: what is left out has its default, and refresh tokens come with codes', async () => {
    const { json } = await register({ redirect_uris: [CB] })
    expect(json).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })
    expect((await register({ grant_types: [UMA_TICKET], claims_redirect_uris: [CB] })).json.response_types).toEqual([])
  })

  it('RFC 7591 2: a public client gets no secret', async () => {
    const { status, json } = await register({ redirect_uris: [CB], token_endpoint_auth_method: 'none' })
    expect(status).toBe(201)
    expect(json).not.toHaveProperty('client_secret')
    expect(json).not.toHaveProperty('client_secret_expires_at')
  })

  it('RFC 7591 2: unknown members, and what the server alone decides, are ignored', async () => {
    const { status, json } = await register({
      redirect_uris: [CB],
      client_id: 'mine',
      client_secret: 'mine',
      client_secret_expires_at: 5,
      client_id_issued_at: 5,
      registration_access_token: 'mine',
      owner: 'x',
      disabled_at: 1,
      'client_name#': 'x',
      [`client_name#${'x'.repeat(36)}`]: 'x',
    })
    expect(status).toBe(201)
    expect([json.client_id, json.client_secret]).not.toContain('mine')
    expect(json.client_secret_expires_at).toBe(0)
    expect(json.registration_access_token).not.toBe('mine')
    for (const name of ['owner', 'disabled_at', 'jwks_uri', 'client_name#', `client_name#${'x'.repeat(36)}`])
      expect(json).not.toHaveProperty(name)
  })

  it('RFC 7591 3.2.1: each registration is a client of its own, however alike', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => register({ redirect_uris: [CB] })))
    expect(new Set(made.map(({ json }) => json.client_id)).size).toBe(12)
    expect(new Set(made.map(({ json }) => json.client_secret)).size).toBe(12)
  })

  it('UMA Grant 2: claims_redirect_uris are not redirect_uris', async () => {
    const { json } = await register({ redirect_uris: [CB], claims_redirect_uris: ['https://client.example/claims'] })
    const page = await call(
      `${origin}/authorize?client_id=${json.client_id}&redirect_uri=${encodeURIComponent('https://client.example/claims')}&response_type=code`,
    )
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
  })
})

describe('RFC 7591 3.2.2: what is refused', () => {
  const BAD_URIS: [string, string][] = [
    ['a relative URI', '/cb'],
    ['no URI', 'nonsense'],
    ['an empty text', ''],
    ['a fragment', 'https://client.example/cb#x'],
    ['an empty fragment', 'https://client.example/cb#'],
    ['a script', 'javascript:alert(1)'],
    ['a script in capitals', 'JaVaScRiPt:alert(1)'],
    ['a script after a blank', ' javascript:alert(1)'],
    ['a script with a tab', 'java\tscript:alert(1)'],
    ['data', 'data:text/html,x'],
    ['vbscript', 'vbscript:x'],
    ['file', 'file:///etc/passwd'],
    ['blob', 'blob:https://client.example/x'],
    ['a private scheme without a dot', 'myapp:/cb'],
    ['http elsewhere', 'http://client.example/cb'],
    ['http on an address of a network', 'http://10.0.0.1/cb'],
    ['a name that only begins like loopback', 'http://localhost.evil.example/cb'],
    ['a user name', 'https://good.example@evil.example/cb'],
    ['a user name on loopback', 'http://127.0.0.1@evil.example/cb'],
    ['a backslash', 'https://client.example\\@evil.example/cb'],
    ['a line break', 'https://client.example/cb\r\nX: y'],
    ['a control character', 'https://client.example/\u0001'],
    ['letters that are not ASCII', 'https://clïent.example/cb'],
    ['letters that are not ASCII in the path', 'https://client.example/ü'],
    ['no host', 'https:///cb'],
    ['one slash', 'https:/client.example/cb'],
    ['no slash', 'https:client.example/cb'],
    ['a wildcard', 'https://*.client.example/cb'],
  ]
  it.each(BAD_URIS)('RFC 7591 3.2.2: invalid_redirect_uri for %s', async (_why, uri) => {
    for (const name of ['redirect_uris', 'claims_redirect_uris']) {
      const answer = await register({ redirect_uris: [CB], [name]: [CB, uri] })
      const error = uri === '' ? 'invalid_client_metadata' : 'invalid_redirect_uri'
      expectRefusal(answer, 400, error)
    }
  })

  it('RFC 7591 2: the authorization code grant needs redirect_uris', async () => {
    for (const json of [{}, { grant_types: ['authorization_code'] }, { claims_redirect_uris: [CB] }])
      expectRefusal(await register(json), 400, 'invalid_redirect_uri')
  })

  it.each<[string, Json]>([
    ['no list of URIs', { redirect_uris: CB }],
    ['an empty list', { redirect_uris: [] }],
    ['a list of numbers', { redirect_uris: [1] }],
    ['17 URIs', { redirect_uris: Array.from({ length: 17 }, (_, i) => `${CB}/${i}`) }],
    ['a URI of 3 000 characters', { redirect_uris: [`${CB}/${'x'.repeat(3000)}`] }],
    ['a method that is not supported', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a method that is none', { token_endpoint_auth_method: 'constructor' }],
    ['a grant that is not supported', { grant_types: ['password'] }],
    ['the implicit grant', { grant_types: ['authorization_code', 'implicit'] }],
    ['a grant of Object.prototype', { grant_types: ['__proto__'] }],
    ['the response type token', { response_types: ['token'] }],
    ['a hybrid response type', { response_types: ['code id_token'] }],
    ['a name that is no text', { client_name: { a: 1 } }],
    ['an empty name', { client_name: '' }],
    ['a name of blanks', { client_name: '  ' }],
    ['a name of 257 characters', { client_name: 'x'.repeat(257) }],
    ['a name with a line break', { client_name: 'a\nb' }],
    ['a name that turns around', { client_name: 'Bank \u202eelpmaxe' }],
    ['a translated name that is no text', { 'client_name#de': { a: ['b'] } }],
    ['a translated name of 10 000 characters', { 'client_name#de': 'x'.repeat(10_000) }],
    ['a translated name that turns around', { 'client_name#de': '\u2066x' }],
    ['a script as client_uri', { client_uri: 'javascript:alert(1)' }],
    ['data as logo_uri', { logo_uri: 'data:image/png;base64,x' }],
    ['a policy_uri that is none', { policy_uri: 'nowhere' }],
    ['ftp as tos_uri', { tos_uri: 'ftp://client.example/tos' }],
    ['a scope with a quotation mark', { scope: 'a "b"' }],
    ['a scope of 5 000 characters', { scope: 'x'.repeat(5000) }],
    ['contacts that are no list', { contacts: 'x' }],
    ['an application type that is none', { application_type: 'spaceship' }],
    ['yes in place of true', { dpop_bound_access_tokens: 'yes' }],
  ])('RFC 7591 3.2.2: invalid_client_metadata for %s', async (_why, json) => {
    expectRefusal(await register({ redirect_uris: [CB], ...json }), 400, 'invalid_client_metadata')
  })

  it('RFC 7591 5: a name is shown as text, on every page', async () => {
    const { json } = await register({ redirect_uris: [CB], client_name: '<script>alert(1)</script><img src=x>' })
    const alice = await signIn(await sharedAs())
    const query = new URLSearchParams({
      client_id: String(json.client_id),
      redirect_uri: CB,
      response_type: 'code',
      scope: 'uma_protection',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    })
    const page = await alice.browser.open(`${origin}/authorize?${query}`)
    expect(page.text).toContain('&lt;script&gt;')
    expect(page.text).not.toMatch(/<script>alert|<img src=x/)
  })
})

describe('RFC 6749 10.1: the secret', () => {
  it('RFC 7591 3.2.1: it is told once and appears nowhere later', async () => {
    const server = await sharedAs()
    const alice = await signIn(server)
    const service = await connectService(server, alice)
    const wallet = await connectWallet(server, alice)
    const secret = service.client.secret ?? ''
    expect(secret).toHaveLength(43)
    const id = await service.register({ resource_scopes: ['view'] })
    const said = [
      JSON.stringify(service.tokens),
      (await wallet.call('/owner/connections')).text,
      (await wallet.call('/owner/activity')).text,
      (await wallet.call('/owner/resources')).text,
      (await service.call(`/uma/resource/${id}`)).text,
      (await alice.browser.open(`${origin}/`)).text,
      (
        await call(`${origin}/token`, {
          form: { grant_type: 'refresh_token', refresh_token: 'x' },
          basic: { id: service.client.id, secret: `${secret}x` },
        })
      ).text,
    ]
    for (const text of said) expect(text).not.toContain(secret)
    expect(server.logs.join('\n')).not.toContain(secret)
  })
})
