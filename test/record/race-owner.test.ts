// Decisions that meet each other at one owner (DESIGN 3, "One writer"): what was acknowledged holds from then on, nothing is made twice,
// and object and record agree afterwards.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authorize, bob, connectService, share, someone, stopSharing } from '../support/actors.ts'
import { atOnce, tally } from '../support/at-once.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { type Key, newKey, openDoor } from '../support/door.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { d1File, rowsOf, withCopy } from '../support/state-files.ts'
import { verifyState } from '../support/verify-state.ts'

const differences = (as: Running): string[] => verifyState(as.state).flatMap((report) => report.differences)

const ownersIn = (as: Running): number =>
  withCopy(d1File(as.state) ?? '', (database) => Number(rowsOf(database, 'SELECT COUNT(*) AS n FROM owner')[0]?.n))

describe('DESIGN 3: one writer', () => {
  let as: Running
  let s: Stage
  let key: Key
  beforeAll(async () => {
    as = await ownAs()
    s = await stage(as)
    key = await newKey(s)
  })
  afterAll(() => as.stop())

  const items = async (path: string): Promise<Json[]> => expectStatus(await s.wallet.call(path), 200, path).json.items as Json[]
  const openRpt = () => openDoor(s, key)

  it('DESIGN 7 I4: 64 questions around a stop: none that was asked after its answer says active', async () => {
    const { share: id, rpt } = await openRpt()
    let isStopped = false
    const wrong: unknown[] = []
    let before = 0
    const question = async () => {
      const isAfter = isStopped
      const { active } = await s.service.introspect(rpt)
      if (active === true) before += 1
      if (isAfter && active !== false) wrong.push(active)
    }
    const asker = async () => {
      // The stop goes out in the middle of the questions; four are asked after its answer by each of 16.
      for (let left = 4; left > 0; left -= isStopped ? 1 : 0) await question()
    }
    const asking = atOnce(16, asker)
    await question()
    await stopSharing(s.wallet, id)
    isStopped = true
    await asking
    expect(wrong).toEqual([])
    expect(before).toBeGreaterThan(0)
  })

  it('DESIGN 7 I4: of tickets redeemed around a stop, no token of any is good after it', async () => {
    const { share: id, ask } = await openRpt()
    const asking = atOnce(24, ask)
    await stopSharing(s.wallet, id)
    const late = await atOnce(8, ask)
    expect(tally(late)).toEqual({ '403 request_denied': 8 })
    const tokens = (await asking).flatMap(({ json }) => (json.access_token === undefined ? [] : [String(json.access_token)]))
    for (const token of tokens) expect(await s.service.introspect(token)).toEqual({ active: false })
  })

  it('DESIGN 3: 16 stops of one share at once are one stop in the activity', async () => {
    const { share: id } = await openRpt()
    expect(tally(await atOnce(16, () => s.wallet.call(`/owner/policies/${id}`, { method: 'DELETE' })))).toEqual({ 204: 16 })
    const told = (await items('/owner/activity?limit=50')).filter((entry) => entry.event === 'share_stopped' && entry.policy_id === id)
    expect(told).toHaveLength(1)
  })

  it('UMA FedAuthz 3.2: PUT and DELETE of one thing at once: one deletion, and nothing of it comes back', async () => {
    for (let round = 0; round < 4; round++) {
      const { resource, share: id } = await openRpt()
      const path = `/uma/resource/${resource}`
      const answers = await atOnce(36, async (index) => {
        if (index % 3 === 0) return ['DELETE', await s.service.call(path, { method: 'DELETE' })] as const
        if (index % 3 === 1)
          return ['PUT', await s.service.call(path, { method: 'PUT', json: { resource_scopes: ['view', `s${index}`] } })] as const
        return ['GET', await s.service.call(path)] as const
      })
      const of = (method: string) => tally(answers.flatMap(([name, answer]) => (name === method ? [answer] : [])))
      expect(of('DELETE')).toEqual({ 204: 1, '404 not_found': 11 })
      for (const method of ['PUT', 'GET']) expect(Object.keys(of(method)).filter((kind) => !/^(200|404 not_found)$/.test(kind))).toEqual([])
      expect(tally([await s.service.call(path)])).toEqual({ '404 not_found': 1 })
      expect((await items('/owner/resources')).map((one) => one.id)).not.toContain(resource)
      expect((await items('/owner/policies')).map((one) => one.id)).not.toContain(id)
    }
    expect(differences(as)).toEqual([])
  })

  it('UMA FedAuthz 3.2.3: of PUTs at once one wins whole, in object and record', async () => {
    const { resource } = await openRpt()
    const path = `/uma/resource/${resource}`
    const asked = Array.from({ length: 16 }, (_, index) => ({ resource_scopes: ['view', `s${index}`], name: `Name ${index}` }))
    const answers = await atOnce(16, (index) => s.service.call(path, { method: 'PUT', json: asked[index] }))
    expect(tally(answers)).toEqual({ 200: 16 })
    const { json } = await s.service.call(path)
    expect(asked).toContainEqual({ resource_scopes: json.resource_scopes, name: json.name })
    expect(differences(as)).toEqual([])
  })

  it('DESIGN 3: shares with one new address at once are shares with one person', async () => {
    for (let round = 0; round < 3; round++) {
      const { address } = bob()
      const before = await items('/owner/people')
      const shares = await atOnce(16, () => share(s.wallet, s.resource, address))
      expect(new Set(shares).size).toBe(16)
      const people = (await items('/owner/people')).filter((one) => !before.some((other) => other.id === one.id))
      expect(people).toMatchObject([{ share_count: 16 }])
    }
    expect(differences(as)).toEqual([])
  })

  it('RFC 6749 4.1.3: codes of one service redeemed at once make one connection', async () => {
    const service = await connectService(as, s.alice)
    const connection = (await items('/owner/connections')).find((one) => one.client_id === service.client.id)
    expectStatus(await s.wallet.call(`/owner/connections/${connection?.id}`, { method: 'DELETE' }), 204, 'disconnect')
    const redirectUri = `${service.origin}/connected`
    const { id, secret = '' } = service.client
    const codes = await Promise.all(
      ['a', 'b', 'c', 'd'].map(() => authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })),
    )
    const answers = await Promise.all(
      codes.map(({ params, verifier }) =>
        call(`${as.origin}/token`, {
          form: { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier },
          basic: { id, secret },
        }),
      ),
    )
    expect(tally(answers)).toEqual({ 200: 4 })
    expect((await items('/owner/connections')).filter((one) => one.client_id === id)).toHaveLength(1)
    expect(differences(as)).toEqual([])
  })

  it('DESIGN 3: a service that connects again while it is disconnected is connected wholly or not at all', async () => {
    for (let round = 0; round < 6; round++) {
      const service = await connectService(as, s.alice)
      const redirectUri = `${service.origin}/connected`
      const { id, secret = '' } = service.client
      const connection = (await items('/owner/connections')).find((one) => one.client_id === id)
      const { params, verifier } = await authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
      const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
      const [again] = await Promise.all([
        call(`${as.origin}/token`, { form, basic: { id, secret } }),
        s.wallet.call(`/owner/connections/${connection?.id}`, { method: 'DELETE' }),
      ])
      const isConnected = (await items('/owner/connections')).some((one) => one.client_id === id)
      const works = (await call(`${as.origin}/uma/resource`, { bearer: String(again.json.access_token ?? service.pat) })).status
      expect(works).toBe(isConnected ? 200 : 401)
      expect(differences(as)).toEqual([])
    }
  })
})

