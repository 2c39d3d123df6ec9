// Introspection (RFC 7662, UMA FedAuthz 5): what an RPT permits at this moment, told to the service that it is for and to nobody else.
import { beforeAll, describe, expect, it } from 'vitest'
import { authorize, connectService, registerApp, signIn } from '../support/actors.ts'
import { call, expectStatus } from '../support/http.ts'
import { type Cast, cast, challenge, expectRefusal } from '../support/odd-requests.ts'
import { pushed } from '../support/proofs.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

const view = (resource: string, ...scopes: string[]) => ({
  resource_id: resource,
  resource_scopes: scopes.length === 0 ? ['view'] : scopes,
})

const by = (pat: string, token: string) => call(`${origin}/introspect`, { form: { token }, bearer: pat })

describe('UMA FedAuthz 5.1.1: the answer', () => {
  it('UMA FedAuthz 5.1.1: permissions with their end, never scope, nothing about the person', async () => {
    const answer = await by(s.service.pat, await s.rpt())
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const exp = Number(answer.json.exp)
    expect(answer.json).toEqual({
      active: true,
      token_type: 'DPoP',
      client_id: s.app.client.id,
      iss: origin,
      iat: expect.any(Number),
      exp: expect.any(Number),
      cnf: { jkt: s.app.key?.jkt },
      permissions: [{ resource_id: s.resource, resource_scopes: ['view'], exp }],
    })
    expect(exp - Number(answer.json.iat)).toBe(3600)
    expect(answer.text).not.toContain(s.known.address)
  })

  it('RFC 9110 4.2.3: a slash at the end or a query changes nothing, neither of the answer nor of its headers', async () => {
    const token = await s.rpt()
    const body = { resource_id: s.resource, resource_scopes: ['view'] }
    const told = async (path: string, options: Parameters<typeof call>[1]) => {
      const { status, headers } = await call(`${origin}${path}`, options)
      return [status, Object.fromEntries([...headers].map(([name, value]) => [name, name === 'x-request-id' ? value.length : value]))]
    }
    for (const [path, options] of [
      ['/introspect', { form: { token }, bearer: s.service.pat }],
      ['/introspect', { form: { token } }],
      ['/uma/permission', { json: body, bearer: s.service.pat }],
      ['/uma/permission', { json: {}, bearer: s.service.pat }],
    ] as const) {
      const plain = await told(path, options)
      expect(plain[1]).toMatchObject({ 'access-control-allow-origin': '*', 'cache-control': 'no-store', 'x-request-id': 12 })
      for (const other of [`${path}/`, `${path}?x=1`]) expect(await told(other, options), other).toEqual(plain)
    }
  })

  it('UMA FedAuthz 5.1.1: a confidential client’s RPT is a Bearer token without cnf', async () => {
    const app = await registerApp(s.server, 'confidential')
    const ticket = await s.ticket()
    const { json } = await app.token(ticket, await pushed(s.credential, ticket))
    const found = await s.service.introspect(String(json.access_token))
    expect(found).toMatchObject({ active: true, token_type: 'Bearer', client_id: app.client.id })
    expect(found).not.toHaveProperty('cnf')
  })

  it('RFC 7662 2.1: hints are only hints; unknown parameters are ignored', async () => {
    const rpt = await s.rpt()
    for (const hint of ['access_token', 'refresh_token', 'requesting_party_token', 'x']) {
      expect(
        (await call(`${origin}/introspect`, { form: { token: rpt, token_type_hint: hint, resource_id: 'x' }, bearer: s.service.pat })).json
          .active,
      ).toBe(true)
    }
  })

  it('RFC 7662 2.2: what is not good is {"active":false} and not a word more', async () => {
    const rpt = await s.rpt()
    const others = [
      'x',
      '',
      ' ',
      `${rpt}x`,
      rpt.slice(0, -1),
      `r${rpt}`,
      `p${rpt.slice(1)}`,
      rpt.toUpperCase(),
      await s.ticket(),
      s.service.pat,
      String(s.service.tokens.refresh_token),
      String(s.wallet.tokens.access_token),
      'x'.repeat(30_000),
      '__proto__',
    ]
    for (const token of others.filter((one) => one !== '')) {
      const answer = await by(s.service.pat, token)
      expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([200, '{"active":false}', 'no-store'])
    }
    expectRefusal(await by(s.service.pat, ''), 400, 'invalid_request')
  })
})

