// Resource registration (UMA FedAuthz 3): a service writes, reads back, replaces, removes and lists what it keeps for one owner.
import { beforeAll, describe, expect, it } from 'vitest'
import { authorize, connectService, type Service, share, signIn } from '../support/actors.ts'
import { type Answer, type Call, call, expectStatus, type Json } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'

let s: Cast
let origin: string
let service: Service
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  service = await connectService(s.server, await signIn(s.server))
})

const create = (json: unknown, by = service): Promise<Answer> => by.call('/uma/resource', { json })
const read = async (id: string, by = service): Promise<Json> => expectStatus(await by.call(`/uma/resource/${id}`), 200, 'read').json
const list = async (by = service): Promise<string[]> =>
  JSON.parse(expectStatus(await by.call('/uma/resource'), 200, 'list').text) as string[]

const FULL = {
  resource_scopes: ['view', 'https://photoz.example.com/dev/scopes/print'],
  name: 'Photo <b>Album</b>',
  'name#fr': 'Album de photos',
  description: 'Collection of digital photographs',
  'description#de-AT': 'Fotos',
  icon_uri: 'https://www.example.com/icons/flower.png',
  type: 'https://www.example.com/rsrcs/photoalbum',
}

it('UMA FedAuthz 3.2: user_access_policy_uri leads the owner to this thing on her page', async () => {
  const { user_access_policy_uri: uri } = (await s.service.call(`/uma/resource/${s.resource}`)).json
  const { pathname, hash } = new URL(String(uri))
  expect((await s.alice.browser.open(`${origin}${pathname}`)).text).toContain(`id="${hash.slice(1)}"`)
})

describe('UMA FedAuthz 3.2: five operations', () => {
  it('UMA FedAuthz 3.2.1: create: 201, Location, _id, where the owner sets policy', async () => {
    const answer = await create(FULL)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.json).toEqual({
      _id: expect.stringMatching(/^[\w-]{22}$/),
      user_access_policy_uri: `${origin}/#thing-${answer.json._id}`,
    })
    expect(answer.headers.get('location')).toBe(`${origin}/uma/resource/${answer.json._id}`)
  })

  it('UMA FedAuthz 3.2.2: read: the description as it was registered, with _id', async () => {
    const { json } = await create(FULL)
    const answer = await service.call(`/uma/resource/${json._id}`)
    expect(answer.json).toEqual({ ...FULL, _id: json._id, user_access_policy_uri: `${origin}/#thing-${json._id}` })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  })

  it('UMA FedAuthz 3.2.3: update replaces all of it; what is left out is gone', async () => {
    const id = String((await create(FULL)).json._id)
    const answer = await service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['edit'], name: 'New' } })
    expect([answer.status, answer.json._id]).toEqual([200, id])
    expect(await read(id)).toEqual({ resource_scopes: ['edit'], name: 'New', _id: id, user_access_policy_uri: `${origin}/#thing-${id}` })
  })

  it('UMA FedAuthz 3.2.4: delete: 204, then it is unknown everywhere', async () => {
    const id = String((await create(FULL)).json._id)
    const answer = await service.call(`/uma/resource/${id}`, { method: 'DELETE' })
    expect([answer.status, answer.text]).toEqual([204, ''])
    for (const options of [{}, { method: 'DELETE' }, { method: 'PUT', json: FULL }] as Call[])
      expectRefusal(await service.call(`/uma/resource/${id}`, options), 404, 'not_found')
    expect(await list()).not.toContain(id)
    expectRefusal(
      await service.call('/uma/permission', { json: { resource_id: id, resource_scopes: ['view'] } }),
      400,
      'invalid_resource_id',
    )
  })

  it('UMA FedAuthz 3.2.5: list: ids of this service alone; with or without a slash at the end', async () => {
    const own = await connectService(s.server, await signIn(s.server))
    expect(await list(own)).toEqual([])
    const ids = await Promise.all([1, 2, 3].map(() => own.register({ resource_scopes: [] })))
    expect((await list(own)).toSorted()).toEqual(ids.toSorted())
    expect((JSON.parse((await own.call('/uma/resource/')).text) as string[]).toSorted()).toEqual(ids.toSorted())
    await own.call(`/uma/resource/${ids[0]}`, { method: 'DELETE' })
    expect((await list(own)).toSorted()).toEqual(ids.slice(1).toSorted())
    expect((await own.call('/uma/resource/', { json: { resource_scopes: ['view'] } })).status).toBe(201)
  })

  it('UMA FedAuthz 3.2: the same thing twice is two resources (SPECS F-17)', async () => {
    const [one, two] = [await create(FULL), await create(FULL)]
    expect(one.json._id).not.toBe(two.json._id)
  })

  it('UMA FedAuthz 3.1: unknown members are dropped; no id, owner or policy can be slipped in', async () => {
    const { json } = await create({
      ...FULL,
      _id: 'mine',
      owner: 'x',
      connection_id: 'x',
      created_at: 1,
      uri: 'https://x.example',
      user_access_policy_uri: 'https://evil.example',
      'name#': 'x',
      'title#fr': 'x',
    })
    expect(json._id).not.toBe('mine')
    expect(await read(String(json._id))).toEqual({ ...FULL, _id: json._id, user_access_policy_uri: `${origin}/#thing-${json._id}` })
  })

  it('UMA FedAuthz 3.1.1: nothing that is named in a description is fetched or followed', async () => {
    const odd = { resource_scopes: ['http://127.0.0.1:1/scope'], icon_uri: 'javascript:alert(1)', name: 'x' }
    const { json } = await create(odd)
    expect(await read(String(json._id))).toMatchObject(odd)
    const page = await s.alice.browser.open(`${origin}/`)
    expect(page.text).not.toContain('javascript:')
  })
})

