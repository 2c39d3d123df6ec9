// The token endpoint with codes and refresh tokens (RFC 6749 4.1.3, 5, 6; RFC 7636; RFC 9449 5): who may redeem what, once, and for how long.
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  authorize,
  connectService,
  connectWallet,
  type Registered,
  registerClient,
  type Service,
  signIn,
} from '../support/actors.ts'
import { type Answer, type Call, call, expectStatus, type Json, newDpopKey, random, sha256 } from '../support/http.ts'
import { challenge, expectRefusal, FORM, oddProof, send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'

const CB = 'https://service.example/cb'
let as: Running
let alice: Alice
let client: Registered
beforeAll(async () => {
  as = await sharedAs()
  alice = await signIn(as)
  client = await registerClient(as, { client_name: 'A shelf', redirect_uris: [CB, `${CB}2`] })
})

const token = (form: Record<string, string>, options: Call = {}, server = as): Promise<Answer> =>
  call(`${server.origin}/token`, { form, ...options })
const basic = (of: Registered) => ({ basic: { id: of.id, secret: of.secret ?? '' } })

type Code = { code: string; verifier: string; form: Record<string, string> }
const newCode = async (
  of = client,
  scope = 'openid uma_protection',
  more: Record<string, string> = {},
  by = alice,
  server = as,
): Promise<Code> => {
  const { params, verifier } = await authorize(server, by, { clientId: of.id, redirectUri: CB, scope, more })
  const code = params.get('code') ?? ''
  return { code, verifier, form: { grant_type: 'authorization_code', code, redirect_uri: CB, code_verifier: verifier } }
}
/** True if the token opens the protection API. */
const isGood = async (pat: unknown, server = as): Promise<boolean> =>
  (await call(`${server.origin}/uma/resource`, { bearer: String(pat) })).status === 200

describe('RFC 6749 5.1: a code', () => {
  it('RFC 6749 5.1: becomes tokens, in JSON that nobody stores', async () => {
    const answer = await token((await newCode()).form, basic(client))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^p[\w-]+\.[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^f[\w-]+\.[\w-]{43}$/),
      scope: 'openid uma_protection',
      id_token: expect.any(String),
    })
    expect(await isGood(answer.json.access_token)).toBe(true)
  })

  it('OpenID Connect Core 2: the ID token is for this client, with its nonce, signed with a published key; no openid, no ID token', async () => {
    const { json } = await token((await newCode(client, 'openid uma_protection', { nonce: 'n-0' })).form, basic(client))
    const keys = createLocalJWKSet((await call(`${as.origin}/jwks`)).json as unknown as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(String(json.id_token), keys, { issuer: as.origin, audience: client.id })
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload).toMatchObject({ nonce: 'n-0', sub: expect.stringMatching(/^[\w-]{43}$/), auth_time: expect.any(Number) })
    expect(JSON.stringify(payload)).not.toContain(alice.address)
    expect((await token((await newCode(client, 'uma_protection')).form, basic(client))).json).not.toHaveProperty('id_token')
  })

  it('OpenID Connect Core 8.1: two services cannot tell that it is the same owner, one can', async () => {
    const subject = async (of: Registered, by: Alice) => {
      const { json } = await token((await newCode(of, 'openid uma_protection', {}, by)).form, basic(of))
      return JSON.parse(atob(String(json.id_token).split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? '')).sub as string
    }
    const service = await connectService(as, alice)
    const elsewhere = JSON.parse(atob(String(service.tokens.id_token).split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''))
      .sub as string
    const first = await subject(client, alice)
    expect(await subject(client, alice)).toBe(first)
    expect(elsewhere).not.toBe(first)
    expect(await subject(client, await signIn(as))).not.toBe(first)
  })

  it('RFC 6749 4.1.2: a second use gets nothing and ends what the first one got', async () => {
    const { form } = await newCode()
    const first = expectStatus(await token(form, basic(client)), 200, 'first use').json
    const refreshed = expectStatus(
      await token({ grant_type: 'refresh_token', refresh_token: String(first.refresh_token) }, basic(client)),
      200,
      'refresh',
    ).json
    expectRefusal(await token(form, basic(client)), 400, 'invalid_grant')
    expect(await isGood(first.access_token)).toBe(false)
    expect(await isGood(refreshed.access_token)).toBe(false)
    expectRefusal(
      await token({ grant_type: 'refresh_token', refresh_token: String(first.refresh_token) }, basic(client)),
      400,
      'invalid_grant',
    )
  })

  it('TESTS AZ-09: a second use without what belongs to the code ends nothing', async () => {
    const { form } = await newCode()
    const other = await registerClient(as, { redirect_uris: [CB] })
    const { json } = expectStatus(await token(form, basic(client)), 200, 'first use')
    expectRefusal(await token(form, basic(other)), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, code_verifier: random() }, basic(client)), 400, 'invalid_grant')
    expectRefusal(await token(form, { basic: { id: client.id, secret: 'x' } }), 401, 'invalid_client')
    const code = form.code ?? ''
    for (const forged of [
      `${code.slice(0, 80)}${code[80] === 'A' ? 'B' : 'A'}${code.slice(81)}`,
      code.slice(0, -8),
      `${code.slice(0, 40)}${random(60)}`,
    ]) {
      expectRefusal(await token({ ...form, code: forged }, basic(client)), 400, 'invalid_grant')
    }
    expect(await isGood(json.access_token)).toBe(true)
  })

  it('TESTS AZ-08: what fails leaves the code as it was', async () => {
    const { form } = await newCode()
    const other = await registerClient(as, { redirect_uris: [CB] })
    expectRefusal(await token(form, basic(other)), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, redirect_uri: `${CB}2` }, basic(client)), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, code_verifier: '' }, basic(client)), 400, 'invalid_grant')
    expect((await token(form, basic(client))).status).toBe(200)
  })

  it('RFC 7636 4.6: the verifier must be there, fit, and be the verifier, not the challenge', async () => {
    const { form, verifier } = await newCode()
    for (const code_verifier of [
      '',
      random(),
      sha256(verifier),
      verifier.slice(0, -1),
      `${verifier}x`,
      verifier.toUpperCase(),
      'x'.repeat(129),
      `${verifier}\u0000`,
      ` ${verifier}`,
    ]) {
      expectRefusal(await token({ ...form, code_verifier }, basic(client)), 400, 'invalid_grant')
    }
    const { code_verifier: _, ...without } = form
    expectRefusal(await token(without, basic(client)), 400, 'invalid_grant')
    expect((await token(form, basic(client))).status).toBe(200)
  })

  it('RFC 6749 4.1.3: redirect_uri must be that of the request; OAuth 2.1 may leave it out', async () => {
    const { form } = await newCode()
    for (const redirect_uri of [`${CB}2`, `${CB}/`, 'https://evil.example', CB.toUpperCase()])
      expectRefusal(await token({ ...form, redirect_uri }, basic(client)), 400, 'invalid_grant')
    const { redirect_uri: _, ...without } = form
    expect((await token(without, basic(client))).status).toBe(200)
  })

  it('RFC 6749 5.2: what is no code is invalid_grant, and no code at all invalid_request', async () => {
    const { form } = await newCode()
    const ticketLike = random(200)
    for (const code of ['x', ticketLike, 'A'.repeat(16_000), '__proto__', '../../x', '"'])
      expectRefusal(await token({ ...form, code }, basic(client)), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, code: '' }, basic(client)), 400, 'invalid_request')
  })

  it('RFC 9700 2.2.2: a public client gets nothing without a key, and the key of the request is the one', async () => {
    const app = await registerClient(as, { redirect_uris: [CB], token_endpoint_auth_method: 'none' })
    const [key, other] = [await newDpopKey(), await newDpopKey()]
    const { form } = await newCode(app, 'uma_owner', { dpop_jkt: key.jkt })
    const sent = { ...form, client_id: app.id }
    expectRefusal(await token(sent), 400, 'invalid_grant')
    expectRefusal(await token(sent, { dpop: other }), 400, 'invalid_grant')
    expect((await token(sent, { dpop: key })).json).toMatchObject({ token_type: 'DPoP', scope: 'uma_owner' })
    const free = await newCode(app, 'uma_owner')
    expectRefusal(await token({ ...free.form, client_id: app.id }), 400, 'invalid_dpop_proof')
    expect((await token({ ...free.form, client_id: app.id }, { dpop: other })).json.token_type).toBe('DPoP')
  })

  it('RFC 9449 5.2: a client that registered for DPoP gets nothing without', async () => {
    const strict = await registerClient(as, { redirect_uris: [CB], dpop_bound_access_tokens: true })
    const { form } = await newCode(strict)
    expectRefusal(await token(form, basic(strict)), 400, 'invalid_dpop_proof')
    expect((await token(form, { ...basic(strict), dpop: await newDpopKey() })).json.token_type).toBe('DPoP')
  })

  it('RFC 7591 2: no refresh token for a client that did not register for refreshing', async () => {
    const short = await registerClient(as, { redirect_uris: [CB], grant_types: ['authorization_code'] })
    const { json } = expectStatus(await token((await newCode(short)).form, basic(short)), 200, 'code')
    expect(json).not.toHaveProperty('refresh_token')
    expectRefusal(await token({ grant_type: 'refresh_token', refresh_token: 'x' }, basic(short)), 400, 'unauthorized_client')
  })

  it('UMA FedAuthz 1.3: connecting again keeps the connection, its things, and the tokens of before', async () => {
    const own = await signIn(as)
    const service = await connectService(as, own)
    const id = await service.register({ resource_scopes: ['view'] })
    const { params, verifier } = await authorize(as, own, {
      clientId: service.client.id,
      redirectUri: `${service.origin}/connected`,
      scope: 'openid uma_protection',
    })
    const again = await token(
      { grant_type: 'authorization_code', code: params.get('code') ?? '', code_verifier: verifier },
      basic(service.client),
    )
    expect(JSON.parse((await call(`${as.origin}/uma/resource`, { bearer: String(again.json.access_token) })).text)).toEqual([id])
    expect(JSON.parse((await service.call('/uma/resource')).text)).toEqual([id])
    const wallet = await connectWallet(as, own)
    expect(((await wallet.call('/owner/connections')).json.items as Json[]).filter(({ kind }) => kind === 'service')).toHaveLength(1)
  })
})

