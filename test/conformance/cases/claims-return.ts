// The way back from the claims interaction endpoint (UMA Grant 3.3.3), and what is worth what comes back (3.3.4).

import { openBrowser } from '../lib/browser.ts'
import { good, must, should } from '../lib/case.ts'
import { granted, isFinal, notGranted, ok, same } from '../lib/check.ts'
import { back, backTicket, visit } from '../lib/visit.ts'
import { askedForInfo, CLAIMS_REDIRECT, hasExactly } from '../lib/world.ts'

const INTERACTIVE = ['interactive'] as const
const KNOWN = new Set(['ticket', 'state', 'iss', 'error', 'error_description', 'error_uri', 'authorization_state'])

export const claimsReturn = [
  must(
    'UMA Grant 3.3.3: the person comes back with a new ticket',
    'G-37 G-81 CI-07',
    async (w) => {
      const one = await visit(w)
      ok(backTicket(one) !== one.ticket, 'it is the ticket that was sent')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: the new ticket brings the RPT',
    'G-37 G-42 CI-07 E5 UG-07',
    async (w) => {
      const one = await visit(w)
      const rpt = granted(await one.app.token(backTicket(one)), 'the ticket that came back')
      await hasExactly(one.thing.rs, rpt, [{ resource_id: one.thing.id, resource_scopes: ['view'] }], 'the RPT')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: state comes back as it was sent',
    'G-37 G-72 CI-05',
    async (w) => {
      const odd = 'a&b=c#d%20e+f ünï "quote" <b> {"a":[1]}'
      await Promise.all(
        ['abc', odd, 'x'.repeat(1000)].map(async (state) => same(back(await visit(w, { query: { state } })).get('state'), state, 'state')),
      )
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: no state comes back if none was sent',
    'G-37 CI-05',
    async (w) => ok(!back(await visit(w, { query: { state: undefined } })).has('state'), 'a state came back'),
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: the query of the claims redirect URI is kept',
    'G-31',
    async (w) => {
      const uri = 'https://app.example/claims?x=1&y=a%20b'
      const app = await w.newApp('confidential', { claims_redirect_uris: [uri] })
      const one = await visit(w, { app, query: { claims_redirect_uri: uri } })
      ok(one.ended.back?.href.startsWith(`${uri}&`), `it ended at ${one.ended.back}`)
      granted(await app.token(backTicket(one)), 'the ticket that came back')
    },
    ['interactive', 'registration'],
  ),
  must(
    'UMA Grant 3.3.3: the person comes back to the claims redirect URI',
    'G-37 I7',
    async (w) => {
      const { ended } = await visit(w)
      same(`${ended.back?.origin}${ended.back?.pathname}`, CLAIMS_REDIRECT, 'the place')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: what was shown does not go along',
    'G-40',
    async (w) => {
      const one = await visit(w)
      const names = [...back(one).keys()]
      ok(
        names.every((name) => KNOWN.has(name)),
        `the address holds ${names.join(', ')}`,
      )
      const { address } = one.person
      if (address !== undefined) ok(!decodeURIComponent(one.ended.back?.href ?? '').includes(address), 'the address holds what was shown')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: a person who declines comes back with access_denied and state, without a ticket',
    'G-39 G-65a CI-08',
    async (w) => {
      const one = await visit(w, { end: 'cancel' })
      same([back(one).get('error'), back(one).get('state'), back(one).get('ticket')], ['access_denied', one.state, null], 'what came back')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.5: after the person declined the ticket is of no use',
    'G-39 G-80 CI-08',
    async (w) => {
      const { app, ticket, person } = await visit(w, { end: 'cancel' })
      isFinal(await w.present(app, ticket, person), 'invalid_grant', 'the ticket')
    },
    INTERACTIVE,
  ),
  must(
    'RFC 9700 4.12: nowhere on the way a form is sent on (307)',
    'G-37 AZ-14',
    async (w) => {
      const { ended } = await visit(w)
      ok(!ended.statuses.some((one) => one === 307 || one === 308), `statuses on the way: ${ended.statuses.join(' ')}`)
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.4: an interaction alone grants nothing to a person to whom nothing is shared',
    'G-42 G-46',
    async (w) => {
      const { ended, app } = await visit(w, { isShared: false })
      const ticket = ended.back?.searchParams.get('ticket')
      if (ticket) notGranted(await app.token(ticket), 'the ticket that came back')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.4: a policy that is withdrawn after the interaction counts',
    'G-42 G-96 UG-28',
    async (w) => {
      const [thing, person] = await Promise.all([w.thing(), w.adapter.person()])
      const policy = await w.share(thing, person)
      const one = await visit(w, { thing, person, isShared: false })
      await policy.withdraw()
      notGranted(await one.app.token(backTicket(one)), 'the ticket that came back')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: the ticket that came back is good once',
    'G-80 UG-06 I1',
    async (w) => {
      const one = await visit(w)
      granted(await one.app.token(backTicket(one)), 'first')
      isFinal(await one.app.token(backTicket(one)), 'invalid_grant', 'second')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: the ticket that came back may open another interaction',
    'G-42 G-30',
    async (w) => {
      const first = await visit(w)
      const second = await visit(w, { thing: first.thing, app: first.app, ticket: backTicket(first) })
      granted(await first.app.token(backTicket(second)), 'the second ticket')
    },
    INTERACTIVE,
  ),
  should(
    'RFC 9207 2: iss tells which server the person comes from',
    'G-40 O-41',
    async (w) => {
      const iss = back(await visit(w)).get('iss')
      same(iss, w.issuer, 'iss')
      same(back(await visit(w, { end: 'cancel' })).get('iss'), w.issuer, 'iss with an error')
    },
    ['interactive', 'responseIssuer'],
  ),
  good(
    'UMA Grant 5.1: what one person showed in a browser does not count for the next',
    'CI-13 CI-14 G-74 E15',
    async (w) => {
      const browser = openBrowser()
      const first = await visit(w, { browser })
      const [thing, second] = await Promise.all([w.thing(), w.adapter.person()])
      await w.share(thing, first.person)
      const { ended, app } = await visit(w, { browser, thing, person: second, isShared: false })
      const ticket = ended.back?.searchParams.get('ticket')
      if (ticket) notGranted(await app.token(ticket), 'the second person')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.2: redirect_user leads to a place where the person can go on',
    'G-65 E5',
    async (w) => {
      const [thing, app, person] = await Promise.all([w.thing(), w.app(), w.adapter.person()])
      await w.share(thing, person)
      const { answer, next } = await askedForInfo(thing, app)
      const place = answer.json.redirect_user
      if (typeof place !== 'string') return
      const url = new URL(place)
      for (const [name, value] of Object.entries({ client_id: app.client.id, ticket: next, claims_redirect_uri: CLAIMS_REDIRECT }))
        url.searchParams.set(name, value)
      const ended = await w.adapter.interact?.({
        url: url.href,
        person,
        browser: openBrowser(),
        isBack: (one) => one.startsWith(CLAIMS_REDIRECT),
      })
      ok(ended?.back?.searchParams.get('ticket'), 'no ticket came back')
    },
    INTERACTIVE,
  ),
]
