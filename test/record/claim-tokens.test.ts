// What issuers say about people, pushed by clients (UMA Grant 3.3.1, 5.7): ID tokens and JWTs made for one ticket, with real keys at a real
// address. Everything that is wrong with one leads to the same need_info; whom the owner or the operator no longer believes, nothing rests on.
import { createHmac } from 'node:crypto'
import { type CryptoKey, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, connectService, connectWallet, registerApp, share, signIn } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import { type Answer, call, expectStatus, type Json, sha256 } from '../support/http.ts'
import { type Browser, openBrowser, type Page } from '../support/http-browser.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { noticeOf } from '../support/operator.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'
import { until } from '../support/until.ts'
import { verifyState } from '../support/verify-state.ts'

const ID_TOKEN = 'http://openid.net/specs/openid-connect-core-1_0.html#IDToken'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const OLAF = 'olaf@example.net'
/** The ids under which the issuer knows the two apps. */
const [AUD, OTHER_AUD] = ['photoprint-at-clinic', 'other-at-clinic']

let server: Running
let documents: Documents
let s: Stage
let other: App
let key: SigningKey
let address: string
let issuer: string
let registration: string

const now = (): number => Math.floor(Date.now() / 1000)
type Header = Record<string, unknown>
type Made = { claims?: Json; header?: Header; by?: { alg: string; privateKey: CryptoKey | Uint8Array } }
/** Signed claims; undefined leaves one out. */
const sign = (claims: Json, { header = {}, by = key }: Omit<Made, 'claims'> = {}): Promise<string> => {
  const payload = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return new SignJWT(payload).setProtectedHeader({ alg: by.alg, kid: 'k1', ...header }).sign(by.privateKey)
}
const idToken = ({ claims, ...rest }: Made = {}): Promise<string> =>
  sign({ iss: issuer, sub: 'u1', aud: AUD, iat: now(), exp: now() + 300, email: address, email_verified: true, ...claims }, rest)
const bound = (ticket: string, { claims, ...rest }: Made = {}): Promise<string> => {
  const base = { iss: issuer, aud: server.origin, iat: now(), exp: now() + 120, email: address, email_verified: true }
  return sign({ ...base, tkt_hash: sha256(ticket), ...claims }, rest)
}
const push = (app: App, ticket: string, claim_token: string, claim_token_format = ID_TOKEN): Promise<Answer> =>
  app.token(ticket, { claim_token, claim_token_format })
const pushed = async (token: string | ((ticket: string) => Promise<string>), format = ID_TOKEN, app = s.app): Promise<Answer> => {
  const ticket = await s.ticket()
  return push(app, ticket, typeof token === 'string' ? token : await token(ticket), format)
}
/** The same as for somebody who pushed nothing: no hint at what was wrong. */
const expectAskedAgain = (answer: Answer, why: string): void => {
  expect([why, answer.status, answer.json.error]).toEqual([why, 403, 'need_info'])
  const { ticket: _, ...rest } = answer.json
  expect(rest).toEqual(asked)
}
let asked: Json
const isActive = async (answer: Answer): Promise<boolean> =>
  (await s.service.introspect(String(expectStatus(answer, 200, 'RPT').json.access_token))).active === true
const trust = (json: Json, wallet = s.wallet): Promise<Answer> => wallet.call('/owner/issuers', { json })
const wanted = (more: Json = {}): Json => ({
  issuer,
  jwks_uri: `${documents.origin}/jwks`,
  formats: [ID_TOKEN, JWT],
  claims: ['email', 'acr', 'roles', 'sub'],
  email_domains: ['example.net'],
  audiences: { [s.app.client.id]: [AUD], [other.client.id]: [OTHER_AUD] },
  ...more,
})

beforeAll(async () => {
  documents = await startDocuments()
  server = await ownAs({ asVars: { DEV_ORIGINS: documents.origin, OPERATORS: OLAF } })
  s = await stage(server)
  other = await registerApp(server, 'confidential')
  key = await newSigningKey('ES256', 'k1')
  documents.pages.set('/jwks', { keys: [key.jwk] })
  issuer = `${documents.origin}/clinic`
  address = (await s.guest()).address
  const { ticket: _, ...rest } = (await s.app.token(await s.ticket())).json
  asked = rest
})
afterAll(async () => {
  await server.stop()
  await documents.stop()
})

