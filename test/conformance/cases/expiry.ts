// What ends by itself (UMA Grant 3.3.6, 5.5; UMA FedAuthz 5.1.1). These cases move the server's clock and run one by one.

import { codeFor, redeem } from '../lib/authorization.ts'
import { good, must } from '../lib/case.ts'
import { granted, isFinal, NotOffered, notGranted, ok, same } from '../lib/check.ts'
import { prepare, visit } from '../lib/visit.ts'
import { opensNot, type World } from '../lib/world.ts'

const CLOCK = ['clock'] as const

/** Goes on when so many seconds have passed. */
const later = async (w: World, seconds: number | undefined): Promise<void> => {
  ok(seconds !== undefined, 'the profile does not say how long this lives')
  await w.adapter.setClock?.(seconds)
}

export const expiry = [
  must(
    'UMA Grant 3.3.6: a ticket that has expired is invalid_grant',
    'G-80 UG-05 LF-14',
    async (w) => {
      const { thing, app, person } = await w.opened()
      const ticket = await thing.ticket()
      await later(w, (w.lifetimes.ticket ?? 0) + 2)
      isFinal(await w.present(app, ticket, person), 'invalid_grant', 'the ticket')
    },
    CLOCK,
  ),
  must(
    'UMA Grant 3.3.6: the ticket of need_info expires as well',
    'G-80 UG-05',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      const { ticket } = (await app.token(await thing.ticket())).json
      await later(w, (w.lifetimes.ticket ?? 0) + 2)
      isFinal(await w.present(app, String(ticket), bob), 'invalid_grant', 'the ticket')
    },
    CLOCK,
  ),
  must(
    'UMA Grant 3.3.3: a ticket that has expired opens no interaction',
    'G-39 G-80 UG-05',
    async (w) => {
      const { thing, app, person, ticket } = await prepare(w)
      await later(w, (w.lifetimes.ticket ?? 0) + 2)
      const { ended } = await visit(w, { thing, app, person, ticket, isShared: false })
      ok(!ended.back?.searchParams.has('ticket'), 'the interaction brought a ticket')
      ok(ended.back !== undefined || ended.status >= 400, 'the interaction began')
    },
    ['clock', 'interactive'],
  ),
  must(
    'RFC 7662 2.2: an RPT that has expired is inactive',
    'F-44 F-46 G-63 IN-02',
    async (w) => {
      const { rpt, answer, thing } = await w.opened()
      const lifetime = Number(answer.json.expires_in ?? w.lifetimes.rpt)
      await w.adapter.setClock?.(lifetime - 60)
      const rs = await w.rs(thing.rs.owner, thing.rs.service)
      same((await rs.introspect(rpt)).active, true, 'before')
      await later(w, lifetime + 2)
      const ask = (bearer: string) => w.http.call(w.endpoint('introspection_endpoint'), { form: { token: rpt }, bearer })
      const found = await ask(rs.pat.token)
      if (found.status !== 401) return same(found.json, { active: false }, 'the RPT')
      // The PAT has expired in the meantime.
      if (!w.offers('patRefresh')) throw new NotOffered('a PAT lives no longer than an RPT')
      const { client, refreshToken = '' } = rs.pat
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const renewed = await w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: client.id, secret: client.secret ?? '' } })
      same((await ask(granted(renewed, 'a new PAT'))).json, { active: false }, 'the RPT')
    },
    CLOCK,
  ),
  must(
    'UMA Grant 6.1: when a policy ends, its RPT ends',
    'F-49 G-63 G-96 PO-04 E14',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob, ['view'], w.now() + 300)
      const rpt = granted(await w.present(app, await thing.ticket(), bob), 'before')
      await later(w, 290)
      same((await thing.rs.introspect(rpt)).active, true, 'shortly before')
      await later(w, 302)
      await opensNot(thing.rs, rpt, thing.id, 'after')
      notGranted(await w.present(app, await thing.ticket(), bob), 'a new ticket')
    },
    ['clock', 'policyTimes'],
  ),
  must(
    'RFC 6749 4.1.2: a code that is too old is invalid_grant',
    'O-3 AZ-15',
    async (w) => {
      const flow = await codeFor(w)
      await later(w, (w.lifetimes.code ?? 0) + 2)
      isFinal(await redeem(w, flow), 'invalid_grant', 'the code')
    },
    ['clock', 'authorizationCode', 'registration'],
  ),
  good(
    'UMA Grant 3.3.6: a claim token that was made long before is asked for again',
    'CT-06 G-51 LF-14',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      const ticket = await thing.ticket()
      const claim = { ...(await w.adapter.claimToken?.({ person: bob, client: app.client, ticket })) }
      await later(w, Math.min(500, (w.lifetimes.ticket ?? 500) - 30))
      same((await app.token(ticket, claim)).json.error, 'need_info', 'error')
    },
    ['clock', 'pushedClaims'],
  ),
]
