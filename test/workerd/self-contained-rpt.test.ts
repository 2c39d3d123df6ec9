// RPTs that a resource server reads by itself (RFC 9068), for those that registered for them: a minute at most, and never more than stands.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { call, expectStatus } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let server: Running
let s: Cast
beforeAll(async () => {
  server = await ownAs()
  s = await cast(await stage(server))
  const { registration_client_uri, registration_access_token, client_id_issued_at, client_secret_expires_at, ...rest } =
    s.service.client.metadata
  const json = { ...rest, rpt_format: 'at+jwt' }
  const changed = await call(String(registration_client_uri), { method: 'PUT', bearer: String(registration_access_token), json })
  expect([changed.status, changed.json.rpt_format]).toEqual([200, 'at+jwt'])
})
afterAll(() => server.stop())

const VIEW = () => ({ resource_id: s.resource, resource_scopes: ['view'] })
const keys = async () => {
  const { json } = await call(`${server.origin}/jwks`)
  return createLocalJWKSet(json as unknown as Parameters<typeof createLocalJWKSet>[0])
}

describe('RFC 9068: RPTs as at+jwt', () => {
  it('RFC 8414 2: the formats are said, and others are refused', async () => {
    const { json } = await call(`${server.origin}/.well-known/uma2-configuration`)
    expect(json.rpt_formats_supported).toEqual(['reference', 'at+jwt'])
    const asked = { redirect_uris: ['https://rs.example/cb'], rpt_format: 'jwt' }
    expectRefusal(await call(`${server.origin}/register`, { json: asked }), 400, 'invalid_client_metadata')
  })

  it('RFC 9068 2: issuer, audience, client, key, permissions, a minute; nobody’s name', async () => {
    const { json } = expectStatus(await s.redeem(VIEW()), 200, 'RPT')
    expect(json).toMatchObject({ token_type: 'DPoP', expires_in: 60, resource_server: s.service.origin })
    const { payload, protectedHeader } = await jwtVerify(String(json.access_token), await keys(), {
      typ: 'at+jwt',
      issuer: server.origin,
      audience: s.service.origin,
      algorithms: ['ES256'],
    })
    expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'kid', 'typ'])
    expect(payload).toMatchObject({ client_id: s.app.client.id, sub: s.app.client.id, cnf: { jkt: s.app.key?.jkt } })
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60)
    expect(payload.permissions).toEqual([{ ...VIEW(), exp: payload.exp }])
    const names = ['aud', 'client_id', 'cnf', 'exp', 'iat', 'iss', 'jti', 'permissions', 'ref', 'sub']
    expect(Object.keys(payload).toSorted()).toEqual(names)
  })

  it('UMA FedAuthz 5: it can be introspected like any other, and a withdrawal shows at once', async () => {
    const guest = await s.guest(false)
    const shared = await share(s.wallet, s.resource, guest.address)
    const credential = await obtainCredential(server, guest, s.app, await s.ticket())
    const ticket = await s.ticket()
    const rpt = String(expectStatus(await s.app.token(ticket, await pushed(credential, ticket)), 200, 'RPT').json.access_token)
    expect(await s.service.introspect(rpt)).toMatchObject({ active: true, client_id: s.app.client.id })
    await stopSharing(s.wallet, shared)
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
  })

  it('RFC 9068 4: after its minute it is nothing, here too', async () => {
    const rpt = await s.rpt(VIEW())
    expect((await s.service.introspect(rpt)).active).toBe(true)
    await server.setClock(61)
    try {
      expect(await s.service.introspect(rpt)).toEqual({ active: false })
    } finally {
      await server.setClock(0)
    }
  })

  it('RFC 7009 2.1: its client ends it, another cannot', async () => {
    const rpt = await s.rpt(VIEW())
    const other = await registerApp(server, 'confidential')
    const basic = { id: other.client.id, secret: other.client.secret ?? '' }
    expect((await call(`${server.origin}/revoke`, { form: { token: rpt }, basic })).status).toBe(200)
    expect((await s.service.introspect(rpt)).active).toBe(true)
    expect((await call(`${server.origin}/revoke`, { form: { token: rpt, client_id: s.app.client.id } })).status).toBe(200)
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
  })

  it('UMA Grant 3.3.5.1, 3.6: upgraded and refreshed ones are of the same kind', async () => {
    const app = await registerApp(server, 'public', { grant_types: [UMA_TICKET, 'refresh_token'] })
    const guest = await s.guest()
    const credential = await obtainCredential(server, guest, app, await s.ticket())
    const redeem = async (more: Record<string, string> = {}) => {
      const ticket = await s.ticket()
      return expectStatus(await app.token(ticket, { ...(await pushed(credential, ticket)), ...more }), 200, 'RPT').json
    }
    const first = await redeem()
    const second = await redeem({ rpt: String(first.access_token) })
    expect(second).toMatchObject({ upgraded: true, expires_in: 60 })
    expect(await s.service.introspect(String(first.access_token))).toEqual({ active: false })
    expect((await s.service.introspect(String(second.access_token))).active).toBe(true)
    const form = { grant_type: 'refresh_token', refresh_token: String(second.refresh_token), client_id: app.client.id }
    const third = expectStatus(await call(`${server.origin}/token`, { form, ...(app.key && { dpop: app.key }) }), 200, 'refresh').json
    expect(third.expires_in).toBe(60)
    expect(decodeJwt(String(third.access_token))).toMatchObject({ aud: s.service.origin, client_id: app.client.id })
  })

  it('TESTS TK-01, TK-02: what this server did not sign is nothing', async () => {
    const rpt = await s.rpt(VIEW())
    const [header = '', payload = '', signature = ''] = rpt.split('.')
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const odd of [
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.x`,
      `${header}.${encode({ ...decodeJwt(rpt), exp: 9_999_999_999 })}.${signature}`,
      `${header}.${payload}.`,
      `${rpt}.x`,
    ]) {
      expect(await s.service.introspect(odd)).toEqual({ active: false })
    }
    expectRefusal(await call(`${server.origin}/uma/resource`, { bearer: rpt }), 401, 'invalid_token')
  })

  it('UMA FedAuthz 5: other resource servers get references as before', async () => {
    const other = await cast(await stage(server))
    const rpt = await other.rpt()
    expect(rpt).toMatch(/^r[\w-]+\.[\w-]{43}$/)
    expect(await other.service.introspect(await s.rpt(VIEW()))).toEqual({ active: false })
  })
})
