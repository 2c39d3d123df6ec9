// Pushed claim tokens (UMA Grant 3.3.1, 3.3.6, 5.7): what counts and what does not. One that does not count is asked for again.
import type { ClaimFlaw } from '../contract.ts'
import type { Case } from '../lib/case.ts'
import { good, must, should } from '../lib/case.ts'
import { fail, granted, needInfo, notGranted } from '../lib/check.ts'
import type { World } from '../lib/world.ts'

/** A claim token with one flaw, pushed for a thing that is shared with the person: it is as if nothing had been pushed. */
const pushFlawed = async (w: World, flaw: ClaimFlaw): Promise<void> => {
  const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
  await w.share(thing, bob)
  const ticket = await thing.ticket()
  const claim = await (w.adapter.claimToken ?? fail('the profile makes no claim tokens'))({ person: bob, client: app.client, ticket, flaw })
  const next = needInfo(await app.token(ticket, { ...claim }), ticket, 'the claim token')
  granted(await w.present(app, next, bob), 'a good one with the new ticket')
}

const FLAWS: readonly (readonly [ClaimFlaw, string, string])[] = [
  ['expired', 'UMA Grant 3.3.6: a claim token that has expired is asked for again', 'G-64 CT-06'],
  ['signature', "UMA Grant 3.3.6: a claim token whose signature is not its issuer's is asked for again", 'G-64 G-89 CT-09'],
  ['unsigned', 'UMA Grant 3.3.6: a claim token without signature is asked for again', 'G-64 G-89 CT-13 TK-01'],
  ['holder', 'UMA Grant 3.3.6: a claim token that another key presents is asked for again', 'G-64 CT-14'],
]

const flawed = FLAWS.map(([flaw, title, ids]): Case => must(title, ids, (w) => pushFlawed(w, flaw), ['pushedClaims']))

export const claimTokens = [
  must(
    'UMA Grant 3.3.1: a claim token at the first request is enough',
    'G-21 E5 CT-01',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      granted(await w.present(app, await thing.ticket(), bob), 'pushed at once')
    },
    ['pushedClaims'],
  ),
  must(
    'UMA Grant 3.3.1: a claim token may come with a later request',
    'G-21 CT-01',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      const ticket = await thing.ticket()
      granted(await w.present(app, needInfo(await app.token(ticket), ticket, 'first'), bob), 'pushed afterwards')
    },
    ['pushedClaims'],
  ),
  ...flawed,
  should('UMA Grant 5.7: a claim token for another audience is not accepted', 'G-89 CT-05', (w) => pushFlawed(w, 'audience'), [
    'pushedClaims',
  ]),
  should(
    'UMA Grant 5.7: a claim token of an issuer that nobody trusts is not accepted',
    'G-89 CT-04 CT-09',
    (w) => pushFlawed(w, 'issuer'),
    ['pushedClaims'],
  ),
  good(
    'UMA Grant 5.7: a claim token that was made for another ticket is not accepted',
    'G-89 CT-07 CT-08 CT-15',
    (w) => pushFlawed(w, 'ticket'),
    ['pushedClaims', 'ticketBoundClaims'],
  ),
  good(
    'UMA Grant 5.7: a claim token that was pushed once is of no use with the next ticket',
    'CT-07 CT-08',
    async (w) => {
      const { thing, app, person } = await w.opened()
      const first = await thing.ticket()
      const claim = { ...(await w.adapter.claimToken?.({ person, client: app.client, ticket: first })) }
      granted(await app.token(first, claim), 'with its ticket')
      const next = await thing.ticket()
      needInfo(await app.token(next, claim), next, 'with the next one')
    },
    ['pushedClaims', 'ticketBoundClaims'],
  ),
  must(
    'UMA Grant 3.3.6: garbage in place of a claim token is asked for again',
    'G-64 CT-13',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      const { claim_token_format: format } = (await w.adapter.claimToken?.({ person: bob, client: app.client, ticket: 'x' })) ?? {}
      for (const garbage of ['x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', '~~~', '\u0000', 'x'.repeat(40_000)]) {
        const ticket = await thing.ticket()
        needInfo(await app.token(ticket, { claim_token: garbage, claim_token_format: format ?? '' }), ticket, garbage.slice(0, 30))
      }
    },
    ['pushedClaims'],
  ),
  must(
    'UMA Grant 3.3.4: a good claim token of a person to whom nothing is shared brings nothing',
    'G-46 CT-04',
    async (w) => {
      const [thing, app, bob, carol] = await Promise.all([w.thing(), w.app(), w.bob(), w.carol()])
      await w.share(thing, bob)
      notGranted(await w.present(app, await thing.ticket(), carol), 'somebody else')
    },
    ['pushedClaims'],
  ),
]