describe('RFC 6749 5.2: the client', () => {
  const form = { grant_type: 'refresh_token', refresh_token: 'x' }
  const raw = (authorization: string | string[], body = 'grant_type=refresh_token&refresh_token=x') =>
    send(as.origin, '/token', { method: 'POST', headers: { authorization, 'content-type': FORM }, body })
  const b64 = (text: string) => Buffer.from(text).toString('base64')

  it('RFC 6749 2.3.1: Basic, or the secret in the body (Choice: whichever was registered)', async () => {
    expectRefusal(await token(form, basic(client)), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, client_id: client.id, client_secret: client.secret ?? '' }), 400, 'invalid_grant')
    expectRefusal(await token({ ...form, client_id: client.id }, basic(client)), 400, 'invalid_grant')
    for (const scheme of ['basic', 'BASIC'])
      expectRefusal(await raw(`${scheme} ${b64(`${client.id}:${client.secret}`)}`), 400, 'invalid_grant')
    expectRefusal(
      await raw(`Basic ${b64(`${client.id.replace(/./, (c) => `%${c.charCodeAt(0).toString(16)}`)}:${client.secret}`)}`),
      400,
      'invalid_grant',
    )
  })

  it('RFC 6749 5.2: wrong or missing credentials are invalid_client, with a challenge if a header was tried', async () => {
    const secret = client.secret ?? ''
    for (const wrong of [
      `${client.id}:x`,
      `${client.id}:`,
      `${client.id}:${secret}x`,
      `${client.id}:${secret.slice(0, -1)}`,
      `:${secret}`,
      `x:${secret}`,
      client.id,
      `${client.id}%00:${secret}`,
      `${client.id}:%zz`,
      `\u00ff:${secret}`,
    ]) {
      const answer = await raw(`Basic ${b64(wrong)}`)
      expectRefusal(answer, 401, 'invalid_client')
      expect(challenge(answer)).toMatch(/^Basic realm=/)
    }
    for (const header of [
      'Basic',
      'Basic ',
      'Basic !!!',
      `Basic ${b64('x')}`,
      'Bearer x',
      `Token ${secret}`,
      `Basicx ${b64(`${client.id}:${secret}`)}`,
      `Basic ${'A'.repeat(20_000)}`,
    ]) {
      const answer = await raw(header)
      expect([header.slice(0, 20), answer.status]).toEqual([header.slice(0, 20), 401])
      expectRefusal(answer, 401, 'invalid_client')
    }
    expectRefusal(await token(form), 401, 'invalid_client')
    expectRefusal(await token({ ...form, client_id: client.id }), 401, 'invalid_client')
    expectRefusal(await token({ ...form, client_id: client.id, client_secret: 'x' }), 401, 'invalid_client')
    expectRefusal(await token({ ...form, client_secret: secret }), 401, 'invalid_client')
    expectRefusal(await token({ ...form, client_id: 'nobody' }), 401, 'invalid_client')
  })

  it('RFC 6749 2.3: one way only', async () => {
    expectRefusal(await token({ ...form, client_id: client.id, client_secret: client.secret ?? '' }, basic(client)), 400, 'invalid_request')
    expectRefusal(await token({ ...form, client_id: 'another' }, basic(client)), 400, 'invalid_request')
    expectRefusal(
      await raw([`Basic ${b64(`${client.id}:${client.secret}`)}`, `Basic ${b64(`${client.id}:${client.secret}`)}`]),
      401,
      'invalid_client',
    )
  })

  it('TESTS CA-05: a public client has no secret to send', async () => {
    const app = await registerClient(as, { redirect_uris: [CB], token_endpoint_auth_method: 'none' })
    const dpop = await newDpopKey()
    expectRefusal(await token({ ...form, client_id: app.id, client_secret: 'x' }, { dpop }), 401, 'invalid_client')
    expectRefusal(await token(form, { basic: { id: app.id, secret: '' }, dpop }), 401, 'invalid_client')
    expectRefusal(await token({ ...form, client_id: app.id }, { dpop }), 400, 'invalid_grant')
  })

  it('RFC 6749 5.2: unsupported_grant_type, unauthorized_client, invalid_request', async () => {
    for (const grant_type of [
      'password',
      'implicit',
      'authorization_code ',
      'AUTHORIZATION_CODE',
      '__proto__',
      'constructor',
      'toString',
      'x'.repeat(10_000),
    ]) {
      expectRefusal(await token({ grant_type }, basic(client)), 400, 'unsupported_grant_type')
    }
    expectRefusal(
      await token({ grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', ticket: 'x' }, basic(client)),
      400,
      'unauthorized_client',
    )
    expectRefusal(await token({}, basic(client)), 400, 'invalid_request')
    expectRefusal(await token({ grant_type: '' }, basic(client)), 400, 'invalid_request')
    expectRefusal(await token({ grant_type: 'authorization_code' }, basic(client)), 400, 'invalid_request')
    expectRefusal(await token({ grant_type: 'refresh_token' }, basic(client)), 400, 'invalid_request')
  })

  it('RFC 6749 3.2: credentials in the query count for nothing', async () => {
    const { form: sound } = await newCode()
    const answer = await send(
      as.origin,
      `/token?${new URLSearchParams({ ...sound, client_id: client.id, client_secret: client.secret ?? '' })}`,
      { method: 'POST', headers: { 'content-type': FORM }, body: '' },
    )
    expectRefusal(answer, 400, 'invalid_request')
  })
})