describe('SPECS X-TC-1: whom an owner believes', () => {
  it('UMA Grant 5.7: what cannot be an issuer is refused, and says why', async () => {
    documents.pages.set('/fake/.well-known/openid-configuration', { issuer, jwks_uri: `${documents.origin}/jwks` })
    const wrong: [string, Json][] = [
      ['http elsewhere', { issuer: 'http://login.example' }],
      ['with a query', { issuer: 'https://login.example/?a=b' }],
      ['this server', { issuer: `${server.origin}/` }],
      ['no address', { issuer: 'clinic' }],
      ['no keys, and it does not say where they are', { jwks_uri: undefined }],
      ['somebody else says where', { jwks_uri: undefined, issuer: `${documents.origin}/fake` }],
      ['keys twice', { jwks: { keys: [key.jwk] } }],
      ['a private key', { jwks_uri: undefined, jwks: { keys: [key.privateJwk] } }],
      ['keys inside', { jwks_uri: 'https://127.0.0.1/jwks' }],
      ['an unknown format', { formats: ['saml2'] }],
      ['no claims', { claims: [] }],
      ['no claim', { claims: ['__proto__'] }],
      ['no domain', { email_domains: ['clinic'] }],
      ['ID tokens for anybody', { audiences: {} }],
      ['something else', { trust: 'all' }],
    ]
    for (const [what, change] of wrong) {
      const answer = await trust(wanted(change))
      expect([what, answer.status, answer.json.error]).toEqual([what, 400, 'invalid_request'])
    }
    expect((await call(`${server.origin}/owner/issuers`, { json: wanted() })).status).toBe(401)
    expect((await s.service.call('/owner/issuers')).status).toBe(403)
    expect((await s.wallet.call('/owner/issuers')).json).toEqual({ items: [] })
  })

  it('CT-04: before she names the issuer its word is worth nothing; she names it once, and the list says so', async () => {
    expectAskedAgain(await pushed(await idToken()), 'nobody registered it')
    expect(documents.asked).not.toContain('/jwks')
    const made = await trust(wanted())
    expectStatus(made, 201, 'registration')
    registration = String(made.json.id)
    expect(made.json).toMatchObject({ by: 'owner', issuer, claims: ['email', 'acr', 'roles', 'sub'], email_domains: ['example.net'] })
    expectRefusal(await trust(wanted()), 409, 'invalid_request')
    const listed = await s.wallet.call('/owner/issuers')
    expect(listed.json).toEqual({ items: [made.json] })
    const etag = listed.headers.get('etag') ?? ''
    expect((await s.wallet.call('/owner/issuers', { headers: { 'if-none-match': etag } })).status).toBe(304)
    const { json } = await s.wallet.call('/owner/activity?limit=1')
    expect((json.items as Json[])[0]).toMatchObject({ event: 'issuer_trusted', claim_issuer: issuer })
  })
})

