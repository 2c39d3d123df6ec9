// The owner API (`/owner/*`, shared/protocol/owner-api.ts): what a wallet reads and decides, page by page, and never for another owner.
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { activityEntry, connection, owner, person, policy, resource } from '../../shared/protocol/owner-api.ts'
import {
  type Alice,
  bob,
  connectService,
  connectWallet,
  registerApp,
  type Service,
  share,
  signIn,
  someone,
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { type Answer, type Call, call, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { type Cast, cast, challenge, expectRefusal } from '../support/odd-requests.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
/** Another owner, with a service and a wallet of her own. */
let carol: { alice: Alice; service: Service; wallet: WalletApi; resource: string; policy: string; person: string; connection: string }
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  const alice = await signIn(s.server)
  const [service, wallet] = [await connectService(s.server, alice), await connectWallet(s.server, alice)]
  const id = await service.register({ resource_scopes: ['view'], name: 'Hers' })
  const shared = await share(wallet, id, someone('dave'))
  const [people, connections] = [await items(wallet, '/owner/people'), await items(wallet, '/owner/connections')]
  carol = {
    alice,
    service,
    wallet,
    resource: id,
    policy: shared,
    person: String(people[0]?.id),
    connection: String(connections.find(({ kind }) => kind === 'service')?.id),
  }
})

const items = async (wallet: WalletApi, path: string): Promise<Json[]> =>
  expectStatus(await wallet.call(path), 200, path).json.items as Json[]
const post = (json: unknown, wallet = s.wallet): Promise<Answer> => wallet.call('/owner/policies', { json })
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

