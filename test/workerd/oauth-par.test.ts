// Pushed authorization requests (RFC 9126), and `resource` where tokens of this server are asked for (RFC 8707).
import { beforeAll, describe, expect, it } from 'vitest'
import { type Alice, proveAddress, type Registered, registerClient, signIn } from '../support/actors.ts'
import { type Answer, type Call, call, type Json, newDpopKey, random, sha256 } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { ownAs, sharedAs } from '../support/server.ts'

let origin: string
let alice: Alice
let client: Registered
beforeAll(async () => {
  const server = await sharedAs()
  origin = server.origin
  alice = await signIn(server)
  client = await register()
})

const CB = 'https://client.example/cb'
const register = async (more: Json = {}): Promise<Registered> =>
  registerClient(await sharedAs(), { client_name: 'A pusher', redirect_uris: [CB], ...more })
const verifier = random()
const request = (more: Record<string, string | undefined> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      response_type: 'code',
      redirect_uri: CB,
      scope: 'openid uma_protection',
      state: 'the state',
      code_challenge: sha256(verifier),
      code_challenge_method: 'S256',
      ...more,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
const basic = (one: Registered) => ({ id: one.id, secret: one.secret ?? '' })
const push = (more: Record<string, string | undefined> = {}, options: Call = {}): Promise<Answer> =>
  call(`${origin}/par`, { form: request(more), basic: basic(client), ...options })
const pushed = async (more: Record<string, string | undefined> = {}, options: Call = {}): Promise<string> => {
  const { status, json } = await push(more, options)
  expect(status, JSON.stringify(json)).toBe(201)
  return String(json.request_uri)
}
const isBack = (url: string): boolean => url.startsWith(CB)
const address = (uri: string, id = client.id, more: Record<string, string> = {}): string =>
  `${origin}/authorize?${new URLSearchParams({ client_id: id, request_uri: uri, ...more })}`
/** Opens it as Alice and says yes, if she is asked; answers where the browser was sent. */
const answered = async (uri: string, id = client.id): Promise<URLSearchParams> => {
  let page = await alice.browser.open(address(uri, id), isBack)
  if (!isBack(page.url) && page.status === 200) page = await alice.browser.submit(page, { decision: 'allow' }, isBack)
  return isBack(page.url) ? new URL(page.url).searchParams : new URLSearchParams({ page: String(page.status) })
}

describe('RFC 9126 2: pushing', () => {
  it('RFC 9126 5: the server says where, and that nobody has to', async () => {
    const { json } = await call(`${origin}/.well-known/oauth-authorization-server`)
    expect(json).toMatchObject({ pushed_authorization_request_endpoint: `${origin}/par`, require_pushed_authorization_requests: false })
  })

  it('RFC 9126 2.2: 201 with a reference that nobody can guess and a time', async () => {
    const [one, other] = [await push(), await push()]
    expect([one.status, one.headers.get('cache-control'), one.json.expires_in]).toEqual([201, 'no-store', 600])
    expect(one.json.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{43,}$/)
    expect(one.json.request_uri).not.toBe(other.json.request_uri)
    expect(Object.keys(one.json).toSorted()).toEqual(['expires_in', 'request_uri'])
  })

  it('RFC 9126 2.1: only by the client itself', async () => {
    expectRefusal(await push({}, { basic: { id: client.id, secret: 'x' } }), 401, 'invalid_client')
    const form = request({ client_id: client.id })
    expectRefusal(await call(`${origin}/par`, { form }), 401, 'invalid_client')
    expectRefusal(await call(`${origin}/par`, { form: request() }), 401, 'invalid_client')
    expectRefusal(await push({ client_id: 'other' }), 400, 'invalid_request')
  })

  for (const [why, more, error] of [
    ['a request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
    ['a request object', { request: 'a.b.c' }, 'request_not_supported'],
    ['an unregistered redirect URI', { redirect_uri: `${CB}/` }, 'invalid_request'],
    ['no challenge', { code_challenge: undefined }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['an unknown scope', { scope: 'everything' }, 'invalid_scope'],
    ['a thumbprint that is none', { dpop_jkt: 'x' }, 'invalid_request'],
    ['another resource', { resource: 'https://api.example/' }, 'invalid_target'],
    ['a resource with a fragment', { resource: 'https://api.example/#x' }, 'invalid_target'],
    ['a state without end', { state: 'x'.repeat(4097) }, 'invalid_request'],
  ] as const) {
    it(`RFC 9126 2.3: refused at once: ${why}`, async () => expectRefusal(await push(more), 400, error))
  }

  it('RFC 9126 2.3: 405, 413, and a parameter that is there twice', async () => {
    expect((await call(`${origin}/par`)).status).toBe(405)
    expectRefusal(await push({ state: 'x'.repeat(70_000) }), 413, 'invalid_request')
    expectRefusal(await push({}, { form: [...Object.entries(request()), ['state', 'b']] }), 400, 'invalid_request')
  })
})

describe('RFC 9126 4: using what was pushed', () => {
  it('RFC 9126 4: the browser carries a reference, the code is for what was pushed', async () => {
    const params = await answered(await pushed())
    expect([params.get('state'), params.get('iss')]).toEqual(['the state', origin])
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: CB, code_verifier: verifier }
    const answer = await call(`${origin}/token`, { form, basic: basic(client) })
    expect([answer.status, answer.json.scope]).toEqual([200, 'openid uma_protection'])
  })

  it('RFC 9126 4: nothing else in the address counts', async () => {
    const uri = await pushed()
    const page = await alice.browser.open(
      address(uri, client.id, { redirect_uri: 'https://evil.example/', state: 'other', scope: 'uma_owner', prompt: 'none' }),
      isBack,
    )
    const end = isBack(page.url) ? page : await alice.browser.submit(page, { decision: 'allow' }, isBack)
    expect(new URL(end.url).searchParams.get('state')).toBe('the state')
    expect(new URL(end.url).searchParams.get('code')).toBeTruthy()
  })

  it('RFC 9126 7.3: answered once, also when it is opened many times', async () => {
    const one = await register()
    const uri = await pushed({}, { basic: basic(one) })
    const pages = [await alice.browser.open(address(uri, one.id), isBack), await alice.browser.open(address(uri, one.id), isBack)]
    const ends = []
    for (const page of pages) ends.push(await alice.browser.submit(page, { decision: 'allow' }, isBack))
    expect(ends.map(({ url }) => isBack(url))).toEqual([true, false])
    expect(ends[1]?.status).toBe(400)
    const form = {
      grant_type: 'authorization_code',
      code: new URL(ends[0]?.url ?? '').searchParams.get('code') ?? '',
      code_verifier: verifier,
    }
    expect((await call(`${origin}/token`, { form, basic: basic(one) })).status).toBe(200)
    // Connected by now: answered without a question.
    expect((await answered(uri, one.id)).get('page')).toBe('400')
    const racing = await pushed({}, { basic: basic(one) })
    const answers = await Promise.all(Array.from({ length: 8 }, () => alice.browser.open(address(racing, one.id), isBack)))
    expect(answers.filter(({ url }) => isBack(url))).toHaveLength(1)
  })

  it('RFC 9126 4: a refusal answers it too', async () => {
    const one = await register()
    const silent = await pushed({ prompt: 'none' }, { basic: basic(one) })
    expect((await answered(silent, one.id)).get('error')).toBe('consent_required')
    expect((await answered(silent, one.id)).get('page')).toBe('400')
  })

  it('OpenID Connect Core 3.1.2.1: a pushed prompt is obeyed once, by signing in', async () => {
    const one = await register()
    const uri = await pushed({ prompt: 'login consent', max_age: '0' }, { basic: basic(one) })
    const page = await alice.browser.open(address(uri, one.id), isBack)
    expect(new URL(page.url).pathname).toBe('/sign-in')
    const again = await alice.browser.open(new URL(new URL(page.url).searchParams.get('next') ?? '', origin).href, isBack)
    expect([new URL(again.url).pathname, again.status]).toEqual(['/authorize', 200])
    expect(isBack((await alice.browser.submit(again, { decision: 'allow' }, isBack)).url)).toBe(true)
  })

  it('RFC 9126 2.2: bound to the client, and to this server’s own words', async () => {
    const uri = await pushed()
    const other = await register()
    expect((await call(address(uri, other.id))).status).toBe(400)
    for (const odd of [
      `${uri}x`,
      uri.slice(0, -1),
      'urn:ietf:params:oauth:request_uri:',
      `urn:ietf:params:oauth:request_uri:${random()}`,
    ]) {
      const answer = await call(address(odd))
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
    const foreign = await call(`${address('https://client.example/request')}&redirect_uri=${encodeURIComponent(CB)}&response_type=code`)
    expect(new URL(foreign.headers.get('location') ?? '').searchParams.get('error')).toBe('request_uri_not_supported')
  })

  it('RFC 9126 6: a client that registered for it must push', async () => {
    const one = await register({ require_pushed_authorization_requests: true })
    expect(one.metadata.require_pushed_authorization_requests).toBe(true)
    const plain = await call(`${origin}/authorize?${new URLSearchParams({ ...request(), client_id: one.id })}`)
    expect(new URL(plain.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request')
    expect((await answered(await pushed({}, { basic: basic(one) }), one.id)).get('code')).toBeTruthy()
  })

  it('RFC 9126 2.2: an owner may take her time to sign in; a browser may not come late', async () => {
    const server = await ownAs()
    try {
      const one = await registerClient(server, { redirect_uris: [CB] })
      const par = async () => String((await call(`${server.origin}/par`, { form: request(), basic: basic(one) })).json.request_uri)
      const at = (uri: string) => `${server.origin}/authorize?${new URLSearchParams({ client_id: one.id, request_uri: uri })}`
      const slow = await signIn(server)
      const [late, uri] = [await par(), await par()]
      const browser = openBrowser()
      const arrived = await browser.open(at(uri))
      await server.setClock(601)
      expect((await call(at(late))).status).toBe(400)
      let page = await proveAddress(server, browser, arrived, slow.address, isBack)
      if (!isBack(page.url)) page = await browser.submit(page, { decision: 'allow' }, isBack)
      expect(new URL(page.url).searchParams.get('code')).toBeTruthy()
      await server.setClock(4300)
      expect((await call(at(uri))).status).toBe(400)
    } finally {
      await server.stop()
    }
  })
})

describe('RFC 9449 10.1: the key of a pushed request', () => {
  const trade = async (uri: string, one: Registered, key: Call['dpop']) => {
    const params = await answered(uri, one.id)
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', client_id: one.id, code_verifier: verifier }
    return call(`${origin}/token`, { form, ...(key === undefined ? {} : { dpop: key }) })
  }

  it('RFC 9449 10.1: by a proof, by name, or by both', async () => {
    const one = await register({ token_endpoint_auth_method: 'none' })
    const [mine, other] = [await newDpopKey(), await newDpopKey()]
    const form = (more: Record<string, string> = {}) => request({ client_id: one.id, scope: 'uma_protection', ...more })
    const send = async (options: Call) => String((await call(`${origin}/par`, options)).json.request_uri)
    for (const options of [
      { form: form(), dpop: mine },
      { form: form({ dpop_jkt: mine.jkt }) },
      { form: form({ dpop_jkt: mine.jkt }), dpop: mine },
    ]) {
      expectRefusal(await trade(await send(options), one, other), 400, 'invalid_grant')
      expect((await trade(await send(options), one, mine)).status).toBe(200)
    }
    expectRefusal(await call(`${origin}/par`, { form: form({ dpop_jkt: other.jkt }), dpop: mine }), 400, 'invalid_dpop_proof')
    expectRefusal(await call(`${origin}/par`, { form: form(), headers: { dpop: 'a.b.c' } }), 400, 'invalid_dpop_proof')
  })
})

describe('RFC 8707 2: resource, where tokens for this server are asked for', () => {
  it('RFC 8707 2: this server, once or more, is granted; anything else is not', async () => {
    const ask = async (resources: string[]) => {
      const search = new URLSearchParams({ ...request(), client_id: client.id })
      for (const one of resources) search.append('resource', one)
      const answer = await call(`${origin}/authorize?${search}`)
      return { status: answer.status, location: new URL(answer.headers.get('location') ?? '', origin) }
    }
    for (const good of [[origin], [`${origin}/`, `${origin}/uma/resource`]]) expect((await ask(good)).location.pathname).toBe('/sign-in')
    for (const bad of [['https://api.example'], [origin, 'https://api.example'], [`${origin}/#x`], ['api']])
      expect((await ask(bad)).location.searchParams.get('error')).toBe('invalid_target')
  })

  it('RFC 8707 2.2: at the token endpoint too, and a code is not lost by asking for too much', async () => {
    const params = await answered(await pushed())
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: CB, code_verifier: verifier }
    const send = (more: Record<string, string>) => call(`${origin}/token`, { form: { ...form, ...more }, basic: basic(client) })
    expectRefusal(await send({ resource: 'https://api.example' }), 400, 'invalid_target')
    const { json } = await send({ resource: `${origin}/uma/resource` })
    const again = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token), resource: 'https://api.example' }
    expectRefusal(await call(`${origin}/token`, { form: again, basic: basic(client) }), 400, 'invalid_target')
    expect((await call(`${origin}/token`, { form: { ...again, resource: origin }, basic: basic(client) })).status).toBe(200)
  })
})