describe('UMA FedAuthz 3.2: descriptions that are none', () => {
  it.each<[string, unknown]>([
    ['no scopes', { name: 'x' }],
    ['scopes that are no list', { resource_scopes: 'view' }],
    ['a scope that is no text', { resource_scopes: ['view', 5] }],
    ['an empty scope', { resource_scopes: [''] }],
    ['null for a scope', { resource_scopes: [null] }],
    ['a scope of 300 characters', { resource_scopes: ['x'.repeat(300)] }],
    ['65 scopes', { resource_scopes: Array.from({ length: 65 }, (_, i) => `s${i}`) }],
    ['the scopes of UMA 1', { name: 'x', scopes: ['view'] }],
    ['a name that is no text', { resource_scopes: ['view'], name: { a: 1 } }],
    ['a name of 600 characters', { resource_scopes: ['view'], name: 'x'.repeat(600) }],
    ['a translation that is no text', { resource_scopes: ['view'], 'name#fr': 5 }],
    ['65 translations', { resource_scopes: ['view'], ...Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`name#x${i}`, 'x'])) }],
    ['a type that is no text', { resource_scopes: ['view'], type: ['x'] }],
    ['null', null],
    ['a list', [{ resource_scopes: ['view'] }]],
  ])('UMA FedAuthz 3.2: %s is invalid_request, and nothing is written', async (_why, json) => {
    const id = await service.register({ resource_scopes: ['view'], name: 'Same' })
    const before = await list()
    expectRefusal(await create(json), 400, 'invalid_request')
    expectRefusal(await service.call(`/uma/resource/${id}`, { method: 'PUT', json }), 400, 'invalid_request')
    expect(await list()).toEqual(before)
    expect((await read(id)).name).toBe('Same')
  })

  it('UMA FedAuthz 3.1: what would lie in itself, in a circle or too deep is refused, and so is a description of a thousand levels [FA-21]', async () => {
    const inside = (parent: unknown) => ({ resource_scopes: ['view'], parent })
    const move = (id: string, parent: unknown) => service.call(`/uma/resource/${id}`, { method: 'PUT', json: inside(parent) })
    const one = String((await create({ resource_scopes: ['view'] })).json._id)
    const two = String((await create(inside(one))).json._id)
    for (const parent of [one, two]) expectRefusal(await move(one, parent), 400, 'invalid_request')
    let next = await create(inside(two))
    let levels = 0
    for (; next.status === 201 && levels < 100; levels++) next = await create(inside(next.json._id))
    expect(levels).toBeLessThan(100)
    expectRefusal(next, 400, 'invalid_request')
    const deep = (level: number): unknown => (level === 0 ? {} : inside(deep(level - 1)))
    for (const level of [2, 1000]) expectRefusal(await create(deep(level)), 400, 'invalid_request')
    expect(await read(one)).toEqual({ resource_scopes: ['view'], _id: one, user_access_policy_uri: `${origin}/#thing-${one}` })
  })

  it('UMA FedAuthz 3.1: no scopes at all is a list, too; the same scope twice is one (SPECS F-21)', async () => {
    expect(await read(String((await create({ resource_scopes: [] })).json._id))).toMatchObject({ resource_scopes: [] })
    expect(await read(String((await create({ resource_scopes: ['b', 'a', 'b'] })).json._id))).toMatchObject({ resource_scopes: ['b', 'a'] })
  })
})

describe('DESIGN 3: descriptions at rest', () => {
  it('UMA FedAuthz 3.2.2: a refreshed PAT reads what the first one wrote', async () => {
    const id = await service.register(FULL)
    const form = { grant_type: 'refresh_token', refresh_token: String(service.tokens.refresh_token) }
    const { json } = await call(`${origin}/token`, { form, basic: { id: service.client.id, secret: service.client.secret ?? '' } })
    expect((await call(`${origin}/uma/resource/${id}`, { bearer: String(json.access_token) })).json).toMatchObject(FULL)
  })

  it('UMA FedAuthz 3.2.2: a service that was connected anew reads all that it wrote before', async () => {
    const own = await signIn(s.server)
    const first = await connectService(s.server, own)
    const id = await first.register(FULL)
    const redirectUri = `${first.origin}/connected`
    const { params, verifier } = await authorize(s.server, own, { clientId: first.client.id, redirectUri, scope: 'openid uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
    const pat = String(
      (await call(`${origin}/token`, { form, basic: { id: first.client.id, secret: first.client.secret ?? '' } })).json.access_token,
    )
    expect((await call(`${origin}/uma/resource/${id}`, { bearer: pat })).json).toMatchObject(FULL)
  })

  it('UMA FedAuthz 3.2.3: an update keeps shares, and the owner sees what is new', async () => {
    const id = await s.service.register({ resource_scopes: ['view'], name: 'Old' })
    await share(s.wallet, id, s.known.address)
    await s.service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['view', 'print'], name: 'New', type: 't' } })
    const seen = ((await s.wallet.call('/owner/resources')).json.items as Json[]).find((one) => one.id === id)
    expect(seen).toMatchObject({ resource_scopes: ['view', 'print'], type: 't', share_count: 1 })
    expect((await s.redeem({ resource_id: id, resource_scopes: ['view'] })).status).toBe(200)
  })
})
