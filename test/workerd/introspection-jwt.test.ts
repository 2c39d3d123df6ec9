// Introspection answers as signed statements (RFC 9701), for those who ask for them and nobody else.
import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'

const SIGNED = 'application/token-introspection+jwt'
let s: Cast
let rpt: string
beforeAll(async () => {
  s = await cast()
  rpt = await s.rpt()
})

const ask = (token: string, accept: string) => s.service.call('/introspect', { form: { token }, headers: { accept } })
const opened = async (jwt: string) => {
  const { json } = await call(`${s.server.origin}/jwks`)
  const keys = createLocalJWKSet(json as unknown as Parameters<typeof createLocalJWKSet>[0])
  return jwtVerify(jwt, keys, {
    typ: 'token-introspection+jwt',
    issuer: s.server.origin,
    audience: s.service.client.id,
    algorithms: ['ES256'],
  })
}

describe('RFC 9701: signed introspection answers', () => {
  it('RFC 9701 7: the algorithm is said, and nothing about encryption', async () => {
    const { json } = await call(`${s.server.origin}/.well-known/oauth-authorization-server`)
    expect(json.introspection_signing_alg_values_supported).toEqual(['ES256'])
    expect(Object.keys(json).filter((name) => name.startsWith('introspection_encryption'))).toEqual([])
  })

  it('RFC 9701 5: the same answer, signed, for this resource server, with no sub and no exp of its own', async () => {
    const plain = await s.service.introspect(rpt)
    const answer = await ask(rpt, SIGNED)
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([200, SIGNED, 'no-store'])
    const { payload } = await opened(answer.text)
    expect(Object.keys(payload).toSorted()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
    expect(payload.token_introspection).toEqual(plain)
  })

  it('RFC 9701 5: nothing more about what is not active', async () => {
    for (const token of ['nonsense', `${rpt}x`]) {
      const { payload } = await opened((await ask(token, SIGNED)).text)
      expect(payload.token_introspection).toEqual({ active: false })
    }
  })

  it('RFC 9701 4: asked for among others, in capitals, or refused', async () => {
    for (const accept of [`application/json;q=0.5, ${SIGNED}`, SIGNED.toUpperCase(), `${SIGNED};q=0.9`])
      expect((await ask(rpt, accept)).headers.get('content-type')).toBe(SIGNED)
    for (const accept of ['application/json', '*/*', `${SIGNED};q=0`, `${SIGNED}x`, `x${SIGNED}`, ''])
      expect((await ask(rpt, accept)).headers.get('content-type')).toMatch(/^application\/json/)
  })

  it('RFC 7662 2.1: a refusal is a refusal', async () => {
    const answer = await call(`${s.server.origin}/introspect`, { form: { token: rpt }, bearer: rpt, headers: { accept: SIGNED } })
    expectRefusal(answer, 401, 'invalid_token')
  })

  it('RFC 9701 6: a resource server may register the algorithm that there is', async () => {
    const register = (introspection_signed_response_alg: string) =>
      call(`${s.server.origin}/register`, { json: { redirect_uris: ['https://rs.example/cb'], introspection_signed_response_alg } })
    expect((await register('ES256')).json.introspection_signed_response_alg).toBe('ES256')
    for (const alg of ['RS256', 'none', 'HS256']) expectRefusal(await register(alg), 400, 'invalid_client_metadata')
  })
})
