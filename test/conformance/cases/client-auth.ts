// Client authentication (RFC 6749 2.3, RFC 7523) and DPoP (RFC 9449) at the token endpoint.
import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { good, must } from '../lib/case.ts'
import { isFinal, notGranted, ok, refused, same } from '../lib/check.ts'
import { type Answer, basicAuth, random } from '../lib/http.ts'
import { UMA_TICKET, type World } from '../lib/world.ts'

const b64 = (text: string): string => Buffer.from(text).toString('base64')

/** A token request whose only credentials are these headers and members. */
const ask = async (w: World, headers: Record<string, string>, form: Record<string, string> = {}): Promise<Answer> =>
  w.http.call(w.endpoint('token_endpoint'), {
    form: { grant_type: UMA_TICKET, ticket: await (await w.thing()).ticket(), ...form },
    headers,
  })

/** A client that authenticates with a key, and a function that makes its assertions. */
const keyClient = async (w: World) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  const { id } = await w.newClient('public', {
    grant_types: [UMA_TICKET],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
  })
  const sign = (claims: JWTPayload = {}): Promise<string> =>
    new SignJWT({ iss: id, sub: id, aud: w.issuer, jti: random(), iat: w.now(), exp: w.now() + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey)
  const send = (client_assertion: string): Promise<Answer> =>
    ask(w, {}, { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion })
  return { id, jwk, sign, send }
}

const unauthenticated = (answer: Answer, what: string): Answer => refused(answer, [400, 401], 'invalid_client', what)
const KEYS = ['privateKeyJwt', 'registration'] as const

export const clientAuth = [
  must('RFC 6749 5.2: a client that is unknown, or whose secret is wrong, is invalid_client', 'G-26 CA-03', async (w) => {
    const { client } = await w.app()
    const wrong = refused(await ask(w, { authorization: basicAuth(client.id, random()) }), 401, 'invalid_client', 'a wrong secret')
    ok(/^basic/i.test(wrong.headers.get('www-authenticate') ?? ''), 'WWW-Authenticate does not name the scheme that was used')
    refused(await ask(w, { authorization: basicAuth(random(), random()) }), 401, 'invalid_client', 'an unknown client')
    unauthenticated(await ask(w, {}, { client_id: random() }), 'an unknown client in the body')
    refused(await ask(w, {}), [400, 401], ['invalid_client', 'invalid_request'], 'nobody')
  }),
  must('RFC 6749 2.3: a client with a secret does not pass without it', 'CA-03', async (w) => {
    const { client } = await w.app()
    unauthenticated(await ask(w, {}, { client_id: client.id }), 'client_id alone')
    unauthenticated(await ask(w, {}, { client_id: client.id, client_secret: '' }), 'an empty secret')
    unauthenticated(await ask(w, { authorization: basicAuth(client.id, '') }), 'an empty secret in the header')
  }),
  must('RFC 6749 2.3: one way of authentication a request', 'CA-02 O-4', async (w) => {
    const { client } = await w.app()
    const headers = { authorization: basicAuth(client.id, client.secret ?? '') }
    isFinal(await ask(w, headers, { client_id: client.id, client_secret: client.secret ?? '' }), 'invalid_request', 'header and body')
    notGranted(await ask(w, headers, { client_id: random() }), 'another client_id in the body')
  }),
  must('RFC 7617 2: the scheme is case-insensitive', 'CA-04', async (w) => {
    const { client } = await w.app()
    const credentials = basicAuth(client.id, client.secret ?? '').slice(6)
    for (const scheme of ['basic', 'BASIC'])
      same((await ask(w, { authorization: `${scheme} ${credentials}` })).json.error, 'request_denied', scheme)
  }),
  must('RFC 6749 5.2: broken credentials are invalid_client, and no failure of the server', 'CA-04', async (w) => {
    const { client } = await w.app()
    for (const authorization of [
      'Basic !!!',
      'Basic',
      'Basic =',
      `Basic ${b64('nocolon')}`,
      `Basic ${b64(':')}`,
      `Basic ${b64(`${client.id}%zz:%`)}`,
      `Basic ${b64('\u0000:\u0000')}`,
      'Basic /////w==',
    ])
      refused(await ask(w, { authorization }), [400, 401], ['invalid_client', 'invalid_request'], authorization)
  }),
  must(
    'RFC 6749 2.3: a public client that sends a secret is refused',
    'CA-05',
    async (w) => {
      const { client } = await w.app('public')
      unauthenticated(await ask(w, {}, { client_id: client.id, client_secret: random() }), 'a secret in the body')
      refused(await ask(w, { authorization: basicAuth(client.id, random()) }), 401, 'invalid_client', 'a secret in the header')
    },
    ['publicClients'],
  ),
  must(
    'RFC 7523 3: a client authenticates with an assertion for this server',
    'CA-06 O-65',
    async (w) => {
      const { sign, send } = await keyClient(w)
      same((await send(await sign())).json.error, 'request_denied', 'a good assertion')
    },
    KEYS,
  ),
  must(
    'RFC 7523 3: an assertion for somebody else, or too old, is invalid_client',
    'CA-06 CA-09 O-65',
    async (w) => {
      const { sign, send } = await keyClient(w)
      const wrong: JWTPayload[] = [
        { aud: 'https://elsewhere.example' },
        { sub: 'x' },
        { iss: 'x' },
        { exp: w.now() - 120 },
        { nbf: w.now() + 600 },
      ]
      for (const claims of wrong) unauthenticated(await send(await sign(claims)), JSON.stringify(claims))
    },
    KEYS,
  ),
  good(
    'RFC 7523 3: the audience of an assertion is the issuer and nothing else',
    'CA-06',
    async (w) => {
      const { sign, send } = await keyClient(w)
      for (const aud of [w.endpoint('token_endpoint'), [w.issuer, 'https://elsewhere.example'], [w.issuer, w.endpoint('token_endpoint')]])
        unauthenticated(await send(await sign({ aud })), JSON.stringify(aud))
    },
    KEYS,
  ),
  must(
    'RFC 7523 3: an assertion is good once',
    'CA-07 O-65',
    async (w) => {
      const { sign, send } = await keyClient(w)
      const assertion = await sign()
      const answers = await Promise.all(Array.from({ length: 8 }, () => send(assertion)))
      same(answers.filter(({ json }) => json.error !== 'invalid_client').length, 1, 'assertions that passed')
    },
    KEYS,
  ),
  must(
    'RFC 8725 3.1: unsigned assertions, and such as are signed with the public key, are invalid_client',
    'CA-10 CA-12 TK-01 TK-02',
    async (w) => {
      const { sign, send, jwk } = await keyClient(w)
      const [, payload = ''] = (await sign()).split('.')
      const part = (header: object): string => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`
      unauthenticated(await send(`${part({ alg: 'none' })}.`), 'alg none')
      const hs = part({ alg: 'HS256', kid: 'k1' })
      unauthenticated(await send(`${hs}.${createHmac('sha256', JSON.stringify(jwk)).update(hs).digest('base64url')}`), 'HS256')
      notGranted(await send(`${part({ alg: 'ES256' })}.${'x'.repeat(20_000)}`), 'a very long one')
    },
    [...KEYS],
  ),
]
