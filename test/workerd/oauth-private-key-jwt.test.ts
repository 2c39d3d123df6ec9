// Clients that sign (RFC 7523, private_key_jwt): what they register, what is taken from them, what is not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Documents, type Page, startDocuments } from '../support/documents.ts'
import { type Answer, call, type Json, random } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { ASSERTION, assertion, assertionForm, newSigningKey, type SigningKey } from '../support/signing-client.ts'

let server: Running
let documents: Documents
let key: SigningKey
let id: string
beforeAll(async () => {
  documents = await startDocuments()
  server = await ownAs({ asVars: { DEV_ORIGINS: documents.origin } })
  key = await newSigningKey()
  id = await registered({ jwks: { keys: [key.jwk] } })
})
afterAll(async () => {
  await server.stop()
  await documents.stop()
})

const register = (more: Json) =>
  call(`${server.origin}/register`, {
    json: { redirect_uris: ['https://client.example/cb'], token_endpoint_auth_method: 'private_key_jwt', ...more },
  })
const registered = async (more: Json): Promise<string> => {
  const { status, json } = await register(more)
  expect(status, JSON.stringify(json)).toBe(201)
  return String(json.client_id)
}
/** A request that fails for its code as soon as the client is known: 400 invalid_grant says that the assertion was good. */
const send = (form: Record<string, string>): Promise<Answer> =>
  call(`${server.origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: 'x', ...form } })
const show = async (text: string | Promise<string>): Promise<Answer> => send(assertionForm(await text))
const isGood = (answer: Answer) =>
  expect({ status: answer.status, error: answer.json.error }).toEqual({ status: 400, error: 'invalid_grant' })
const isNobody = (answer: Answer) => expectRefusal(answer, 401, 'invalid_client')

describe('RFC 7591 2: registering keys', () => {
  it('RFC 7591 3.2.1: keys are echoed, and there is no secret', async () => {
    const { json } = await register({ jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'ES256' })
    expect(json).toMatchObject({ jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'ES256' })
    expect(json).not.toHaveProperty('client_secret')
  })

  it('RFC 8414 2: what is supported is said', async () => {
    const { json } = await call(`${server.origin}/.well-known/oauth-authorization-server`)
    for (const endpoint of ['token', 'revocation']) {
      expect(json[`${endpoint}_endpoint_auth_methods_supported`]).toContain('private_key_jwt')
      expect(json[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toEqual(['ES256', 'EdDSA', 'Ed25519', 'PS256'])
    }
  })

  it('RFC 7591 2: what is no public key, or no place for one, is refused', async () => {
    const [weak, other] = [await newSigningKey('ES384'), await newSigningKey('Ed25519')]
    for (const more of [
      {},
      { jwks: { keys: [] } },
      { jwks: { keys: [key.privateJwk] } },
      { jwks: { keys: [key.jwk, { kty: 'oct', k: 'c2VjcmV0' }] } },
      { jwks: { keys: [weak.jwk] } },
      { jwks: { keys: [{ ...key.jwk, use: 'enc' }] } },
      { jwks: { keys: [{ kty: 'RSA', n: 'AQAB'.repeat(40), e: 'AQAB' }] } },
      { jwks: { keys: Array.from({ length: 17 }, () => key.jwk) } },
      { jwks: { keys: [other.jwk] }, token_endpoint_auth_signing_alg: 'ES256' },
      { jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'none' },
      { jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'HS256' },
      { jwks: { keys: [key.jwk] }, jwks_uri: `${documents.origin}/jwks` },
    ]) {
      expectRefusal(await register(more), 400, 'invalid_client_metadata')
    }
  })

  it('TESTS CR-09: jwks_uri leads to public addresses only, whatever the method', async () => {
    for (const jwks_uri of [
      'http://client.dev/jwks',
      'https://127.0.0.1/jwks',
      'https://0x7f000001/jwks',
      'https://2130706433/jwks',
      'https://[::ffff:127.0.0.1]/jwks',
      'https://169.254.169.254/latest',
      'https://localhost./jwks',
      'https://10.0.0.1.nip.io/jwks',
      `${documents.origin.replace('127.0.0.1', 'localhost')}/jwks`,
      `${server.origin}/jwks`,
    ]) {
      for (const token_endpoint_auth_method of ['private_key_jwt', 'none'])
        expectRefusal(await register({ jwks_uri, token_endpoint_auth_method }), 400, 'invalid_client_metadata')
    }
    expect(documents.asked).toEqual([])
  })
})

describe('RFC 7523 3: assertions', () => {
  for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'PS256']) {
    it(`RFC 7523 3: signed with ${alg}`, async () => {
      const one = await newSigningKey(alg, 'k')
      const client = await registered({ jwks: { keys: [key.jwk, one.jwk] }, token_endpoint_auth_signing_alg: alg })
      isGood(await show(assertion(one, client, server.origin, {}, { kid: 'k' })))
      isGood(await show(assertion(one, client, server.origin, {}, { typ: 'client-authentication+jwt' })))
      isGood(await send({ ...assertionForm(await assertion(one, client, server.origin)), client_id: client }))
    })
  }

  it('RFC 7009 2.1: at the revocation endpoint too', async () => {
    const form = async (text: Promise<string>) => ({ token: 'x', ...assertionForm(await text) })
    expect((await call(`${server.origin}/revoke`, { form: await form(assertion(key, id, server.origin)) })).status).toBe(200)
    isNobody(await call(`${server.origin}/revoke`, { form: await form(assertion(key, id, 'https://as.example')) }))
  })

  it('TESTS CA-07: one assertion counts once, also fifty at once', async () => {
    const text = await assertion(key, id, server.origin)
    const answers = await Promise.all(Array.from({ length: 50 }, () => show(text)))
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49)
    isNobody(await show(text))
    isNobody(await call(`${server.origin}/revoke`, { form: { token: 'x', ...assertionForm(text) } }))
  })

  it('TESTS CA-07: the same jti of two clients is two', async () => {
    const other = await registered({ jwks: { keys: [key.jwk] } })
    const jti = random()
    for (const client of [id, other]) isGood(await show(assertion(key, client, server.origin, { jti })))
  })

  it('RFC 7523 7: an assertion that is no good uses up no jti', async () => {
    const jti = random()
    isNobody(await show(assertion(await newSigningKey(), id, server.origin, { jti })))
    isNobody(await show(assertion(key, id, 'https://as.example', { jti })))
    isGood(await show(assertion(key, id, server.origin, { jti })))
  })

  const now = () => Math.floor(Date.now() / 1000)
  for (const [why, claims] of [
    ['aud is the token endpoint', () => ({ aud: `${server.origin}/token` })],
    ['aud is a list', () => ({ aud: [server.origin] })],
    ['aud has a slash more', () => ({ aud: `${server.origin}/` })],
    ['aud is another server', () => ({ aud: 'https://as.example' })],
    ['no aud', () => ({ aud: undefined })],
    ['iss is somebody else', () => ({ iss: 'x' })],
    ['no iss', () => ({ iss: undefined })],
    ['sub is somebody else', () => ({ sub: 'x' })],
    ['no sub', () => ({ sub: undefined })],
    ['no exp', () => ({ exp: undefined })],
    ['exp is a text', () => ({ exp: String(now() + 60) })],
    ['expired', () => ({ exp: now() - 31 })],
    ['good for an hour', () => ({ exp: now() + 3600 })],
    ['not good yet', () => ({ nbf: now() + 60 })],
    ['issued later', () => ({ iat: now() + 60 })],
    ['no jti', () => ({ jti: undefined })],
    ['an empty jti', () => ({ jti: '' })],
    ['a jti that is a number', () => ({ jti: 7 })],
    ['a jti without end', () => ({ jti: 'x'.repeat(257) })],
  ] as const) {
    it(`RFC 7523 3: nobody: ${why}`, async () => isNobody(await show(assertion(key, id, server.origin, claims()))))
  }

  it('TESTS CA-10: nobody: another algorithm, none, or our own key as a secret', async () => {
    const ed = await newSigningKey('Ed25519')
    const only = await registered({ jwks: { keys: [key.jwk, ed.jwk] }, token_endpoint_auth_signing_alg: 'ES256' })
    isNobody(await show(assertion(ed, only, server.origin)))
    const [, payload] = (await assertion(key, id, server.origin)).split('.')
    for (const alg of ['none', 'None', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
      isNobody(await show(`${header}.${payload}.`))
    }
    const secret = new TextEncoder().encode(JSON.stringify(key.jwk))
    isNobody(await show(assertion({ alg: 'HS256', privateKey: secret }, id, server.origin)))
    const rsa = await newSigningKey('RS256')
    isNobody(await show(assertion(rsa, await registered({ jwks: { keys: [key.jwk, rsa.jwk] } }), server.origin)))
  })

  it('RFC 8725 3.11: nobody: a token of another kind, a key by another name, a key sent along', async () => {
    for (const typ of ['at+jwt', 'dpop+jwt', 'kb+jwt', 'dc+sd-jwt']) isNobody(await show(assertion(key, id, server.origin, {}, { typ })))
    const named = await newSigningKey('ES256', 'mine')
    const client = await registered({ jwks: { keys: [named.jwk] } })
    for (const kid of ['other', '../../mine', "' OR 1=1 --", '']) isNobody(await show(assertion(named, client, server.origin, {}, { kid })))
    const stranger = await newSigningKey()
    isNobody(await show(assertion(stranger, client, server.origin, {}, { jwk: stranger.jwk })))
    isNobody(await show(assertion(stranger, client, server.origin, {}, { jku: `${documents.origin}/strangers` })))
    isGood(await show(assertion(named, client, server.origin, {}, { kid: 'mine' })))
    expect(documents.asked).not.toContain('/strangers')
  })

  it('TESTS CA-09: nobody: a client that did not register for it, or that does not sign', async () => {
    const jwks = { keys: [key.jwk] }
    for (const token_endpoint_auth_method of ['none', 'client_secret_basic', 'client_secret_post'])
      isNobody(await show(assertion(key, await registered({ token_endpoint_auth_method, jwks }), server.origin)))
    isNobody(await send({ client_id: id }))
    isNobody(await send({ client_id: id, client_secret: 'x' }))
    isNobody(await call(`${server.origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: 'x' }, basic: { id, secret: '' } }))
    isNobody(await show(assertion(key, random(16), server.origin)))
  })

  it('RFC 6749 2.3, RFC 7521 4.2: one way only, and a client_id that agrees', async () => {
    const text = async () => assertionForm(await assertion(key, id, server.origin))
    expectRefusal(await send({ ...(await text()), client_secret: 'x' }), 400, 'invalid_request')
    const form = { grant_type: 'refresh_token', refresh_token: 'x', ...(await text()) }
    expectRefusal(await call(`${server.origin}/token`, { form, basic: { id, secret: 'x' } }), 400, 'invalid_request')
    isNobody(await send({ ...(await text()), client_id: 'other' }))
  })

  it('TESTS CA-12: half an assertion, another type, one without end, none at all', async () => {
    const text = await assertion(key, id, server.origin)
    for (const form of [
      { client_assertion: text },
      { client_assertion_type: ASSERTION },
      { client_assertion: text, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
      assertionForm(`${text}${'x'.repeat(16_384)}`),
    ]) {
      expectRefusal(await send(form), 400, 'invalid_request')
    }
    for (const odd of ['x', 'a.b.c', '..', '\u0000', `${text}x`, text.split('.').slice(0, 2).join('.')]) isNobody(await show(odd))
    isGood(await show(text))
  })
})

