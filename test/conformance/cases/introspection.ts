// Introspection with permissions (UMA FedAuthz 5, RFC 7662), and that it tells what holds at this moment.
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { good, must } from '../lib/case.ts'
import { granted, isJson, isNoStore, notGranted, ok, refused, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { hasExactly, opensNot, type Permission } from '../lib/world.ts'

const isInstant = (value: unknown): boolean => value === undefined || (Number.isInteger(value) && (value as number) > 1_000_000_000)

export const introspection = [
  must('UMA FedAuthz 5.1.1: an active RPT has permissions and no scope', 'F-40 F-41 F-43 F-45 F-50 IN-01', async (w) => {
    const { thing, rpt } = await w.opened()
    const answer = await thing.rs.call(w.endpoint('introspection_endpoint'), { form: { token: rpt } })
    isNoStore(isJson(status(answer, 200, 'introspection'), 'introspection'), 'introspection')
    same(answer.json.active, true, 'active')
    ok(!('scope' in answer.json), 'the answer has a scope')
    await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT')
  }),
  must('UMA FedAuthz 5.1.1: times are whole seconds, and none lies outside of the token', 'F-43 F-44 F-49', async (w) => {
    const { thing, rpt } = await w.opened()
    const found = await thing.rs.introspect(rpt)
    const permissions = found.permissions as (Permission & { exp?: number; iat?: number; nbf?: number })[]
    for (const one of [found, ...permissions])
      for (const name of ['exp', 'iat', 'nbf'] as const) ok(isInstant(one[name]), `${name} is ${one[name]}`)
    if (found.exp !== undefined) ok((found.exp as number) > w.now(), 'an active token has expired')
  }),
  must('UMA FedAuthz 5.1: hint and unknown parameters do not matter', 'F-42 G-2', async (w) => {
    const { thing, rpt } = await w.opened()
    for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense'])
      same((await thing.rs.introspect(rpt, { token_type_hint, 'x-unknown': '1' })).active, true, token_type_hint)
  }),
  must('RFC 7662 2.2: garbage is inactive, and nothing else is told', 'F-46 IN-02', async (w) => {
    const rs = await w.rs()
    for (const token of ['garbage', random(), 'a.b.c', '\u0000', 'ü', '%00', "' OR 1=1 --", 'x'.repeat(3000)])
      same(await rs.introspect(token), { active: false }, `the token ${token.slice(0, 20)}`)
  }),
  must('RFC 7662 2.2: other tokens of the server are no active RPTs', 'F-46 IN-02 TK-05', async (w) => {
    const [rs, thing] = await Promise.all([w.rs(), w.thing()])
    for (const token of [await thing.ticket(), ...(rs.pat.refreshToken === undefined ? [] : [rs.pat.refreshToken])])
      same(await rs.introspect(token), { active: false }, 'a ticket or refresh token')
    const { permissions } = await rs.introspect(rs.pat.token)
    ok(permissions === undefined || (permissions as unknown[]).length === 0, 'a PAT has permissions')
  }),
  must('RFC 7662 2.1: a request without token is invalid_request', 'F-42 O-25', async (w) => {
    const rs = await w.rs()
    refused(
      await rs.call(w.endpoint('introspection_endpoint'), { form: { token_type_hint: 'access_token' } }),
      400,
      'invalid_request',
      'no token',
    )
    const twice: [string, string][] = [
      ['token', 'a'],
      ['token', 'b'],
    ]
    refused(await rs.call(w.endpoint('introspection_endpoint'), { form: twice }), 400, 'invalid_request', 'two tokens')
    refused(await rs.call(w.endpoint('introspection_endpoint'), { json: { token: 'x' } }), [400, 415], 'invalid_request', 'JSON')
  }),
  must('UMA FedAuthz 5.1.1: after a withdrawal the next introspection knows', 'G-96 IN-09 E14 I4 U-22', async (w) => {
    const { thing, rpt, policy } = await w.opened()
    same((await thing.rs.introspect(rpt)).active, true, 'before')
    await policy.withdraw()
    await opensNot(thing.rs, rpt, thing.id, 'after')
  }),
  must('UMA FedAuthz 5.1.1: of two permissions the one is left whose policy holds', 'IN-09 F-45 I4', async (w) => {
    const [one, two, app, bob] = await Promise.all([w.thing(), w.thing(), w.app(), w.bob()])
    const [policy] = await Promise.all([w.share(one, bob), w.share(two, bob)])
    const both = [one.id, two.id].map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
    const rpt = granted(await w.present(app, await one.rs.ticket(both), bob), 'both')
    await hasExactly(one.rs, rpt, both, 'before')
    await policy.withdraw()
    await hasExactly(one.rs, rpt, both.slice(1), 'after')
  }),
  must('UMA FedAuthz 3.2.4: a deleted resource is no longer in any RPT', 'F-12 F-24 FA-11 I4', async (w) => {
    const { thing, rpt } = await w.opened()
    await thing.rs.call(thing.rs.resourceUrl(thing.id), { method: 'DELETE' })
    await opensNot(thing.rs, rpt, thing.id, 'after the deletion')
  }),
  must('UMA FedAuthz 3.2.4: tickets for a deleted resource bring nothing', 'F-24 FA-11', async (w) => {
    const { thing, app, person } = await w.opened()
    const ticket = await thing.ticket()
    await thing.rs.call(thing.rs.resourceUrl(thing.id), { method: 'DELETE' })
    notGranted(await w.present(app, ticket, person), 'after the deletion')
  }),
  good('UMA FedAuthz 3.2.3: a scope that was taken off a resource is no longer in any RPT', 'F-23 F-45 FA-12', async (w) => {
    const { thing, rpt } = await w.opened(['view', 'edit'])
    await thing.rs.call(thing.rs.resourceUrl(thing.id), { method: 'PUT', json: { resource_scopes: ['view'] } })
    await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'after the update')
  }),
  must('UMA FedAuthz 3.2.3: a ticket that names a scope which is gone grants it no more', 'F-23 FA-13', async (w) => {
    const { thing, app, person } = await w.opened(['view', 'edit'])
    const [both, gone] = [await thing.ticket(['view', 'edit']), await thing.ticket(['edit'])]
    await thing.rs.call(thing.rs.resourceUrl(thing.id), { method: 'PUT', json: { resource_scopes: ['view'] } })
    notGranted(await w.present(app, gone, person), 'a ticket for the scope')
    const answer = await w.present(app, both, person)
    ok(answer.status < 500, `status ${answer.status}`)
    if (answer.status !== 200) return
    await hasExactly(thing.rs, granted(answer, 'a ticket for both'), [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT')
  }),

  good('RFC 7662 2.2: client and issuer of an RPT are told', 'F-48', async (w) => {
    const { thing, rpt, app } = await w.opened()
    const { client_id, iss, token_type } = await thing.rs.introspect(rpt)
    same(client_id, app.client.id, 'client_id')
    ok(iss === undefined || iss === w.issuer, `iss is ${iss}`)
    ok(token_type === undefined || token_type === 'Bearer', `token_type is ${token_type}`)
  }),
  good(
    'UMA FedAuthz 5.1.1: a permission does not outlive its policy',
    'F-49 PO-04',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      const until = w.now() + 300
      await w.share(thing, bob, ['view'], until)
      const found = await thing.rs.introspect(granted(await w.present(app, await thing.ticket(), bob), 'the ticket'))
      const [first] = found.permissions as { exp?: number }[]
      const ends = Math.min(Number(found.exp ?? Number.POSITIVE_INFINITY), first?.exp ?? Number.POSITIVE_INFINITY)
      ok(ends <= until, `the permission lasts until ${ends}, the policy until ${until}`)
    },
    ['policyTimes'],
  ),
  must(
    'RFC 9701 5: an answer as JWT is signed, for this resource server, and of its own type',
    'F-51 O-90 IN-11',
    async (w) => {
      const { thing, rpt } = await w.opened()
      const headers = { accept: 'application/token-introspection+jwt' }
      const answer = await thing.rs.call(w.endpoint('introspection_endpoint'), { form: { token: rpt }, headers })
      ok(/^application\/token-introspection\+jwt\b/.test(answer.headers.get('content-type') ?? ''), 'Content-Type')
      same(decodeProtectedHeader(answer.text).typ, 'token-introspection+jwt', 'typ')
      const { iss, aud, iat, sub, exp, token_introspection } = decodeJwt(answer.text)
      same(iss, w.issuer, 'iss')
      ok(aud !== undefined && typeof iat === 'number', 'aud or iat is missing')
      ok(sub === undefined && exp === undefined, 'sub or exp stand outside of token_introspection')
      same((token_introspection as { active: boolean }).active, true, 'active')
    },
    ['introspectionJwt'],
  ),
]
