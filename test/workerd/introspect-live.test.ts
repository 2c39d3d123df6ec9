// Introspection is live (DESIGN decision 1): what changes, what ends, at the next look.
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
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

const view = (resource: string, ...scopes: string[]) => ({
  resource_id: resource,
  resource_scopes: scopes.length === 0 ? ['view'] : scopes,
})

const by = (pat: string, token: string) => call(`${origin}/introspect`, { form: { token }, bearer: pat })
const permissionsOf = (found: Json): [string, string[]][] =>
  (found.permissions as { resource_id: string; resource_scopes: string[] }[]).map((one) => [one.resource_id, one.resource_scopes])

describe('DESIGN decision 1: live, always', () => {
  it('UMA FedAuthz 3.2.4: a thing that is deregistered is gone from the RPT, and the RPT with its last thing', async () => {
    const [one, two] = [await s.service.register({ resource_scopes: ['view'] }), await s.service.register({ resource_scopes: ['view'] })]
    for (const id of [one, two]) await share(s.wallet, id, s.known.address)
    const rpt = await s.rpt([view(one), view(two)])
    expect(
      permissionsOf(await s.service.introspect(rpt))
        .map(([id]) => id)
        .toSorted(),
    ).toEqual([one, two].toSorted())
    expect((await s.service.call(`/uma/resource/${one}`, { method: 'DELETE' })).status).toBe(204)
    expect(permissionsOf(await s.service.introspect(rpt))).toEqual([[two, ['view']]])
    await s.service.call(`/uma/resource/${two}`, { method: 'DELETE' })
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
  })

  it('UMA FedAuthz 3.2.3: a scope that is taken off is gone from the RPT, and back with it', async () => {
    const id = await s.service.register({ resource_scopes: ['view', 'download'] })
    await share(s.wallet, id, s.known.address, { resource_scopes: ['view', 'download'] })
    const rpt = await s.rpt(view(id, 'view', 'download'))
    const put = (resource_scopes: string[]) => s.service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes } })
    await put(['view'])
    expect(permissionsOf(await s.service.introspect(rpt))).toEqual([[id, ['view']]])
    await put(['other'])
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
    await put(['view', 'download', 'other'])
    expect(permissionsOf(await s.service.introspect(rpt))).toEqual([[id, ['view', 'download']]])
  })

  it('DESIGN 7 I4: what is no longer shared is gone at the next look; what else was shared stays', async () => {
    const id = await s.service.register({ resource_scopes: ['view', 'download'] })
    const shares = [
      await share(s.wallet, id, s.known.address),
      await share(s.wallet, id, s.known.address, { resource_scopes: ['download'] }),
    ]
    const rpt = await s.rpt(view(id, 'view', 'download'))
    expect(permissionsOf(await s.service.introspect(rpt))).toEqual([[id, ['view', 'download']]])
    await stopSharing(s.wallet, shares[1] ?? '')
    expect(permissionsOf(await s.service.introspect(rpt))).toEqual([[id, ['view']]])
    await stopSharing(s.wallet, shares[0] ?? '')
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
    // Shared anew, the old token stays what it was: it rests on what was stopped.
    await share(s.wallet, id, s.known.address)
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
    expect(permissionsOf(await s.service.introspect(await s.rpt(view(id))))).toEqual([[id, ['view']]])
  })

  it('DESIGN 7 I4: stopping all shares of a thing ends them for everybody, and for this thing alone', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    await share(s.wallet, id, s.known.address)
    const [rpt, other] = [await s.rpt(view(id)), await s.rpt()]
    expect((await s.wallet.call(`/owner/resources/${id}/policies`, { method: 'DELETE' })).status).toBe(204)
    expect(await s.service.introspect(rpt)).toEqual({ active: false })
    expect((await s.service.introspect(other)).active).toBe(true)
  })

  it('UMA Grant 6.1: a service that is disconnected loses PAT, refresh token, things and RPTs; another keeps them', async () => {
    const own = await signIn(s.server)
    const wallet = await connectWallet(s.server, own)
    const [service, stays] = [await connectService(s.server, own), await connectService(s.server, own)]
    const id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, id, s.known.address)
    const ticket = await service.ticket(view(id))
    const rpt = String((await s.app.token(ticket, await pushed(s.credential, ticket))).json.access_token)
    expect((await service.introspect(rpt)).active).toBe(true)
    const open = await service.ticket(view(id))
    const connection = ((await wallet.call('/owner/connections')).json.items as Json[]).find(
      ({ client_id }) => client_id === service.client.id,
    )
    expect((await wallet.call(`/owner/connections/${connection?.id}`, { method: 'DELETE' })).status).toBe(204)
    expectRefusal(await by(service.pat, rpt), 401, 'invalid_token')
    const form = { grant_type: 'refresh_token', refresh_token: String(service.tokens.refresh_token) }
    expectRefusal(
      await call(`${origin}/token`, { form, basic: { id: service.client.id, secret: service.client.secret ?? '' } }),
      400,
      'invalid_grant',
    )
    // TESTS UG-28: a ticket of before is refused when it is redeemed.
    expectRefusal(await s.app.token(open, await pushed(s.credential, open)), 403, 'request_denied')
    expect((await stays.call('/uma/resource')).status).toBe(200)
    expect((await wallet.call('/owner/resources')).json.items).toEqual([])
    expect((await wallet.call('/owner/policies')).json.items).toEqual([])
  })
})

