// Resource registration (UMA FedAuthz 1.3, 3.2.1): whose token opens it, and a creation that is sent again.
import { beforeAll, describe, expect, it } from 'vitest'
import { connectService, type Service, signIn } from '../support/actors.ts'
import { type Answer, call, expectStatus, type Json } from '../support/http.ts'
import { type Cast, cast, challenge, expectRefusal } from '../support/odd-requests.ts'

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

describe('UMA FedAuthz 1.3: PATs', () => {
  const calls: [string, string, unknown?][] = [
    ['POST', '/uma/resource', { resource_scopes: ['view'] }],
    ['GET', '/uma/resource'],
    ['GET', '/uma/resource/ID'],
    ['PUT', '/uma/resource/ID', { resource_scopes: ['view'] }],
    ['DELETE', '/uma/resource/ID'],
    ['POST', '/uma/permission', { resource_id: 'x', resource_scopes: ['view'] }],
  ]

  it.each(calls)('TESTS FA-01: %s %s without a PAT is 401 with a challenge', async (method, template, body) => {
    const url = `${origin}${template.replace('ID', s.resource)}`
    const options = { method, ...(body === undefined ? {} : { json: body }) }
    const nobody = await call(url, options)
    expectRefusal(nobody, 401, 'invalid_token')
    expect(challenge(nobody)).toMatch(/^Bearer realm="uma_protection", DPoP/)
    for (const bearer of [
      await s.rpt(),
      String(s.service.tokens.refresh_token),
      `${s.service.pat}x`,
      'x',
      String(s.service.tokens.id_token),
    ]) {
      const answer = await call(url, { ...options, bearer })
      expectRefusal(answer, 401, 'invalid_token')
      expect(challenge(answer)).toBe('Bearer error="invalid_token"')
    }
  })

  it.each(calls)(
    'TESTS FA-02: %s %s with a live token that lacks uma_protection is 403 insufficient_scope',
    async (method, template, body) => {
      const path = template.replace('ID', s.resource)
      const options = { method, ...(body === undefined ? {} : { json: body }) }
      const byWallet = await s.wallet.call(path, options)
      expectRefusal(byWallet, 403, 'insufficient_scope')
      expect(challenge(byWallet)).toBe('DPoP error="insufficient_scope", scope="uma_protection"')
      const form = { grant_type: 'refresh_token', refresh_token: String(s.service.tokens.refresh_token), scope: 'openid' }
      const less = await call(`${origin}/token`, { form, basic: { id: s.service.client.id, secret: s.service.client.secret ?? '' } })
      const byLess = await call(`${origin}${path}`, { ...options, bearer: String(less.json.access_token) })
      expectRefusal(byLess, 403, 'insufficient_scope')
      expect(challenge(byLess)).toBe('Bearer error="insufficient_scope", scope="uma_protection"')
    },
  )

  it('TESTS FA-05: another service of the same owner: 404 everywhere, and not in its list', async () => {
    const other = await connectService(s.server, s.alice)
    expectRefusal(await other.call(`/uma/resource/${s.resource}`), 404, 'not_found')
    expectRefusal(await other.call(`/uma/resource/${s.resource}`, { method: 'PUT', json: { resource_scopes: ['own'] } }), 404, 'not_found')
    expectRefusal(await other.call(`/uma/resource/${s.resource}`, { method: 'DELETE' }), 404, 'not_found')
    expect(await list(other)).toEqual([])
    expect(await read(s.resource, s.service)).toMatchObject({ name: 'Lisbon.pdf' })
    // Foreign and unknown ids answer alike, word for word.
    const [foreign, unknown] = [await other.call(`/uma/resource/${s.resource}`), await other.call(`/uma/resource/${'x'.repeat(22)}`)]
    expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text])
  })

  it('TESTS FA-06: another owner’s PAT of another service: 404', async () => {
    expectRefusal(await service.call(`/uma/resource/${s.resource}`), 404, 'not_found')
    expectRefusal(await service.call(`/uma/resource/${s.resource}`, { method: 'PUT', json: FULL }), 404, 'not_found')
    expectRefusal(await service.call(`/uma/resource/${s.resource}`, { method: 'DELETE' }), 404, 'not_found')
    expect((await s.service.call(`/uma/resource/${s.resource}`)).status).toBe(200)
  })

  it('TESTS FA-22: a PAT that its owner ended is 401 at once, for every call', async () => {
    const own = await signIn(s.server)
    const ended = await connectService(s.server, own)
    const id = await ended.register({ resource_scopes: ['view'] })
    const home = await own.browser.open(`${origin}/`)
    await own.browser.submit(home, { connection: home.forms.find(({ names }) => names.includes('connection'))?.fields.connection ?? '' })
    for (const [method, template, body] of calls) {
      expectRefusal(
        await ended.call(template.replace('ID', id), { method, ...(body === undefined ? {} : { json: body }) }),
        401,
        'invalid_token',
      )
    }
  })
})

describe('UMA FedAuthz 3.2.1: a creation that is repeated', () => {
  const again = (key: string, json: unknown = FULL, by = service): Promise<Answer> =>
    by.call('/uma/resource', { json, headers: { 'idempotency-key': key } })

  it('TESTS HT-14: the same key and description are the same resource, also all at once; for this service alone', async () => {
    const first = await again('one')
    const answers = await Promise.all(Array.from({ length: 8 }, () => again('one')))
    for (const { status, json, headers } of answers) {
      expect([status, json]).toEqual([201, first.json])
      expect(headers.get('location')).toBe(first.headers.get('location'))
    }
    const race = await Promise.all(Array.from({ length: 8 }, () => again('two')))
    expect(new Set(race.map(({ json }) => json._id)).size).toBe(1)
    const other = await connectService(s.server, s.alice)
    expect((await again('one', FULL, other)).json._id).not.toBe(first.json._id)
    const ids = await list()
    expect([ids.filter((id) => id === first.json._id).length, (await create(FULL)).json._id === first.json._id]).toEqual([1, false])
  })

  it('TESTS HT-14: the same key with another description is refused; after a deletion the key is free', async () => {
    const { json } = expectStatus(await again('three'), 201, 'create')
    expectRefusal(await again('three', { ...FULL, name: 'Another' }), 422, 'invalid_request')
    expect((await read(String(json._id))).name).toBe(FULL.name)
    expectStatus(await service.call(`/uma/resource/${json._id}`, { method: 'DELETE' }), 204, 'delete')
    const next = expectStatus(await again('three', { ...FULL, name: 'Another' }), 201, 'create')
    expect(next.json._id).not.toBe(json._id)
    expectRefusal(await again('x'.repeat(257)), 400, 'invalid_request')
    // A key without a resource says nothing about another request.
    expectRefusal(await again('four', { name: 'no scopes' }), 400, 'invalid_request')
    expectStatus(await again('four'), 201, 'create')
  })
})
