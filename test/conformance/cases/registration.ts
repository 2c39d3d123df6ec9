// Dynamic client registration (RFC 7591, RFC 7592) with the metadata that UMA Grant 2 adds.
import type { Case } from '../lib/case.ts'
import { good, must } from '../lib/case.ts'
import { isJson, isNoStore, ok, refused, same, sameSet, status } from '../lib/check.ts'
import { type Answer, random } from '../lib/http.ts'
import { CLAIMS_REDIRECT, REDIRECT, UMA_TICKET, type World } from '../lib/world.ts'

const DCR = ['registration'] as const
const register = (w: World, json: unknown): Promise<Answer> => w.http.call(w.endpoint('registration_endpoint'), { json })

/** The least that a client says. */
const APP = { client_name: 'An app', grant_types: [UMA_TICKET], claims_redirect_uris: [CLAIMS_REDIRECT] }
const SERVICE = { client_name: 'A service', redirect_uris: [REDIRECT] }

const DANGEROUS = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'https://app.example/cb#fragment',
  'https://user:pass@app.example/cb',
  'https://app.example\\@evil.example/',
  'https://app.example/\u0000',
  'https://app.example/a\nb',
  'http://app.example/cb',
  '/relative',
  '//app.example/cb',
  'https:',
  '',
]

const dangerous = DANGEROUS.map(
  (uri): Case =>
    must(
      `RFC 7591 3.2.2: the redirect URI ${JSON.stringify(uri)} is refused, for people who come back as well`,
      'CR-05 G-31 O-30 I7',
      async (w) => {
        const codes = ['invalid_redirect_uri', 'invalid_client_metadata']
        refused(await register(w, { ...SERVICE, redirect_uris: [uri] }), 400, codes, 'redirect_uris')
        refused(await register(w, { ...APP, claims_redirect_uris: [CLAIMS_REDIRECT, uri] }), 400, codes, 'claims_redirect_uris')
      },
      DCR,
    ),
)

const BAD: readonly (readonly [string, unknown])[] = [
  ['redirect_uris that are no array', { ...SERVICE, redirect_uris: REDIRECT }],
  ['redirect_uris that are empty', { ...SERVICE, redirect_uris: [] }],
  ['claims_redirect_uris that are no array', { ...APP, claims_redirect_uris: CLAIMS_REDIRECT }],
  ['claims_redirect_uris that are empty', { ...APP, claims_redirect_uris: [] }],
  ['an authentication method that is not supported', { ...APP, token_endpoint_auth_method: 'magic' }],
  ['a grant that is not supported', { ...APP, grant_types: ['password'] }],
  ['the code grant without a redirect URI', { client_name: 'x', grant_types: ['authorization_code'] }],
  ['a client_name that is no string', { ...APP, client_name: { a: 1 } }],
  ['an array', [APP]],
]

const bad = BAD.map(
  ([what, json]): Case =>
    must(
      `RFC 7591 3.2.2: metadata with ${what} is refused`,
      'O-30 CR-05',
      async (w) => void refused(await register(w, json), 400, ['invalid_client_metadata', 'invalid_redirect_uri'], what),
      DCR,
    ),
)

/** RFC 7592: a client with the means to manage itself. */
const managed = async (w: World) => {
  const { json } = status(await register(w, SERVICE), 201, 'registration')
  const [url, bearer] = [String(json.registration_client_uri), String(json.registration_access_token)]
  ok(URL.canParse(url) && json.registration_access_token !== undefined, 'no registration_client_uri or registration_access_token')
  return { json, url, bearer }
}
const MANAGED = ['registration', 'registrationManagement'] as const