describe('RFC 7517 5: keys at an address', () => {
  it('RFC 7517 5: fetched when needed and remembered; a key that is new is looked for, once a minute', async () => {
    const [first, second] = [await newSigningKey('ES256', '1'), await newSigningKey('ES256', '2')]
    documents.pages.set('/jwks', { keys: [first.jwk] })
    const client = await registered({ jwks_uri: `${documents.origin}/jwks` })
    const asked = () => documents.asked.filter((path) => path === '/jwks').length
    const signed = (one: SigningKey) => show(assertion(one, client, server.origin, {}, { kid: String(one.jwk.kid) }))
    expect(asked()).toBe(0)
    isGood(await signed(first))
    isGood(await signed(first))
    expect(asked()).toBe(1)
    documents.pages.set('/jwks', { keys: [second.jwk] })
    for (let i = 0; i < 3; i++) isNobody(await signed(second))
    expect(asked()).toBe(1)
    await server.setClock(61)
    try {
      isGood(await signed(second))
      expect(asked()).toBe(2)
      isNobody(await signed(first))
    } finally {
      await server.setClock(0)
    }
  })

  it('TESTS CR-11, CR-12, LF-13: nobody while the address misbehaves, and the next try is a new one', async () => {
    const one = await newSigningKey()
    const client = await registered({ jwks_uri: `${documents.origin}/odd` })
    const good = { keys: [one.jwk] }
    documents.pages.set('/inside', good)
    const elsewhere: Page = (_request, response) => {
      response.writeHead(302, { location: `${documents.origin}/inside`, 'content-type': 'application/json' })
      response.end(JSON.stringify(good))
    }
    const page: Page = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(good))
    for (const odd of [elsewhere, page, undefined, { keys: [one.privateJwk] }, { keys: 'x' }, []]) {
      documents.pages.set('/odd', odd)
      isNobody(await show(assertion(one, client, server.origin)))
    }
    documents.pages.set('/odd', good)
    isGood(await show(assertion(one, client, server.origin)))
    expect(documents.asked).not.toContain('/inside')
  })
})
