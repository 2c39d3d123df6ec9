// The token endpoint: which client it is, and refreshing (RFC 6749 5.2, 6).
import { beforeAll, describe, expect, it } from 'vitest'
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
import { type Answer, type Call, call, newDpopKey, random } from '../support/http.ts'
import { challenge, expectRefusal, FORM, oddProof, send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

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
