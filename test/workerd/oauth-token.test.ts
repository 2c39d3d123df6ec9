// The token endpoint with codes and refresh tokens (RFC 6749 4.1.3, 5, 6; RFC 7636; RFC 9449 5): who may redeem what, once, and for how long.
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Alice, authorize, connectService, connectWallet, type Registered, registerClient, signIn } from '../support/actors.ts'
import { type Answer, type Call, call, expectStatus, type Json, newDpopKey, random, sha256 } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
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
