// Discovery (UMA Grant 2, UMA FedAuthz 2, RFC 8414) and published keys: two forms, one document, and only what is true.
import { beforeAll, describe, expect, it } from 'vitest'
import { UMA_TICKET } from '../support/actors.ts'
import { call, type Json, newDpopKey } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

let as: Running
let metadata: Json
beforeAll(async () => {
  as = await sharedAs()
  metadata = (await call(`${as.origin}/.well-known/uma2-configuration`)).json
})

describe('UMA Grant 2: discovery', () => {
  it('UMA Grant 2, RFC 8414 3: each form gives the same JSON', async () => {
    for (const name of ['uma2-configuration', 'oauth-authorization-server', 'openid-configuration']) {
      const answer = await call(`${as.origin}/.well-known/${name}`)
      expect([answer.status, answer.json]).toEqual([200, metadata])
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    }
    expect((await call(`${as.origin}/.well-known/uma-configuration`)).status).toBe(404)
  })

  it('RFC 8414 2: the issuer is the origin, letter by letter, and nothing empty is listed', () => {
    expect(metadata.issuer).toBe(as.origin)
    for (const [name, value] of Object.entries(metadata)) {
      expect([name, value === null || value === '' || (Array.isArray(value) && value.length === 0)]).toEqual([name, false])
    }
  })

  it('UMA FedAuthz 2: every endpoint that is named is there', async () => {
    const named = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name))
    expect(named.map(([name]) => name).toSorted()).toEqual([
      'authorization_endpoint',
      'claims_interaction_endpoint',
      'introspection_endpoint',
      'jwks_uri',
      'permission_endpoint',
      'pushed_authorization_request_endpoint',
      'registration_endpoint',
      'resource_registration_endpoint',
      'revocation_endpoint',
      'token_endpoint',
    ])
    for (const [name, url] of named) {
      expect(String(url).startsWith(`${as.origin}/`)).toBe(true)
      const answer = await call(String(url), { method: 'OPTIONS' })
      expect([name, answer.status]).toEqual([name, 204])
    }
  })

  it('SPECS G-59, RFC 8414 2: what a client may ask for in its registration is said, and all of it is taken; nothing else is', async () => {
    const asked = { claims_redirect_uris: ['https://client.example/cb'], grant_types: [UMA_TICKET] }
    const register = (more: Json) => call(`${as.origin}/register`, { json: { ...asked, ...more } })
    for (const [member, name, other] of [
      ['rpt_upgrade', 'rpt_upgrades_supported', 'some_string'],
      ['uma_partial', 'uma_partial_values_supported', 'sometimes'],
      ['rpt_format', 'rpt_formats_supported', 'jwt'],
    ] as const) {
      const values = metadata[name] as unknown[]
      expect(values).toHaveLength(2)
      for (const value of values) {
        const { status, json } = await register({ [member]: value })
        expect([member, status, json[member]]).toEqual([member, 201, value])
      }
      expect([member, (await register({ [member]: other })).json.error]).toEqual([member, 'invalid_client_metadata'])
    }
  })

  it('RFC 8414 2: what is said of grants, methods, algorithms and scopes is what holds', async () => {
    expect(metadata).toMatchObject({
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      request_uri_parameter_supported: false,
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['ES256'],
      scopes_supported: ['openid', 'uma_protection', 'uma_owner'],
    })
    const redirect_uris = ['https://client.example/cb']
    const jwks = { keys: [(await newDpopKey()).jwk] }
    for (const token_endpoint_auth_method of metadata.token_endpoint_auth_methods_supported as string[]) {
      const keys = token_endpoint_auth_method === 'private_key_jwt' ? { jwks } : {}
      // RFC 6749 4.4: a client without credentials has none to use.
      const grant_types = (metadata.grant_types_supported as string[]).filter(
        (grant) => grant !== 'client_credentials' || token_endpoint_auth_method !== 'none',
      )
      const json = { redirect_uris, token_endpoint_auth_method, grant_types, ...keys }
      expect([token_endpoint_auth_method, (await call(`${as.origin}/register`, { json })).status]).toEqual([
        token_endpoint_auth_method,
        201,
      ])
    }
    for (const grant_type of metadata.grant_types_supported as string[]) {
      expect((await call(`${as.origin}/token`, { form: { grant_type } })).json.error).not.toBe('unsupported_grant_type')
    }
  })
})

describe('RFC 7517: keys', () => {
  it('RFC 7517 4: public halves only, each with kid, alg and use', async () => {
    const answer = await call(String(metadata.jwks_uri))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
    const { keys } = answer.json as { keys: Json[] }
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    }
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length)
  })
})