describe('DESIGN 1.4: sharing', () => {
  it('DESIGN 1.4: 201 with the sentence that holds; the address is stored nowhere that can be read', async () => {
    const email = someone('frank')
    const until = now() + 86_400
    const answer = await post(
      sound({ person: { email }, from: now() - 5, until, time_zone: 'America/New_York', resource_scopes: ['view', 'download', 'view'] }),
    )
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(v.safeParse(policy, answer.json).issues).toBeUndefined()
    expect(answer.json).toMatchObject({
      resource_id: s.resource,
      resource_scopes: ['view', 'download'],
      until,
      time_zone: 'America/New_York',
      state: 'active',
    })
    expect(String(answer.json.sentence)).toContain('{person}')
    expect(answer.text).not.toContain(email)
    expect((await items(s.wallet, '/owner/policies')).find(({ id }) => id === answer.json.id)).toEqual(answer.json)
    expect((await post(sound({ from: now() + 600 }))).json.state).toBe('not_yet')
  })

  it('CLAIMS 5.6: one person however the address is written; another owner’s person is somebody else', async () => {
    const email = someone('Gina')
    const first = await post(sound({ person: { email } }))
    for (const spelling of [email.toUpperCase(), ` ${email} `, email.replace('example.net', 'EXAMPLE.net')]) {
      expect((await post(sound({ person: { email: spelling } }))).json.person_id).toBe(first.json.person_id)
    }
    expect((await post(sound({ person: { id: first.json.person_id } }))).json.person_id).toBe(first.json.person_id)
    const elsewhere = await post({ ...sound({ person: { email } }), resource_id: carol.resource }, carol.wallet)
    expect(elsewhere.json.person_id).not.toBe(first.json.person_id)
  })

  it('DESIGN decision 7: a label that the wallet sealed itself is kept as it is', async () => {
    const label = `${btoa('{"alg":"ECDH-ES"}').replace(/=/g, '')}..aaaa.bbbb.cccc`
    const made = await post(sound({ person: { email: someone('hal'), label } }))
    expect((await items(s.wallet, '/owner/people')).find(({ id }) => id === made.json.person_id)?.label).toBe(label)
  })

  it.each<[string, Json, number?]>([
    ['no thing', { resource_id: undefined }],
    ['an empty id', { resource_id: '' }],
    ['a thing that nobody has', { resource_id: 'x' }, 404],
    ['an id that is no text', { resource_id: { a: 1 } }],
    ['no person', { person: undefined }],
    ['a person that nobody knows', { person: { id: 'x' } }, 404],
    ['a person with id and address', { person: { id: 'x', email: 'a@example.net' } }],
    ['no address', { person: { email: '' } }],
    ['half an address', { person: { email: 'bob@' } }],
    ['an address of one label', { person: { email: 'bob@localhost' } }],
    ['a quoted address', { person: { email: '"bob@example.net"@evil.example' } }],
    ['two addresses', { person: { email: 'a@example.net,b@example.net' } }],
    ['an address with NUL', { person: { email: 'bob@example.net\u0000' } }],
    ['an address with a line break', { person: { email: 'bob@example.net\r\nBcc: x@example.net' } }],
    ['an address with a direction mark', { person: { email: 'bob\u202e@example.net' } }],
    ['an address of 400 characters', { person: { email: `${'x'.repeat(400)}@example.net` } }],
    ['a label that is none', { person: { email: 'a@example.net', label: 'bob' } }],
    ['a label of 10 000 characters', { person: { email: 'a@example.net', label: `a.b.c.d.${'x'.repeat(10_000)}` } }],
    ['no scopes', { resource_scopes: [] }],
    ['scopes that are no list', { resource_scopes: 'view' }],
    ['a scope that the thing does not have', { resource_scopes: ['view', 'print'] }],
    ['65 scopes', { resource_scopes: Array.from({ length: 65 }, (_, i) => `s${i}`) }],
    ['an end that has passed', { until: 1 }],
    ['an end that is now', { until: Math.floor(Date.now() / 1000) }],
    ['a beginning at the end', { from: 9_000_000_000, until: 9_000_000_000 }],
    ['a beginning after the end', { from: 9_000_000_001, until: 9_000_000_000 }],
    ['half a second', { until: 9_000_000_000.5 }],
    ['a time before 1970', { from: -1 }],
    ['a time after 9999', { until: 1e15 }],
    ['a time that is no number', { until: 'Friday' }],
    ['a time that is no JSON number', { until: null }],
    ['a time zone that is none', { time_zone: 'Mars/Olympus' }],
    ['an empty time zone', { time_zone: '' }],
    ['an owner', { owner: 'x' }],
    ['a revision', { rev: 5 }],
    ['an id of its own', { id: 'x' }],
    ['a tier', { tier: 'platform' }],
    ['a condition', { when: { all: [] } }],
  ])('TESTS OW-09, OW-11: %s is refused, and nothing is written', async (_why, change, status = 400) => {
    const before = await s.wallet.call('/owner/policies')
    expectRefusal(await post(sound(change)), status, status === 404 ? 'not_found' : 'invalid_request')
    expect((await s.wallet.call('/owner/policies')).text).toBe(before.text)
  })

  it('DESIGN 7 I3: things, people, shares and connections of another owner are unknown (TESTS OW-02, OW-03, OW-12)', async () => {
    expectRefusal(await post(sound({ resource_id: carol.resource })), 404, 'not_found')
    expectRefusal(await post(sound({ person: { id: carol.person } })), 404, 'not_found')
    expectRefusal(await s.wallet.call(`/owner/connections/${carol.connection}`, { method: 'DELETE' }), 404, 'not_found')
    for (const path of [`/owner/policies/${carol.policy}`, `/owner/resources/${carol.resource}/policies`])
      expect((await s.wallet.call(path, { method: 'DELETE' })).status).toBe(204)
    expect((await items(carol.wallet, '/owner/policies')).map(({ id }) => id)).toContain(carol.policy)
    expect((await carol.service.call('/uma/resource')).status).toBe(200)
    const marker = (id: string) => ['resources', 'people', 'policies'].map((list) => `/owner/${list}?cursor=${id}`)
    const lists = ['/owner/resources', '/owner/people', '/owner/policies', '/owner/connections', '/owner/activity?limit=200']
    for (const path of [...lists, ...[carol.resource, carol.person, carol.policy].flatMap(marker)]) {
      const text = expectStatus(await s.wallet.call(path), 200, path).text
      for (const id of [carol.resource, carol.policy, carol.person, carol.connection, carol.service.client.id, carol.wallet.client.id])
        expect(text).not.toContain(id)
    }
  })

  it('DESIGN 1.9: stopping is done when it answers, may be said twice, and stops this share alone', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    const [mine, other] = [await share(s.wallet, id, s.known.address), await share(s.wallet, id, someone('ida'))]
    for (let time = 0; time < 2; time++) {
      const answer = await s.wallet.call(`/owner/policies/${mine}`, { method: 'DELETE' })
      expect([answer.status, answer.text]).toEqual([204, ''])
    }
    expect((await s.wallet.call('/owner/policies/unheard-of', { method: 'DELETE' })).status).toBe(204)
    expect((await items(s.wallet, `/owner/policies?resource_id=${id}`)).map((one) => one.id)).toEqual([other])
    expect((await s.wallet.call('/owner/resources/unheard-of/policies', { method: 'DELETE' })).status).toBe(204)
    expect(
      (await items(s.wallet, '/owner/activity')).filter(({ policy_id, event }) => policy_id === mine && event === 'share_stopped'),
    ).toHaveLength(1)
  })

  it('DESIGN 3: disconnecting what is unknown is 404, also the second time', async () => {
    const service = await connectService(s.server, s.alice)
    const id = (await items(s.wallet, '/owner/connections')).find(({ client_id }) => client_id === service.client.id)?.id
    expect((await s.wallet.call(`/owner/connections/${id}`, { method: 'DELETE' })).status).toBe(204)
    for (const gone of [id, 'x', '%00', '__proto__'])
      expectRefusal(await s.wallet.call(`/owner/connections/${gone}`, { method: 'DELETE' }), 404, 'not_found')
    expectRefusal(await service.call('/uma/resource'), 401, 'invalid_token')
  })
})