describe('RFC 6749 6: refreshing', () => {
  let service: Service
  let refresh: string
  beforeAll(async () => {
    service = await connectService(as, await signIn(as))
    refresh = String(service.tokens.refresh_token)
  })
  const renew = (more: Record<string, string> = {}, options: Call = basic(service.client)) =>
    token({ grant_type: 'refresh_token', refresh_token: refresh, ...more }, options)

  it('RFC 6749 6: a new token for the same things; the old one and the refresh token live on', async () => {
    const id = await service.register({ resource_scopes: ['view'], name: 'Kept' })
    const { status, json, headers } = await renew()
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(json).toEqual({
      access_token: expect.stringMatching(/^p/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'openid uma_protection',
    })
    expect((await call(`${as.origin}/uma/resource/${id}`, { bearer: String(json.access_token) })).json.name).toBe('Kept')
    expect(await isGood(service.pat)).toBe(true)
    expect((await renew()).status).toBe(200)
  })

  it('RFC 6749 6: less is possible, and then it is less; more is invalid_scope', async () => {
    const less = await renew({ scope: 'openid' })
    expect(less.json.scope).toBe('openid')
    const at = await call(`${as.origin}/uma/resource`, { bearer: String(less.json.access_token) })
    expectRefusal(at, 403, 'insufficient_scope')
    expect(challenge(at)).toBe('Bearer error="insufficient_scope", scope="uma_protection"')
    const protection = await renew({ scope: 'uma_protection' })
    expect([protection.json.scope, await isGood(protection.json.access_token)]).toEqual(['uma_protection', true])
    for (const scope of ['uma_owner', 'openid uma_protection uma_owner', 'view', 'UMA_PROTECTION', 'x'.repeat(50_000), '"'])
      expectRefusal(await renew({ scope }), 400, 'invalid_scope')
    // What was cut off once can be had again: the refresh token is what it was.
    expect((await renew({ scope: 'uma_protection  openid' })).json.scope).toBe('uma_protection openid')
  })

  it('RFC 6749 6: another client, an access token, another token: invalid_grant', async () => {
    expectRefusal(await renew({}, basic(client)), 400, 'invalid_grant')
    for (const refresh_token of [
      service.pat,
      'x',
      `${refresh}x`,
      refresh.slice(0, -1),
      `p${refresh.slice(1)}`,
      `r${refresh.slice(1)}`,
      `${refresh.split('.')[0]}.${random()}`,
    ]) {
      expectRefusal(await renew({ refresh_token }), 400, 'invalid_grant')
    }
  })

  it('RFC 9449 5: a public client’s refresh token is good with its key alone', async () => {
    const wallet = await connectWallet(as, await signIn(as))
    const form = { grant_type: 'refresh_token', refresh_token: String(wallet.tokens.refresh_token), client_id: wallet.client.id }
    expectRefusal(await token(form, { dpop: await newDpopKey() }), 400, 'invalid_grant')
    expectRefusal(await token(form), 400, 'invalid_dpop_proof')
    const { status, json } = await token(form, { dpop: wallet.key })
    expect([status, json.token_type, json.scope]).toEqual([200, 'DPoP', 'uma_owner'])
    expect((await call(`${as.origin}/owner/me`, { bearer: String(json.access_token), dpop: wallet.key })).status).toBe(200)
  })

  it('RFC 9449 11.1: a proof refreshes once', async () => {
    const wallet = await connectWallet(as, await signIn(as))
    const form = { grant_type: 'refresh_token', refresh_token: String(wallet.tokens.refresh_token), client_id: wallet.client.id }
    const dpop = await oddProof(wallet.key, { htm: 'POST', htu: `${as.origin}/token` })
    expect((await token(form, { headers: { dpop } })).status).toBe(200)
    expectRefusal(await token(form, { headers: { dpop } }), 400, 'invalid_dpop_proof')
    expect((await token(form, { dpop: wallet.key })).status).toBe(200)
  })

  it('RFC 9449 5: a confidential client may bind each token to the key of the day', async () => {
    const key = await newDpopKey()
    const { json } = await renew({}, { ...basic(service.client), dpop: key })
    expect(json.token_type).toBe('DPoP')
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(json.access_token), dpop: key })).status).toBe(200)
    expect(await isGood(json.access_token)).toBe(false)
    expect((await renew({}, { ...basic(service.client), dpop: await newDpopKey() })).status).toBe(200)
  })
})