export const registration = [
  must(
    'UMA Grant 2: claims_redirect_uris are registered',
    'G-7 G-8',
    async (w) => {
      const uris = [CLAIMS_REDIRECT, 'https://app.example/other?x=1']
      const answer = status(await register(w, { ...APP, claims_redirect_uris: uris }), 201, 'registration')
      sameSet(answer.json.claims_redirect_uris as string[], uris, 'claims_redirect_uris')
    },
    DCR,
  ),
  must(
    'RFC 7591 3.2.1: the answer is 201 with client_id, all metadata, and nothing to store',
    'O-30',
    async (w) => {
      const answer = isNoStore(isJson(status(await register(w, SERVICE), 201, 'registration'), 'registration'), 'registration')
      ok(typeof answer.json.client_id === 'string' && answer.json.client_id !== '', 'no client_id')
      same([answer.json.client_name, answer.json.redirect_uris], [SERVICE.client_name, SERVICE.redirect_uris], 'metadata')
      if (answer.json.client_secret !== undefined) ok(Number.isInteger(answer.json.client_secret_expires_at), 'no client_secret_expires_at')
    },
    DCR,
  ),
  must(
    'RFC 7591 2: without token_endpoint_auth_method a client has a secret, with none it has not',
    'O-30',
    async (w) => {
      ok((await register(w, APP)).json.client_secret !== undefined, 'no client_secret')
      const open = (await register(w, { ...APP, token_endpoint_auth_method: 'none' })).json
      same([open.client_secret, open.token_endpoint_auth_method], [undefined, 'none'], 'a public client')
    },
    DCR,
  ),
  must(
    'RFC 7591 3.2.1: every registration makes a client of its own',
    'O-31',
    async (w) => {
      const made = await Promise.all([1, 2, 3].map(async () => (await register(w, APP)).json))
      same(
        [new Set(made.map((one) => one.client_id)).size, new Set(made.map((one) => one.client_secret)).size],
        [3, 3],
        'different ids and secrets',
      )
      for (const { client_id } of made) ok(!String(client_id).startsWith('https://'), 'an id looks like a metadata document')
    },
    DCR,
  ),
  must(
    'RFC 7591 2: metadata that nobody knows is ignored',
    'G-2 O-30',
    async (w) => void status(await register(w, { ...APP, 'x-unknown': { a: 1 }, client_id: 'mine' }), 201, 'unknown metadata'),
    DCR,
  ),
  must(
    'RFC 7591 3.1: a client chooses neither its id nor its secret',
    'O-31 OW-16',
    async (w) => {
      const { json } = await register(w, { ...APP, client_id: 'mine', client_secret: 'mine', registration_access_token: 'mine' })
      ok(json.client_id !== 'mine' && json.client_secret !== 'mine' && json.registration_access_token !== 'mine', 'it chose one')
    },
    DCR,
  ),
  ...dangerous,
  ...bad,
  must(
    'RFC 7591 3.1: a body that is no JSON is refused',
    'HT-02 O-30',
    async (w) => {
      const url = w.endpoint('registration_endpoint')
      const send = (body: string, type: string) => w.http.call(url, { body, headers: { 'content-type': type } })
      refused(await send('{', 'application/json'), 400, ['invalid_client_metadata', 'invalid_request'], 'cut off')
      refused(await send(JSON.stringify(APP), 'text/plain'), [400, 415], ['invalid_client_metadata', 'invalid_request'], 'text/plain')
    },
    DCR,
  ),
  must(
    'RFC 8252 7: native apps register private schemes with a dot, and loopback addresses',
    'AZ-04 AZ-06 O-78',
    async (w) => {
      const redirect_uris = [
        'http://127.0.0.1/cb',
        'http://[::1]:8000/cb',
        'com.example.app:/cb',
        'https://abcdefghijklmnop.chromiumapp.org/x',
      ]
      status(await register(w, { ...SERVICE, redirect_uris, token_endpoint_auth_method: 'none' }), 201, 'registration')
    },
    DCR,
  ),
  good(
    'RFC 7591 5: names that turn the direction of writing, or hold controls, are refused',
    'CR-06',
    async (w) => {
      for (const client_name of ['a\u202eb', 'a\u0000b', 'a\u2066b', '\u0007', 'x'.repeat(10_000)])
        refused(await register(w, { ...APP, client_name }), 400, 'invalid_client_metadata', JSON.stringify(client_name.slice(0, 9)))
    },
    DCR,
  ),
  good(
    'RFC 7591 5: links of a client are web addresses',
    'CR-05 CR-06',
    async (w) => {
      for (const name of ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'])
        refused(await register(w, { ...APP, [name]: 'javascript:alert(1)' }), 400, 'invalid_client_metadata', name)
    },
    DCR,
  ),
  must(
    'RFC 7592 2.1: a client reads itself',
    'O-32',
    async (w) => {
      const { json, url, bearer } = await managed(w)
      same((await w.http.call(url, { bearer })).json.client_id, json.client_id, 'client_id')
    },
    MANAGED,
  ),
  must(
    'RFC 7592 2: without the right registration access token nothing is told or changed',
    'O-32 CR-15',
    async (w) => {
      const [one, other] = [await managed(w), await managed(w)]
      for (const bearer of [undefined, random(), other.bearer])
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const answer = await w.http.call(one.url, { method, ...(bearer && { bearer }), ...(method === 'PUT' && { json: one.json }) })
          status(answer, 401, method)
        }
      status(await w.http.call(one.url, { bearer: one.bearer }), 200, 'the client is still there')
    },
    MANAGED,
  ),
  must(
    'RFC 7592 2.2: an update replaces all metadata, and is checked like a registration',
    'O-32 CR-16',
    async (w) => {
      const { json, url, bearer } = await managed(w)
      const put = (more: object) => w.http.call(url, { method: 'PUT', bearer, json: { ...SERVICE, client_id: json.client_id, ...more } })
      refused(
        await put({ redirect_uris: ['javascript:alert(1)'] }),
        400,
        ['invalid_redirect_uri', 'invalid_client_metadata'],
        'a bad redirect URI',
      )
      refused(
        await put({ client_id: 'x' }),
        [400, 401],
        ['invalid_client_metadata', 'invalid_request', 'invalid_token'],
        'another client_id',
      )
      same(status(await put({ client_name: 'New' }), 200, 'update').json.client_name, 'New', 'client_name')
    },
    MANAGED,
  ),
  must(
    'RFC 7592 2.3: a client that deleted itself is gone',
    'O-32 CR-15',
    async (w) => {
      const { json, url, bearer } = await managed(w)
      status(await w.http.call(url, { method: 'DELETE', bearer }), 204, 'delete')
      status(await w.http.call(url, { bearer }), 401, 'read')
      const basic = { id: String(json.client_id), secret: String(json.client_secret) }
      refused(
        await w.http.call(w.endpoint('token_endpoint'), { form: { grant_type: 'authorization_code', code: 'x' }, basic }),
        401,
        'invalid_client',
        'token',
      )
    },
    MANAGED,
  ),
]
