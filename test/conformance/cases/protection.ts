// The protection API as a whole (UMA FedAuthz 1.3, RFC 6750): who may call it, and what those hear who may not.
import type { Case } from '../lib/case.ts'
import { good, must } from '../lib/case.ts'
import { fail, isJson, isNoStore, ok, refused, same, status } from '../lib/check.ts'
import { type Answer, type Call, random } from '../lib/http.ts'
import type { World } from '../lib/world.ts'

type Operation = { name: string; call: (w: World) => { url: string; options: Call } }

const id = 'no-such-resource'
const description = { resource_scopes: ['view'] }
const at = (w: World, one?: string): string => `${w.endpoint('resource_registration_endpoint').replace(/\/$/, '')}${one ? `/${one}` : ''}`

/** Every operation of the three endpoints. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'create', call: (w) => ({ url: w.endpoint('resource_registration_endpoint'), options: { json: description } }) },
  { name: 'list', call: (w) => ({ url: w.endpoint('resource_registration_endpoint'), options: {} }) },
  { name: 'read', call: (w) => ({ url: at(w, id), options: {} }) },
  { name: 'update', call: (w) => ({ url: at(w, id), options: { method: 'PUT', json: description } }) },
  { name: 'delete', call: (w) => ({ url: at(w, id), options: { method: 'DELETE' } }) },
  {
    name: 'permission',
    call: (w) => ({ url: w.endpoint('permission_endpoint'), options: { json: { resource_id: id, resource_scopes: [] } } }),
  },
  { name: 'introspection', call: (w) => ({ url: w.endpoint('introspection_endpoint'), options: { form: { token: 'x' } } }) },
]

const challengeOf = (answer: Answer): string => answer.headers.get('www-authenticate') ?? fail('401 without WWW-Authenticate')

const withEach = async (
  w: World,
  more: (url: string, options: Call) => Call,
  check: (answer: Answer, name: string) => void,
): Promise<void> => {
  for (const { name, call } of OPERATIONS) {
    const { url, options } = call(w)
    check(await w.http.call(url, { ...options, ...more(url, options) }), name)
  }
}

/** 401, a challenge, and invalid_token in it (RFC 6750 3.1). */
const invalidToken = (answer: Answer, name: string): void => {
  status(answer, 401, name)
  ok(/error="?invalid_token/.test(challengeOf(answer)), `${name}: the challenge does not say invalid_token: ${challengeOf(answer)}`)
}

const withoutToken = OPERATIONS.map(
  ({ name, call }): Case =>
    must(`UMA FedAuthz 1.3: ${name} demands a PAT`, 'F-2 F-10 FA-01', async (w) => {
      const { url, options } = call(w)
      const answer = status(await w.http.call(url, options), 401, 'no token')
      const challenge = challengeOf(answer)
      ok(/\b(Bearer|DPoP)\b/i.test(challenge), `the challenge names no scheme of OAuth: ${challenge}`)
      ok(!/\berror=/.test(challenge), `RFC 6750 3.1: a request without credentials gets no error code: ${challenge}`)
    }),
)

const withOwnerToken = OPERATIONS.map(
  ({ name, call }): Case =>
    must(
      `UMA FedAuthz 1.3: ${name} refuses a token without the scope uma_protection`,
      'F-2 F-3 F-10 FA-02 OW-06',
      async (w) => {
        const { token, dpop } = (await w.adapter.ownerToken?.('alice')) ?? fail('the profile gives no owner token')
        const { url, options } = call(w)
        const answer = await w.http.call(url, { ...options, bearer: token, ...(dpop && { dpop }) })
        status(answer, 403, 'a token of another scope')
        ok(/insufficient_scope/.test(challengeOf403(answer)), 'neither challenge nor body says insufficient_scope')
      },
      ['ownerApi'],
    ),
)
const challengeOf403 = (answer: Answer): string => `${answer.headers.get('www-authenticate') ?? ''} ${String(answer.json.error)}`

export const protection = [
  ...withoutToken,
  ...withOwnerToken,
  must('RFC 6750 3.1: a token that nobody issued is invalid_token', 'F-10 FA-01 TK-03', async (w) => {
    for (const token of [random(), 'x', 'AAAA.BBBB.CCCC', '../../../x']) await withEach(w, () => ({ bearer: token }), invalidToken)
  }),
  must('UMA FedAuthz 1.3: an RPT is no PAT', 'F-2 FA-01 TK-05', async (w) => {
    const { rpt } = await w.opened()
    await withEach(
      w,
      () => ({ bearer: rpt }),
      (answer, name) => void status(answer, [401, 403], name),
    )
  }),
  must(
    'UMA FedAuthz 1.3: a refresh token is no PAT',
    'F-2 TK-05',
    async (w) => {
      const { refreshToken } = (await w.rs()).pat
      ok(refreshToken, 'the PAT came without a refresh token')
      await withEach(w, () => ({ bearer: refreshToken }), invalidToken)
    },
    ['patRefresh'],
  ),
  must('UMA FedAuthz 1.3: client credentials are no PAT', 'F-2 F-42', async (w) => {
    const { client } = (await w.rs()).pat
    if (client.secret === undefined) return
    const basic = { id: client.id, secret: client.secret }
    await withEach(
      w,
      () => ({ basic }),
      (answer, name) => void status(answer, 401, name),
    )
  }),
  must('RFC 6750 2.1: a PAT comes with the scheme Bearer and no other', 'HT-05', async (w) => {
    const { token } = (await w.rs()).pat
    for (const authorization of [
      `Basic ${token}`,
      `Token ${token}`,
      `BearerX ${token}`,
      `Bearer${token}`,
      token,
      `Bearer ${token} x`,
      'Bearer',
    ])
      await withEach(
        w,
        () => ({ headers: { authorization } }),
        (answer, name) => void status(answer, [400, 401], `${authorization.slice(0, 8)} ${name}`),
      )
  }),
  must('RFC 6750 2.1: a PAT comes as bearer token', 'F-2', async (w) => {
    const { pat, resourceUrl } = await w.rs()
    if (pat.dpop) return
    status(await w.http.call(resourceUrl(), { headers: { authorization: `Bearer ${pat.token}` } }), 200, 'Bearer')
    status(
      await w.http.call(resourceUrl(), { headers: { authorization: `bearer ${pat.token}` } }),
      200,
      'the scheme in lower case (RFC 9110 11.1)',
    )
  }),
  must('RFC 9700 4.3.2: a PAT in the query or in the body is not looked at', 'TK-11', async (w) => {
    const { pat, resourceUrl } = await w.rs()
    status(await w.http.call(`${resourceUrl()}?access_token=${pat.token}`), [400, 401], 'in the query')
    const form = { token: 'x', access_token: pat.token }
    status(await w.http.call(w.endpoint('introspection_endpoint'), { form }), [400, 401], 'in the body')
  }),
  must(
    'RFC 7009 2.1: a PAT that its resource server gave back opens nothing',
    'F-10 FA-22 E14',
    async (w) => {
      const rs = await w.freshRs()
      status(await rs.call(rs.resourceUrl()), 200, 'before')
      const { client, token } = rs.pat
      const basic = { id: client.id, secret: client.secret ?? '' }
      status(await w.http.call(w.endpoint('revocation_endpoint'), { form: { token }, basic }), 200, 'revocation')
      await withEach(w, () => ({ bearer: token }), invalidToken)
    },
    ['revocation'],
  ),
  must(
    'UMA FedAuthz 1.3: a PAT opens nothing once its owner has ended the connection',
    'F-4 F-10 FA-22 E14 I4',
    async (w) => {
      const rs = await w.freshRs()
      status(await rs.call(rs.resourceUrl()), 200, 'before')
      await w.adapter.disconnect?.('alice', rs.pat)
      await withEach(w, () => ({ bearer: rs.pat.token }), invalidToken)
    },
    ['disconnect'],
  ),
  must(
    'UMA FedAuthz 1.4: a resource server renews its PAT while the owner is away',
    'F-8',
    async (w) => {
      const rs = await w.freshRs()
      const { client, refreshToken = '', token } = rs.pat
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const answer = await w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: client.id, secret: client.secret ?? '' } })
      const { access_token } = isNoStore(status(answer, 200, 'refreshing'), 'refreshing').json
      ok(typeof access_token === 'string' && access_token !== token, 'no new token came')
      const id = await rs.register({ resource_scopes: ['view'] })
      same((await w.http.call(rs.resourceUrl(), { bearer: access_token })).text.includes(id), true, 'the new PAT sees the same resources')
    },
    ['patRefresh'],
  ),
  must(
    'UMA FedAuthz 1.3: a PAT whose scope was narrowed to something else is none',
    'F-3 FA-02',
    async (w) => {
      const { pat } = await w.freshRs()
      const form = { grant_type: 'refresh_token', refresh_token: pat.refreshToken ?? '', scope: 'openid' }
      const answer = await w.http.call(w.endpoint('token_endpoint'), {
        form,
        basic: { id: pat.client.id, secret: pat.client.secret ?? '' },
      })
      if (answer.status !== 200) return void refused(answer, 400, 'invalid_scope', 'narrowing')
      await withEach(
        w,
        () => ({ bearer: String(answer.json.access_token) }),
        (one, name) => void status(one, [401, 403], name),
      )
    },
    ['patRefresh'],
  ),
  must(
    'UMA FedAuthz 1.3: an organisation gets a PAT by the client credentials grant',
    'F-5',
    async (w) => {
      const client = (await w.adapter.organisation?.()) ?? fail('the profile names no organisation')
      const form = { grant_type: 'client_credentials', scope: 'uma_protection' }
      const answer = await w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: client.id, secret: client.secret ?? '' } })
      const { access_token } = status(answer, 200, 'client credentials').json
      status(
        await w.http.call(w.endpoint('resource_registration_endpoint'), { bearer: String(access_token), json: description }),
        201,
        'create',
      )
    },
    ['clientCredentials'],
  ),
  must('UMA FedAuthz 6: refusals are JSON with an error code', 'F-55 G-65b', async (w) => {
    const rs = await w.rs()
    const answers = [await rs.create({}), await rs.call(rs.resourceUrl('none')), await rs.askPermission([])]
    for (const answer of answers) {
      ok(typeof isNoStore(isJson(answer, 'a refusal'), 'a refusal').json.error === 'string', `no error code in ${answer.text}`)
      const { error_description: words } = answer.json
      ok(
        words === undefined || /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(String(words)),
        `error_description holds what RFC 6749 5.2 forbids: ${words}`,
      )
    }
  }),
  good('RFC 9110 15.5.6: a method that an endpoint does not have is 405 and tells which it has', 'F-20 HT-02', async (w) => {
    const rs = await w.rs()
    for (const [url, method] of [
      [rs.resourceUrl(), 'PATCH'],
      [rs.resourceUrl('x'), 'PATCH'],
      [rs.resourceUrl(), 'DELETE'],
      [w.endpoint('permission_endpoint'), 'GET'],
      [w.endpoint('introspection_endpoint'), 'GET'],
      [w.endpoint('token_endpoint'), 'GET'],
    ] as const) {
      const answer = status(await rs.call(url, { method }), 405, `${method} ${url}`)
      ok(/[A-Z]{3}/.test(answer.headers.get('allow') ?? ''), `${method} ${url}: no Allow`)
    }
  }),
]
