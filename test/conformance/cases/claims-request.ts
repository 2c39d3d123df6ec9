// The request to the claims interaction endpoint (UMA Grant 3.3.2): which clients, which redirect URIs, which tickets.

import { openBrowser } from '../lib/browser.ts'
import { good, must, should } from '../lib/case.ts'
import { granted, isFinal, needInfo, ok, same } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { back, backTicket, isOutside, prepare, stayed, visit } from '../lib/visit.ts'
import { askedForInfo, CLAIMS_REDIRECT, REDIRECT } from '../lib/world.ts'

const INTERACTIVE = ['interactive'] as const
const BOTH = ['interactive', 'registration'] as const

export const claimsRequest = [
  must(
    'UMA Grant 3.3.2: a ticket may come here straight from the resource server',
    'G-5 G-20 G-30 G-34 G-35',
    async (w) => ok(backTicket(await visit(w)), 'a ticket'),
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.2: a ticket may come here from need_info',
    'G-30 G-65 E5',
    async (w) => {
      const [thing, app, person] = await Promise.all([w.thing(), w.app(), w.adapter.person()])
      await w.share(thing, person)
      const { next } = await askedForInfo(thing, app)
      granted(
        await app.token(backTicket(await visit(w, { thing, app, person, ticket: next, isShared: false }))),
        'the ticket that came back',
      )
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.2: a public client may send people here',
    'G-20 G-32',
    async (w) => {
      const app = await w.app('public')
      granted(await app.token(backTicket(await visit(w, { app }))), 'the ticket that came back')
    },
    ['interactive', 'publicClients'],
  ),
  must(
    'UMA Grant 3.3.2: an OAuth redirect URI is no claims redirect URI',
    'G-33 CI-02 I7',
    async (w) => {
      const app = await w.newApp('confidential', {
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:uma-ticket'],
      })
      stayed(await visit(w, { app, query: { claims_redirect_uri: REDIRECT } }), 'the OAuth redirect URI')
    },
    BOTH,
  ),
  must(
    'UMA Grant 3.3.2: claims_redirect_uri may be left out if one is registered',
    'G-30',
    async (w) => {
      const one = await visit(w, { query: { claims_redirect_uri: undefined } })
      ok(backTicket(one) && one.ended.back?.href.startsWith(CLAIMS_REDIRECT), `it ended at ${one.ended.back}`)
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.2: claims_redirect_uri is required if several are registered',
    'G-30 G-38',
    async (w) => {
      const app = await w.newApp('confidential', { claims_redirect_uris: [CLAIMS_REDIRECT, `${CLAIMS_REDIRECT}2`] })
      stayed(await visit(w, { app, query: { claims_redirect_uri: undefined } }), 'without it')
      const { ended } = await visit(w, { app, query: { claims_redirect_uri: `${CLAIMS_REDIRECT}2` } })
      ok(ended.back?.href.startsWith(`${CLAIMS_REDIRECT}2`), `with the second one it ended at ${ended.back}`)
    },
    BOTH,
  ),
  must(
    'UMA Grant 3.3.2: a public client without registered claims redirect URIs sends nobody anywhere',
    'G-32 CR-03 I7',
    async (w) => {
      const app = await w.newApp('public', { claims_redirect_uris: undefined })
      stayed(await visit(w, { app }), 'with a URI')
      stayed(await visit(w, { app, query: { claims_redirect_uri: undefined } }), 'without one')
    },
    ['interactive', 'registration', 'publicClients'],
  ),
  should(
    'UMA Grant 3.3.2: a confidential client without registered claims redirect URIs sends nobody anywhere',
    'G-32 I7',
    async (w) => stayed(await visit(w, { app: await w.newApp('confidential', { claims_redirect_uris: undefined }) }), 'with a URI'),
    BOTH,
  ),
  must(
    'UMA Grant 3.3.3: without a client that is known nobody is sent anywhere',
    'G-30 G-38 I7',
    async (w) => {
      for (const client_id of [random(16), undefined, '', "' OR 1=1"])
        stayed(await visit(w, { query: { client_id } }), `client_id ${client_id}`)
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: a client cannot use the claims redirect URI of another',
    'G-32 G-38 I7',
    async (w) => {
      const app = await w.newApp('confidential', { claims_redirect_uris: ['https://other.example/claims'] })
      stayed(await visit(w, { app }), 'a foreign URI')
    },
    BOTH,
  ),
  must(
    'RFC 6749 3.1: no parameter may come twice here either',
    'G-23 AZ-16 I7',
    async (w) => {
      for (const name of ['claims_redirect_uri', 'client_id', 'state', 'ticket']) {
        const { url } = await prepare(w)
        // The same value again: each of the two would do by itself.
        const again = new URL(url).searchParams.get(name) ?? ''
        const page = await openBrowser().open(`${url}&${name}=${encodeURIComponent(again)}`, isOutside(w))
        const isRefused = page.status >= 400 || new URL(page.url).searchParams.has('error')
        ok(isRefused, `${name} twice: status ${page.status} at ${page.url}`)
      }
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.5: a ticket that was presented here is of no further use at the token endpoint',
    'G-36 G-80 UG-08',
    async (w) => {
      const { app, ticket, person } = await visit(w)
      isFinal(await w.present(app, ticket, person), 'invalid_grant', 'the first ticket')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.5: presenting it is enough: who turns away has used the ticket up',
    'G-36 G-80 UG-08',
    async (w) => {
      const { app, ticket, person, url } = await prepare(w)
      await openBrowser().open(url)
      isFinal(await w.present(app, ticket, person), 'invalid_grant', 'the ticket')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.5: a ticket opens one interaction',
    'G-36 G-39 G-80 CI-15',
    async (w) => {
      const first = await prepare(w)
      await openBrowser().open(first.url)
      const { ended } = await visit(w, { ...first, isShared: false, query: { ticket: first.ticket } })
      ok(!ended.back?.searchParams.has('ticket'), 'the second interaction brought a ticket')
      ok(ended.back !== undefined || ended.status >= 400, 'the second interaction began')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 5.5: a ticket that was used at the token endpoint opens no interaction',
    'G-36 G-80 CI-15',
    async (w) => {
      const [thing, app, person] = await Promise.all([w.thing(), w.app(), w.adapter.person()])
      await w.share(thing, person)
      const { first } = await askedForInfo(thing, app)
      const { ended } = await visit(w, { thing, app, person, ticket: first, isShared: false })
      ok(!ended.back?.searchParams.has('ticket'), 'the interaction brought a ticket')
    },
    INTERACTIVE,
  ),
  must(
    'UMA Grant 3.3.3: a ticket that is no good is invalid_request at the client, with its state, without a ticket',
    'G-39 G-65a',
    async (w) => {
      for (const ticket of [random(), undefined, '']) {
        const one = await visit(w, { query: { ticket } })
        if (one.ended.back === undefined) stayed(one, `ticket ${ticket}`)
        else
          same(
            [back(one).get('error'), back(one).get('state'), back(one).get('ticket')],
            ['invalid_request', one.state, null],
            `ticket ${ticket}`,
          )
      }
    },
    INTERACTIVE,
  ),
  good(
    'UMA Grant 3.3.2: a ticket that another client presented before opens no interaction',
    'G-27 UG-29 E15',
    async (w) => {
      const [thing, app, other, person] = await Promise.all([w.thing(), w.app(), w.app('other'), w.adapter.person()])
      await w.share(thing, person)
      const { next } = await askedForInfo(thing, app)
      const { ended } = await visit(w, { thing, app: other, person, ticket: next, isShared: false })
      ok(!ended.back?.searchParams.has('ticket'), 'the interaction brought a ticket')
    },
    INTERACTIVE,
  ),
  good(
    'UMA Grant 3.3.2: the ticket that comes back is good for the client that sent the person, and no other',
    'G-27 UG-29 CI-13 E15',
    async (w) => {
      const [one, other] = await Promise.all([visit(w), w.app('other')])
      isFinal(await other.token(backTicket(one)), 'invalid_grant', 'at another client')
    },
    INTERACTIVE,
  ),
  good(
    'UMA Grant 3.3.2: who only looks ahead does not use the ticket up',
    'CI-16',
    async (w) => {
      const { app, ticket, url } = await prepare(w)
      const browser = openBrowser()
      await browser.raw(url, { method: 'HEAD' })
      await browser.raw(url, { headers: { 'sec-purpose': 'prefetch' } })
      needInfo(await app.token(ticket), ticket, 'the ticket')
    },
    INTERACTIVE,
  ),
]
