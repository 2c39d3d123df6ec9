// Long lists of the owner API: page by page, each thing once; and what ends by itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
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
import { call, expectStatus, type Json } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const now = () => Math.floor(Date.now() / 1000)

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