describe('RFC 7662 2.1: who may ask', () => {
  it('UMA FedAuthz 5: a PAT, and no other token', async () => {
    const rpt = await s.rpt()
    const nobody = await call(`${origin}/introspect`, { form: { token: rpt } })
    expectRefusal(nobody, 401, 'invalid_token')
    expect(challenge(nobody)).not.toContain('error')
    for (const bearer of [rpt, String(s.service.tokens.refresh_token), 'x', `${s.service.pat}x`])
      expectRefusal(await by(bearer, rpt), 401, 'invalid_token')
    // Client credentials are no PAT.
    expectRefusal(
      await call(`${origin}/introspect`, {
        form: { token: rpt },
        basic: { id: s.service.client.id, secret: s.service.client.secret ?? '' },
      }),
      401,
      'invalid_token',
    )
  })

  it('TESTS FA-02: a live token of the owner API is 403 insufficient_scope', async () => {
    const answer = await s.wallet.call('/introspect', { form: { token: await s.rpt() } })
    expectRefusal(answer, 403, 'insufficient_scope')
    expect(challenge(answer)).toBe('DPoP error="insufficient_scope", scope="uma_protection"')
  })

  it('TESTS IN-03: another service of the same owner is told nothing', async () => {
    const other = await connectService(s.server, s.alice)
    expect(await other.introspect(await s.rpt())).toEqual({ active: false })
  })

  it('TESTS IN-05: another owner at the same service is told nothing', async () => {
    const own = await signIn(s.server)
    const service = await connectService(s.server, own)
    expect(await service.introspect(await s.rpt())).toEqual({ active: false })
  })
})

describe('DESIGN 7 I3: two owners, one service', () => {
  it('TESTS PO-07: one client, two PATs: things, tickets and RPTs never meet', async () => {
    const carol = await signIn(s.server)
    const { client } = s.service
    const redirectUri = `${s.service.origin}/connected`
    const { params, verifier } = await authorize(s.server, carol, { clientId: client.id, redirectUri, scope: 'openid uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
    const pat = String(
      expectStatus(await call(`${origin}/token`, { form, basic: { id: client.id, secret: client.secret ?? '' } }), 200, 'PAT').json
        .access_token,
    )
    const named = { resource_scopes: ['view'], name: 'Lisbon.pdf' }
    const id = String((await call(`${origin}/uma/resource`, { json: named, bearer: pat })).json._id)
    expect(JSON.parse((await call(`${origin}/uma/resource`, { bearer: pat })).text)).toEqual([id])
    for (const [bearer, foreign] of [
      [pat, s.resource],
      [s.service.pat, id],
    ] as const) {
      expectRefusal(await call(`${origin}/uma/resource/${foreign}`, { bearer }), 404, 'not_found')
      expectRefusal(await call(`${origin}/uma/resource/${foreign}`, { bearer, method: 'PUT', json: named }), 404, 'not_found')
      expectRefusal(await call(`${origin}/uma/resource/${foreign}`, { bearer, method: 'DELETE' }), 404, 'not_found')
      expectRefusal(await call(`${origin}/uma/permission`, { bearer, json: view(foreign) }), 400, 'invalid_resource_id')
    }
    expectRefusal(await call(`${origin}/uma/permission`, { bearer: pat, json: [view(id), view(s.resource)] }), 400, 'invalid_resource_id')
    expect((await by(pat, await s.rpt())).json).toEqual({ active: false })
    // Alice's share with Bob says nothing about Carol's thing of the same name.
    const ticket = String((await call(`${origin}/uma/permission`, { bearer: pat, json: view(id) })).json.ticket)
    expectRefusal(await s.app.token(ticket, await pushed(s.credential, ticket)), 403, 'request_denied')
  })
})