describe('OpenID Connect Core 3.1.3.7: ID tokens', () => {
  it('CT-01: one for the client that pushes it counts, as it is and wrapped, whatever the key', async () => {
    expect(await isActive(await pushed(await idToken()))).toBe(true)
    expect(await isActive(await pushed(Buffer.from(await idToken()).toString('base64url')))).toBe(true)
    expect(await isActive(await pushed(await idToken({ claims: { aud: [AUD, server.origin], azp: AUD } })))).toBe(true)
    expect(await isActive(await pushed(await idToken({ claims: { aud: OTHER_AUD } }), ID_TOKEN, other))).toBe(true)
    expect(await isActive(await pushed(await idToken({ claims: { email: address.toUpperCase() } })))).toBe(true)
    const { json } = await s.wallet.call('/owner/activity?limit=1')
    expect((json.items as Json[])[0]).toMatchObject({ event: 'access_used' })
    const keys = await Promise.all(['RS256', 'PS256', 'EdDSA'].map((alg) => newSigningKey(alg)))
    const own = `${documents.origin}/many-keys`
    documents.pages.set('/many', { keys: keys.map(({ jwk }) => jwk) })
    documents.pages.set('/many-keys/.well-known/openid-configuration', { issuer: own, jwks_uri: `${documents.origin}/many` })
    const made = await trust(wanted({ issuer: own, jwks_uri: undefined }))
    expect(expectStatus(made, 201, 'found by itself').json.jwks_uri).toBe(`${documents.origin}/many`)
    for (const by of keys)
      expect(await isActive(await pushed(await idToken({ by, claims: { iss: own }, header: { kid: undefined } })))).toBe(true)
    expectStatus(await s.wallet.call(`/owner/issuers/${made.json.id}`, { method: 'DELETE' }), 204, 'taken out')
  })

  it('CT-05: one made for another client, or for nobody who was approved, does not count (Keycloak #46717)', async () => {
    const [app, stranger] = [s.app, await registerApp(server)]
    const stolen: [string, App, Json][] = [
      ['of another client that is approved', app, { aud: OTHER_AUD }],
      ['the other way round', other, { aud: AUD }],
      ['of a client that nobody approved', stranger, { aud: AUD }],
      ['for the id of the client here', app, { aud: app.client.id }],
      ['for this server', app, { aud: server.origin }],
      ['for both', app, { aud: [AUD, OTHER_AUD], azp: AUD }],
      ['for somebody else, too', app, { aud: [AUD, 'https://elsewhere.example'], azp: AUD }],
      ['for several, and nobody says for whom', app, { aud: [AUD, server.origin] }],
      ['authorized party: another', app, { azp: OTHER_AUD }],
      ['authorized party: none', app, { azp: 7 }],
      ['for nobody', app, { aud: undefined }],
      ['for an empty list', app, { aud: [] }],
      ['for an object', app, { aud: { [AUD]: true } }],
    ]
    for (const [why, by, claims] of stolen) expectAskedAgain(await pushed(await idToken({ claims }), ID_TOKEN, by), why)
  })

  it('CT-04, CT-06, CT-09, CT-13: forged, stale or unproved ones are asked for again, without a hint and without a fetch', async () => {
    const mallory = await newSigningKey('ES256', 'k1')
    const secret = { alg: 'HS256', privateKey: new TextEncoder().encode(JSON.stringify(key.jwk)) }
    const [head, body] = (await idToken()).split('.') as [string, string]
    const unsigned = new UnsecuredJWT({ iss: issuer, aud: AUD, email: address, email_verified: true }).setExpirationTime('5m').encode()
    const bad: [string, string][] = [
      ['another issuer', await idToken({ claims: { iss: `${issuer}/` } })],
      ['this server as issuer', await idToken({ claims: { iss: server.origin } })],
      ['no issuer', await idToken({ claims: { iss: undefined } })],
      ['no subject', await idToken({ claims: { sub: undefined } })],
      ['of somebody else’s key', await idToken({ by: mallory })],
      ['with its own key', await idToken({ by: mallory, header: { jwk: mallory.jwk } })],
      ['with a place for its key', await idToken({ by: mallory, header: { jku: `${documents.origin}/evil` } })],
      ['an unknown kid', await idToken({ header: { kid: 'k2' } })],
      ['crit', await idToken({ header: { crit: ['b64'], b64: true } })],
      ['an access token', await idToken({ header: { typ: 'at+jwt' } })],
      ['a logout token', await idToken({ claims: { events: {} } })],
      ['symmetric', await idToken({ by: secret })],
      ['alg none', unsigned],
      ['alg none, signed by nobody', `${unsigned}AA`],
      ['changed', `${head}.${body}.${createHmac('sha256', 'x').update(body).digest('base64url')}`],
      ['run out', await idToken({ claims: { iat: now() - 300, exp: now() - 61 } })],
      ['of tomorrow', await idToken({ claims: { iat: now() + 120 } })],
      ['not yet', await idToken({ claims: { nbf: now() + 120 } })],
      ['too old', await idToken({ claims: { iat: now() - 700, exp: now() + 300 } })],
      ['without end', await idToken({ claims: { exp: undefined } })],
      ['without beginning', await idToken({ claims: { iat: undefined } })],
      ['times as text', await idToken({ claims: { exp: '9999999999' } })],
      ['address not checked', await idToken({ claims: { email_verified: false } })],
      ['address checked, as text', await idToken({ claims: { email_verified: 'true' } })],
      ['nobody says so', await idToken({ claims: { email_verified: undefined } })],
      ['no address', await idToken({ claims: { email: undefined } })],
      ['two addresses', await idToken({ claims: { email: [address, 'x@evil.example'] } })],
      ['an address of a domain that is not its own', await idToken({ claims: { email: 'bob@mail.example' } })],
      ['nothing', 'x'],
      ['very long', await idToken({ claims: { more: 'x'.repeat(20_000) } })],
    ]
    for (const [why, token] of bad) expectAskedAgain(await pushed(token), why)
    expectAskedAgain(await pushed(await idToken(), JWT), 'an ID token as the other format')
    for (const format of ['id_token', 'urn:ietf:params:oauth:token-type:id_token', '__proto__'])
      expectAskedAgain(await pushed(await idToken(), format), format)
    expect(documents.asked).not.toContain('/evil')
  })

  it('RFC 7517 5: a new key is found where the issuer keeps its keys, at most once a minute', async () => {
    const next = await newSigningKey('ES256', 'k9')
    documents.pages.set('/jwks', { keys: [key.jwk, next.jwk] })
    const made = (by: SigningKey, kid: string): Promise<string> => idToken({ by, header: { kid }, claims: { aud: OTHER_AUD } })
    await server.setClock(61)
    try {
      expect(await isActive(await pushed(await made(next, 'k9'), ID_TOKEN, other))).toBe(true)
      const before = documents.asked.length
      for (const by of [await newSigningKey('ES256', 'k8'), key])
        expectAskedAgain(await pushed(await made(by, 'k8'), ID_TOKEN, other), 'unknown key')
      expect(documents.asked.length).toBe(before)
    } finally {
      await server.setClock(0)
    }
  })
})

