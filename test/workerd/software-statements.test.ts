// Software statements (RFC 7591 2.3): whose count, what they decide, and what is shown of them.

import { type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, signIn } from '../support/actors.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import { type Answer, call, type Json } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs, sharedAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'

let server: Running
let documents: Documents
let alice: Alice
let [near, far]: SigningKey[] = []
const NEAR = 'https://directory.example'
const FAR = 'https://federation.example'
beforeAll(async () => {
  documents = await startDocuments()
  near = await newSigningKey()
  far = await newSigningKey('PS256', 'f')
  documents.pages.set('/jwks', { keys: [far.jwk] })
  const issuers = { [NEAR]: { keys: [near.jwk] }, [FAR]: `${documents.origin}/jwks` }
  server = await ownAs({ asVars: { DEV_ORIGINS: documents.origin, SOFTWARE_ISSUERS: JSON.stringify(issuers) } })
  alice = await signIn(server)
})
afterAll(async () => {
  await server.stop()
  await documents.stop()
})

const CB = 'https://client.example/cb'
const statement = (claims: Json, key = near as SigningKey, header: Json = {}): Promise<string> =>
  new SignJWT({ iss: NEAR, client_name: 'The real thing', software_id: 's-1', ...claims } as JWTPayload)
    .setProtectedHeader({ alg: key.alg, ...header })
    .sign(key.privateKey)
const register = async (software_statement: string | Promise<string>, more: Json = {}, origin = server.origin): Promise<Answer> =>
  call(`${origin}/register`, { json: { redirect_uris: [CB], ...more, software_statement: await software_statement } })
const consent = async (id: unknown): Promise<string> => {
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  const query = { client_id: String(id), redirect_uri: CB, response_type: 'code', scope: 'uma_protection', code_challenge: challenge }
  return (await alice.browser.open(`${server.origin}/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`)).text
}

describe('RFC 7591 2.3: statements of issuers that the operator named', () => {
  it('RFC 7591 2.3, 3.2.1: its values go before the client’s own, and it comes back as it was', async () => {
    const text = await statement({ redirect_uris: ['https://real.example/cb'], client_id: 'x', jti: 'y' })
    const { status, json } = await register(text, { client_name: 'Another name', software_id: 's-2', client_uri: 'https://client.example' })
    expect(status).toBe(201)
    expect(json).toMatchObject({
      client_name: 'The real thing',
      software_id: 's-1',
      redirect_uris: ['https://real.example/cb'],
      client_uri: 'https://client.example',
      software_statement: text,
    })
    expect(json.client_id).not.toBe('x')
    for (const name of ['iss', 'jti']) expect(json).not.toHaveProperty(name)
  })

  it('RFC 7591 2.3: keys at an address', async () => {
    expect((await register(statement({ iss: FAR }, far))).status).toBe(201)
    expect(documents.asked).toEqual(['/jwks'])
    expectRefusal(await register(statement({ iss: FAR })), 400, 'invalid_software_statement')
  })

  it('RFC 7591 2.3: a name that an issuer gave is shown as such; the client’s own word is not', async () => {
    const vouched = await register(statement({}))
    const named = await register(statement({ client_name: undefined }), { client_name: 'The real thing' })
    const [known, unknown] = [await consent(vouched.json.client_id), await consent(named.json.client_id)]
    expect(known).not.toMatch(/not verified/i)
    expect(unknown).toMatch(/not verified/i)
    // SPECS S0-6: whose word it is.
    expect([known.includes(`${NEAR} vouches for its name.`), unknown.includes('vouches')]).toEqual([true, false])
  })

  it('RFC 7592 2.2: judged again when the registration changes', async () => {
    const { json } = await register(statement({}))
    const put = (more: Json) =>
      call(String(json.registration_client_uri), {
        method: 'PUT',
        bearer: String(json.registration_access_token),
        json: { client_id: json.client_id, redirect_uris: [CB], client_name: 'Mine', ...more },
      })
    expect((await put({ software_statement: json.software_statement })).json.client_name).toBe('The real thing')
    expectRefusal(await put({ software_statement: await statement({ iss: 'https://x.example' }) }), 400, 'unapproved_software_statement')
    expect((await put({})).json).not.toHaveProperty('software_statement')
    expect(await consent(json.client_id)).toMatch(/not verified/i)
  })

  const now = () => Math.floor(Date.now() / 1000)
  for (const [why, make] of [
    ['no JWT', async () => 'a.b.c'],
    ['no issuer', () => statement({ iss: undefined })],
    ['another key', async () => statement({}, await newSigningKey())],
    ['another issuer’s key', () => statement({}, far)],
    ['too old', () => statement({ exp: now() - 60 })],
    ['too early', () => statement({ nbf: now() + 60 })],
    ['a token of another kind', () => statement({}, near, { typ: 'at+jwt' })],
    [
      'changed',
      async () => (await statement({})).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ iss: NEAR })).toString('base64url')}.`),
    ],
    ['not signed', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await statement({})).split('.')[1]}.`],
    ['members that cannot be', () => statement({ redirect_uris: 'x' })],
  ] as const) {
    it(`RFC 7591 3.2.2: refused: ${why}`, async () => expectRefusal(await register(make()), 400, 'invalid_software_statement'))
  }

  it('RFC 7591 3.2.2: what a statement says is judged like everything', async () => {
    expectRefusal(await register(statement({ redirect_uris: ['javascript:alert(1)'] })), 400, 'invalid_redirect_uri')
    expectRefusal(await register(statement({ client_name: 'a\u202eb' })), 400, 'invalid_client_metadata')
  })

  it('RFC 7591 3.2.2: unapproved: an issuer that nobody named, here or anywhere', async () => {
    for (const iss of ['https://evil.example', '__proto__', 'constructor'])
      expectRefusal(await register(statement({ iss })), 400, 'unapproved_software_statement')
    expectRefusal(await register(statement({}), {}, (await sharedAs()).origin), 400, 'unapproved_software_statement')
  })
})
