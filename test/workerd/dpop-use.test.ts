// DPoP where it is used (RFC 9449 5, 11.1): replay, the protection API with a bound PAT, the token endpoint.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  authorize,
  connectService,
  connectWallet,
  type Registered,
  registerClient,
  share,
  signIn,
  someone,
  type WalletApi,
} from '../support/actors.ts'
import { type Answer, call, type DpopKey, dpopProof, expectStatus, newDpopKey } from '../support/http.ts'
import { type Cast, cast, expectRefusal, oddProof, send } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
let wallet: WalletApi
let token: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  wallet = s.wallet
  token = String(wallet.tokens.access_token)
})

const me = (proof: string | string[] | undefined, scheme = 'DPoP'): Promise<Answer> =>
  send(origin, '/owner/me', { headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) } })

const sound = () => ({ htm: 'GET', htu: `${origin}/owner/me`, token })
const now = () => Math.floor(Date.now() / 1000)

describe('RFC 9449 11.1: replay', () => {
  it('RFC 9449 11.1: a proof counts once, also among many at a time', async () => {
    const proof = await oddProof(wallet.key, sound())
    const answers = await Promise.all(Array.from({ length: 12 }, () => me(proof)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) expectRefusal(answer, 401, 'invalid_token')
  })

  it('RFC 9449 11.1: one jti may be used by two keys', async () => {
    const other = await connectWallet(s.server, s.alice)
    const jti = crypto.randomUUID()
    const second = String(other.tokens.access_token)
    expect((await me(await oddProof(wallet.key, { ...sound(), jti }))).status).toBe(200)
    const headers = { authorization: `DPoP ${second}`, dpop: await oddProof(other.key, { ...sound(), token: second, jti }) }
    expect((await send(origin, '/owner/me', { headers })).status).toBe(200)
  })

  it('RFC 9449 11.1: what a proof has changed it does not change again, also after the server was killed', async () => {
    const as: Running = await ownAs()
    try {
      const alice = await signIn(as)
      const own = await connectWallet(as, alice)
      const service = await connectService(as, alice)
      const resource = await service.register({ resource_scopes: ['view'] })
      const access = String(own.tokens.access_token)
      const dpop = await oddProof(own.key, { htm: 'POST', htu: `${as.origin}/owner/policies`, token: access })
      const headers = { authorization: `DPoP ${access}`, dpop }
      const json = () => ({ resource_id: resource, person: { email: someone('x') }, resource_scopes: ['view'] })
      expect((await call(`${as.origin}/owner/policies`, { json: json(), headers })).status).toBe(201)
      expectRefusal(await call(`${as.origin}/owner/policies`, { json: json(), headers }), 401, 'invalid_token')
      await as.kill()
      expectRefusal(await call(`${as.origin}/owner/policies`, { json: json(), headers }), 401, 'invalid_token')
      await share(own, resource, someone('y'))
    } finally {
      await as.stop()
    }
  })
})

describe('RFC 9449 5: the protection API with a bound PAT', () => {
  let client: Registered
  let key: DpopKey
  let pat: string
  let id: string
  beforeAll(async () => {
    key = await newDpopKey()
    const redirectUri = 'https://bound.example/cb'
    client = await registerClient(s.server, { redirect_uris: [redirectUri], client_name: 'Bound' })
    const { params, verifier } = await authorize(s.server, s.alice, { clientId: client.id, redirectUri, scope: 'uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', code_verifier: verifier }
    const answer = await call(`${origin}/token`, { form, basic: { id: client.id, secret: client.secret ?? '' }, dpop: key })
    expect(answer.json.token_type).toBe('DPoP')
    pat = String(answer.json.access_token)
    id = String(
      expectStatus(
        await call(`${origin}/uma/resource`, { json: { resource_scopes: ['view'], name: 'Bound' }, bearer: pat, dpop: key }),
        201,
        'registration',
      ).json._id,
    )
  })

  const calls: [string, string, unknown?][] = [
    ['GET', '/uma/resource'],
    ['GET', '/uma/resource/ID'],
    ['PUT', '/uma/resource/ID', { resource_scopes: ['view'], name: 'Bound' }],
    ['POST', '/uma/resource', { resource_scopes: ['view'] }],
    ['POST', '/uma/permission', { resource_id: 'ID', resource_scopes: ['view'] }],
    ['DELETE', '/uma/resource/OTHER'],
  ]
  it.each(calls)('RFC 9449 7.2: %s %s with its proof, once; not without, not with another key', async (method, template, body) => {
    const other = String((await call(`${origin}/uma/resource`, { json: { resource_scopes: ['view'] }, bearer: pat, dpop: key })).json._id)
    const path = template.replace('ID', id).replace('OTHER', other)
    const json = body === undefined ? {} : { json: JSON.parse(JSON.stringify(body).replace('ID', id)) as unknown }
    expectRefusal(await call(`${origin}${path}`, { method, ...json, bearer: pat }), 401, 'invalid_token')
    expectRefusal(await call(`${origin}${path}`, { method, ...json, bearer: pat, dpop: await newDpopKey() }), 401, 'invalid_token')
    const headers = { authorization: `DPoP ${pat}`, dpop: await dpopProof(key, method, `${origin}${path}`, pat) }
    expect((await call(`${origin}${path}`, { method, ...json, headers })).status).toBeLessThan(300)
    expectRefusal(await call(`${origin}${path}`, { method, ...json, headers }), 401, 'invalid_token')
  })

  it('RFC 9449 7.2: introspection, too; the RPT is looked at all the same', async () => {
    expectRefusal(await call(`${origin}/introspect`, { form: { token: 'x' }, bearer: pat }), 401, 'invalid_token')
    expect((await call(`${origin}/introspect`, { form: { token: 'x' }, bearer: pat, dpop: key })).json).toEqual({ active: false })
  })
})

describe('RFC 9449 5: the token endpoint', () => {
  it('RFC 9449 5: a bad proof is 400 invalid_dpop_proof, whatever the grant, and spends nothing', async () => {
    const { form, ticket } = {
      form: { grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', client_id: s.app.client.id },
      ticket: await s.ticket(),
    }
    const key = s.app.key as DpopKey
    const at = { htm: 'POST', htu: `${origin}/token` }
    for (const dpop of [
      '',
      'x',
      await oddProof(key, { ...at, htm: 'GET' }),
      await oddProof(key, { ...at, htu: `${origin}/introspect` }),
      await oddProof(key, { ...at, iat: now() - 120 }),
      await oddProof(key, at, { typ: 'JWT' }),
    ]) {
      expectRefusal(await call(`${origin}/token`, { form: { ...form, ticket }, headers: { dpop } }), 400, 'invalid_dpop_proof')
      expectRefusal(
        await call(`${origin}/token`, {
          form: { grant_type: 'refresh_token', refresh_token: 'x', client_id: wallet.client.id },
          headers: { dpop },
        }),
        400,
        'invalid_dpop_proof',
      )
    }
    expectRefusal(await call(`${origin}/token`, { form: { ...form, ticket } }), 400, 'invalid_dpop_proof')
    expectRefusal(await s.app.token(ticket), 403, 'need_info')
  })

  it('RFC 9449 6.2: introspection names the key of a bound RPT', async () => {
    const found = await s.service.introspect(await s.rpt())
    expect(found).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: s.app.key?.jkt } })
  })
})