describe('SPECS X-COR-1: tokens made for one ticket', () => {
  it('SPECS X-COR-1: one with the hash of the ticket counts; the address may be the subject', async () => {
    expect(await isActive(await pushed((ticket) => bound(ticket), JWT))).toBe(true)
    const bySubject = { claims: { email: undefined, sub: address } }
    expect(await isActive(await pushed((ticket) => bound(ticket, bySubject), JWT))).toBe(true)
    const cnf = { jkt: s.app.key?.jkt }
    expect(await isActive(await pushed((ticket) => bound(ticket, { claims: { cnf } }), JWT))).toBe(true)
  })

  it('CT-08: for another ticket, server or key, too long-lived or unproved: asked for again', async () => {
    const elsewhere = await s.ticket()
    const bad: [string, Made][] = [
      ['for another ticket', { claims: { tkt_hash: sha256(elsewhere) } }],
      ['for no ticket', { claims: { tkt_hash: undefined } }],
      ['the ticket itself', { claims: { tkt_hash: elsewhere } }],
      ['for another server', { claims: { aud: 'https://evil.example' } }],
      ['for two servers', { claims: { aud: [server.origin, 'https://evil.example'] } }],
      ['for the client', { claims: { aud: AUD } }],
      ['for too long', { claims: { iat: now(), exp: now() + 301 } }],
      ['for another key', { claims: { cnf: { jkt: sha256('x') } } }],
      ['for a key said otherwise', { claims: { cnf: { jwk: key.jwk } } }],
      ['unproved', { claims: { email_verified: false } }],
      ['run out', { claims: { iat: now() - 200, exp: now() - 61 } }],
      ['jti that is none', { claims: { jti: 7 } }],
      ['of somebody else’s key', { by: await newSigningKey('ES256', 'k1') }],
    ]
    for (const [why, made] of bad) expectAskedAgain(await pushed((ticket) => bound(ticket, made), JWT), why)
    const forKey = { claims: { cnf: { jkt: s.app.key?.jkt } } }
    expectAskedAgain(await pushed((ticket) => bound(ticket, forKey), JWT, other), 'for the key of another client')
    // CLAIMS 11 #20: what keycloak-connect sends under this name.
    expectAskedAgain(await pushed(Buffer.from(JSON.stringify({ email: [address] })).toString('base64url'), JWT), 'unsigned')
  })

  it('SPECS X-COR-2: after need_info it is the new ticket that counts', async () => {
    const first = await s.ticket()
    const next = String((await s.app.token(first)).json.ticket)
    const late = await push(s.app, next, await bound(first), JWT)
    expectAskedAgain(late, 'made for the ticket of before')
    const last = String(late.json.ticket)
    expect(await isActive(await push(s.app, last, await bound(last), JWT))).toBe(true)
  })

  it('CT-07: a jti counts once; whoever cannot sign cannot use it up', async () => {
    const claims = { jti: 'once' }
    const mallory = await newSigningKey('ES256', 'k1')
    expectAskedAgain(await pushed((ticket) => bound(ticket, { claims, by: mallory }), JWT), 'forged')
    expect(await isActive(await pushed((ticket) => bound(ticket, { claims }), JWT))).toBe(true)
    expectAskedAgain(await pushed((ticket) => bound(ticket, { claims }), JWT), 'again')
    expect(await isActive(await pushed((ticket) => bound(ticket, { claims: { jti: 'twice' } }), JWT))).toBe(true)
  })
})

