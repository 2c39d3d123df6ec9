// Authorization codes (RFC 6749 4.1.3, RFC 7636), and what is no token at all (RFC 8725).
import { createHmac } from 'node:crypto'
import type { JWK } from 'jose'
import { codeFor, newServiceClient, patOf, redeem } from '../lib/authorization.ts'
import { must, should } from '../lib/case.ts'
import { granted, isFinal, ok, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import type { World } from '../lib/world.ts'

const DCR = ['authorizationCode', 'registration'] as const
const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Whether a token opens the protection API. */
const opens = async (w: World, bearer: string): Promise<number> =>
  (await w.http.call(w.endpoint('resource_registration_endpoint'), { bearer })).status

/** Tokens that somebody makes up who knows the published keys. */
const forged = async (w: World): Promise<[string, string][]> => {
  const keys = (await w.http.call(w.endpoint('jwks_uri'))).json.keys as JWK[]
  const { owner } = await w.rs()
  const claims = {
    iss: w.issuer,
    aud: w.issuer,
    sub: owner,
    scope: 'uma_protection',
    exp: w.now() + 600,
    iat: w.now(),
    jti: random(),
    active: true,
  }
  const sealed = (header: object): [string, string] => [`${b64(header)}.${b64(claims)}`, JSON.stringify(header)]
  const list: [string, string][] = []
  for (const alg of ['none', 'None', 'NONE']) {
    const [text, what] = sealed({ alg, typ: 'at+jwt' })
    list.push([`${text}.`, what])
  }
  for (const key of keys.slice(0, 2)) {
    for (const secret of [JSON.stringify(key), key.x ?? '', '']) {
      const [text, what] = sealed({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })
      list.push([`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`, what])
    }
  }
  for (const kid of ['../../../../dev/null', "' OR '1'='1", '\u0000', 'x'.repeat(2000)]) {
    const [text, what] = sealed({ alg: 'ES256', kid, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x' })
    list.push([`${text}.${random(64)}`, what])
  }
  const [text, what] = sealed({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1_000_000_000, p2s: 'x', zip: 'DEF' })
  list.push([`${text}.${b64('iv')}.${b64('ciphertext')}.${b64('tag')}`, what])
  return list
}

export const codes = [
  must(
    'RFC 6749 4.1.2: a code is good once, and a second use ends what it brought',
    'O-3 AZ-09',
    async (w) => {
      const { flow, token } = await patOf(w)
      same(await opens(w, token), 200, 'the PAT')
      isFinal(await redeem(w, flow), 'invalid_grant', 'the code once more')
      same(await opens(w, token), 401, 'the PAT afterwards')
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.2: of many uses of a code at once at most one counts',
    'O-3 AZ-09',
    async (w) => {
      const flow = await codeFor(w)
      const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(w, flow)))
      ok(answers.filter((one) => one.status === 200).length <= 1, 'several tokens came')
      ok(
        answers.every((one) => one.status < 500),
        'the server failed',
      )
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.3: a code is good for its client only, and is not used up by another',
    'O-3 AZ-08',
    async (w) => {
      const [flow, other] = [await codeFor(w), await newServiceClient(w)]
      isFinal(await redeem(w, { ...flow, client: other }), 'invalid_grant', 'at another client')
      granted(await redeem(w, flow), 'at its own client')
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.3: the redirect URI must be the one of the authorization request',
    'O-3 O-8',
    async (w) =>
      void isFinal(await redeem(w, await codeFor(w), { redirect_uri: 'https://app.example/other' }), 'invalid_grant', 'another one'),
    DCR,
  ),
  must(
    'RFC 7636 4.6: a verifier that is wrong, empty, or the challenge itself is invalid_grant',
    'O-10 AZ-07',
    async (w) => {
      for (const code_verifier of [random(), 'x', '', 'a'.repeat(200)])
        isFinal(
          await redeem(w, await codeFor(w), { code_verifier }),
          ['invalid_grant', 'invalid_request'],
          `verifier ${code_verifier.slice(0, 9)}`,
        )
      const flow = await codeFor(w)
      const code_verifier = new URL(flow.url).searchParams.get('code_challenge') ?? ''
      isFinal(await redeem(w, flow, { code_verifier }), 'invalid_grant', 'the challenge')
    },
    DCR,
  ),
  must(
    'RFC 7636 4.6: a code that was asked for with a challenge is nothing without the verifier',
    'O-10 O-15 AZ-07',
    async (w) =>
      void isFinal(await redeem(w, await codeFor(w), { code_verifier: undefined }), ['invalid_grant', 'invalid_request'], 'no verifier'),
    DCR,
  ),
  must(
    'RFC 6749 4.1.3: a code that this server never made is invalid_grant, and has no effect',
    'O-3 AZ-09',
    async (w) => {
      const { flow, token } = await patOf(w)
      for (const code of [random(), `${flow.code.slice(0, -6)}AAAAAA`, flow.code.slice(0, 20), 'x', '../..'])
        isFinal(await redeem(w, { ...flow, code }), 'invalid_grant', `the code ${code.slice(0, 9)}`)
      same(await opens(w, token), 200, 'the PAT of the real one')
    },
    DCR,
  ),
  must(
    'RFC 6749 4.1.3: a request without code is invalid_request',
    'O-1',
    async (w) => void isFinal(await redeem(w, { ...(await codeFor(w)), code: '' }), 'invalid_request', 'no code'),
    DCR,
  ),
  should(
    'RFC 6749 5.1: tokens that expire say so, and the scope is told if it is another one',
    'O-5 F-3',
    async (w) => {
      const { json } = await redeem(w, await codeFor(w))
      ok(typeof json.expires_in === 'number', 'no expires_in')
      ok(json.scope === undefined || String(json.scope).split(' ').includes('uma_protection'), `scope is ${json.scope}`)
    },
    DCR,
  ),
  must('RFC 8725 3.1: no token that somebody made up opens the protection API', 'TK-01 TK-02 TK-03 TK-09 FA-01', async (w) => {
    for (const [token, what] of await forged(w)) {
      const begin = performance.now()
      const answer = await w.http.call(w.endpoint('resource_registration_endpoint'), { bearer: token })
      status(answer, 401, what)
      ok(performance.now() - begin < 5000, `${what}: the answer took ${Math.round(performance.now() - begin)} ms`)
    }
  }),
  must('RFC 8725 3.1: no token that somebody made up is an active RPT', 'TK-01 TK-02 TK-03 TK-09 IN-02', async (w) => {
    const rs = await w.rs()
    for (const [token, what] of await forged(w)) same(await rs.introspect(token), { active: false }, what)
  }),
  must('UMA Grant 5.4: an RPT that was changed is inactive', 'TK-12 IN-02', async (w) => {
    const { thing, rpt } = await w.opened()
    for (const at of [1, Math.floor(rpt.length / 2), rpt.length - 2]) {
      const changed = `${rpt.slice(0, at)}${rpt[at] === 'A' ? 'B' : 'A'}${rpt.slice(at + 1)}`
      same(await thing.rs.introspect(changed), { active: false }, `changed at ${at}`)
    }
  }),
]
