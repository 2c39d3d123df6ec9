// The token request with a ticket (UMA Grant 3.3.1): parameters, and which client may present what.
import { good, must, should } from '../lib/case.ts'
import { granted, isFinal, isJson, isNoStore, needInfo, notGranted, ok, refused, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { askedForInfo, hasExactly, UMA_TICKET } from '../lib/world.ts'

export const ticketRequest = [
  must(
    'UMA Grant 3.3.1: a ticket whose policy is satisfied brings an RPT to a confidential client',
    'G-20 G-21 UG-01 PO-01 E5',
    async (w) => {
      const { thing, rpt } = await w.opened()
      await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT')
    },
  ),
  must(
    'UMA Grant 3.3.1: a public client gets an RPT as well',
    'G-20 UG-01',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app('public'), w.bob()])
      await w.share(thing, bob)
      const rpt = granted(await w.present(app, await thing.ticket(), bob), 'a public client')
      await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT')
    },
    ['publicClients'],
  ),
  must('UMA Grant 3.3.1: a request without ticket is invalid_request', 'G-25 UG-02', async (w) => {
    isFinal(await (await w.app()).request({ grant_type: UMA_TICKET }), 'invalid_request', 'no ticket')
  }),
  must('UMA Grant 3.3.1: an empty ticket counts as none', 'G-25 UG-02 O-1', async (w) => {
    isFinal(await (await w.app()).request({ grant_type: UMA_TICKET, ticket: '' }), 'invalid_request', 'an empty ticket')
  }),
  must('UMA Grant 3.3.1: a request without grant_type is invalid_request', 'G-25', async (w) => {
    const { ticket } = { ticket: await (await w.thing()).ticket() }
    isFinal(await (await w.app()).request({ ticket }), 'invalid_request', 'no grant_type')
  }),
  must('RFC 6749 5.2: an unknown grant type is unsupported_grant_type', 'G-25 O-1', async (w) => {
    isFinal(await (await w.app()).request({ grant_type: 'urn:example:no-such-grant' }), 'unsupported_grant_type', 'an unknown grant')
  }),
  must(
    'RFC 6749 5.2: a client that did not register for this grant is unauthorized_client',
    'G-25',
    async (w) => {
      const app = await w.newApp('confidential', { grant_types: ['authorization_code'], redirect_uris: ['https://app.example/connected'] })
      isFinal(await app.token(await (await w.thing()).ticket()), 'unauthorized_client', 'a client without the grant')
    },
    ['registration'],
  ),
  must('UMA Grant 1.1: names and values of parameters are case-sensitive', 'G-1', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    isFinal(await app.request({ grant_type: UMA_TICKET, Ticket: await thing.ticket() }), 'invalid_request', 'Ticket')
    isFinal(await app.request({ Grant_Type: UMA_TICKET, ticket: await thing.ticket() }), 'invalid_request', 'Grant_Type')
    const upper = await app.request({ grant_type: UMA_TICKET.toUpperCase(), ticket: await thing.ticket() })
    isFinal(upper, 'unsupported_grant_type', 'an upper-case grant type')
  }),
  must('RFC 6749 3.2: parameters that nobody knows are ignored', 'G-2 O-1', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    granted(await w.present(app, await thing.ticket(), bob, { 'x-unknown': 'something', nonsense: '' }), 'with unknown parameters')
  }),
  must('RFC 6749 3.2: no parameter may come twice', 'G-23 O-1', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    const ticket = await thing.ticket()
    for (const twice of ['grant_type', 'ticket'] as const) {
      const fields: [string, string][] = [
        ['grant_type', UMA_TICKET],
        ['ticket', ticket],
        [twice, twice === 'ticket' ? await thing.ticket() : UMA_TICKET],
      ]
      isFinal(await app.request(fields), 'invalid_request', `${twice} twice`)
    }
  }),
  must(
    'UMA Grant 3.3.1: one claim token a request',
    'G-23',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      const ticket = await thing.ticket()
      const claim = Object.entries((await w.adapter.claimToken?.({ person: bob, client: app.client, ticket })) ?? {}) as [string, string][]
      isFinal(
        await app.request([['grant_type', UMA_TICKET], ['ticket', ticket], ...claim, ...claim]),
        'invalid_request',
        'two claim tokens',
      )
    },
    ['pushedClaims'],
  ),
  good('UMA Grant 3.3.1: claim_token and claim_token_format come together', 'G-22 CT-02', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    isFinal(await app.token(await thing.ticket(), { claim_token: 'eyJ9.e30.x' }), 'invalid_request', 'a token without format')
    isFinal(await app.token(await thing.ticket(), { claim_token_format: 'dc+sd-jwt' }), 'invalid_request', 'a format without token')
  }),
  good('UMA Grant 3.3.1: a claim token of an unknown format is asked for again, not an error', 'G-64 CT-02', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const ticket = await thing.ticket()
    needInfo(
      await app.token(ticket, { claim_token: 'abcd', claim_token_format: 'urn:example:no-such-format' }),
      ticket,
      'an unknown format',
    )
  }),
  good(
    'UMA Grant 3.3.1: a claim token that is wrapped in base64url once more is understood',
    'G-24',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      await w.share(thing, bob)
      const ticket = await thing.ticket()
      const claim = await w.adapter.claimToken?.({ person: bob, client: app.client, ticket })
      ok(claim, 'the profile makes no claim tokens')
      const wrapped = { ...claim, claim_token: Buffer.from(claim.claim_token).toString('base64url') }
      granted(await app.token(ticket, wrapped), 'a wrapped claim token')
    },
    ['pushedClaims'],
  ),
  must('UMA Grant 3.3.1: a client that fails to authenticate is invalid_client', 'G-26', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    const form = { grant_type: UMA_TICKET, ticket: await thing.ticket() }
    const answer = await w.http.call(w.endpoint('token_endpoint'), { form, basic: { id: app.client.id, secret: random() } })
    refused(answer, 401, 'invalid_client', 'a wrong secret')
  }),
  good('UMA Grant 3.3.1: a caller that is nobody uses no ticket up', 'G-26', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const ticket = await thing.ticket()
    const url = w.endpoint('token_endpoint')
    await w.http.call(url, { form: { grant_type: UMA_TICKET, ticket }, basic: { id: app.client.id, secret: random() } })
    await w.http.call(url, { form: { grant_type: UMA_TICKET, ticket } })
    granted(await w.present(app, ticket, bob), 'the ticket afterwards')
  }),
  must('UMA Grant 3.3.6: a ticket that this server never made is invalid_grant', 'UG-02 G-64', async (w) => {
    const app = await w.app()
    for (const ticket of ['garbage', random(), `${random()}.${random()}`, '../../etc/passwd', "' OR 1=1 --", 'ü\u0000'])
      isFinal(await app.token(ticket), 'invalid_grant', `the ticket ${ticket}`)
  }),
  must('UMA Grant 3.3.6: a ticket that was changed is invalid_grant', 'G-79 UG-02', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    const ticket = await thing.ticket()
    const middle = Math.floor(ticket.length / 2)
    const changed = `${ticket.slice(0, middle)}${ticket[middle] === 'A' ? 'B' : 'A'}${ticket.slice(middle + 1)}`
    isFinal(await app.token(changed), 'invalid_grant', 'a changed ticket')
  }),
  good('UMA Grant 3.3.1: any client may be the first to present a ticket', 'G-27 UG-29', async (w) => {
    const [thing, app, other, bob] = await Promise.all([w.thing(), w.app(), w.app('other'), w.bob()])
    await w.share(thing, bob)
    granted(await w.present(app, await thing.ticket(), bob), 'one client')
    granted(await w.present(other, await thing.ticket(), bob), 'another client')
  }),
  good('UMA Grant 3.3.1: once a client has presented a ticket, the process is its own', 'G-27 UG-29 E15', async (w) => {
    const [thing, app, other, bob] = await Promise.all([w.thing(), w.app(), w.app('other'), w.bob()])
    await w.share(thing, bob)
    const { next } = await askedForInfo(thing, app)
    isFinal(await w.present(other, next, bob), 'invalid_grant', "another client with the first one's ticket")
  }),
  must('UMA Grant 3.3.1: what else a request names does not widen the ticket', 'UG-27 I2', async (w) => {
    const { thing, app, person } = await w.opened()
    const [other, ticket] = await Promise.all([w.thing(), thing.ticket()])
    await w.share(other, person)
    const more = { permission: other.id, resource_id: other.id, resource: '', audience: other.id, permissions: JSON.stringify([other.id]) }
    const rpt = granted(await w.present(app, ticket, person, more), 'a request that names another thing')
    await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT')
  }),
  must('RFC 6749 3.2: the token endpoint takes a form body and nothing else', 'UG-32 O-1 HT-02', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    const fields = { grant_type: UMA_TICKET, ticket: await thing.ticket() }
    const basic = { id: app.client.id, secret: app.client.secret ?? '' }
    refused(await w.http.call(w.endpoint('token_endpoint'), { json: fields, basic }), [400, 415], 'invalid_request', 'JSON')
    const query = await w.http.call(`${w.endpoint('token_endpoint')}?${new URLSearchParams(fields)}`, { method: 'POST', basic })
    notGranted(query, 'parameters in the query')
  }),
  must('RFC 6749 3.2: the token endpoint takes POST only', 'UG-32 O-1 HT-02', async (w) => {
    const answer = await w.http.call(`${w.endpoint('token_endpoint')}?grant_type=${encodeURIComponent(UMA_TICKET)}`)
    status(answer, [400, 405], 'GET')
  }),
  should(
    'RFC 8707 2: a resource that is not the one of the ticket is invalid_target',
    'G-29 O-42',
    async (w) => {
      const [thing, app] = await Promise.all([w.thing(), w.app()])
      isFinal(await app.token(await thing.ticket(), { resource: 'https://elsewhere.example/' }), 'invalid_target', 'a foreign resource')
    },
    ['resourceIndicators'],
  ),
  should(
    'RFC 8707 2: the resource that the token answer names may be asked for',
    'G-29 O-42',
    async (w) => {
      const { thing, app, person, answer } = await w.opened()
      const { resource_server } = answer.json
      if (resource_server === undefined) return
      granted(await w.present(app, await thing.ticket(), person, { resource: String(resource_server) }), 'the right resource')
    },
    ['resourceIndicators'],
  ),
  must('UMA Grant 5.4: tickets cannot be guessed', 'G-79 TK-12', async (w) => {
    const thing = await w.thing()
    const tickets = await Promise.all(Array.from({ length: 24 }, () => thing.ticket()))
    same(new Set(tickets).size, tickets.length, 'different tickets')
    // 128 bits are 22 characters of base64url; a prefix that all have in common tells nothing.
    const common = [...(tickets[0] ?? '')].findIndex((letter, at) => tickets.some((one) => one[at] !== letter))
    ok(
      Math.min(...tickets.map((one) => one.length)) - common >= 22,
      `tickets differ in ${(tickets[0] ?? '').length - common} characters only`,
    )
  }),
  must('UMA Grant 3.3.5: the token response is JSON that nobody stores', 'G-55 O-5', async (w) => {
    const { answer } = await w.opened()
    isNoStore(isJson(answer, 'token response'), 'token response')
    const { token_type, expires_in } = answer.json
    ok(typeof token_type === 'string' && token_type !== '', 'token response: no token_type')
    ok(expires_in === undefined || (typeof expires_in === 'number' && expires_in > 0), 'token response: expires_in is no number of seconds')
  }),
]