describe('POLICY 2: more than an address', () => {
  it('UMA Grant 3.3.6: an account with a role and a strong sign-in: what is wanted is named, and nobody is sent to the page', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    const ticket = () => s.service.ticket({ resource_id: id, resource_scopes: ['view'] })
    const all = [
      { claim: 'sub', eq: `${issuer} u1`, iss: [issuer] },
      { claim: 'roles', covers: ['nurse'] },
      { claim: 'acr', gte: 2, max_age: 60 },
    ]
    const json = { v: 1, effect: 'permit', target: { resources: [id] }, scopes: ['view'], when: { all } }
    expectStatus(await s.wallet.call('/owner/rules', { json }), 201, 'rule')
    const first = await s.app.token(await ticket())
    expectRefusal(first, 403, 'need_info')
    expect(first.json).not.toHaveProperty('redirect_user')
    expect((first.json.required_claims as Json[]).map(({ name, issuer: by }) => [name, by])).toEqual([
      ['acr', undefined],
      ['roles', undefined],
      ['sub', [issuer]],
    ])
    const push2 = async (claims: Json): Promise<Answer> => push(s.app, await ticket(), await idToken({ claims }))
    expect(await isActive(await push2({ roles: ['nurse', 'staff'], acr: 'loa3' }))).toBe(true)
    for (const claims of [
      { roles: ['staff'], acr: 'loa3' },
      { roles: ['nurse'], acr: '1' },
      { sub: 'u2', roles: ['nurse'], acr: '2' },
    ])
      expectRefusal(await push2(claims), 403, 'request_denied')
    // The rest may follow in a token of its own: the ticket carries what was shown.
    const half = await push(s.app, await ticket(), await idToken({ claims: { roles: ['nurse'] } }))
    expect((half.json.required_claims as Json[]).map(({ name }) => name)).toEqual(['acr'])
    const next = String(half.json.ticket)
    expect(await isActive(await push(s.app, next, await bound(next, { claims: { email: undefined, acr: 2 } }), JWT))).toBe(true)
    const stale = { roles: ['nurse'], acr: '2', iat: now() - 120 }
    expect(((await push2(stale)).json.required_claims as Json[]).map(({ name }) => name)).toEqual(['acr'])
  })
})

