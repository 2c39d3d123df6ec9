// The wallet at the claims page (CLAIMS 6, 11): one click, no mail; and what is refused.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Bob, goBack, openClaims, showAddress, someone } from '../support/actors.ts'
import { atOnce } from '../support/at-once.ts'
import { type Stage, stage, typeAddress, walletPart } from '../support/claims.ts'
import { call, newDpopKey, sha256 } from '../support/http.ts'
import { type Credential, obtainCredential, pushed } from '../support/proofs.ts'
import { sharedAs } from '../support/server.ts'
import { type AnswerOptions, answerWith, askWallet, sendAnswer } from '../support/wallet-answer.ts'

let s: Stage
let guest: Bob
let credential: Credential
beforeAll(async () => {
  s = await stage(await sharedAs())
  guest = await s.guest()
  credential = await obtainCredential(s.server, guest, s.app, await s.ticket())
})

const arrive = async () => {
  const { page, ticket, state } = await s.arrive(guest)
  return { page, ticket, state, request: await askWallet(s.server, guest, page) }
}

describe('CLAIMS 6: a wallet shows the address', () => {
  it('CLAIMS 6: one click later the guest may; no mail was sent', async () => {
    const mails = s.server.mailbox.to(guest.address).length
    const { page, request } = await arrive()
    const { status, json } = await sendAnswer(guest, page, await answerWith(s.server, credential, request))
    expect([status, json]).toEqual([200, { next: new URL(page.url).pathname }])
    const done = await guest.browser.open(page.url)
    expect(done.text).toContain('Yes, this is for you')
    expect(done.text).not.toContain('data-wallet="keep"')
    const params = await goBack(guest, s.app, done)
    expect((await s.app.token(String(params.get('ticket')))).status).toBe(200)
    expect(s.server.mailbox.to(guest.address)).toHaveLength(mails)
  })

  it('CLAIMS 6 step 3: the request says which ticket, app, way back and service it is about', async () => {
    const { ticket, request } = await arrive()
    expect(request).toMatchObject({ response_mode: 'dc_api.jwt', expected_origins: [s.server.origin] })
    expect(JSON.parse(Buffer.from(request.transaction_data[0] ?? '', 'base64url').toString())).toEqual({
      type: 'urn:latchkey:uma-claims-gathering:1',
      credential_ids: ['email'],
      ticket_hash: sha256(ticket),
      client_id: s.app.client.id,
      client_name: 'An app',
      client_known: { by: 'push', since: expect.any(Number), uri: 'https://app.example' },
      claims_redirect_uri: s.app.claimsRedirectUri,
      service_name: 'A shelf',
      service_origin: s.service.origin,
      resource_scopes: ['view'],
    })
  })

  it('CLAIMS 10: an address in the wallet that nothing is shared with is said so, without naming anything', async () => {
    const stranger = await s.guest(false)
    const theirs = await obtainCredential(s.server, await s.guest(), s.app, await s.ticket())
    const elsewhere = await stage(s.server)
    const { page } = await openClaims(s.server, stranger, elsewhere.app, await elsewhere.ticket())
    const request = await askWallet(s.server, stranger, page)
    expect((await sendAnswer(stranger, page, await answerWith(s.server, theirs, request))).status).toBe(200)
    const denied = await stranger.browser.open(page.url)
    expect(denied.text).toContain('The address in your wallet is yours')
    expect(denied.text).not.toContain('Lisbon')
  })

  it('CLAIMS 11 #3: one answer, sent many times at once, counts once', async () => {
    const { page, request } = await arrive()
    const response = await answerWith(s.server, credential, request)
    const answers = await atOnce(40, () => sendAnswer(guest, page, response))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(39)
    expect((await sendAnswer(guest, page, response)).status).toBe(400)
  })

  it('CLAIMS 11 #3: an answer to an earlier request of the same page is too late', async () => {
    const { page, request } = await arrive()
    await askWallet(s.server, guest, page)
    expect((await sendAnswer(guest, page, await answerWith(s.server, credential, request))).status).toBe(400)
  })

  it('CLAIMS 11 #3: an answer given in another session is worth nothing', async () => {
    const [one, two] = [await arrive(), await arrive()]
    expect((await sendAnswer(guest, two.page, await answerWith(s.server, credential, one.request))).status).toBe(400)
  })

  const wrong: [string, AnswerOptions][] = [
    ['made for another origin (#1)', { aud: 'origin:https://evil.example' }],
    ['made for the token endpoint (#2)', { aud: 'ISSUER' }],
    ['with another nonce', { nonce: 'x' }],
    ['bound to no transaction', { hashes: undefined }],
    ['bound to another transaction', { hashes: ['x'] }],
    ['in another encryption', { enc: 'A128GCM' }],
    ['without the address', { shown: (sdJwt) => `${sdJwt.split('~')[0]}~` }],
    [
      'with a disclosure too many (#5)',
      { shown: (sdJwt) => `${sdJwt}${Buffer.from('["s","email","eve@evil.example"]').toString('base64url')}~` },
    ],
    [
      'with a changed credential (#4)',
      { shown: (sdJwt) => sdJwt.replace(/\.[^.~]+~/, (tail) => `${tail.startsWith('.A') ? '.B' : '.A'}${tail.slice(2)}`) },
    ],
  ]
  for (const [title, options] of wrong) {
    it(`CLAIMS 11: an answer ${title} is refused, and the page stays where it was`, async () => {
      const { page, request } = await arrive()
      const aud = options.aud === 'ISSUER' ? s.server.origin : options.aud
      const response = await answerWith(s.server, credential, request, { ...options, ...(aud === undefined ? {} : { aud }) })
      expect((await sendAnswer(guest, page, response)).status).toBe(400)
      expect((await guest.browser.open(page.url)).text).toContain('Is this meant for you?')
    })
  }

  it('CLAIMS 11 #2: what was made for a claims page is no claim token', async () => {
    const { request } = await arrive()
    const ticket = await s.ticket()
    const good = await pushed(credential, ticket)
    expect((await s.app.token(ticket, good)).status).toBe(200)
    const next = await s.ticket()
    const response = await answerWith(s.server, credential, request)
    expect((await s.app.token(next, { ...good, claim_token: response })).json.error).toBe('need_info')
  })

  it('UMA Grant 5.7: a claim token made for another ticket is asked for again (CT-08)', async () => {
    const answer = await s.app.token(await s.ticket(), await pushed(credential, await s.ticket()))
    expect(answer.json.error).toBe('need_info')
  })

  it('UMA Grant 5.1: without the token of the page nothing happens', async () => {
    const { page } = await s.arrive(guest)
    const { request, finish } = walletPart(page, 'present')
    for (const path of [request, finish, request.replace('wallet-request', 'keep')]) {
      expect((await guest.browser.post(page, path, {})).status).toBe(403)
      expect((await guest.browser.post(page, path, {}, { 'x-csrf': 'x' })).status).toBe(403)
      expect(
        (await guest.browser.post(page, path, {}, { 'x-csrf': walletPart(page, 'present').csrf, 'sec-fetch-site': 'cross-site' })).status,
      ).toBe(403)
    }
  })

  for (const body of [{}, { response: '' }, { response: 7 }, { response: 'a.b.c.d.e' }, { response: 'x'.repeat(70_000) }]) {
    it(`CLAIMS 6: ${JSON.stringify(body).slice(0, 30)} for an answer is refused`, async () => {
      const { page } = await arrive()
      const { finish, csrf } = walletPart(page, 'present')
      const { status } = await guest.browser.post(page, finish, body, { 'x-csrf': csrf })
      expect([400, 413]).toContain(status)
    })
  }

  it('CLAIMS 6: no answer without a request, and none after leaving', async () => {
    const { page, request } = await arrive()
    const response = await answerWith(s.server, credential, request)
    const other = await s.arrive(guest)
    expect((await sendAnswer(guest, other.page, response)).status).toBe(400)
    await guest.browser.send(page, '/cancel')
    expect((await sendAnswer(guest, page, response)).status).toBe(400)
  })
})

