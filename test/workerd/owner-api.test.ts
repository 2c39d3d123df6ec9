// The owner API (`/owner/*`, shared/protocol/owner-api.ts): what a wallet reads and decides, page by page, and never for another owner.
import * as v from 'valibot'
import { beforeAll, describe, expect, it } from 'vitest'
import { activityEntry, connection, owner, person, policy, resource } from '../../shared/protocol/owner-api.ts'
import { connectWallet, share, signIn, someone, stopSharing } from '../support/actors.ts'
import { type AnotherOwner, anotherOwner, items } from '../support/another-owner.ts'
import { type Call, call, type Json, newDpopKey } from '../support/http.ts'
import { type Cast, cast, challenge, expectRefusal } from '../support/odd-requests.ts'

let s: Cast
let origin: string
/** Another owner, with a service and a wallet of her own. */
let carol: AnotherOwner

beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  carol = await anotherOwner(s.server)
})

const sound = (more: Json = {}): Json => ({
  resource_id: s.resource,
  person: { email: someone('eve') },
  resource_scopes: ['view'],
  ...more,
})

const now = () => Math.floor(Date.now() / 1000)
const ROUTES: [string, string][] = [
  ['GET', '/owner/me'],
  ['GET', '/owner/connections'],
  ['DELETE', '/owner/connections/x'],
  ['GET', '/owner/resources'],
  ['DELETE', '/owner/resources/x/policies'],
  ['GET', '/owner/people'],
  ['GET', '/owner/policies'],
  ['POST', '/owner/policies'],
  ['DELETE', '/owner/policies/x'],
  ['GET', '/owner/activity'],
  ['POST', '/owner/live'],
]

describe('RFC 6750 3.1: who may call', () => {
  it.each(ROUTES)('TESTS OW-01: %s %s for a wallet’s own live token only', async (method, path) => {
    const json = method === 'POST' && path === '/owner/policies' ? { json: sound() } : {}
    const nobody = await call(`${origin}${path}`, { method, ...json })
    expectRefusal(nobody, 401, 'invalid_token')
    expect(challenge(nobody)).toMatch(/^Bearer realm="uma_owner", DPoP algs=/)
    const token = String(s.wallet.tokens.access_token)
    for (const [bearer, dpop] of [
      ['x', undefined],
      [await s.rpt(), s.app.key],
      [String(s.wallet.tokens.refresh_token), s.wallet.key],
      [token, undefined],
      [token, await newDpopKey()],
      [`${token.slice(0, -1)}_`, s.wallet.key],
    ] as const) {
      const options: Call = { method, ...json, bearer, ...(dpop === undefined ? {} : { dpop }) }
      expectRefusal(await call(`${origin}${path}`, options), 401, 'invalid_token')
    }
    // TESTS OW-06: a PAT is a live token of another kind.
    const byService = await s.service.call(path, { method, ...json })
    expectRefusal(byService, 403, 'insufficient_scope')
    expect(challenge(byService)).toBe('Bearer error="insufficient_scope", scope="uma_owner"')
  })

  it('TESTS OW-01: a disconnected wallet and one that revoked its token may not', async () => {
    const wallet = await connectWallet(s.server, s.alice)
    const mine = (await items(wallet, '/owner/connections')).find(({ current }) => current === true)
    expect((await wallet.call(`/owner/connections/${mine?.id}`, { method: 'DELETE' })).status).toBe(204)
    for (const [method, path] of ROUTES)
      expectRefusal(
        await wallet.call(path, { method, ...(path === '/owner/policies' && method === 'POST' ? { json: sound() } : {}) }),
        401,
        'invalid_token',
      )
    const form = { grant_type: 'refresh_token', refresh_token: String(wallet.tokens.refresh_token), client_id: wallet.client.id }
    expectRefusal(await call(`${origin}/token`, { form, dpop: wallet.key }), 400, 'invalid_grant')
  })
})