describe('DESIGN 3: whom she no longer believes', () => {
  it('DESIGN decision 8: what one owner believes says nothing to another', async () => {
    const alice = await signIn(server)
    const [service, wallet] = [await connectService(server, alice), await connectWallet(server, alice)]
    const resource_id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, resource_id, address)
    const answer = await push(s.app, await service.ticket({ resource_id, resource_scopes: ['view'] }), await idToken())
    expectAskedAgain(answer, 'another owner')
    expect((await wallet.call(`/owner/issuers/${registration}`, { method: 'DELETE' })).status).toBe(404)
  })

  it('UMA Grant 3.3.3: nothing of it is remembered under a PCT', async () => {
    expect(expectStatus(await pushed(await idToken()), 200, 'RPT').json).not.toHaveProperty('pct')
  })

  it('DESIGN 7 I4: what rests on its word ends at the next introspection, with D1 away, too, and does not come back with it', async () => {
    const rpt = await pushed(await idToken())
    const mail = await pushed((ticket) => bound(ticket), JWT)
    expect([await isActive(rpt), await isActive(mail)]).toEqual([true, true])
    await server.setFault({ mode: 'fail', count: 100, match: 'claim_issuer' })
    expectStatus(await s.wallet.call(`/owner/issuers/${registration}`, { method: 'DELETE' }), 204, 'taken out')
    expect([await isActive(rpt), await isActive(mail)]).toEqual([false, false])
    await server.setFault(undefined)
    expectAskedAgain(await pushed(await idToken()), 'taken out')
    expect((await s.wallet.call(`/owner/issuers/${registration}`, { method: 'DELETE' })).status).toBe(404)
    registration = String(expectStatus(await trust(wanted()), 201, 'again').json.id)
    expect([await isActive(rpt), await isActive(mail)]).toEqual([false, false])
    expect(await isActive(await pushed(await idToken()))).toBe(true)
    const { json } = await s.wallet.call('/owner/activity?limit=20')
    expect((json.items as Json[]).map(({ event }) => event)).toContain('issuer_distrusted')
    for (const id of await server.objects('OwnerObject')) await server.runAlarm('OWNER', id)
    expect(verifyState(server.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})

describe('CLAIMS 9: whom the operator believes, and whom nobody may', () => {
  let olaf: Browser
  let national: string
  let elsewhere: { ticket: () => Promise<string>; isActive: (answer: Answer) => Promise<boolean> }
  const send = async (action: string, fields: Record<string, string>): Promise<string> => {
    const page: Page = await olaf.open(`${server.origin}/admin`)
    const forms = page.forms.filter((form) => form.action.endsWith(action) && (fields.about !== undefined || form.names.includes('issuer')))
    return noticeOf(await olaf.submit({ ...page, forms: forms.slice(-1) }, fields))
  }
  const vouched = (more: Json = {}): Promise<string> => idToken({ claims: { iss: national, aud: OTHER_AUD, ...more } })
  beforeAll(async () => {
    olaf = (await signIn(server, OLAF, openBrowser({ 'accept-language': 'en' }))).browser
    national = `${documents.origin}/national`
    const alice = await signIn(server)
    const [service, wallet] = [await connectService(server, alice), await connectWallet(server, alice)]
    const resource_id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, resource_id, address)
    elsewhere = {
      ticket: () => service.ticket({ resource_id, resource_scopes: ['view'] }),
      isActive: async (answer) => (await service.introspect(String(answer.json.access_token))).active === true,
    }
  })

  it('CLAIMS 9: named on /admin it counts for every owner, who sees it and cannot take it out', async () => {
    expectAskedAgain(await pushed(await vouched(), ID_TOKEN, other), 'not named yet')
    const fields = { issuer: national, keys: `${documents.origin}/jwks`, about: 'email, country', domains: '', apps: '' }
    expect(await send('/add-issuer', { ...fields, issuer: 'http://login.example' })).toMatch(/^That cannot be one/)
    expect(await send('/add-issuer', { ...fields, about: 'E-mail' })).toMatch(/^That cannot be one/)
    expect(await send('/add-issuer', fields)).toMatch(/^Added/)
    expectAskedAgain(await pushed(await vouched(), ID_TOKEN, other), 'no app approved')
    expect(await send('/add-issuer', { ...fields, apps: `${other.client.id} ${OTHER_AUD}\n` })).toMatch(/^Added/)
    expect((await olaf.open(`${server.origin}/admin`)).text).toContain('About: email, country · mail domains: * · apps: 1')
    const listed = (await s.wallet.call('/owner/issuers')).json.items as Json[]
    expect(listed.map(({ by, id, issuer: name }) => [by, id, name])).toEqual([
      ['owner', registration, issuer],
      ['operator', undefined, national],
    ])
    expect((await s.wallet.call(`/owner/issuers/${encodeURIComponent(national)}`, { method: 'DELETE' })).status).toBe(404)
    const form = { csrf: 'x', ...fields }
    expect((await call(`${server.origin}/admin/add-issuer`, { form, headers: { origin: server.origin } })).status).toBe(401)
  })

  it('DESIGN 3: that an owner relies on it is in the record before the first answer; with D1 away nothing is granted or spent [LF-09]', async () => {
    const ticket = await s.ticket()
    await server.setFault({ mode: 'fail', count: 1, match: 'INTO issuer_reliance' })
    expectRefusal(await push(other, ticket, await vouched()), 503, 'temporarily_unavailable')
    expect(await isActive(await push(other, ticket, await vouched()))).toBe(true)
    await server.setFault({ mode: 'fail', count: 1, match: 'FROM claim_issuer' })
    const unknown = await s.ticket()
    expectRefusal(await push(other, unknown, await vouched({ iss: `${national}/other` })), 503, 'temporarily_unavailable')
    expectAskedAgain(await push(other, unknown, await vouched({ iss: `${national}/other` })), 'D1 is back, and nobody named it')
  })

  it('DESIGN 3: an owner need not believe whom the operator believes; taken back it counts again, when D1 knows', async () => {
    const [here, there] = [await pushed(await vouched(), ID_TOKEN, other), await push(other, await elsewhere.ticket(), await vouched())]
    await server.setFault({ mode: 'fail', count: 100, match: 'claim_issuer' })
    const refused = await s.wallet.call('/owner/issuers/refused', { json: { issuer: national } })
    expect([refused.status, refused.json]).toEqual([201, expect.objectContaining({ by: 'owner', refused: true, issuer: national })])
    expect([await isActive(here), await elsewhere.isActive(there)]).toEqual([false, true])
    expectAskedAgain(await pushed(await vouched(), ID_TOKEN, other), 'refused')
    const path = `/owner/issuers/${refused.json.id}`
    expectRefusal(await s.wallet.call(path, { method: 'DELETE' }), 503, 'temporarily_unavailable')
    expect(await isActive(here)).toBe(false)
    await server.setFault(undefined)
    for (const json of [{ issuer: national }, { issuer }])
      expectRefusal(await s.wallet.call('/owner/issuers/refused', { json }), 409, 'invalid_request')
    expectRefusal(await trust(wanted({ issuer: national })), 409, 'invalid_request')
    await until(async () => (await s.wallet.call(path, { method: 'DELETE' })).status !== 503)
    expect(await isActive(here)).toBe(true)
    expect(await isActive(await pushed(await vouched(), ID_TOKEN, other))).toBe(true)
  })

  it('DESIGN 3: a block is in force with all owners at once, whoever named the issuer, and can be taken back', async () => {
    const [here, there] = [await pushed(await vouched(), ID_TOKEN, other), await push(other, await elsewhere.ticket(), await vouched())]
    const own = await pushed(await idToken())
    expect([await isActive(here), await elsewhere.isActive(there), await isActive(own)]).toEqual([true, true, true])
    expect(await send('/block-issuer', { issuer: national })).toMatch(/^Blocked, and all owners/)
    expect([await isActive(here), await elsewhere.isActive(there), await isActive(own)]).toEqual([false, false, true])
    expectAskedAgain(await pushed(await vouched(), ID_TOKEN, other), 'blocked')
    expectAskedAgain(await push(other, await elsewhere.ticket(), await vouched()), 'blocked, at another owner')
    expect(await send('/block-issuer', { issuer })).toMatch(/^Blocked, and all owners/)
    expect(await isActive(own)).toBe(false)
    expectAskedAgain(await pushed(await idToken()), 'blocked, although she named it')
    expect((await olaf.open(`${server.origin}/admin`)).text).toMatch(/In force with all owners concerned: [12]/)
    for (const name of [national, issuer]) expect(await send('/unblock-issuer', { issuer: name })).toMatch(/^Unblocked, and all owners/)
    expect([await isActive(here), await elsewhere.isActive(there), await isActive(own)]).toEqual([true, true, true])
    expect(await isActive(await pushed(await idToken()))).toBe(true)
    for (const id of await server.objects('OwnerObject')) await server.runAlarm('OWNER', id)
    expect(verifyState(server.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})