describe('CLAIMS 8: keeping a proof', () => {
  const offerFrom = async (who: Bob, page: Parameters<typeof walletPart>[0]) => {
    const { request, csrf } = walletPart(page, 'keep')
    return who.browser.post(page, request, {}, { 'x-csrf': csrf })
  }
  const code = (json: unknown): string =>
    (json as { credential_offer: { grants: Record<string, { 'pre-authorized_code': string }> } }).credential_offer.grants[
      'urn:ietf:params:oauth:grant-type:pre-authorized_code'
    ]?.['pre-authorized_code'] ?? ''

  it('OpenID4VCI 4.1.1: the offer names issuer and credential', async () => {
    const { guest: who, page } = await s.arrive()
    const { status, json } = await offerFrom(who, await showAddress(s.server, who, page))
    expect(status).toBe(200)
    expect(json).toMatchObject({ credential_offer: { credential_issuer: s.server.origin, credential_configuration_ids: ['email'] } })
    expect(JSON.stringify(json)).not.toContain(who.address)
  })

  it('CLAIMS 8: nothing is offered for an address that was only typed, after another one was shown', async () => {
    const { guest: who, page } = await s.arrive()
    const done = await showAddress(s.server, who, page)
    await typeAddress(who, await who.browser.open(`${done.url}?again=1`), someone('victim'))
    expect((await offerFrom(who, done)).status).toBe(400)
  })

  it('CLAIMS 8: an older cookie of the session cannot put another address to the proof', async () => {
    const { guest: who, page } = await s.arrive()
    await typeAddress(who, page, someone('victim'))
    const cookie = Object.entries(who.browser.cookies(page.url))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const done = await showAddress(s.server, who, page)
    const { request, csrf } = walletPart(done, 'keep')
    const headers = { cookie, origin: s.server.origin, 'sec-fetch-site': 'same-origin', 'x-csrf': csrf }
    expect((await call(s.server.origin + request, { json: {}, headers })).status).toBe(400)
    expect((await offerFrom(who, done)).status).toBe(200)
  })

  it('CLAIMS 11 #31: an offer is taken once, also by two at once, and only with a key', async () => {
    const { guest: who, page } = await s.arrive()
    const { json } = await offerFrom(who, await showAddress(s.server, who, page))
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:pre-authorized_code', 'pre-authorized_code': code(json) }
    const bare = await call(`${s.server.origin}/token`, { form })
    expect([bare.status, bare.json.error]).toEqual([400, 'invalid_dpop_proof'])
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => call(`${s.server.origin}/token`, { form, dpop: await newDpopKey() })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400])
    expect(answers.filter(({ json: body }) => body.error === 'invalid_grant')).toHaveLength(4)
  })

  it('CLAIMS 8: five offers a session', async () => {
    const { guest: who, page } = await s.arrive()
    const done = await showAddress(s.server, who, page)
    const statuses = []
    for (let i = 0; i < 6; i++) statuses.push((await offerFrom(who, done)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 400])
  })
})
