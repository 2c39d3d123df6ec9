// Refreshing and revoking RPTs (UMA Grant 3.6, 3.7, RFC 6749 6, RFC 7009).
import { good, must, should } from '../lib/case.ts'
import { isFinal, ok, refused, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { type App, cellsOf, hasExactly, opensNot, type World } from '../lib/world.ts'

const revoke = (w: World, app: App, token: string, token_type_hint?: string) =>
  app.request({ token, ...(token_type_hint && { token_type_hint }) }, w.endpoint('revocation_endpoint'))

/** An RPT that came with a refresh token. */
const refreshable = async (w: World, scopes?: string[]) => {
  const opened = await w.opened(scopes)
  const { refresh_token } = opened.answer.json
  ok(typeof refresh_token === 'string', 'the RPT came without a refresh token')
  const refresh = (more: Record<string, string> = {}) => opened.app.request({ grant_type: 'refresh_token', refresh_token, ...more })
  return { ...opened, refresh_token, refresh }
}

const REVOCATION = ['revocation'] as const
const REFRESH = ['rptRefresh'] as const

export const refreshAndRevoke = [
  must(
    'UMA Grant 3.6: a refreshed RPT has the permissions of the old one, without any new claim',
    'G-54 G-66 UG-26',
    async (w) => {
      const { thing, refresh, rpt } = await refreshable(w)
      const answer = status(await refresh(), 200, 'refresh')
      ok(answer.json.access_token !== rpt, 'the same RPT came')
      await hasExactly(thing.rs, String(answer.json.access_token), [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the new RPT')
    },
    REFRESH,
  ),
  must(
    'UMA Grant 3.6: no assessment on refresh: a policy that came later adds nothing',
    'G-54 G-66 UG-26',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(['view', 'edit']), w.app(), w.bob()])
      await w.share(thing, bob, ['view'])
      const { refresh_token } = (await w.present(app, await thing.ticket(), bob)).json
      await w.share(thing, bob, ['view', 'edit'])
      const answer = status(await app.request({ grant_type: 'refresh_token', refresh_token: String(refresh_token) }), 200, 'refresh')
      same(cellsOf(await thing.rs.introspect(String(answer.json.access_token))), [`${thing.id}: view`], 'permissions')
    },
    ['rptRefresh', 'partialGrant'],
  ),
  should(
    'UMA Grant 6.1: after a withdrawal there is nothing to refresh',
    'G-66 G-96 UG-26 E14',
    async (w) => {
      const { refresh, policy } = await refreshable(w)
      await policy.withdraw()
      isFinal(await refresh(), 'invalid_grant', 'refresh')
    },
    REFRESH,
  ),
  must(
    'UMA Grant 3.6: scope at a refresh narrows, and never widens',
    'G-66 UG-26',
    async (w) => {
      const { thing, refresh } = await refreshable(w, ['view', 'edit'])
      const narrowed = status(await refresh({ scope: 'view' }), 200, 'refresh')
      const found = cellsOf(await thing.rs.introspect(String(narrowed.json.access_token)))
      ok([`${thing.id}: view`, `${thing.id}: edit view`].includes(found[0] ?? ''), `permissions: ${found}`)
    },
    REFRESH,
  ),
  must(
    'RFC 6749 6: a refresh token is good for its client only',
    'G-66 TK-14',
    async (w) => {
      const [{ refresh_token }, other] = await Promise.all([refreshable(w), w.app('other')])
      isFinal(await other.request({ grant_type: 'refresh_token', refresh_token }), 'invalid_grant', 'at another client')
    },
    REFRESH,
  ),
  must(
    'UMA Grant 3.7: an RPT that was revoked is inactive',
    'G-67 IN-12 E14',
    async (w) => {
      const { thing, app, rpt } = await w.opened()
      status(await revoke(w, app, rpt), 200, 'revocation')
      same(await thing.rs.introspect(rpt), { active: false }, 'the RPT')
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.1: a wrong or unknown hint does not matter',
    'G-67 O-20 IN-12',
    async (w) => {
      for (const hint of ['refresh_token', 'access_token', 'urn:example:unknown']) {
        const { thing, app, rpt } = await w.opened()
        status(await revoke(w, app, rpt, hint), 200, `hint ${hint}`)
        same(await thing.rs.introspect(rpt), { active: false }, `the RPT revoked with hint ${hint}`)
      }
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.1: a client cannot revoke what belongs to another',
    'O-20 IN-12',
    async (w) => {
      const [{ thing, rpt }, other] = await Promise.all([w.opened(), w.app('other')])
      const answer = await revoke(w, other, rpt)
      ok(answer.status === 200 || answer.status === 400, `status ${answer.status}`)
      same((await thing.rs.introspect(rpt)).active, true, 'the RPT')
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.2: an unknown token is 200',
    'O-20 IN-14',
    async (w) => {
      const app = await w.app()
      for (const token of [random(), 'x', '../..']) status(await revoke(w, app, token), 200, `token ${token}`)
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.1: the client authenticates',
    'O-20 IN-12',
    async (w) => {
      const { thing, app, rpt } = await w.opened()
      const url = w.endpoint('revocation_endpoint')
      refused(await w.http.call(url, { form: { token: rpt } }), [400, 401], ['invalid_client', 'invalid_request'], 'nobody')
      refused(
        await w.http.call(url, { form: { token: rpt }, basic: { id: app.client.id, secret: random() } }),
        401,
        'invalid_client',
        'a wrong secret',
      )
      same((await thing.rs.introspect(rpt)).active, true, 'the RPT')
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.1: a request without token is invalid_request',
    'O-20',
    async (w) => void isFinal(await (await w.app()).request({}, w.endpoint('revocation_endpoint')), 'invalid_request', 'no token'),
    REVOCATION,
  ),
  good(
    'RFC 7009 2.1: revoking an RPT leaves others alone',
    'IN-12',
    async (w) => {
      const { thing, app, rpt, person } = await w.opened()
      const second = await w.present(app, await thing.ticket(), person)
      status(await revoke(w, app, rpt), 200, 'revocation')
      same((await thing.rs.introspect(String(second.json.access_token))).active, true, 'the other RPT')
    },
    REVOCATION,
  ),
  must(
    'RFC 7009 2.1: with the refresh token the RPT ends as well',
    'O-20 IN-12',
    async (w) => {
      const { thing, app, rpt, refresh_token, refresh } = await refreshable(w)
      status(await revoke(w, app, refresh_token), 200, 'revocation')
      isFinal(await refresh(), 'invalid_grant', 'the refresh token')
      await opensNot(thing.rs, rpt, thing.id, 'the RPT')
    },
    ['rptRefresh', 'revocation'],
  ),
  must(
    'RFC 6749 6: a refresh token of a PAT is good for its client only',
    'F-8 TK-14 O-8',
    async (w) => {
      const [{ pat }, app] = await Promise.all([w.rs(), w.rs('alice', 'second')])
      const { id, secret = '' } = app.pat.client
      const form = { grant_type: 'refresh_token', refresh_token: pat.refreshToken ?? '' }
      isFinal(await w.http.call(w.endpoint('token_endpoint'), { form, basic: { id, secret } }), 'invalid_grant', 'at another client')
    },
    ['patRefresh'],
  ),
  must(
    'RFC 6749 6: a refresh brings no scope that was not consented to',
    'F-3 O-8',
    async (w) => {
      const { pat } = await w.rs()
      const basic = { id: pat.client.id, secret: pat.client.secret ?? '' }
      const form = { grant_type: 'refresh_token', refresh_token: pat.refreshToken ?? '', scope: 'uma_protection admin' }
      isFinal(await w.http.call(w.endpoint('token_endpoint'), { form, basic }), 'invalid_scope', 'a wider scope')
    },
    ['patRefresh'],
  ),
  must(
    'RFC 6749 6: garbage is no refresh token',
    'O-8 TK-05',
    async (w) => {
      const { pat } = await w.rs()
      const basic = { id: pat.client.id, secret: pat.client.secret ?? '' }
      for (const refresh_token of [random(), pat.token, 'x'])
        isFinal(
          await w.http.call(w.endpoint('token_endpoint'), { form: { grant_type: 'refresh_token', refresh_token }, basic }),
          'invalid_grant',
          'garbage',
        )
    },
    ['patRefresh'],
  ),
]