describe('DESIGN 4: what is read', () => {
  it('DESIGN 4: each list is as the protocol says, and names nobody', async () => {
    await share(s.wallet, s.resource, someone('zoe'), { until: now() + 3600, time_zone: 'Europe/Lisbon' })
    const schemas = { connections: connection, resources: resource, people: person, policies: policy, activity: activityEntry }
    for (const [name, schema] of Object.entries(schemas)) {
      const answer = await s.wallet.call(`/owner/${name}`)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
      const list = answer.json.items as Json[]
      expect(list.length).toBeGreaterThan(0)
      for (const item of list) expect(v.safeParse(schema, item).issues).toBeUndefined()
      expect(answer.text).not.toMatch(/@example\.net|Lisbon\.pdf/)
    }
    const me = await s.wallet.call('/owner/me')
    expect(v.safeParse(owner, me.json).issues).toBeUndefined()
    expect(me.text).not.toContain(s.alice.address)
    // Who is signed in, for the owner's own devices: a label like any other.
    expect(me.json.label).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('DESIGN 4: connections: names as the clients call themselves, and which wallet is asking', async () => {
    const list = await items(s.wallet, '/owner/connections')
    expect(list.filter(({ current }) => current === true)).toMatchObject([{ client_id: s.wallet.client.id, kind: 'wallet' }])
    const service = list.find(({ client_id }) => client_id === s.service.client.id)
    const client_known = { by: 'push', since: expect.any(Number), uri: s.service.origin }
    expect(service).toMatchObject({ kind: 'service', client_name: 'A shelf', client_uri: s.service.origin, client_known })
    expect(Date.now() / 1000 - Number((service?.client_known as Json | undefined)?.since)).toBeLessThan(600)
    expect((await s.alice.browser.open(`${origin}/`)).text).toContain(`As its page it names ${s.service.origin}.`)
    await s.service.introspect(await s.rpt())
    expect(
      (await items(s.wallet, '/owner/connections')).find(({ client_id }) => client_id === s.service.client.id)?.last_used_at,
    ).toBeGreaterThan(0)
  })

  it('DESIGN 4: policies by thing and by person; foreign ones are none', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    const shared = await share(s.wallet, id, s.known.address)
    const found = await items(s.wallet, `/owner/policies?resource_id=${id}`)
    expect(found.map((one) => one.id)).toEqual([shared])
    expect((await items(s.wallet, `/owner/policies?person_id=${found[0]?.person_id}`)).map((one) => one.id)).toContain(shared)
    expect(await items(s.wallet, `/owner/policies?resource_id=${id}&person_id=x`)).toEqual([])
    for (const query of [
      `resource_id=${carol.resource}`,
      `person_id=${carol.person}`,
      'resource_id=x',
      "resource_id=' OR 1=1 --",
      'person_id=%00',
    ])
      expect(await items(s.wallet, `/owner/policies?${query}`)).toEqual([])
  })

  it('RFC 6749 3.1: parameters once, and with a meaning', async () => {
    for (const [path, bad] of [
      [
        'policies',
        [
          'cursor=a&cursor=b',
          'resource_id=a&resource_id=b',
          'cursor=%00',
          "cursor=' OR 1=1",
          'cursor=a%20b',
          `cursor=${'x'.repeat(65)}`,
          'cursor=../x',
        ],
      ],
      ['resources', ['cursor=%F0%9F%92%A9', 'cursor=;']],
      ['people', ['cursor=%22']],
      [
        'activity',
        [
          'limit=0',
          'limit=-1',
          'limit=1.5',
          'limit=x',
          'limit=1e3',
          'before=0',
          'before=x',
          'before=1&before=2',
          'limit=9999999999999999',
          'cursor=abc',
        ],
      ],
    ] as const) {
      for (const query of bad) expectRefusal(await s.wallet.call(`/owner/${path}?${query}`), 400, 'invalid_request')
    }
    for (const query of ['cursor=', 'limit=', 'before=', 'unheard_of=1', 'cursor=zzzz'])
      expect((await s.wallet.call(`/owner/${query.startsWith('cursor=z') ? 'people' : 'activity'}?${query}`)).status).toBe(200)
  })
})

describe('RFC 9110 13.1.2: ETags', () => {
  const tag = async (path = '/owner/policies', wallet = s.wallet, headers: Record<string, string> = {}) =>
    (await wallet.call(path, { headers })).headers.get('etag') ?? ''
  const conditional = (path: string, etag: string) => s.wallet.call(path, { headers: { 'if-none-match': etag } })

  it('RFC 9110 13.1.2: the same answer is 304 without a body; one of several, weak or any counts, too', async () => {
    for (const path of ['/owner/me', '/owner/connections', '/owner/resources', '/owner/people', '/owner/policies', '/owner/activity']) {
      const etag = await tag(path)
      expect(etag).toMatch(/^(W\/)?"[\w-]+"$/)
      const strong = etag.replace(/^W\//, '')
      for (const header of [etag, strong, `W/${strong}`, `"x", ${strong}`, `W/"y",W/${strong} , "z"`, '*']) {
        const answer = await conditional(path, header)
        expect([path, header, answer.status, answer.text, answer.headers.get('etag')]).toEqual([path, header, 304, '', etag])
      }
      for (const header of ['"x"', strong.slice(1, -1), `${strong}x`, ''])
        expect([header, (await conditional(path, header)).status]).toEqual([header, 200])
      expect((await s.wallet.call(path)).headers.get('vary')).toContain('Authorization')
      expect((await s.wallet.call(path)).headers.get('cache-control')).toBe('private, no-cache')
    }
  })

  it('RFC 9110 8.8.3: what changes the answer changes the tag, also without a decision', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    const shared = await share(s.wallet, id, s.known.address)
    let before = await tag()
    const rpt = await s.rpt({ resource_id: id, resource_scopes: ['view'] })
    expect(await tag()).toBe(before)
    // A look is no decision, and still news.
    await s.service.introspect(rpt)
    expect((await conditional('/owner/policies', before)).status).toBe(200)
    expect((await items(s.wallet, `/owner/policies?resource_id=${id}`))[0]?.last_used_at).toBeGreaterThan(0)
    before = await tag()
    await stopSharing(s.wallet, shared)
    expect((await conditional('/owner/policies', before)).status).toBe(200)
    before = await tag('/owner/activity')
    await signIn(s.server, s.alice.address)
    expect((await conditional('/owner/activity', before)).status).toBe(200)
  })

  it('RFC 9110 12.5.4: sentences in another language are another answer', async () => {
    const [english, german] = [
      await s.wallet.call('/owner/policies', { headers: { 'accept-language': 'en' } }),
      await s.wallet.call('/owner/policies', { headers: { 'accept-language': 'de' } }),
    ]
    expect(english.headers.get('etag')).not.toBe(german.headers.get('etag'))
    expect(english.headers.get('vary')).toContain('Accept-Language')
  })
})