describe('RFC 6749 4.1.2: time', () => {
  let own: Running
  let by: Alice
  let of: Registered
  beforeAll(async () => {
    own = await ownAs()
    by = await signIn(own)
    of = await registerClient(own, { redirect_uris: [CB] })
  })
  afterAll(() => own.stop())
  const code = () => newCode(of, 'openid uma_protection', {}, by, own)

  it('TESTS AZ-15: a code lives for a minute', async () => {
    const [early, late] = [await code(), await code()]
    await own.setClock(57)
    expect((await token(early.form, basic(of), own)).status).toBe(200)
    await own.setClock(61)
    expectRefusal(await token(late.form, basic(of), own), 400, 'invalid_grant')
    await own.setClock(0)
    expect((await token((await code()).form, basic(of), own)).status).toBe(200)
  })

  it('RFC 6749 4.1.2: a code that is used again after it ran out ends its tokens all the same', async () => {
    const { form } = await code()
    const { json } = expectStatus(await token(form, basic(of), own), 200, 'first use')
    await own.setClock(300)
    expectRefusal(await token(form, basic(of), own), 400, 'invalid_grant')
    expect(await isGood(json.access_token, own)).toBe(false)
    await own.setClock(0)
  })

  it('RFC 6749 5.1: an access token lives as long as was said, a refresh token half a year', async () => {
    const { json } = expectStatus(await token((await code()).form, basic(of), own), 200, 'code')
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token) }
    await own.setClock(3590)
    expect(await isGood(json.access_token, own)).toBe(true)
    await own.setClock(3601)
    const at = await call(`${own.origin}/uma/resource`, { bearer: String(json.access_token) })
    expectRefusal(at, 401, 'invalid_token')
    expect(challenge(at)).toBe('Bearer error="invalid_token"')
    await own.setClock(179 * 86_400)
    const again = expectStatus(await token(refresh, basic(of), own), 200, 'refresh').json
    expect(await isGood(again.access_token, own)).toBe(true)
    await own.setClock(181 * 86_400)
    expectRefusal(await token(refresh, basic(of), own), 400, 'invalid_grant')
    await own.setClock(0)
  })
})

describe('DESIGN 7: tokens', () => {
  it('RFC 6749 10.10: no two are alike, and nothing in them tells two of one owner', async () => {
    const service = await connectService(as, await signIn(as))
    const form = { grant_type: 'refresh_token', refresh_token: String(service.tokens.refresh_token) }
    const made = await Promise.all(
      Array.from({ length: 24 }, async () => String((await token(form, basic(service.client))).json.access_token)),
    )
    expect(new Set(made).size).toBe(24)
    expect(new Set(made.map((one) => one.split('.')[1])).size).toBe(24)
    // The slot of the sealing key and the kind come first; after that, no two share eight characters.
    expect(new Set(made.map((one) => one.slice(3, 11))).size).toBe(24)
  })
})
