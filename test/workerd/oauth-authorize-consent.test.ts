// The authorization endpoint and the person: who is asked, what the form may decide (RFC 6749 3.1, 4.1.1).
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
    const { id, secret } = await registerClient(as, {
      client_name: 'Your bank',
      client_uri: 'https://bank.example',
      redirect_uris: ['https://service.example/cb', 'https://evil.example/cb'],
    })
    const page = await open({ client_id: id, redirect_uri: 'https://evil.example/cb' })
    expect(page.text).toContain('evil.example')
    expect(page.text).not.toContain('bank.example')
    // Nor does the list of what is connected.
    const own = await signIn(as)
    const redirectUri = 'https://evil.example/cb'
    const { params, verifier } = await authorize(as, own, { clientId: id, redirectUri, scope: 'uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
    expectStatus(await call(`${as.origin}/token`, { form, basic: { id, secret: secret ?? '' } }), 200, 'PAT')
    const { text } = await own.browser.open(`${as.origin}/`)
    expect([text.includes('Your bank'), text.includes('service.example'), text.includes('bank.example')]).toEqual([true, true, false])
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
    // Nobody is signed in: once is enough.
    expect((await ask({ prompt: 'login', max_age: '0' })).headers.get('location')).not.toMatch(/prompt|max_age/)
    expect((await open({ max_age: '3600' }, own)).status).toBe(200)
  })

  it('OpenID Connect Prompt Create 4.1: each prompt that is declared does what it says; another is refused', async () => {
    const { json } = await call(`${as.origin}/.well-known/openid-configuration`)
    expect(json.prompt_values_supported).toEqual(['none', 'login', 'consent', 'select_account'])
    const own = await signIn(as)
    const service = await registerClient(as, { redirect_uris: [CB] })
    const connect = await authorize(as, own, { clientId: service.id, redirectUri: CB, scope: 'uma_protection' })
    const form = { grant_type: 'authorization_code', code: connect.params.get('code') ?? '', redirect_uri: CB }
    const basic = { id: service.id, secret: service.secret ?? '' }
    expectStatus(await call(`${as.origin}/token`, { form: { ...form, code_verifier: connect.verifier }, basic }), 200, 'PAT')
    const outcome = async (prompt: string | undefined): Promise<string> => {
      const { url } = await open({ client_id: service.id, scope: 'uma_protection', prompt }, own)
      return isBack(url)
        ? Object.keys(paramsOf(url)).sort().join(' ')
        : `${new URL(url).pathname}${new URL(url).searchParams.get('again') ?? ''}`
    }
    expect(await Promise.all([undefined, 'none', 'consent', 'login', 'select_account'].map(outcome))).toEqual([
      'code iss state',
      'code iss state',
      '/authorize',
      '/sign-in1',
      '/sign-in1',
    ])
    expect(await outcome('create')).toBe('error error_description iss state')
    // What signing in answers is gone afterwards, what it does not is still asked.
    const next = new URL(
      (await open({ client_id: service.id, scope: 'uma_protection', prompt: 'login consent' }, own)).url,
    ).searchParams.get('next')
    expect(new URL(next ?? '', as.origin).searchParams.get('prompt')).toBe('consent')
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
