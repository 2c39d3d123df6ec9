// The authorization endpoint, where an owner lets a resource server have a PAT (UMA FedAuthz 1.3, RFC 6749 4.1, RFC 9700).

import { answered, begin, codeFor, go, newServiceClient, redeem } from '../lib/authorization.ts'
import type { Case } from '../lib/case.ts'
import { good, must } from '../lib/case.ts'
import { granted, ok, refused, same, status } from '../lib/check.ts'
import { basicAuth, random, sha256 } from '../lib/http.ts'
import { REDIRECT, type World } from '../lib/world.ts'

const CODE = ['authorizationCode'] as const
const DCR = ['authorizationCode', 'registration'] as const

const NEARLY: readonly (readonly [string, string, string])[] = [
  ['another host', 'https://evil.example/connected', 'AZ-01'],
  ['a slash at the end', `${REDIRECT}/`, 'AZ-02'],
  ['a longer path', `${REDIRECT}/more`, 'AZ-02'],
  ['another case of the path', 'https://app.example/Connected', 'AZ-02'],
  ['another case of the host', 'https://APP.example/connected', 'AZ-02'],
  ['an added query', `${REDIRECT}?x=1`, 'AZ-02'],
  ['an added fragment', `${REDIRECT}#x`, 'AZ-02'],
  ['the default port', 'https://app.example:443/connected', 'AZ-02'],
  ['another port', 'https://app.example:8443/connected', 'AZ-04'],
  ['http', 'http://app.example/connected', 'AZ-02'],
  ['a user name', 'https://app.example@evil.example/connected', 'AZ-03'],
  ['several at signs', 'https://app.example@x@evil.example/connected', 'AZ-03'],
  ['a backslash', 'https://evil.example\\@app.example/connected', 'AZ-03'],
  ['a path that climbs', 'https://app.example/x/..;/connected', 'AZ-03'],
  ['an encoded path that climbs', 'https://app.example/%2e%2e/connected', 'AZ-03'],
  ['no scheme', '//evil.example/connected', 'AZ-03'],
  ['a tab inside', 'https://app.example\t.evil.example/connected', 'AZ-03'],
  ['a letter that looks alike', 'https://аpp.example/connected', 'AZ-03'],
  ['an end of line', `${REDIRECT}\r\nx`, 'AZ-03'],
]

/** Nobody is sent anywhere, whatever else the request says. */
const staysHere = async (w: World, query: Record<string, string | undefined>, what: string): Promise<void> => {
  const { url } = await begin(w, { client: (await w.rs('alice', 'first')).pat.client, query })
  const ended = await go(w, url)
  ok(ended.back === undefined, `${what}: the owner was sent to ${ended.back}`)
  ok(ended.status >= 400 && ended.status < 500, `${what}: status ${ended.status} is no refusal`)
}

const nearly = NEARLY.map(
  ([what, redirect_uri, id]): Case =>
    must(
      `RFC 9700 2.1: a redirect URI with ${what} is not the registered one`,
      `${id} O-15 I7`,
      async (w) => {
        const client = await newServiceClient(w)
        const { url } = await begin(w, { client, query: { redirect_uri } })
        const ended = await go(w, url)
        ok(ended.back === undefined, `the owner was sent to ${ended.back}`)
        ok(ended.status >= 400 && ended.status < 500, `status ${ended.status} is no refusal`)
      },
      DCR,
    ),
)

/** The error that comes back to the client, with its state. */
const errorFor = async (w: World, query: Record<string, string | undefined>): Promise<string> => {
  const client = await newServiceClient(w)
  const flow = await begin(w, { client, query })
  const came = answered(await go(w, flow.url))
  same([came.get('state'), came.get('code')], [flow.state, null], 'state and code')
  if (w.offers('responseIssuer')) same(came.get('iss'), w.issuer, 'iss')
  return came.get('error') ?? ''
}