describe('DESIGN 5.10: who becomes an owner', () => {
  const arriveAtCode = async (as: Running, address: string) => {
    const browser = openBrowser()
    const codePage = await typeAddress({ address, browser }, await browser.open(`${as.origin}/sign-in`))
    return { browser, codePage, code: newestCode(as, address) }
  }

  it('CLAIMS 7: one address that signs in from three browsers at once becomes one owner', async () => {
    const as = await ownAs()
    for (let round = 1; round <= 4; round++) {
      const address = someone('alice')
      const arrivals = []
      for (let i = 0; i < 3; i++) arrivals.push(await arriveAtCode(as, address))
      const pages = await Promise.all(arrivals.map(({ browser, codePage, code }) => browser.submit(codePage, { code })))
      expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(ownersIn(as)).toBe(round)
      // All three are signed in, as the same owner: what one connects the others see.
      const [first, ...others] = arrivals.map(({ browser }) => ({ address, browser, page: pages[0] as (typeof pages)[number] }))
      const service = await connectService(as, first as NonNullable<typeof first>, `Shelf ${round}`)
      for (const { browser } of others) expect((await browser.open(`${as.origin}/`)).text).toContain(`Shelf ${round}`)
      expect(service.pat).not.toBe('')
    }
    expect(differences(as)).toEqual([])
    await as.stop()
  })

  it('DESIGN 5.10: a personal server that eight people reach at once takes one of them', async () => {
    const as = await ownAs({ asVars: { REGISTRATION: 'owner-only' } })
    const arrivals = await atOnce(8, () => arriveAtCode(as, someone('first')))
    const pages = await Promise.all(arrivals.map(({ browser, codePage, code }) => browser.submit(codePage, { code })))
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 403, 403, 403, 403, 403, 403, 403])
    expect(ownersIn(as)).toBe(1)
    await as.stop()
  })
})
