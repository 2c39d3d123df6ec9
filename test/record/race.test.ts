// What may happen once is asked for 64 times at the same moment (DESIGN 3, "One spender"): tickets, codes, nonces, offers. Each case can
// only hold if check and write are one turn of one object; with anything awaited between the two, several win.
import { beforeAll, describe, expect, it } from 'vitest'
import { authorize, goBack, openClaims, registerClient, showAddress } from '../support/actors.ts'
import { atOnce, tally } from '../support/at-once.ts'
import { newestCode, type Stage, stage, typeAddress, wrongCode } from '../support/claims.ts'
import { call, dpopProof, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import type { Page } from '../support/http-browser.ts'
import { type Credential, makeAnswer, obtainCredential, offerOf, pushed } from '../support/proofs.ts'
import { sharedAs } from '../support/server.ts'

const MANY = 64
const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** One success, and the same refusal for all others. */
const expectOneOf = (answers: Parameters<typeof tally>[0], refused: string): Json => {
  expect(tally(answers)).toEqual({ 200: 1, [refused]: answers.length - 1 })
  return answers.find(({ status }) => status === 200)?.json ?? {}
}

/** Pages where the browser stopped at an address of `isNext`: what it was sent to after its form was taken. */
const taken = (pages: readonly Page[]): Page[] => pages.filter(({ status }) => status === 0)

describe('DESIGN 3: one spender', () => {
  let s: Stage
  let credential: Credential
  beforeAll(async () => {
    s = await stage(await sharedAs())
    const guest = await s.guest()
    credential = await obtainCredential(s.server, guest, s.app, await s.ticket())
  })

  it.each([1, 2, 3])('UMA Grant 5.5: 64 redemptions of one ticket at once give one token, and it stays good (%i)', async () => {
    const ticket = await s.ticket()
    const proof = await pushed(credential, ticket)
    const { access_token } = expectOneOf(await atOnce(MANY, () => s.app.token(ticket, proof)), '400 invalid_grant')
    const after = await s.service.introspect(String(access_token))
    expect(after).toMatchObject({ active: true, permissions: [{ resource_id: s.resource, resource_scopes: ['view'] }] })
    expect(tally([await s.app.token(ticket, proof)])).toEqual({ '400 invalid_grant': 1 })
    expect(await s.service.introspect(String(access_token))).toEqual(after)
  })

  it('UMA Grant 5.5: a repeated ticket is told to the owner once, however often it is repeated [UG-09]', async () => {
    const ticket = await s.ticket()
    const proof = await pushed(credential, ticket)
    const entries = async (): Promise<Json[]> =>
      expectStatus(await s.wallet.call('/owner/activity?limit=200'), 200, 'activity').json.items as Json[]
    const newest = Number((await entries())[0]?.seq)
    await atOnce(8, () => s.app.token(ticket, proof))
    const told = (await entries()).filter(({ seq }) => Number(seq) > newest).map(({ event }) => event)
    expect(told.sort()).toEqual(['access_granted', 'ticket_replayed'])
  })

  it('UMA Grant 3.3.6: 64 presentations of a ticket without a proof give one new ticket', async () => {
    const ticket = await s.ticket()
    const answers = await atOnce(MANY, () => s.app.token(ticket))
    expect(tally(answers)).toEqual({ '403 need_info': 1, '400 invalid_grant': MANY - 1 })
  })

  it('UMA Grant 5.5: a ticket is spent at the token endpoint or at the claims page, never at both', async () => {
    for (let round = 0; round < 4; round++) {
      const ticket = await s.ticket()
      const guest = await s.guest()
      const came = await atOnce(32, async (index) => {
        if (index % 2 === 0) return (await s.app.token(ticket)).status === 403
        return (await openClaims(s.server, guest, s.app, ticket)).page.status === 200
      })
      expect(came.filter(Boolean)).toHaveLength(1)
    }
  })

  it('RFC 6749 4.1.2: 64 uses of one code give one answer with tokens, and the repeated use ends them', async () => {
    const redirectUri = `${s.service.origin}/connected`
    const { id, secret = '' } = s.service.client
    const connect = async (count: number) => {
      const { params, verifier } = await authorize(s.server, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
      const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
      return atOnce(count, () => call(`${s.server.origin}/token`, { form, basic: { id, secret } }))
    }
    const works = async (token: unknown) => (await call(`${s.server.origin}/uma/resource`, { bearer: String(token) })).status
    const tokens = expectOneOf(await connect(MANY), '400 invalid_grant')
    expect(await works(tokens.access_token)).toBe(401)
    const refreshed = await call(`${s.server.origin}/token`, {
      form: { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) },
      basic: { id, secret },
    })
    expect(tally([refreshed])).toEqual({ '400 invalid_grant': 1 })
    // What came from another code is not touched.
    expect(await works(s.service.pat)).toBe(200)
    const [good] = await connect(1)
    expect(await works(good?.json.access_token)).toBe(200)
  })

  it('CLAIMS 7: 64 uses of one mailed code are one proof', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    const code = newestCode(s.server, guest.address)
    const goesOn = (url: string) => /\/uma\/claims\/[0-9a-f]+$/.test(url)
    const pages = await atOnce(MANY, () => guest.browser.submit(codePage, { code }, goesOn))
    expect(taken(pages)).toHaveLength(1)
  })

  it('CLAIMS 11 #12: 64 guesses at once leave the right code worth nothing', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    const code = newestCode(s.server, guest.address)
    const goesOn = (url: string) => /\/uma\/claims\/[0-9a-f]+$/.test(url)
    await atOnce(MANY, () => guest.browser.submit(codePage, { code: wrongCode(code) }))
    expect(taken([await guest.browser.submit(codePage, { code }, goesOn)])).toHaveLength(0)
  })

  it('CLAIMS 11 #3: 64 deliveries of one answer of a wallet are one proof', async () => {
    const { guest, page } = await s.arrive()
    const deliver = await makeAnswer(guest, page, credential)
    const answers = await atOnce(MANY, deliver)
    expect(tally(answers as { status: number; json: Json }[])).toEqual({ 200: 1, '400 invalid_request': MANY - 1 })
  })

  it('UMA Grant 3.3.3: 64 ways back at once bring one ticket', async () => {
    const { guest, page } = await s.arrive()
    const done = await showAddress(s.server, guest, page)
    const back = await atOnce(MANY, () => goBack(guest, s.app, done).catch(() => undefined))
    const tickets = back.flatMap((params) => params?.get('ticket') ?? [])
    expect(tickets).toHaveLength(1)
    expect((await s.app.token(tickets[0] ?? '')).status).toBe(200)
  })

  it('OpenID4VCI 1.0 6.3: 64 redemptions of one pre-authorized code at once give one token', async () => {
    const guest = await s.guest()
    const offer = await offerOf(s.server, guest, s.app, await s.ticket())
    const dpop = await newDpopKey()
    const form = { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': offer.grants[PRE_AUTHORIZED]?.['pre-authorized_code'] ?? '' }
    const answers = await atOnce(MANY, () => call(`${s.server.origin}/token`, { form, dpop }))
    expectOneOf(answers, '400 invalid_grant')
  })

  it('DESIGN 4: 64 uses of one live code open one socket', async () => {
    const { code } = expectStatus(await s.wallet.call('/owner/live', { method: 'POST' }), 200, 'live code').json
    const url = `${s.server.origin.replace('http', 'ws')}/owner/live?code=${code}`
    const sockets = await atOnce(MANY, async () => {
      const socket = new WebSocket(url)
      return new Promise<WebSocket | undefined>((done) => {
        socket.addEventListener('open', () => done(socket))
        socket.addEventListener('error', () => done(undefined))
      })
    })
    const open = sockets.filter((socket) => socket !== undefined)
    expect(open).toHaveLength(1)
    for (const socket of open) socket.close()
  })

  it('RFC 9449 11.1: 64 requests with one DPoP proof are one request', async () => {
    const url = `${s.server.origin}/owner/me`
    const token = String(s.wallet.tokens.access_token)
    const headers = { authorization: `DPoP ${token}`, dpop: await dpopProof(s.wallet.key, 'GET', url, token) }
    expect(tally(await atOnce(MANY, () => call(url, { headers })))).toEqual({ 200: 1, '401 invalid_token': MANY - 1 })
  })

  it('RFC 7591 3: 16 registrations at once are 16 clients', async () => {
    const metadata = { client_name: 'An app', redirect_uris: ['https://app.example/back'], token_endpoint_auth_method: 'none' }
    const ids = await atOnce(16, async () => (await registerClient(s.server, metadata)).id)
    expect(new Set(ids).size).toBe(16)
  })
})