export const authorize = [
  must(
    'UMA FedAuthz 1.3: an owner gives a resource server a PAT by the authorization code grant',
    'F-3 F-4 F-5 E14',
    async (w) => {
      const token = granted(await redeem(w, await codeFor(w)), 'the code')
      status(await w.http.call(w.endpoint('resource_registration_endpoint'), { bearer: token }), 200, 'the list with the PAT')
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.2: the code comes with the state that was sent, and with iss',
    'O-41 AZ-10 AZ-11',
    async (w) => {
      const flow = await begin(w)
      const came = answered(await go(w, flow.url))
      same(came.get('state'), flow.state, 'state')
      if (w.offers('responseIssuer')) same(came.get('iss'), w.issuer, 'iss')
    },
    DCR,
  ),
  ...nearly,
  must(
    'RFC 6749 4.1.2.1: without a client that is known nobody is sent anywhere',
    'O-2 AZ-01 I7',
    async (w) => {
      for (const client_id of [random(16), undefined, ''])
        await staysHere(w, { client_id, redirect_uri: 'https://evil.example/' }, `client_id ${client_id}`)
    },
    CODE,
  ),
  must(
    'RFC 6749 4.1.2.1: other mistakes do not lead to an unregistered redirect URI either',
    'AZ-05 I7',
    async (w) => {
      const evil = 'https://evil.example/'
      for (const more of [
        { response_type: 'token' },
        { scope: 'nonsense' },
        { prompt: 'none' },
        { code_challenge: undefined },
        { request: 'x' },
      ])
        await staysHere(w, { redirect_uri: evil, ...more }, JSON.stringify(more))
    },
    CODE,
  ),
  must(
    'RFC 6749 3.1: no parameter may come twice',
    'AZ-16 O-8 I7',
    async (w) => {
      const { url } = await begin(w)
      for (const [name, value] of [
        ['redirect_uri', 'https://evil.example/'],
        ['client_id', 'x'],
        ['scope', 'openid'],
        ['state', 'x'],
      ] as const) {
        const ended = await go(w, `${url}&${name}=${encodeURIComponent(value)}`)
        ok(!ended.back?.searchParams.has('code'), `${name} twice: a code came`)
        ok(ended.back?.host !== 'evil.example', `${name} twice: the owner was sent to ${ended.back}`)
      }
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.2.1: a response type that is missing or not supported is told to the client',
    'O-2 AZ-05',
    async (w) => {
      same(await errorFor(w, { response_type: 'token' }), 'unsupported_response_type', 'token')
      same(await errorFor(w, { response_type: undefined }), 'invalid_request', 'none')
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.2.1: a scope that nobody knows is invalid_scope',
    'O-2 AZ-05',
    async (w) => same(await errorFor(w, { scope: 'nonsense' }), 'invalid_scope', 'error'),
    DCR,
  ),
  must(
    'RFC 7636 4.4.1: a request without challenge is invalid_request',
    'O-10 AZ-07',
    async (w) => same(await errorFor(w, { code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request', 'error'),
    DCR,
  ),
  must(
    'RFC 9700 2.1.1: a challenge by plain, or by nobody knows what, is invalid_request',
    'O-10 O-15 AZ-07',
    async (w) => {
      for (const code_challenge_method of ['plain', 'S512', undefined])
        same(await errorFor(w, { code_challenge_method }), 'invalid_request', `${code_challenge_method}`)
    },
    DCR,
  ),
  good(
    'RFC 9101 6: requests by value or by reference that are not supported are told so, and nothing is fetched',
    'AZ-17 CR-13',
    async (w) => {
      for (const [name, value] of [
        ['request', 'a.b.c'],
        ['request_uri', 'https://evil.example/request'],
      ] as const)
        ok(/request|invalid/.test(await errorFor(w, { [name]: value })), name)
    },
    DCR,
  ),
  must(
    'RFC 8252 7.3: of a loopback address the port alone may differ',
    'AZ-04',
    async (w) => {
      const client = await newServiceClient(w, { redirect_uris: ['http://127.0.0.1/cb'] })
      const came = await go(w, (await begin(w, { client, query: { redirect_uri: 'http://127.0.0.1:51234/cb' } })).url)
      ok(answered(came).has('code'), 'no code came to another port')
      for (const redirect_uri of [
        'http://127.0.0.1:51234/other',
        'http://127.0.0.1:51234/cb?x=1',
        'http://localhost:51234/cb',
        'http://127.0.0.2/cb',
        'https://127.0.0.1/cb',
      ]) {
        const { back } = await go(w, (await begin(w, { client, query: { redirect_uri } })).url)
        ok(back === undefined, `${redirect_uri} was accepted`)
      }
    },
    DCR,
  ),
  must(
    'RFC 9126 2: a pushed request is good once, for its client, and says what counts',
    'O-50',
    async (w) => {
      const client = await newServiceClient(w)
      const flow = await begin(w, { client })
      const basic = { authorization: basicAuth(client.id, client.secret ?? '') }
      const push = (form: Record<string, string>) =>
        w.http.call(w.endpoint('pushed_authorization_request_endpoint'), { form, headers: basic })
      const whole = Object.fromEntries(new URL(flow.url).searchParams)
      refused(await push({ ...whole, request_uri: 'urn:x' }), 400, 'invalid_request', 'request_uri inside')
      refused(await push({ ...whole, redirect_uri: 'https://evil.example/' }), 400, 'invalid_request', 'another redirect URI')
      const { request_uri, expires_in } = status(await push(whole), 201, 'PAR').json
      ok(typeof request_uri === 'string' && typeof expires_in === 'number', 'request_uri and expires_in')
      const at = `${w.endpoint('authorization_endpoint')}?${new URLSearchParams({ client_id: client.id, request_uri })}`
      const evil = `${at}&redirect_uri=${encodeURIComponent('https://evil.example/')}&code_challenge=${sha256('x')}`
      const came = await go(w, evil)
      ok(came.back?.href.startsWith(REDIRECT), `the owner was sent to ${came.back}`)
      ok(!(await go(w, at)).back?.searchParams.has('code'), 'it was good a second time')
    },
    ['authorizationCode', 'registration', 'par'],
  ),
]
