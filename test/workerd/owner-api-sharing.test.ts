// Sharing and stopping over the owner API: what is made, what is refused, and never anything of another owner.
import * as v from 'valibot'
import { beforeAll, describe, expect, it } from 'vitest'
import { policy } from '../../shared/protocol/owner-api.ts'
import { connectService, share, someone } from '../support/actors.ts'
import { type AnotherOwner, anotherOwner, items } from '../support/another-owner.ts'
import { type Answer, expectStatus, type Json } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'

let s: Cast
/** Another owner, with a service and a wallet of her own. */
let carol: AnotherOwner

beforeAll(async () => {
  s = await cast()
  carol = await anotherOwner(s.server)
})

const post = (json: unknown, wallet = s.wallet): Promise<Answer> => wallet.call('/owner/policies', { json })
const sound = (more: Json = {}): Json => ({
  resource_id: s.resource,
  person: { email: someone('eve') },
  resource_scopes: ['view'],
  ...more,
})

const now = () => Math.floor(Date.now() / 1000)

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
