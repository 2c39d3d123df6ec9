// The claims interaction endpoint (UMA Grant 3.3.2, 3.3.3): who may send people there, what becomes of the ticket, how they get back.
import { beforeAll, describe, expect, it } from 'vitest'
import { goBack, openClaims, registerApp, share, showAddress } from '../support/actors.ts'
import { claimsUrl, newState, type Stage, stage, typeAddress } from '../support/claims.ts'
import { call } from '../support/http.ts'
import { sharedAs } from '../support/server.ts'

let s: Stage
beforeAll(async () => {
  s = await stage(await sharedAs())
})

const query = (params: Record<string, string | undefined>) => ({
  client_id: s.app.client.id,
  claims_redirect_uri: s.app.claimsRedirectUri,
  state: 'xyz',
  ...params,
})

/** The answer to the first GET, redirect not followed. */
const first = (params: Record<string, string | undefined>, options = {}) =>
  call(claimsUrl(s.server, query(params)), { headers: { accept: 'text/html' }, ...options })

describe('UMA Grant 3.3.2: the request', () => {
  it('UMA Grant 3.3.2: a sound request leads to a page without the ticket in its address', async () => {
    const { page } = await s.arrive()
    expect(page.status).toBe(200)
    expect(page.url).toMatch(/\/uma\/claims\/[0-9a-f]{64}$/)
    expect(page.text).toContain('An app')
    // SPECS S0-6: what the server knows of who asks, and that nobody has checked it.
    expect(page.text).toMatch(/It registered itself here on [^.]+\. As its page it names https:\/\/app\.example\./)
  })

  it('UMA Grant 5.5: the ticket is used up; loading the same address again is an error that the app is told', async () => {
    const ticket = await s.ticket()
    expect((await first({ ticket })).status).toBe(303)
    const again = await first({ ticket })
    const to = new URL(again.headers.get('location') ?? '')
    expect(to.origin + to.pathname).toBe(s.app.claimsRedirectUri)
    expect(Object.fromEntries(to.searchParams)).toEqual({ error: 'invalid_request', state: 'xyz', iss: s.server.origin })
    expect((await s.app.token(ticket)).json.error).toBe('invalid_grant')
  })

  it('UMA Grant 5.5: two requests at once with one ticket: one page', async () => {
    const ticket = await s.ticket()
    const answers = await Promise.all(Array.from({ length: 8 }, () => first({ ticket })))
    expect(answers.filter((one) => one.headers.get('location')?.startsWith('/uma/claims/'))).toHaveLength(1)
  })

  it('UMA Grant 5.5: looking ahead uses nothing up', async () => {
    const ticket = await s.ticket()
    expect((await first({ ticket }, { method: 'HEAD' })).status).toBe(503)
    expect((await first({ ticket }, { headers: { 'sec-purpose': 'prefetch;prerender' } })).status).toBe(503)
    expect((await first({ ticket })).headers.get('location')).toMatch(/^\/uma\/claims\//)
  })

  for (const [title, change] of [
    ['no client', { client_id: undefined }],
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not registered', { claims_redirect_uri: 'https://evil.example/' }],
    ['a slash more', { claims_redirect_uri: 'https://app.example/claims/' }],
    ['another case', { claims_redirect_uri: 'https://app.example/Claims' }],
    ['a query more', { claims_redirect_uri: 'https://app.example/claims?x=1' }],
    ['the default port', { claims_redirect_uri: 'https://app.example:443/claims' }],
    ['a fragment', { claims_redirect_uri: 'https://app.example/claims#x' }],
    ['a script', { claims_redirect_uri: 'javascript:alert(1)' }],
  ] as const) {
    it(`UMA Grant 3.3.3: ${title}: a page, no redirect, and the ticket is still good (SPECS G-32, G-38)`, async () => {
      const ticket = await s.ticket()
      const answer = await first({ ticket, ...change })
      expect(answer.status).toBe(400)
      expect(answer.headers.get('location')).toBeNull()
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
      expect((await s.app.token(ticket)).json.error).toBe('need_info')
    })
  }

  it('UMA Grant 3.3.2: a parameter sent twice is refused with a page', async () => {
    const answer = await call(`${claimsUrl(s.server, query({ ticket: await s.ticket() }))}&state=other`)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })

  it('UMA Grant 3.3.2: a URI registered for OAuth is not one for claims (SPECS G-33)', async () => {
    const app = await registerApp(s.server, 'confidential', {
      redirect_uris: ['https://app.example/oauth'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:uma-ticket'],
    })
    const answer = await first({ ticket: await s.ticket(), client_id: app.client.id, claims_redirect_uri: 'https://app.example/oauth' })
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })

  it('UMA Grant 3.3.2: the redirect URI may be left out if one is registered, not if two are (SPECS G-30)', async () => {
    expect((await first({ ticket: await s.ticket(), claims_redirect_uri: undefined })).status).toBe(303)
    const two = await registerApp(s.server, 'public', { claims_redirect_uris: ['https://app.example/1', 'https://app.example/2'] })
    const answer = await first({ ticket: await s.ticket(), client_id: two.client.id, claims_redirect_uri: undefined })
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })

  it('UMA Grant 3.3.3: no ticket, or one that is none, is told to the app (SPECS G-39)', async () => {
    for (const ticket of [undefined, 'nonsense', 'A'.repeat(500)]) {
      const to = new URL((await first({ ticket })).headers.get('location') ?? '')
      expect(to.searchParams.get('error')).toBe('invalid_request')
      expect(to.searchParams.has('ticket')).toBe(false)
    }
  })

  it('UMA Grant 3.3.2: a ticket that belongs to another client is as good as none, and stays good for its own (SPECS G-27)', async () => {
    const other = await registerApp(s.server)
    const asked = await s.app.token(await s.ticket())
    const ticket = String(asked.json.ticket)
    const to = new URL((await first({ ticket, client_id: other.client.id })).headers.get('location') ?? '')
    expect(to.searchParams.get('error')).toBe('invalid_request')
    expect((await s.app.token(ticket)).json.error).toBe('need_info')
  })
})

describe('UMA Grant 3.3.3: the way back', () => {
  it('UMA Grant 3.3.3: after a proof a new ticket, with state and issuer, and nothing that was shown', async () => {
    const { guest, page, state, ticket } = await s.arrive()
    const params = await goBack(guest, s.app, await showAddress(s.server, guest, page))
    expect([...params.keys()].toSorted()).toEqual(['iss', 'state', 'ticket'])
    expect([params.get('state'), params.get('iss')]).toEqual([state, s.server.origin])
    expect(params.get('ticket')).not.toBe(ticket)
    expect((await s.app.token(ticket)).json.error).toBe('invalid_grant')
    expect((await s.app.token(String(params.get('ticket')))).status).toBe(200)
  })

  it('UMA Grant 3.3.3: the new ticket is for the client that sent the person and for no other (SPECS G-27)', async () => {
    const { guest, page } = await s.arrive()
    const params = await goBack(guest, s.app, await showAddress(s.server, guest, page))
    const other = await registerApp(s.server)
    expect((await other.token(String(params.get('ticket')))).json.error).toBe('invalid_grant')
  })

  it('UMA Grant 3.3.3: the query of the redirect URI stays to the letter, and so does the state (SPECS G-31, CI-05)', async () => {
    const uri = 'https://app.example/claims?x=a%20b+c&y'
    const app = await registerApp(s.server, 'public', { claims_redirect_uris: [uri] })
    const guest = await s.guest()
    const state = 'a b&c=d#e%f+g"<ü/€'
    const page = await guest.browser.open(
      claimsUrl(s.server, { client_id: app.client.id, claims_redirect_uri: uri, ticket: await s.ticket(), state }),
    )
    const between = await guest.browser.send(await showAddress(s.server, guest, page), '/continue')
    expect(between.refresh?.startsWith(`${uri}&ticket=`)).toBe(true)
    expect(between.links).toContain(between.refresh)
    expect(new URL(between.refresh ?? '').searchParams.get('state')).toBe(state)
  })

  it('UMA Grant 3.3.3: without state none comes back', async () => {
    const guest = await s.guest()
    const page = await guest.browser.open(claimsUrl(s.server, query({ ticket: await s.ticket(), state: undefined })))
    expect((await goBack(guest, s.app, await showAddress(s.server, guest, page))).has('state')).toBe(false)
  })

  it('UMA Grant 3.3.3: a long state and many permissions travel along', async () => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) => s.service.register({ resource_scopes: ['view', 'download'], name: `No. ${i}` })),
    )
    const ticket = await s.service.ticket(ids.map((resource_id) => ({ resource_id, resource_scopes: ['view', 'download'] })))
    const guest = await s.guest()
    await share(s.wallet, ids[7] ?? '', guest.address)
    const state = newState().repeat(360)
    const page = await guest.browser.open(claimsUrl(s.server, query({ ticket, state })))
    expect(page.status).toBe(200)
    const params = await goBack(guest, s.app, await showAddress(s.server, guest, page))
    expect(params.get('state')).toBe(state)
    expect((await s.app.token(String(params.get('ticket')))).status).toBe(200)
  })

  it('UMA Grant 3.3.3: whoever cancels sends access_denied and no ticket (CI-08)', async () => {
    const { guest, page, state } = await s.arrive()
    const between = await guest.browser.send(page, '/cancel')
    expect(Object.fromEntries(new URL(between.refresh ?? '').searchParams)).toEqual({ error: 'access_denied', state, iss: s.server.origin })
    expect((await guest.browser.open(page.url)).status).toBe(400)
  })

  it('UMA Grant 3.3.3: continuing twice, also at once, gives one ticket (CI-15)', async () => {
    const { guest, page } = await s.arrive()
    const done = await showAddress(s.server, guest, page)
    const pages = await Promise.all(Array.from({ length: 6 }, () => guest.browser.send(done, '/continue')))
    expect(pages.filter((one) => one.refresh !== undefined)).toHaveLength(1)
    expect(pages.filter((one) => one.status === 400)).toHaveLength(5)
    expect((await guest.browser.send(done, '/continue')).text).not.toContain('ticket=')
  })

  it('UMA Grant 3.3.3: nobody goes on with a ticket who showed nothing', async () => {
    const { guest, page } = await s.arrive()
    const codePage = await typeAddress(guest, page)
    const csrf = page.forms[0]?.fields.csrf ?? ''
    const forged = { ...codePage, forms: [{ action: `${page.url}/continue`, method: 'POST', fields: { csrf }, names: [], buttons: [] }] }
    const answer = await guest.browser.send(forged, '/continue')
    expect([answer.status, answer.refresh]).toEqual([200, undefined])
  })

  it('UMA Grant 3.3.4, POLICY 8a: to an app that takes all or nothing a part is no way on, and the page says so as the token endpoint does', async () => {
    const [mine, other] = [
      await s.service.register({ resource_scopes: ['view'] }),
      await s.service.register({ resource_scopes: ['download'] }),
    ]
    const guest = await s.guest()
    await share(s.wallet, mine, guest.address)
    const asked = (...ids: string[]) => ids.map((id) => ({ resource_id: id, resource_scopes: [id === mine ? 'view' : 'download'] }))
    const outcome = async (partial: boolean, ...ids: string[]) => {
      const app = await registerApp(s.server, 'confidential', { uma_partial: partial })
      const { page } = await openClaims(s.server, guest, app, await s.service.ticket(asked(...ids)))
      const done = await showAddress(s.server, guest, page)
      const goesOn = done.forms.some(({ action }) => action.endsWith('/continue'))
      const ticket = goesOn ? String((await goBack(guest, app, done)).get('ticket')) : undefined
      return { text: done.text, status: ticket && (await app.token(ticket)).status }
    }
    const yes = 'Yes, this is for you'
    expect(await outcome(true, mine, other)).toMatchObject({ text: expect.stringContaining(yes), status: 200 })
    expect(await outcome(false, mine)).toMatchObject({ text: expect.stringContaining(yes), status: 200 })
    const part = await outcome(false, mine, other)
    expect(part).toMatchObject({ text: expect.stringContaining('Not all of it is shared with you'), status: undefined })
    expect(part.text).toContain('you may view it')
    expect(part.text).not.toContain(yes)
  })

  it('UMA Grant 3.3.6: a proof that does not fit is said to the person; another address may be tried, and the app may go on to its refusal', async () => {
    const { guest, page } = await s.arrive(await s.guest(false))
    const denied = await showAddress(s.server, guest, page)
    expect(denied.text).toContain('Not shared with this address')
    expect(denied.text).toContain(guest.address)
    const start = await guest.browser.open(`${denied.url}?again=1`)
    const right = await s.guest()
    const done = await showAddress(s.server, { ...guest, address: right.address }, start)
    expect(done.text).toContain('Yes, this is for you')
    expect((await s.app.token(String((await goBack(guest, s.app, done)).get('ticket')))).status).toBe(200)
  })
})
