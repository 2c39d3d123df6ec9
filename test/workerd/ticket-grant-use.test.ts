// One use of a ticket, by one client, in its time (UMA Grant 3.3.6, 5.5, SPECS G-27).
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  type App,
  bob,
  connectService,
  connectWallet,
  gatherByMail,
  registerApp,
  type Service,
  share,
  signIn,
  UMA_TICKET,
} from '../support/actors.ts'
import { call, type Json, newDpopKey, random } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { presentFor } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

const view = (resource: string, ...scopes: string[]) => ({ resource_id: resource, resource_scopes: scopes })
/** A thing with these scopes, of which some are shared with the guest who can prove her address. */
const thing = async (offered: string[], shared: string[] = []): Promise<string> => {
  const id = await s.service.register({ resource_scopes: offered })
  if (shared.length > 0) await share(s.wallet, id, s.known.address, { resource_scopes: shared })
  return id
}

const prove = async (ticket: string) => ({ claim_token: await presentFor(s.credential, ticket), claim_token_format: 'dc+sd-jwt' })

describe('UMA Grant 3.3.6: invalid_grant', () => {
  it('UMA Grant 5.5: a second time after success, denial or invalid_scope', async () => {
    const success = await s.ticket()
    expect((await s.app.token(success, await prove(success))).status).toBe(200)
    const nobody = await thing(['view'])
    const denied = await s.service.ticket(view(nobody, 'view'))
    expectRefusal(await s.app.token(denied), 403, 'request_denied')
    const scope = await s.ticket()
    expectRefusal(await s.app.token(scope, { scope: 'unheard-of' }), 400, 'invalid_scope')
    for (const ticket of [success, denied, scope]) {
      const again = await s.app.token(ticket, await prove(ticket))
      expectRefusal(again, 400, 'invalid_grant')
      expect(again.json).not.toHaveProperty('ticket')
    }
  })

  it('UMA Grant 3.3.6: what is no ticket, or not whole', async () => {
    const ticket = await s.ticket()
    const rpt = await s.rpt()
    for (const bad of [
      'x',
      ' ',
      `${ticket}x`,
      ticket.slice(0, -1),
      `${ticket.slice(0, 50)}${ticket[50] === 'A' ? 'B' : 'A'}${ticket.slice(51)}`,
      `${ticket}.`,
      rpt,
      s.service.pat,
      random(100),
      'A'.repeat(16_384),
      'x'.repeat(50_000),
      '__proto__',
      '"',
      '\u0000',
      `${ticket},${ticket}`,
    ]) {
      expectRefusal(await s.app.token(bad), 400, 'invalid_grant')
    }
    expectRefusal(await s.app.token(''), 400, 'invalid_request')
    expectRefusal(await s.app.token(ticket), 403, 'need_info')
  })

  it('UMA Grant 3.3.2: a ticket that went to the claims page is used up here', async () => {
    const ticket = await s.ticket()
    const query = new URLSearchParams({ client_id: s.app.client.id, ticket, claims_redirect_uri: s.app.claimsRedirectUri })
    expect((await call(`${origin}/uma/claims?${query}`, { headers: { accept: 'text/html' } })).status).toBe(303)
    expectRefusal(await s.app.token(ticket), 400, 'invalid_grant')
  })

  it('SPECS G-26: who is no client, or may not do this, uses nothing up', async () => {
    const ticket = await s.ticket()
    const form = { grant_type: UMA_TICKET, ticket }
    expectRefusal(await call(`${origin}/token`, { form }), 401, 'invalid_client')
    expectRefusal(await call(`${origin}/token`, { form: { ...form, client_id: 'nobody' } }), 401, 'invalid_client')
    const { client } = s.service
    expectRefusal(await call(`${origin}/token`, { form, basic: { id: client.id, secret: 'x' } }), 401, 'invalid_client')
    expectRefusal(
      await call(`${origin}/token`, { form, basic: { id: client.id, secret: client.secret ?? '' } }),
      400,
      'unauthorized_client',
    )
    expectRefusal(await call(`${origin}/token`, { form: { ...form, client_id: s.app.client.id } }), 400, 'invalid_dpop_proof')
    expect((await s.app.token(ticket, await prove(ticket))).status).toBe(200)
  })
})

describe('SPECS G-27: a process belongs to its first client', () => {
  const replays = async () =>
    ((await s.wallet.call('/owner/activity?limit=20')).json.items as Json[]).filter(({ event }) => event === 'ticket_replayed')

  it('TESTS UG-29: anybody may begin; what follows is for that client alone, and the owner hears of others', async () => {
    const stranger = await registerApp(s.server)
    const ticket = await s.ticket()
    const next = String((await stranger.token(ticket)).json.ticket)
    const before = (await replays()).length
    expectRefusal(await s.app.token(next, await prove(next)), 400, 'invalid_grant')
    const heard = await replays()
    expect(heard.length).toBe(before + 1)
    expect(heard[0]).toMatchObject({ client_id: s.app.client.id })
    // UMA Grant 5.5: it was presented; who should have had it begins anew.
    expectRefusal(await stranger.token(next), 400, 'invalid_grant')
  })

  it('SPECS G-27: the key counts like the client', async () => {
    const app = await registerApp(s.server, 'confidential')
    const basic = { id: app.client.id, secret: app.client.secret ?? '' }
    const first = await call(`${origin}/token`, {
      form: { grant_type: UMA_TICKET, ticket: await s.ticket() },
      basic,
      dpop: await newDpopKey(),
    })
    const next = String(first.json.ticket)
    expectRefusal(
      await call(`${origin}/token`, {
        form: { grant_type: UMA_TICKET, ticket: next, ...(await prove(next)) },
        basic,
        dpop: await newDpopKey(),
      }),
      400,
      'invalid_grant',
    )
    const second = await call(`${origin}/token`, {
      form: { grant_type: UMA_TICKET, ticket: await s.ticket() },
      basic,
      dpop: await newDpopKey(),
    })
    expectRefusal(await app.token(String(second.json.ticket)), 400, 'invalid_grant')
  })

  it('UMA Grant 3.3.3: a ticket from the claims page is for the client that sent the person there', async () => {
    const guest = await s.guest()
    const next = await gatherByMail(s.server, guest, s.app, await s.ticket())
    const stranger = await registerApp(s.server)
    expectRefusal(await stranger.token(next), 400, 'invalid_grant')
  })
})

describe('UMA Grant 5.5: time', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let app: App
  beforeAll(async () => {
    as = await ownAs()
    alice = await signIn(as)
    service = await connectService(as, alice)
    app = await registerApp(as, 'confidential')
  })
  afterAll(() => as.stop())

  it('TESTS UG-05: a ticket lives for ten minutes, and each that follows for ten of its own', async () => {
    const wallet = await connectWallet(as, alice)
    const id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, id, bob().address)
    const [early, late] = [await service.ticket(view(id, 'view')), await service.ticket(view(id, 'view'))]
    await as.setClock(590)
    const answer = await app.token(early)
    expectRefusal(answer, 403, 'need_info')
    await as.setClock(605)
    expectRefusal(await app.token(late), 400, 'invalid_grant')
    await as.setClock(1180)
    const next = await app.token(String(answer.json.ticket))
    expectRefusal(next, 403, 'need_info')
    await as.setClock(1180 + 601)
    expectRefusal(await app.token(String(next.json.ticket)), 400, 'invalid_grant')
    await as.setClock(0)
  })
})