describe('DESIGN 4: many', () => {
  let as: Running
  let service: Service
  let wallet: WalletApi
  const THINGS = 203
  const SHARES = 240
  let ids: string[]
  beforeAll(async () => {
    as = await ownAs()
    const alice = await signIn(as)
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    ids = await atOnce(THINGS, (i) => service.register({ resource_scopes: ['view'], name: `Thing ${i}` }))
    await atOnce(SHARES, (i) => share(wallet, ids[0] ?? '', `p${i}@example.net`))
  })
  afterAll(() => as.stop())

  /** So many at a time that nobody waits, and no more. */
  const atOnce = async <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> => {
    const made: T[] = []
    let next = 0
    const work = async () => {
      for (let i = next++; i < count; i = next++) made[i] = await make(i)
    }
    await Promise.all(Array.from({ length: 16 }, work))
    return made
  }
  const pages = async (path: string, parameter = 'cursor'): Promise<Json[][]> => {
    const found: Json[][] = []
    for (let next: unknown = ''; next !== undefined && found.length < 40; ) {
      const { json } = expectStatus(
        await wallet.call(`/owner/${path}${next === '' ? '' : `${path.includes('?') ? '&' : '?'}${parameter}=${next}`}`),
        200,
        path,
      )
      found.push(json.items as Json[])
      next = json.next
    }
    return found
  }

  it('DESIGN 4: lists come in pages of 200, each thing once', async () => {
    for (const [path, count] of [
      ['resources', THINGS],
      ['people', SHARES],
      ['policies', SHARES],
      [`policies?resource_id=${ids[0]}`, SHARES],
    ] as const) {
      const found = await pages(path)
      expect([path, found.slice(0, -1).every((page) => page.length === 200)]).toEqual([path, true])
      expect([path, new Set(found.flat().map(({ id }) => id)).size, found.flat().length]).toEqual([path, count, count])
    }
    expect((await pages('resources')).flat().find(({ id }) => id === ids[0])?.share_count).toBe(SHARES)
    expect((JSON.parse((await service.call('/uma/resource')).text) as string[]).toSorted()).toEqual(ids.toSorted())
  })

  it('DESIGN 3: activity in pages, newest first, without a gap, also what has moved to the record', async () => {
    const check = async (parameter: string) => {
      const seqs = (await pages('activity?limit=150', parameter)).flat().map(({ seq }) => Number(seq))
      expect(seqs).toEqual(Array.from({ length: seqs[0] ?? 0 }, (_, i) => (seqs[0] ?? 0) - i))
      expect(seqs.length).toBeGreaterThan(THINGS + SHARES)
    }
    await check('before')
    const [object = ''] = await as.objects('OwnerObject')
    await as.runAlarm('OWNER', object)
    await check('before')
    await check('cursor')
    expect((await wallet.call('/owner/activity?limit=9999')).json.items).toHaveLength(200)
  })

  it('UMA Grant 3.3.4: a share counts, wherever among 240 of one thing it stands', async () => {
    const [guest, app] = [bob(), await registerApp(as)]
    const own = await service.register({ resource_scopes: ['view'] })
    await share(wallet, own, guest.address)
    const credential = await obtainCredential(as, guest, app, await service.ticket({ resource_id: own, resource_scopes: ['view'] }))
    const ask = async () => {
      const ticket = await service.ticket({ resource_id: ids[0], resource_scopes: ['view'] })
      return app.token(ticket, await pushed(credential, ticket))
    }
    expectRefusal(await ask(), 403, 'request_denied')
    expectRefusal(await app.token(await service.ticket({ resource_id: ids[0], resource_scopes: ['view'] })), 403, 'need_info')
    // A server that looked at the first 200 only would not find one behind them; ids decide the order.
    const ranked = (await pages(`policies?resource_id=${ids[0]}`)).flat().map(({ id }) => String(id))
    let last = await share(wallet, ids[0] ?? '', guest.address)
    while (last < (ranked[200] ?? '')) {
      await stopSharing(wallet, last)
      last = await share(wallet, ids[0] ?? '', guest.address)
    }
    const rpt = String(expectStatus(await ask(), 200, 'RPT').json.access_token)
    expect((await service.introspect(rpt)).permissions).toMatchObject([{ resource_id: ids[0], resource_scopes: ['view'] }])
    await stopSharing(wallet, last)
    expect(await service.introspect(rpt)).toEqual({ active: false })
    expectRefusal(await ask(), 403, 'request_denied')
  })

  it('DESIGN 7 I4: all shares of a thing are stopped at once, however many', async () => {
    expect((await wallet.call(`/owner/resources/${ids[0]}/policies`, { method: 'DELETE' })).status).toBe(204)
    expect((await wallet.call(`/owner/policies?resource_id=${ids[0]}`)).json.items).toEqual([])
    expectRefusal(await call(`${as.origin}/owner/policies`, { method: 'DELETE' }), 405, 'unsupported_method_type')
  })
})

describe('RFC 9110 8.8.3: time', () => {
  let as: Running
  beforeAll(async () => {
    as = await ownAs()
  })
  afterAll(() => as.stop())

  it('RFC 9110 8.8.3: a share that is over is another answer, and counts no more', async () => {
    const alice = await signIn(as)
    const [service, wallet] = [await connectService(as, alice), await connectWallet(as, alice)]
    const id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, id, someone('x'), { until: now() + 20 })
    const before = await wallet.call('/owner/policies')
    expect((before.json.items as Json[])[0]?.state).toBe('active')
    expect(((await wallet.call('/owner/resources')).json.items as Json[])[0]?.share_count).toBe(1)
    // A proof may be a little older than the server's clock.
    await as.setClock(25)
    const after = await wallet.call('/owner/policies', { headers: { 'if-none-match': before.headers.get('etag') ?? '' } })
    expect([after.status, (after.json.items as Json[])[0]?.state]).toEqual([200, 'over'])
    expect(((await wallet.call('/owner/resources')).json.items as Json[])[0]?.share_count).toBe(0)
    expect(((await wallet.call('/owner/people')).json.items as Json[])[0]?.share_count).toBe(0)
    await as.setClock(0)
  })
})