describe('UMA FedAuthz 5.1.1: times', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let wallet: WalletApi
  let app: App
  beforeAll(async () => {
    as = await ownAs()
    alice = await signIn(as)
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    app = await registerApp(as, 'confidential')
  })
  afterAll(() => as.stop())

  const now = () => Math.floor(Date.now() / 1000)
  /** A thing shared with these times, and an RPT for it. */
  const granted = async (times: Json): Promise<{ id: string; rpt: string; expires: number }> => {
    const guest = bob()
    const id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, id, guest.address, times)
    const first = await app.token(await service.ticket(view(id)))
    const answer = expectStatus(await app.token(await gatherByMail(as, guest, app, String(first.json.ticket))), 200, 'RPT')
    return { id, rpt: String(answer.json.access_token), expires: Number(answer.json.expires_in) }
  }

  it('TESTS PO-04, LF-08: until: the token ends when the share ends, to the second, without any alarm', async () => {
    const until = now() + 600
    const { id, rpt, expires } = await granted({ until, time_zone: 'Europe/Lisbon' })
    expect(expires).toBeLessThanOrEqual(600)
    const found = await service.introspect(rpt)
    expect([found.exp, found.permissions]).toEqual([until, [{ resource_id: id, resource_scopes: ['view'], exp: until }]])
    await as.setClock(until - now() - 2)
    expect((await service.introspect(rpt)).active).toBe(true)
    await as.setClock(until - now() + 1)
    expect(await service.introspect(rpt)).toEqual({ active: false })
    expectRefusal(await app.token(await service.ticket(view(id))), 403, 'request_denied')
    // TESTS LF-14: a clock that goes back by a little revives it, as it should: the share is as it was.
    await as.setClock(0)
    expect((await service.introspect(rpt)).active).toBe(true)
  })

  it('TESTS PO-04: from: nothing before, everything after', async () => {
    const guest = bob()
    const id = await service.register({ resource_scopes: ['view'] })
    const from = now() + 400
    await share(wallet, id, guest.address, { from })
    expectRefusal(await app.token(await service.ticket(view(id))), 403, 'request_denied')
    await as.setClock(from - now() + 1)
    const first = await app.token(await service.ticket(view(id)))
    expectRefusal(first, 403, 'need_info')
    const answer = await app.token(await gatherByMail(as, guest, app, String(first.json.ticket)))
    expect(answer.status).toBe(200)
    expect((await service.introspect(String(answer.json.access_token))).active).toBe(true)
    await as.setClock(0)
  })

  it('UMA FedAuthz 5.1.1: two shares that end one after the other: the later one counts', async () => {
    const guest = bob()
    const id = await service.register({ resource_scopes: ['view'] })
    const [soon, late] = [now() + 300, now() + 1200]
    for (const until of [soon, late]) await share(wallet, id, guest.address, { until })
    const first = await app.token(await service.ticket(view(id)))
    const rpt = String((await app.token(await gatherByMail(as, guest, app, String(first.json.ticket)))).json.access_token)
    expect((await service.introspect(rpt)).exp).toBe(late)
    await as.setClock(600)
    expect(permissionsOf(await service.introspect(rpt))).toEqual([[id, ['view']]])
    await as.setClock(late - now() + 1)
    expect(await service.introspect(rpt)).toEqual({ active: false })
    await as.setClock(0)
  })

  it('RFC 7662 2.2: an RPT lives for an hour at most', async () => {
    const { rpt } = await granted({})
    await as.setClock(3590)
    expect((await call(`${as.origin}/introspect`, { form: { token: rpt }, bearer: service.pat })).json.active).toBe(true)
    await as.setClock(3605)
    const form = { grant_type: 'refresh_token', refresh_token: String(service.tokens.refresh_token) }
    const pat = String(
      (await call(`${as.origin}/token`, { form, basic: { id: service.client.id, secret: service.client.secret ?? '' } })).json.access_token,
    )
    expect((await call(`${as.origin}/introspect`, { form: { token: rpt }, bearer: pat })).json).toEqual({ active: false })
    await as.setClock(0)
  })
})
