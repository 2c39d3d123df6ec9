// Giving somebody more while D1 is away (DESIGN 3, "One writer"): it is done in both places or it is refused with 503 and nowhere, whatever
// D1 did with the statement and whenever it answers.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { authorize, connectService, registerClient, share, someone, stopSharing } from '../support/actors.ts'
import { atOnce, tally } from '../support/at-once.ts'
import { type Stage, stage } from '../support/claims.ts'
import type { Fault } from '../support/fault.ts'
import { type Answer, call, expectStatus, type Json } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { d1File, rowsOf, withCopy } from '../support/state-files.ts'
import { until } from '../support/until.ts'
import { verifyState } from '../support/verify-state.ts'

const ALWAYS = 1_000_000
const RECORD = ['connection', 'resource', 'person', 'policy'] as const

describe('DESIGN 3: one writer', () => {
  let as: Running
  let s: Stage
  beforeAll(async () => {
    as = await ownAs()
    s = await stage(as)
  })
  afterEach(() => as.setFault(undefined))
  afterAll(() => as.stop())

  const items = async (path: string): Promise<Json[]> => expectStatus(await s.wallet.call(path), 200, path).json.items as Json[]
  /** All that the owner can see. */
  const seen = async (): Promise<Json> => ({
    connections: (await items('/owner/connections')).map(({ last_used_at: _, ...row }) => row),
    resources: await items('/owner/resources'),
    people: await items('/owner/people'),
    policies: await items('/owner/policies'),
    activity: (await items('/owner/activity?limit=200')).map(({ seq, event }) => ({ seq, event })),
    described: await Promise.all(
      (await items('/owner/resources')).map(async ({ id }) => (await s.service.call(`/uma/resource/${id}`)).json),
    ),
  })
  /** All that D1 holds of it. */
  const recorded = (): unknown =>
    withCopy(d1File(as.state) ?? '', (db) => RECORD.map((table) => rowsOf(db, `SELECT * FROM ${table} ORDER BY id`)))
  const isPending = (): boolean => verifyState(as.state).some(({ summary }) => /fence|on the way/.test(summary))
  const differences = (): string[] => verifyState(as.state).flatMap((report) => report.differences)
  const alarm = async (): Promise<void> => {
    for (let round = 0; round < 4 && (round === 0 || isPending()); round++) {
      for (const id of await as.objects('OwnerObject')) await as.runAlarm('OWNER', id)
    }
  }

  /** A widening request that can be sent again, and the status of its success. */
  type Widening = { send: () => Promise<Answer>; status: number }
  const widenings: Record<string, () => Promise<Widening>> = {
    'a share with a new person': async () => {
      const json = { resource_id: s.resource, person: { email: someone('new') }, resource_scopes: ['view'] }
      return { send: () => s.wallet.call('/owner/policies', { json }), status: 201 }
    },
    'a new thing': async () => {
      return { send: () => s.service.call('/uma/resource', { json: { resource_scopes: ['view'], name: 'New' } }), status: 201 }
    },
    'a thing described anew': async () => {
      const json = { resource_scopes: ['view', 'download', someone('s')], name: 'Other' }
      return { send: () => s.service.call(`/uma/resource/${s.resource}`, { method: 'PUT', json }), status: 200 }
    },
    'a connection': async () => {
      const redirectUri = 'https://new.example/connected'
      const metadata = { client_name: 'New', redirect_uris: [redirectUri], grant_types: ['authorization_code', 'refresh_token'] }
      const { id, secret = '' } = await registerClient(as, metadata)
      const { params, verifier } = await authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
      const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
      return { send: () => call(`${as.origin}/token`, { form, basic: { id, secret } }), status: 200 }
    },
  }
  const kinds = Object.keys(widenings)
  const widening = (kind: string): Promise<Widening> => {
    const make = widenings[kind]
    if (make === undefined) throw new Error(`no widening is called ${kind}`)
    return make()
  }
  const expectUnavailable = (answer: Answer): void => {
    expect(tally([answer])).toEqual({ '503 temporarily_unavailable': 1 })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  }

  /** Sent under a fault it is refused and nowhere to be found, then and when D1 is well; sent again, it is done, once. */
  const expectNowhere = async (kind: string, fault: Fault): Promise<void> => {
    const { send, status } = await widening(kind)
    const [before, kept] = [await seen(), recorded()]
    await as.setFault(fault)
    expectUnavailable(await send())
    expect(await seen()).toEqual(before)
    await as.setFault(undefined)
    await alarm()
    expect(await seen()).toEqual(before)
    expect(recorded()).toEqual(kept)
    expect(isPending()).toBe(false)
    expect(differences()).toEqual([])
    expectStatus(await send(), status, 'again')
    expect(differences()).toEqual([])
  }

  it.each(kinds)('DESIGN 3: D1 refuses once: 503 and nothing has changed: %s', (kind) => expectNowhere(kind, { mode: 'fail', count: 1 }))

  it.each(kinds)('DESIGN 3: D1 is away: 503 and nothing has changed: %s', (kind) => expectNowhere(kind, { mode: 'fail', count: ALWAYS }))

  it.each(kinds)('DESIGN 3: D1 writes and is away before it says so: 503, and the record loses it again: %s', (kind) =>
    expectNowhere(kind, { mode: 'lost', count: ALWAYS }),
  )

  it.each(kinds)('DESIGN 3: the answer of D1 is lost: the fence finds what was written, and it is done once: %s', async (kind) => {
    const { send, status } = await widening(kind)
    const before = (await seen()) as { activity: Json[]; policies: Json[]; resources: Json[] }
    await as.setFault({ mode: 'lost', count: 1 })
    expectStatus(await send(), status, 'with a lost answer')
    const after = (await seen()) as typeof before
    expect(after.policies.length - before.policies.length).toBe(kind === 'a share with a new person' ? 1 : 0)
    expect(after.resources.length - before.resources.length).toBe(kind === 'a new thing' ? 1 : 0)
    const told = after.activity.filter(({ seq }) => !before.activity.some((old) => old.seq === seq)).map(({ event }) => event)
    const events: Record<string, string[]> = {
      'a share with a new person': ['share_created'],
      'a new thing': ['resource_registered'],
      'a thing described anew': [],
      'a connection': ['service_connected'],
    }
    expect(told).toEqual(events[kind])
    expect(isPending()).toBe(false)
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: D1 writes long after the caller was told no: the statement is void', async () => {
    const { send } = await widening('a share with a new person')
    await as.setFault({ mode: 'late', count: 1, match: 'INTO policy' })
    expectUnavailable(await send())
    await alarm()
    const id = await share(s.wallet, s.resource, someone('later'))
    const before = recorded()
    await as.setFault(undefined)
    // The late batch has been run by now.
    expect(recorded()).toEqual(before)
    expect((await items('/owner/policies')).map((one) => one.id)).toContain(id)
    expect(differences()).toEqual([])
  })

  it.each([
    [
      'a service that connects again is disconnected',
      'INTO connection',
      async () => {
        const service = await connectService(as, s.alice)
        const redirectUri = `${service.origin}/connected`
        const { id, secret = '' } = service.client
        const { params, verifier } = await authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
        const form = {
          grant_type: 'authorization_code',
          code: params.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: verifier,
        }
        const connection = (await items('/owner/connections')).find((one) => one.client_id === id)
        return {
          widen: () => call(`${as.origin}/token`, { form, basic: { id, secret } }),
          narrow: () => s.wallet.call(`/owner/connections/${connection?.id}`, { method: 'DELETE' }),
          refused: '400 invalid_grant',
        }
      },
    ],
    [
      'a thing is described anew and deleted',
      'INTO resource',
      async () => {
        const path = `/uma/resource/${await s.service.register({ resource_scopes: ['view'] })}`
        return {
          widen: () => s.service.call(path, { method: 'PUT', json: { resource_scopes: ['view', 'x'] } }),
          narrow: () => s.service.call(path, { method: 'DELETE' }),
          refused: '404 not_found',
        }
      },
    ],
    [
      'a thing is shared and deleted',
      'INTO policy',
      async () => {
        const id = await s.service.register({ resource_scopes: ['view'] })
        const json = { resource_id: id, person: { email: someone('new') }, resource_scopes: ['view'] }
        return {
          widen: () => s.wallet.call('/owner/policies', { json }),
          narrow: () => s.service.call(`/uma/resource/${id}`, { method: 'DELETE' }),
          refused: '404 not_found',
        }
      },
    ],
  ] as const)('DESIGN 3: while D1 is written %s: the narrower wins, in object and record', async (_what, match, make) => {
    const { widen, narrow, refused } = await make()
    await as.setFault({ mode: 'late', count: 1, match })
    const answer = widen()
    await until(() => isPending())
    expectStatus(await narrow(), 204, 'narrowing')
    const before = await seen()
    await as.setFault(undefined)
    expect(tally([await answer])).toEqual({ [refused]: 1 })
    await alarm()
    expect(await seen()).toEqual(before)
    expect(isPending()).toBe(false)
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: sixteen who want something of a D1 that does not answer are told so together, not one after the other [LF-11]', async () => {
    const shares = await atOnce(16, async () => await widening('a share with a new person'))
    const [before, kept] = [await seen(), recorded()]
    await as.setFault({ mode: 'hang', count: ALWAYS })
    const begin = performance.now()
    for (const answer of await Promise.all(shares.map(({ send }) => send()))) expectUnavailable(answer)
    expect(performance.now() - begin).toBeLessThan(10_000)
    expect(await seen()).toEqual(before)
    await as.setFault(undefined)
    await alarm()
    expect(await seen()).toEqual(before)
    expect(recorded()).toEqual(kept)
    expect(isPending()).toBe(false)
    for (const { send, status } of shares) expectStatus(await send(), status, 'again')
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: activity waits for D1 and arrives whole [LF-20]', async () => {
    const id = await share(s.wallet, s.resource, someone('short'))
    await as.setFault({ mode: 'fail', count: ALWAYS })
    await alarm()
    await stopSharing(s.wallet, id)
    await as.setFault({ mode: 'lost', count: ALWAYS })
    await alarm()
    await as.setFault(undefined)
    await alarm()
    const counts = withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, 'SELECT COUNT(*) AS n, MAX(seq) AS last FROM activity'))
    expect(counts[0]?.n).toBe(counts[0]?.last)
    expect(counts[0]?.last).toBe((await items('/owner/activity?limit=1'))[0]?.seq)
    expect(differences()).toEqual([])
  })
})
